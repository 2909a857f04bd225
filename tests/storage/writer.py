"""A process that answers one item after another, and says so on standard output once each answer is recorded."""

import random
import sys
from datetime import UTC, datetime
from itertools import count

from quiz.service import QuizService
from quiz.storage.database import open_database
from tests.storage.builders import BANK, right


def main(address: str) -> None:
    service = QuizService(open_database(address), BANK)
    rng = random.Random(0)
    for _ in count():
        session = service.start_session(service.default_learner(), 50, datetime.now(UTC))
        while (turn := service.current(session.id, datetime.now(UTC), rng)) is not None:
            if turn.feedback is None:
                service.submit(turn.presentation_id, right(turn.item), None, datetime.now(UTC))
                sys.stdout.write(f"{turn.presentation_id}\n")
                sys.stdout.flush()
            service.advance(turn.presentation_id, datetime.now(UTC))


if __name__ == "__main__":
    main(sys.argv[1])
