"""Writes docs/tour.md: every picture of docs/pictures with what it shows, page by page.

`python -m tests.browser.tour`; a test holds it in step with the pictures.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.registry import all_experiments, find_experiment
from tests.browser.take_pictures import PICTURES, ROOT

TOUR = ROOT / "docs" / "tour.md"
OTHERS = {"banner"}  # shown in the README
PAGES: dict[str, dict[str, str]] = {
    "Today": {
        "today-welcome": "The first visit: two ways on, and nothing to configure.",
        "today-introduction": "Its question answered: what a cell keeps, in a slider and a chart, and how it goes on.",
        "today-undated": "A day without an interview date: what is due, and the way to a plan.",
        "today": "A day on the way to an interview: what pays most now, an experiment on what was missed, and the plan, made anew with every answer.",
        "today-afterwards": "After the interview: how did it go?",
    },
    "Diagnostic": {
        "diagnostic-start": "Before it: what it does and how long it takes.",
        "diagnostic-question": "A question of it: no feedback in between, and “I don't know” is an answer.",
        "diagnostic-result": "What it found, with intervals, and the three questions to begin with.",
    },
    "Practice": {
        "practice-welcome": "Before a session.",
        "practice-question": "A question. Mouse or keyboard; certainty is optional.",
        "practice-feedback": "The feedback: every option has its own, and the lab is one click away.",
        "practice-trace": "Trace: work a cell's step out by hand.",
        "practice-code": "Find the fault in a snippet; every fault has been run.",
        "practice-code-feedback": "The same snippet, mended.",
        "practice-curves": "Diagnose a real run from its curves.",
        "practice-summary": "The end of a session.",
    },
    "Study": {
        "study": "The 24 cards.",
        "study-card": "A card: what is tested, how to build the answer, a model answer, traps, equations, sources.",
    },
    "Lab": {
        "lab-setup": "An experiment before its run: the claim, your prediction, the settings.",
        "lab-running": "Under way: live curves of every arm.",
        "lab-verdict": "The verdict, with the measured values, the interval over seeds, and what the textbook leaves out.",
        "lab-contradicted": "A claim contradicted.",
        "lab-clipping": "The same claim where it holds.",
        "lab-bilstm": "The same experiment for another claim: each page has its own figure.",
        "lab-compared": "Two runs side by side.",
        "lab-refused": "A link that asks for what does not exist.",
        "surgery": "Gate surgery: hold a gate of the trained network and see what it costs.",
    },
    "Runs": {
        "runs": "Every run, with its verdict beside your prediction.",
        "runs-note": "Searched, and a note being written.",
    },
    "Progress": {
        "progress-empty": "Before the first answer.",
        "progress": "Where you stand.",
        "progress-over-time": "Mastery over time, days, accuracy by group and format.",
        "progress-forgetting": "A forgetting curve, with today's point and the interview's.",
        "progress-misconceptions": "Misconceptions met and overcome.",
        "progress-predictions": "The lab's predictions against what the runs showed.",
        "progress-readiness": "Readiness today and on the day of the interview, with intervals.",
        "progress-calibration": "How well the forecasts and your own certainty hold.",
        "progress-lstm": "The scheduler as an LSTM lesson.",
    },
    "Your data": {
        "your-data": "Everything out, in four forms, and in again.",
    },
    "Everywhere": {
        "shortcuts": "`?` lists the keys.",
    },
    "Profiles and backup": {
        "who-is-practising": "With two profiles or more, the question comes first.",
        "profiles": "Profiles, a backup of everything, and its way back.",
    },
}


def pictures_of(scene: str) -> list[Path]:
    """The scene's pictures: wide before narrow, light before dark."""
    order = [PICTURES / f"{scene}-{width}-{theme}.png" for width in (1280, 390) for theme in ("light", "dark")]
    return [path for path in order if path.exists()]


def tour() -> str:
    """The page, as Markdown."""
    lines = ["# A tour", "", "Every page, wide and on a phone, light and dark. `make pictures` takes these anew.", ""]
    for page, scenes in PAGES.items():
        lines += [f"## {page}", ""]
        for scene, text in scenes.items():
            lines += _scene(scene, text)
    lines += ["## The 24 verdicts", "", "Each experiment after a run of its quick preset.", ""]
    for name in all_experiments():
        lines += _scene(f"verdict-{name}", f"{find_experiment(name).title}.")
    return "\n".join(lines)


def _scene(scene: str, text: str) -> list[str]:
    shown = pictures_of(scene)
    wide, narrow = [one for one in shown if "-1280-" in one.name], [one for one in shown if "-390-" in one.name]
    images = [_image(one, 400 if one in wide else 130) for one in (*wide, *narrow)]
    return [text, "", "\n".join(images), ""]


def _image(path: Path, width: int) -> str:
    theme = "dark" if path.stem.endswith("dark") else "light"
    size = "on a phone" if "-390-" in path.stem else "wide"
    return f'<a href="pictures/{path.name}"><img src="pictures/{path.name}" width="{width}" alt="{theme}, {size}"></a>'


if __name__ == "__main__":
    TOUR.write_text(tour(), encoding="utf-8")
