"""What only counts is checked with texts small enough to count by hand."""

from __future__ import annotations

import math

import pytest
import torch

from sandbox.core import texts
from sandbox.core.counting import labels_of_contexts, naive_bayes, ngram_bits


def test_ngrams_mix_their_counts_with_those_of_the_shorter_model():
    train, held = texts.encode("aab", "ab"), texts.encode("ab", "ab")
    single, pair = 2 ** -ngram_bits(train, held, 2, 2)
    a, b = (2 + 2 / 2) / (3 + 2), (1 + 2 / 2) / (3 + 2)  # two kinds seen, three characters
    assert single.tolist() == pytest.approx([a, b])
    assert pair.tolist() == pytest.approx([a, (1 + 2 * b) / (2 + 2)])  # after a: once a, once b


def test_ngrams_are_distributions_after_every_context():
    train = texts.encode("abcabcaacb", "abc")
    context = [0, 1]
    for width in (1, 2, 3):
        chances = [2 ** -float(ngram_bits(train, torch.tensor([*context, last]), 3, 3)[width - 1, -1]) for last in range(3)]
        assert sum(chances) == pytest.approx(1)


def test_a_context_gets_its_most_frequent_label_and_an_unknown_one_that_of_a_shorter():
    train, labels = texts.encode("xayaxaya", "abxy")[None], torch.tensor([[0, 2, 0, 1, 0, 2, 0, 1]])
    asked = texts.encode("xayb", "abxy")[None]
    assert labels_of_contexts(train, labels, asked, 0, 4, 3).tolist() == [[0, 1, 0, 0]]  # b was never seen: the commonest label of all
    assert labels_of_contexts(train, labels, asked, 1, 4, 3).tolist() == [[0, 2, 0, 0]]  # every a between x and y has label 2


def test_naive_bayes_knows_the_order_of_letters_only_with_pairs():
    train, labels = torch.tensor([[0, 1, 2], [0, 2, 1]]), torch.tensor([0, 1])
    asked = torch.tensor([[1, 2, 1], [2, 1, 2]])
    assert naive_bayes(train, labels, train, 2, 3, 2).tolist() == [0, 1]
    assert naive_bayes(train, labels, asked, 1, 3, 2).tolist() == [0, 0]  # a draw: both know both letters
    assert math.isfinite(float(naive_bayes(train, labels, torch.tensor([[0, 0, 0]]), 2, 3, 2)[0]))


def test_every_character_of_python_source_has_a_class():
    source, classes = texts.python(), texts.python_classes()
    assert len(source) == len(classes)
    place = source.index("def ")
    name = source.index("(", place)
    assert classes[place : place + 4].tolist() == [1, 1, 1, 0]
    assert set(classes[place + 4 : name].tolist()) == {2}
    assert classes[name] == 6
    assert set(classes.tolist()) == set(range(len(texts.PYTHON_CLASSES)))
