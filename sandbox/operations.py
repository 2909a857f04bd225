"""What may be done to a trained network, and what comes of it.

One table of controls again: it says what is allowed, draws the widgets and refuses the rest. The operating itself is in
core.surgery, and happens in a training process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from sandbox.protocol import Choice, InvalidSetting, Lines, Number, Setting, parse_settings

GATES = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}
COUPLED = {"i": "1 − f", "f": "1 − i"}  # what these gates may be set to, besides numbers
STATES = {"c": "c", "h": "h", "both": "c and h"}

GATE = Choice(name="gate", label="Gate", help="Of every unit, at every step.", default="f", options=GATES)
HOLD = Choice(
    name="hold",
    label="Hold it at",
    help="Input and forget gate may also be coupled: what one lets in, the other lets go.",
    default="learnt",
    options={"learnt": "as learnt", "0": "0", "1": "1", "coupled": "1 − the other"},
)
EXCHANGE = Choice(
    name="exchange",
    label="Exchange with another sequence",
    help="After some steps every sequence goes on with the state of the one before it, and reads on what was its own.",
    default="none",
    options={"none": "nothing", **STATES},
)


def after_control(last_exchange: int) -> Number:
    """After how many steps states are exchanged."""
    return Number(
        name="at",
        label="Exchange after step",
        help="How much each sequence has read by then.",
        default=max(1, last_exchange // 2),
        low=1,
        high=max(1, last_exchange),
        whole=True,
        step=1,
    )


@dataclass(frozen=True)
class Operation:
    """One operation: `gate` held (or not: "learnt"), and states exchanged (or not) after `at` steps, which then counts only with an exchange."""

    gate: Literal["i", "f", "g", "o"] = "f"
    hold: Literal["learnt", "0", "1", "coupled"] = "learnt"
    exchange: Literal["none", "c", "h", "both"] = "none"
    at: int = 1

    @property
    def title(self) -> str:
        """It in words, as the beginning of a sentence; for no operation at all "As learnt"."""
        held = COUPLED[self.gate] if self.hold == "coupled" else self.hold
        parts = [] if self.hold == "learnt" else [f"{GATES[self.gate]} {'set to' if self.hold == 'coupled' else 'held at'} {held}"]
        parts += [] if self.exchange == "none" else [f"{STATES[self.exchange]} exchanged after step {self.at}"]
        words = ", ".join(parts) or "as learnt"
        return words if words[:2] in ("c ", "h ") else words[0].upper() + words[1:]

    @property
    def nothing(self) -> bool:
        """Whether the network is left as it is."""
        return self.hold == "learnt" and self.exchange == "none"


def checked(operation: Operation, last_exchange: int) -> Operation:
    """The operation, if it can be done on a specimen with this last exchange. Errors: InvalidSetting naming all problems."""
    raw: Mapping[str, Setting] = asdict(operation)
    problems: list[str] = []
    try:
        parse_settings((GATE, HOLD, EXCHANGE, after_control(last_exchange)), raw if operation.exchange != "none" else {**raw, "at": 1})
    except InvalidSetting as error:
        problems.extend(error.problems)
    if operation.hold == "coupled" and operation.gate in {"g", "o"}:
        problems.append(f"hold 'coupled' goes with the gates i and f, got {operation.gate!r}")
    if operation.exchange in STATES and last_exchange < 1:
        problems.append(f"exchange must be none: these sequences are not asked at the same steps, got {operation.exchange!r}")
    if problems:
        raise InvalidSetting(problems)
    return operation


@dataclass(frozen=True)
class Examined:
    """What an operation did. Scores are accuracies or, for values, errors ÷ variance, before and after it.

    `own` is against the sequence's own answers; with an exchange `donor` is against those of the sequence that gave its
    state. `guess` is what one scores who has read nothing. `counted` answers are behind each score.
    """

    measure: Literal["accuracy", "error"]
    own: tuple[float, float]
    donor: tuple[float, float] | None
    guess: float
    counted: int
    sequences: int
    mean: Lines  # timelines, means over units
    unit: Lines  # timelines of the unit that tells most
