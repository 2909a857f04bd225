"""Takes the pictures under docs/pictures: every page in its main states, light and dark, wide and narrow.

`make pictures`, or with names to take only those: `make pictures ARGS="lab-verdict progress"`.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from sandbox.registry import all_experiments, find_experiment
from sandbox.ui.figures import COLOURS, GATES, Look
from tests.browser import demo
from tests.browser.answers import open_turn, runs, wrong_response
from tests.browser.conftest import DESKTOP, FLAGS, PHONE
from tests.browser.find_chromium import find
from tests.browser.server import ROOT, Server, end_servers_on_sigterm
from tests.browser.steps import LIVE_POINT, VERDICT, button, check, choose, hold_at, keyed, open_lab, run_predicting, settle, visit

PICTURES = ROOT / "docs" / "pictures"
LARGEST_BYTES = 165_000
TALLEST_PX = 2600
WHOLE_PX = 12_000  # where a picture shows a page to its end
SURGERY = ".st-key-lab_surgery"
LOOKS = tuple((size, dark) for size in (DESKTOP, PHONE) for dark in (False, True))
TWO_LOOKS = ((DESKTOP, False), (PHONE, True))


@dataclass(frozen=True)
class Scene:
    """One state of one page: `prepare` brings it about once, `show` opens it in a fresh tab, `leave` tidies up.

    `tallest` is where a longer page is cut off, in pixels; `part` and `before` are selectors: only
    that is taken, not the page, or the page down to that, if it is there.
    """

    name: str
    show: Callable[[Page, Server], None]
    prepare: Callable[[Page, Server], None] | None = None
    leave: Callable[[Page, Server], None] | None = None
    looks: tuple[tuple[tuple[int, int], bool], ...] = LOOKS
    tallest: int = TALLEST_PX
    part: str | None = None
    before: str | None = None


# --- Scenes -----------------------------------------------------------------------------------------------------


def at(address: str, wait_for: str | None = None) -> Callable[[Page, Server], None]:
    """Shows an address; `wait_for` is a selector that must be there."""

    def show(page: Page, app: Server) -> None:
        visit(page, app.url + address)
        if wait_for:
            page.locator(wait_for).first.wait_for()

    return show


def ask(question: str) -> Callable[[Page, Server], None]:
    """Leaves an item of `question` open."""

    def prepare(page: Page, app: Server) -> None:
        demo.practise_only(app.database, question)

    return prepare


def put(item_id: str) -> Callable[[Page, Server], None]:
    """Leaves this item open."""

    def prepare(page: Page, app: Server) -> None:
        demo.show_item(app.database, item_id)

    return prepare


def answer(page: Page, app: Server) -> None:
    """Answers the open item wrongly."""
    visit(page, f"{app.url}/practice")
    turn = open_turn(app.database)
    choose(page, turn, wrong_response(turn.item))
    check(page)


def show_summary(page: Page, app: Server) -> None:
    """The summary of the session that ended last."""
    visit(page, f"{app.url}/practice")
    button(page, "last").click()
    keyed(page, "again").wait_for()


def show_verdict(experiment: str, place: int = 0) -> Callable[[Page, Server], None]:
    """The stored run of an experiment: the newest, or the one `place` further back."""

    def show(page: Page, app: Server) -> None:
        stored = [run for run in runs(app.database) if run.experiment == experiment and run.state == "finished"][place]
        visit(page, f"{app.url}/lab?experiment={experiment}&run={stored.id}")
        page.locator(VERDICT).wait_for()

    return show


def start_run(page: Page, app: Server) -> None:
    """A run that is going on."""
    open_lab(page, app.url, "experiment=forget-gate&preset=thorough")
    button(page, "lab_run_unpredicted").click()
    page.locator(LIVE_POINT).first.wait_for(state="attached", timeout=120_000)


def cancel_run(page: Page, app: Server) -> None:
    """Cancels it."""
    button(page, "lab_cancel").click()
    page.get_by_text("Cancelled.").wait_for()


def run_quick(experiment: str) -> Callable[[Page, Server], None]:
    """Locks in an experiment's first prediction and runs it by its quick preset, to its verdict."""

    def prepare(page: Page, app: Server) -> None:
        open_lab(page, app.url, f"experiment={experiment}")
        run_predicting(page, find_experiment(experiment).predictions[0].text)
        page.locator(VERDICT).wait_for(timeout=300_000)

    return prepare


def show_surgery(page: Page, app: Server) -> None:
    """A trained network whose forget gate is held at 0, beside what it did before."""
    show_verdict("forget-gate")(page, app)
    hold_at(page, "0")
    keyed(page, "surgery_scores").get_by_text("→").wait_for()


def set_interview(page: Page, app: Server) -> None:
    """The interview is in two weeks."""
    demo.set_interview(app.database, datetime.now(UTC), days=14, minutes=20)


def compare_forecasts(page: Page, app: Server) -> None:
    """Forecasts are compared, to the verdict."""
    visit(page, f"{app.url}/progress?section=LSTM+forecast")
    button(page, "compare_forecasts").click()
    keyed(page, "forecast_verdict").wait_for(timeout=120_000)


def show_compared(page: Page, app: Server) -> None:
    """The two latest runs of gradient clipping, side by side."""
    this, other = [run for run in runs(app.database) if run.experiment == "gradient-clipping" and run.state == "finished"][:2]
    visit(page, f"{app.url}/lab?experiment=gradient-clipping&run={this.id}&compare={other.id}")
    keyed(page, "lab_compared_curves").wait_for()


def note_runs(page: Page, app: Server) -> None:
    """Notes on two runs."""
    first, second = [run for run in runs(app.database) if run.experiment == "gradient-clipping"][:2]
    demo.note(app.database, first.id, "A hundredth of the rate and the RNN never explodes: nothing to clip.\nAsk: does the claim name a learning rate?")
    demo.note(app.database, second.id, "As in the textbook.")


def show_noting(page: Page, app: Server) -> None:
    """Runs that a search found, one with its note open."""
    visit(page, f"{app.url}/runs")
    keyed(page, "runs_search").get_by_role("searchbox").fill("clip")
    keyed(page, "runs_search").get_by_role("searchbox").press("Enter")
    page.get_by_text("2 of").wait_for()
    button(page, "runs_note_0").click()
    button(page, "runs_save").wait_for()


def show_profiles(page: Page, app: Server) -> None:
    """The page of profiles, for the first of two."""
    visit(page, f"{app.url}/profiles")
    button(page, "profile_1").click()
    keyed(page, "profile_row_1").wait_for()


def in_database(change: Callable[[Path], None]) -> Callable[[Page, Server], None]:
    """Brings a state about in the database, beside the running server."""

    def prepare(page: Page, app: Server) -> None:
        change(app.database)

    return prepare


def show_introduction(page: Page, app: Server) -> None:
    at("/", ".st-key-introduction_answer")(page, app)
    page.get_by_test_id("stMain").get_by_role("radio", name="99%", exact=True).click()
    page.locator(".st-key-introduction_chart .scatterlayer .trace").first.wait_for(state="attached")


def show_shortcuts(page: Page, app: Server) -> None:
    at("/study")(page, app)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


CHARTS_DRAWN = "() => [...document.querySelectorAll('.stPlotlyChart')].every(chart => chart.querySelector('.main-svg'))"
# Plotly draws axes first and what they measure later: a chart is done when its markup has stayed the same for a while.
CHARTS_AT_REST = """() => new Promise(done => {
  let before = null, same = 0;
  const look = () => {
    const now = [...document.querySelectorAll('.stPlotlyChart')].map(chart => chart.innerHTML).join();
    same = now === before ? same + 1 : 0;
    before = now;
    same < 5 ? setTimeout(look, 150) : done();
  };
  look();
})"""
FRESH = [
    Scene("today-welcome", at("/", ".st-key-begin")),
    Scene("today-introduction", show_introduction),
    Scene("shortcuts", show_shortcuts),
    Scene("diagnostic-start", at("/diagnostic", ".st-key-start_diagnostic")),
    Scene("practice-welcome", at("/practice", ".st-key-start")),
    Scene("progress-empty", at("/progress")),
]
WITH_HISTORY = [
    Scene("progress", at("/progress", ".stPlotlyChart")),
    Scene("progress-readiness", at("/progress?section=Readiness", ".stPlotlyChart"), prepare=set_interview),
    Scene("progress-calibration", at("/progress?section=Calibration", ".stPlotlyChart")),
    Scene("progress-lstm", at("/progress?section=LSTM+forecast", ".st-key-forecast_verdict"), prepare=compare_forecasts),
    Scene("progress-over-time", at("/progress?section=Over+time", ".stPlotlyChart"), tallest=WHOLE_PX),
    Scene("progress-forgetting", at("/progress?section=Forgetting", ".stPlotlyChart")),
    Scene("progress-misconceptions", at("/progress?section=Misconceptions", ".stMetric")),
    Scene("progress-predictions", at("/progress?section=Predictions", ".stPlotlyChart")),
    Scene("your-data", at("/data")),
    Scene("study", at("/study")),
    Scene("study-card", at("/study?question=forget-gate")),
    Scene("lab-setup", at("/lab?experiment=forget-gate", ".st-key-lab_run")),
    Scene("lab-refused", at("/lab?experiment=forget-gate&hidden=4096&momentum=0.9")),
    Scene("lab-verdict", show_verdict("forget-gate")),
    Scene("lab-clipping", show_verdict("gradient-clipping", 1)),
    Scene("lab-contradicted", show_verdict("gradient-clipping")),
    Scene("lab-bilstm", show_verdict("bilstm")),
    Scene("lab-compared", show_compared),
    Scene("runs", at("/runs", ".st-key-runs_run_0"), prepare=note_runs),
    Scene("runs-note", show_noting),
    Scene("practice-summary", show_summary),
    Scene("practice-question", at("/practice", ".st-key-check"), prepare=ask("forget-gate")),
    Scene("practice-feedback", at("/practice", ".st-key-next"), prepare=answer),
    Scene("practice-trace", at("/practice", ".st-key-check"), prepare=put(demo.TRACE)),
    Scene("practice-code", at("/practice", ".st-key-check"), prepare=put(demo.WIDE_CODE)),
    Scene("practice-code-feedback", at("/practice", ".st-key-next"), prepare=answer),
    Scene("practice-curves", at("/practice", ".st-key-check"), prepare=put(demo.CURVES)),
    Scene("lab-running", start_run, leave=cancel_run),
]
VERDICTS = [
    *(Scene(f"verdict-{one}", show_verdict(one), prepare=run_quick(one), looks=TWO_LOOKS, tallest=WHOLE_PX, before=SURGERY) for one in all_experiments()),
    Scene("surgery", show_surgery, prepare=run_quick("forget-gate"), looks=TWO_LOOKS, part=SURGERY),
]
PREPARING = [
    Scene("today-undated", at("/", ".st-key-begin")),
    Scene("diagnostic-result", at("/diagnostic", ".stPlotlyChart"), prepare=in_database(demo.find_level)),
    Scene("today", at("/", ".stPlotlyChart"), prepare=in_database(demo.prepare_for_two_weeks)),
    Scene("diagnostic-question", at("/practice", ".st-key-check"), prepare=in_database(demo.open_diagnostic)),
    Scene("today-afterwards", at("/", ".st-key-how_it_went"), prepare=in_database(demo.end_interview)),
    Scene("who-is-practising", at("/", ".st-key-profile_choice"), prepare=in_database(demo.add_profile)),
    Scene("profiles", show_profiles),
]
# The picture on top of the README: the upper parts of two others, side by side.
BANNER = ("practice-feedback-1280-light.png", "lab-verdict-1280-dark.png")


# --- Taking them ------------------------------------------------------------------------------------------------


def open_page(browser: Browser, size: tuple[int, int], dark: bool) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", reduced_motion="reduce", locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(60_000)
    return context.new_page()


def take(page: Page, path: Path, tallest: int = TALLEST_PX, part: str | None = None, before: str | None = None) -> None:
    """Picture of the page as tall as it is, or of one part of it, in few enough colours to be small."""
    settle(page)
    page.wait_for_function(CHARTS_DRAWN)
    charts = page.locator(".stPlotlyChart").count()
    height = page.evaluate("() => Math.max(...[...document.querySelectorAll('[data-testid=\"stMain\"]')].map(box => box.scrollHeight))")
    size = page.viewport_size or {"width": DESKTOP[0], "height": DESKTOP[1]}
    page.set_viewport_size({"width": size["width"], "height": min(WHOLE_PX if part else tallest, max(size["height"], int(height)))})
    page.evaluate("() => document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))")
    settle(page)
    if charts:  # those of a run that goes on are drawn anew when the window changes
        page.locator(".stPlotlyChart").nth(charts - 1).wait_for()
    page.wait_for_function(CHARTS_DRAWN)
    page.evaluate(CHARTS_AT_REST)
    shot = page.screenshot(clip=around(page, part) if part else above(page, before) if before else None)
    path.write_bytes(small(Image.open(io.BytesIO(shot)).convert("RGB")))


def around(page: Page, part: str) -> FloatRect:
    """Where a part stands on the page, with the page's margin around it."""
    box = page.locator(part).bounding_box()
    assert box, f"{part} is not to be seen"
    margin = min(24.0, box["x"])
    return {"x": box["x"] - margin, "y": box["y"], "width": box["width"] + 2 * margin, "height": box["height"]}


def above(page: Page, selector: str) -> FloatRect | None:
    """The page down to where the selector's element begins; None, for all of it, when there is none."""
    box = page.locator(selector).bounding_box() if page.locator(selector).count() else None
    size = page.viewport_size
    return {"x": 0, "y": 0, "width": size["width"], "height": box["y"]} if box and size else None


def small(image: Image.Image) -> bytes:
    """The picture in as many colours as fit into LARGEST_BYTES. Errors: ValueError when even the fewest are too many."""
    for colours in (256, 128, 96, 64, 48, 40):
        out = io.BytesIO()
        in_colours(image, colours).save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST_BYTES:
            return out.getvalue()
    raise ValueError(f"a picture of {image.width} × {image.height} px stays above {LARGEST_BYTES} bytes")


def in_colours(image: Image.Image, colours: int) -> Image.Image:
    """The picture in so many colours, among them all that mean something in a figure: a thin line would lose its own to what there is much of."""
    roles = {Look(dark).colour(role) for role in (*COLOURS, *GATES) for dark in (False, True)}
    meant = [int(colour[index : index + 2], 16) for colour in sorted(roles) for index in (1, 3, 5)]
    others = colours - len(meant) // 3
    found = image.quantize(others, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() if others > 0 else []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(found or [])[: 3 * others], *meant])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def banner() -> bytes:
    """Two pictures' upper parts side by side, at five eighths of their size."""
    width, height = 800, 560
    image = Image.new("RGB", (2 * width, height))
    for place, name in enumerate(BANNER):
        part = Image.open(PICTURES / name).convert("RGB").crop((0, 0, DESKTOP[0], height * DESKTOP[0] // width))
        image.paste(part.resize((width, height), Image.Resampling.LANCZOS), (place * width, 0))
    return small(image)


def shoot(browser: Browser, app: Server, scenes: list[Scene], wanted: set[str]) -> Iterator[Path]:
    """Every look of every wanted scene; scenes are prepared in order, in a history also those that are not wanted."""
    for scene in scenes:
        unwanted = wanted and scene.name not in wanted
        if scene.prepare and not (unwanted and scenes is VERDICTS):
            page = open_page(browser, DESKTOP, dark=False)
            scene.prepare(page, app)
            page.context.close()
        if unwanted:
            continue
        for size, dark in scene.looks:
            page = open_page(browser, size, dark)
            scene.show(page, app)
            path = PICTURES / f"{scene.name}-{size[0]}-{'dark' if dark else 'light'}.png"
            take(page, path, scene.tallest, scene.part, scene.before)
            if scene.leave:
                scene.leave(page, app)
            page.context.close()
            yield path


def main(wanted: set[str]) -> int:
    """Take the pictures named (none: all)."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    end_servers_on_sigterm()
    chromium = find()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for name, scenes in (("fresh", FRESH), ("history", WITH_HISTORY), ("preparing", PREPARING), ("verdicts", VERDICTS)):
            if wanted and not wanted & {scene.name for scene in scenes}:
                continue
            place = Path(folder) / name
            place.mkdir()
            app = Server(place)
            if scenes is WITH_HISTORY:
                demo.seed_history(app.database, datetime.now(UTC))
            if scenes is PREPARING:
                demo.answers_only(app.database, datetime.now(UTC))
            app.start()
            try:
                for path in shoot(browser, app, scenes, wanted):
                    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB")
            finally:
                app.stop()
        browser.close()
    (PICTURES / "banner.png").write_bytes(banner())
    return 0


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
