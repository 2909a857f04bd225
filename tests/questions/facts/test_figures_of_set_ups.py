"""Numbers by which a question describes its experiment are those of the experiment, at the settings it links to.

Figures that a run measures stand in no text: they differ from seed to seed and are on the experiment's own page and in docs/evidence.md.
"""

import math
from functools import cache

import pytest

from questions.loader import load_bank
from sandbox.core import tasks
from sandbox.experiments import (
    attention,
    deep_stack,
    hyperparameters,
    input_gate,
    lstm_vs_rnn,
    output_gate,
    parallel_training,
    peephole,
    real_text,
    recurrent_dropout,
    seq2seq,
    teacher_forcing,
    transfer,
)
from sandbox.protocol import parse_settings
from sandbox.registry import find_experiment

BANK = load_bank()


@cache
def settings(item: str) -> dict[str, float]:
    """The numbers that an item's experiment runs with when it is opened from there."""
    question, asked = BANK.items[item]
    link = question.link_for(asked)
    every = parse_settings(find_experiment(link.experiment).controls, link.settings)
    return {name: float(value) for name, value in every.items() if isinstance(value, int | float)}


def prompt(item: str) -> str:
    return BANK.items[item][1].prompt


def test_two_marked_values_over_sixty_steps() -> None:
    item = "lstm-vs-rnn/gates-against-a-good-start"
    assert f"reads {settings(item)['steps']:.0f} steps" in prompt(item)
    assert f"an error of {lstm_vs_rnn.MEAN_SQUARED:.3f}" in prompt(item)
    assert f"forget bias is {settings(item)['forget_bias']:.0f}" in prompt(item)


def test_three_bits_at_step_1_and_named_at_step_40() -> None:
    item = "cell-state/an-emptied-cell"
    assert settings(item)["bits"] == 3  # a guess is right in one case of eight
    assert f"at step {settings(item)['steps']:.0f}" in prompt(item)
    assert 2 ** settings(item)["bits"] == 8


@pytest.mark.parametrize("item", ["activations/growth-of-h-with-relu", "activations/fine-when-short-bad-when-long"])
def test_trained_on_12_steps_and_then_300(item: str) -> None:
    steps, stretch = settings(item)["steps"], settings(item)["stretch"]
    assert f"{steps:.0f} steps" in prompt(item)
    assert f"{steps * stretch:.0f} steps" in prompt(item)


def test_banks_of_sixteen_and_of_64_nets() -> None:
    assert f"{input_gate.NETS} nets each" in prompt("input-gate/one-gate-at-a-time")
    assert f"{output_gate.NETS} such nets" in prompt("output-gate/what-it-says-instead")
    assert {peephole.NETS[kind] for kind in ("peephole", "none")} == {64}
    assert "64 are trained" in prompt("peephole/with-the-gate-free")


def test_a_cue_comes_at_one_step_in_five() -> None:
    assert tasks.READ == 1 / 5


def test_sixteen_times_the_data() -> None:
    item = "overfitting/sixteen-times-the-data"
    few = {control.name: control.default for control in find_experiment("overfitting").controls}["sequences"]
    assert settings(item)["sequences"] == 16 * int(few) == 2048
    assert f"learns {few:.0f} noisy sequences" in prompt(item)
    assert settings(item)["more"] == 4


def test_the_lengths_and_symbols_of_copied_sequences() -> None:
    wide, beyond = "seq2seq/twice-as-wide", "attention/longer-than-in-training"
    longest = settings(beyond)["longest"]
    assert f"{seq2seq.SHORTEST} to {settings(wide)['longest']:.0f} symbols" in prompt(wide)
    assert f"{attention.SHORTEST} to {longest:.0f} symbols" in prompt(beyond)
    assert f"sequences of {math.ceil(attention.BEYOND * longest)} symbols" in prompt(beyond)
    assert seq2seq.SYMBOLS == 8  # chance is one symbol in eight
    assert settings("seq2seq/long-inputs")["hidden"] == 1.5 * settings(wide)["hidden"]  # "half as wide again"


def test_steps_before_and_after_and_the_delay() -> None:
    item = "bilstm/almost-enough-delay"
    assert f"{settings(item)['reach']:.0f} steps before" in prompt(item)
    assert f"a delay of {settings(item)['delay']:.0f} steps" in prompt(item)


def test_stacks_of_eight_layers_and_a_threshold_ten_times_lower() -> None:
    assert settings("deep-lstm/nothing-to-remember")["layers"] == 8
    low = settings("deep-lstm/why-clipping-is-idle")["clip"]
    assert settings("deep-lstm/nothing-to-remember")["clip"] / low == pytest.approx(10)
    assert deep_stack.DEPTHS["one"] == 1


def test_the_grammar_has_eight_words_and_errors_are_judged_after_twenty_steps() -> None:
    item = "teacher-forcing/grammar-on-its-own"
    assert teacher_forcing.SYMBOLS == 8
    assert settings(item)["own_words"] == 0.5  # in the end half of its inputs
    assert teacher_forcing.HORIZON == 20


def test_the_clipped_arm_has_400_updates_at_a_rate_of_0_3() -> None:
    usual = {control.name: control.default for control in find_experiment("gradient-clipping").controls}
    text = prompt("hyperparameters/tiny-rate")
    assert f"learning rate of {usual['learning_rate']} " in text
    assert f"within {usual['updates']} updates" in text
    assert f"{settings('hyperparameters/tiny-rate')['learning_rate']}" in text


def test_the_forecaster_reads_12_values_and_looks_three_steps_ahead() -> None:
    assert f"reads {hyperparameters.WINDOW} values" in prompt("hyperparameters/folds-without-drift")
    assert hyperparameters.AHEAD == 3


def test_a_twentieth_of_the_text() -> None:
    item = "nlp/a-twentieth-of-the-text"
    share = int(settings(item)["share"])
    assert share == 100 / 20
    pieces, names = real_text._python(share).train, real_text._names(share, 0).train
    assert f"{len(pieces)} pieces of source with {pieces.shape[1]:,} characters" in prompt(item)
    assert f"{len(names)} surnames" in prompt(item)
    assert f"{pieces.numel():,} are left" in BANK.items[item][1].explanation


def test_most_contexts_of_five_characters_never_occurred_in_a_twentieth_of_the_text() -> None:
    text, width = real_text._python(5), 2 * real_text.REACH + 1
    assert width == 5
    learnt, met = ([tuple(row) for row in codes.unfold(1, width, 1).flatten(0, 1).tolist()] for codes in (text.train, text.held))
    known = set(learnt)
    assert sum(context not in known for context in met) > 0.5 * len(met)


def test_two_bits_over_25_steps_and_a_quarter_dropped() -> None:
    item = "recurrent-dropout/which-mask-forgets"
    assert recurrent_dropout.BITS == 2  # guessing is right in a quarter of the cases
    assert f"over {settings(item)['steps']:.0f} noisy steps" in prompt(item)
    assert settings(item)["drop"] == 1 / 4


def test_of_3000_sequences_120_are_positive_and_undersampling_leaves_240() -> None:
    item = "imbalance/thrown-away"
    positives = settings(item)["rate"] * settings(item)["examples"]
    assert f"Of {settings(item)['examples']:,.0f} training sequences about {positives:.0f} are positive" in prompt(item)
    assert f"{2 * positives:.0f} sequences" in BANK.items[item][1].explanation
    assert f"weighted {settings(item)['weight']:.0f}-fold" in prompt(item)


def test_four_languages_and_a_thousand_labels() -> None:
    assert transfer.LANGUAGES == 4
    assert f"With {max(transfer.LABELS):,} labelled sentences" in prompt("transfer/other-languages")


def test_a_batch_of_32_in_16_pieces_of_two() -> None:
    item = "parallel-training/sixteen-small-pieces"
    pieces = settings(item)["micro"]
    assert f"a batch of {parallel_training.BATCH} sequences" in prompt(item)
    assert f"{pieces:.0f} micro-batches" in prompt(item)
    assert parallel_training.BATCH / pieces == 2
