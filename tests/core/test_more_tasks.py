"""The target of every task is found again from its input alone, and stated chances and ceilings are right."""

from __future__ import annotations

import itertools

import pytest
import torch

from sandbox.core import tasks
from sandbox.core.devices import generator
from sandbox.core.tasks import IGNORED


def draw(task, *arguments, **options):
    return next(task(*arguments, generator(0, "test"), **options))


def test_the_ram_says_the_last_written_value_at_reads():
    x, target = draw(tasks.one_bit_ram, 50, 40)
    for value, write, read, wanted in zip(*x.unbind(2), target, strict=True):
        memory = 0.0
        for t in range(40):
            memory = float(value[t]) if write[t] else memory
            assert wanted[t] == (memory if read[t] else 0)


def test_the_variances_stated_for_memory_targets_are_right():
    assert float(draw(tasks.one_bit_ram, 20000, 10).target.square().mean()) == pytest.approx(tasks.ram_variance(10), rel=0.02)
    assert float(draw(tasks.store_and_release, 20000, 10).target.square().mean()) == pytest.approx(tasks.READ * 9 / 10, rel=0.02)
    assert float(draw(tasks.marked_value, 20000, 10).target.square().mean()) == pytest.approx(1, rel=0.03)


def test_a_stored_bit_is_released_on_cue_only():
    x, target = draw(tasks.store_and_release, 50, 30)
    assert torch.equal(target, x[:, :1, 0] * x[..., 1])
    assert x[:, 0, 0].abs().eq(1).all()
    assert x[:, 1:, 0].eq(0).all()
    assert x[:, 0, 1].eq(0).all()


def test_the_marked_value_is_in_the_first_half():
    x, target = draw(tasks.marked_value, 200, 20)
    values, marks = x.unbind(2)
    assert torch.equal((values * marks).sum(1), target)
    assert marks[:, :10].sum(1).eq(1).all()
    assert marks[:, 10:].eq(0).all()


def test_recall_numbers_the_bits_of_the_first_step():
    x, target = draw(tasks.recall, 100, 12, 3, noise=0.5)
    assert torch.equal(target, ((x[:, 0] > 0) * torch.tensor([1, 2, 4])).sum(1))
    assert set(target.tolist()) == set(range(8))
    assert float(x[:, 1:].std()) == pytest.approx(0.5, rel=0.05)
    assert draw(tasks.recall, 5, 12, 2).x[:, 1:].eq(0).all()


@pytest.mark.parametrize("window", [5, 28, 40])
def test_late_questions_ask_for_the_bit_shown_lag_steps_before_also_across_windows(window):
    windows = list(itertools.islice(tasks.late_questions(6, window, 20, 28, generator(0, "test")), 300 // window))
    x, target = (torch.cat(parts, 1) for parts in zip(*windows, strict=True))
    for bits, shown, asked, wanted in zip(*x.unbind(2), target, strict=True):
        shows, asks = shown.nonzero().flatten().tolist(), asked.nonzero().flatten().tolist()
        assert shows == list(range(shows[0], x.shape[1], 28))
        assert shows[0] < 28
        assert asks == [step + 20 for step in shows if step + 20 < x.shape[1]]
        assert [int(wanted[step]) for step in asks] == [int(bits[step - 20] > 0) for step in asks]
        assert torch.equal(wanted != IGNORED, asked == 1)
        assert torch.equal(bits != 0, shown == 1)


def test_late_questions_refuse_a_lag_beyond_the_period():
    with pytest.raises(ValueError, match="got 28"):
        draw(tasks.late_questions, 1, 5, 28, 28)


def test_parity_counts_pulses_modulo_two():
    x, target = draw(tasks.parity, 100, 6)
    assert torch.equal(x.sum((1, 2)) % 2, target.float())
    assert set(x.unique().tolist()) == {0.0, 1.0}


def test_an_echo_is_the_symbol_of_lag_steps_ago():
    x, target = draw(tasks.echo, 4, 12, 2, 5)
    assert torch.equal(target[:, 2:], x.argmax(2)[:, :-2])
    assert target[:, :2].eq(IGNORED).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_a_copy_is_its_source_in_order_or_backwards(reverse):
    pairs = draw(tasks.copying, 60, 2, 7, 8, reverse=reverse)
    lengths = set()
    for source, given, target, place in zip(pairs.source, pairs.given, pairs.target, pairs.place, strict=True):
        words = [token for token in source.tolist() if token != pairs.blank]
        length = len(words)
        lengths.add(length)
        assert source.tolist() == [pairs.blank] * (7 - length) + words
        assert target.tolist() == (words[::-1] if reverse else words) + [IGNORED] * (7 - length)
        assert given.tolist()[:length] == [pairs.blank, *target.tolist()[: length - 1]]
        assert source[place[:length]].tolist() == target[:length].tolist()
        assert place[length:].eq(IGNORED).all()
    assert lengths == set(range(2, 8))
    assert int(pairs.given.min()) >= 0
    assert int(pairs.given.max()) == pairs.blank == 8


def test_a_walk_on_the_de_bruijn_graph_is_legal_and_random_text_is_not():
    walk = draw(tasks.de_bruijn, 500, 16, 8)
    assert tasks.legal_share(walk, 8) == 1
    assert set(walk[:, -1].tolist()) == set(range(8))
    text = torch.randint(0, 8, (2000, 16), generator=generator(0, "text"))
    assert tasks.legal_share(text, 8) == pytest.approx(0.25, abs=0.01)


def test_text_windows_are_pieces_of_the_text_with_what_comes_next():
    codes = torch.arange(30)
    x, target = draw(tasks.text_windows, codes, 200, 5)
    assert torch.equal(target, x + 1)
    assert torch.equal(x[:, 1:], x[:, :-1] + 1)
    assert (int(x.min()), int(target.max())) == (0, 29)


def test_noisy_sums_are_wrong_as_often_as_they_say():
    x, target = draw(tasks.noisy_sums, 5000, 15, 8)
    assert x.shape == (5000, 15, 8)
    assert float((target == (x[..., 0].sum(1) > 0)).double().mean()) == pytest.approx(0.9, abs=0.01)


def test_the_posterior_of_rare_positives_is_calibrated():
    x, target, posterior = draw(tasks.rare_positives, 50000, 16)
    assert float(target.double().mean()) == pytest.approx(0.04, abs=0.003)
    for low, high in ((0.0, 0.02), (0.1, 0.3), (0.4, 0.7)):
        within = (posterior >= low) & (posterior < high)
        assert float(target[within].double().mean()) == pytest.approx(float(posterior[within].mean()), abs=0.03)
    values, marks = x.unbind(2)
    assert marks.sum(1).eq(1).all()
    assert float((values * marks).sum(1)[target == 1].mean()) == pytest.approx(1.8, abs=0.1)


def test_languages_differ_in_word_order_alone():
    languages = tasks.Languages(generator(0, "languages"))
    tokens, language = next(languages.sentences(4000, 24, generator(0, "test")))
    counts = torch.stack([tokens[language == one].flatten().bincount(minlength=12) / (24 * (language == one).sum()) for one in range(4)])
    assert float((counts - 1 / 12).abs().max()) < 0.01
    posterior = languages.posterior(tokens)
    torch.testing.assert_close(posterior.sum(1), torch.ones(4000, dtype=torch.float64))
    assert float((posterior.argmax(1) == language).double().mean()) > 0.97
    assert float(posterior.gather(1, language[:, None]).mean()) == pytest.approx(float(posterior.max(1).values.mean()), abs=0.02)


def test_sines_have_the_periods_asked_for():
    wave = draw(tasks.sines, 50, 200)[..., 0]
    crossings = ((wave[:, 1:] > 0) & (wave[:, :-1] <= 0)).sum(1)
    assert int(crossings.min()) >= 200 // 30
    assert int(crossings.max()) <= 20
    assert float(wave.abs().max()) <= 1
