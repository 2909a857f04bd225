"""Comparisons of forecasts: each log once, in a worker, with a thread that waits for it. A page asks and never waits."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.forecasting import AnswerLog, Comparison, Effort

if TYPE_CHECKING:
    from sandbox.jobs.engine import Engine

log = logging.getLogger(__name__)

KEPT = 8  # comparisons held in memory
COMPARE_S = 90.0  # the training takes seconds; the rest is for a cluster that starts, and for workers that are busy

Key = tuple[AnswerLog, Effort]


@dataclass(frozen=True)
class Compared:
    """A comparison as it stands: `result` when it is there, `error` when it failed, neither while it goes on.

    Then `share` of it is done, from 0 to 1, and `words` say what.
    """

    result: Comparison | None = None
    error: str | None = None
    share: float = 0.0
    words: str = "waiting for a training process"

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.result is not None or self.error is not None


class Comparisons:
    """Runs comparisons. Safe to call from any thread. `engine` gives the engine on first use, which loads Dask."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._kept: OrderedDict[Key, Compared] = OrderedDict()

    def start(self, answers: AnswerLog, effort: Effort) -> None:
        """Start the comparison, unless it goes on or has been made; one that failed is started again."""
        key = (answers, effort)
        with self._changed:
            standing = self._kept.get(key)
            if standing is not None and standing.error is None:
                return
            self._kept[key] = Compared()
            self._kept.move_to_end(key)
            for old in [one for one, state in self._kept.items() if state.over][: max(0, len(self._kept) - KEPT)]:
                del self._kept[old]
        threading.Thread(target=self._perform, args=(key,), name="comparison", daemon=True).start()

    def standing(self, answers: AnswerLog, effort: Effort) -> Compared | None:
        """The comparison as it stands; None when it was not started, or not since the app was."""
        with self._changed:
            return self._kept.get((answers, effort))

    def wait(self, answers: AnswerLog, effort: Effort, seconds: float) -> None:
        """Return when the comparison is over, at the latest after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: (state := self._kept.get((answers, effort))) is None or state.over, seconds)

    def _perform(self, key: Key) -> None:
        found = self._compared(key)
        with self._changed:
            self._kept[key] = found
            self._changed.notify_all()

    def _note(self, key: Key, share: float, words: str) -> None:
        with self._changed:
            standing = self._kept.get(key)
            if standing is not None and not standing.over:
                self._kept[key] = Compared(share=share, words=words)

    def _compared(self, key: Key) -> Compared:
        from distributed.scheduler import KilledWorker

        from sandbox.jobs.engine import WorkersBusy, WorkersUnavailable
        from sandbox.jobs.forecasting import compare

        try:
            engine = self._engine()
            engine.connect()
            return Compared(engine.call(compare, *key, wait_s=COMPARE_S, on_progress=lambda share, words: self._note(key, share, words)))
        except WorkersBusy:
            return Compared(error="All training processes are busy with other runs. Try again in a moment.")
        except (WorkersUnavailable, OSError) as error:
            return Compared(error=f"The training workers cannot be reached ({error}). Try again in a moment: they are set up anew.")
        except KilledWorker:
            return Compared(error="The process that trained was ended from outside. Another has taken its place: try again.")
        except ValueError as error:  # a log with too little in it
            return Compared(error=str(error))
        except Exception as error:  # a bug of ours must not leave the page waiting for ever
            log.exception("a comparison broke")
            return Compared(error=f"The comparison itself failed: {type(error).__name__}: {error}")
