"""The tasks: small synthetic problems whose answer, chance level and ceiling are known exactly.

Every task is an endless iterator of batches drawn from a CPU generator. Batches hold inputs x (B, T, D) and
targets; nothing is ever repeated, so the training error is an honest error.
"""

from sandbox.core.tasks.batches import IGNORED, Labelled, Pairs
from sandbox.core.tasks.chance import Languages, Screened, noisy_sums, rare_positives, sines
from sandbox.core.tasks.memory import (
    ADDING_VARIANCE,
    LONGEST_SEGMENT,
    ORDER_CLASSES,
    ORDER_SYMBOLS,
    PULSE,
    READ,
    SHORTEST_SEGMENT,
    STREAM_TARGET_VARIANCE,
    WRITE,
    StreamWindow,
    adding,
    endless_segments,
    late_questions,
    marked_value,
    one_bit_ram,
    parity,
    ram_variance,
    recall,
    store_and_release,
    temporal_order,
)
from sandbox.core.tasks.symbols import copying, de_bruijn, echo, legal_share, past_and_future, text_windows

__all__ = [
    "ADDING_VARIANCE",
    "IGNORED",
    "LONGEST_SEGMENT",
    "ORDER_CLASSES",
    "ORDER_SYMBOLS",
    "PULSE",
    "READ",
    "SHORTEST_SEGMENT",
    "STREAM_TARGET_VARIANCE",
    "WRITE",
    "Labelled",
    "Languages",
    "Pairs",
    "Screened",
    "StreamWindow",
    "adding",
    "copying",
    "de_bruijn",
    "echo",
    "endless_segments",
    "late_questions",
    "legal_share",
    "marked_value",
    "noisy_sums",
    "one_bit_ram",
    "parity",
    "past_and_future",
    "ram_variance",
    "rare_positives",
    "recall",
    "sines",
    "store_and_release",
    "temporal_order",
    "text_windows",
]
