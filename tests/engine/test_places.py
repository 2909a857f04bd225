"""Where the right option stands after shuffling: anywhere, equally often, whatever the file's order."""

import random
from collections import Counter

import pytest

from quiz.engine.ability import estimate
from quiz.engine.examiner import pick
from quiz.engine.state import NOTHING_YET
from tests.engine.builders import NOON, code, diagnose, multiple, predict, question, single

DRAWS = 4000
LIMIT = 16.27  # the 0.1 % point of chi-square with 3 degrees of freedom; the seeds are fixed, so only a change of the shuffle can fail


@pytest.mark.parametrize("make", [single, predict, code, diagnose, multiple])
def test_the_option_that_the_file_lists_first_stands_anywhere_equally_often(make):
    asked = question("q", 1, items=(make("one"), make("two"), make("three")))
    abilities = estimate({}, {"q": "gates"})
    counts = Counter(pick((asked,), NOTHING_YET, abilities, (), 5, NOON, random.Random(seed)).order.index("a") for seed in range(DRAWS))
    expected = DRAWS / 4
    assert sum((counts[place] - expected) ** 2 / expected for place in range(4)) < LIMIT
