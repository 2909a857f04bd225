"""Every task's target can be found again from its input alone."""

from __future__ import annotations

import itertools

import pytest
import torch

from sandbox.core import tasks
from sandbox.core.devices import generator


def test_a_stream_asks_for_the_value_its_segment_began_with_also_across_windows():
    stream = tasks.endless_segments(5, 17, generator(3, "test"))
    windows = list(itertools.islice(stream, 40))
    x = torch.cat([window.x for window in windows], 1)  # (5, 680, 4)
    target = torch.cat([window.target for window in windows], 1)
    lengths = set()
    for value, start, asked, wanted in zip(x[..., 0], x[..., 1], x[..., 3], target, strict=True):
        starts, asks = start.nonzero().flatten().tolist(), asked.nonzero().flatten().tolist()
        # Whatever was under way before the first start is asked for just before it.
        assert [step - 1 for step in starts if step > 0] == [step for step in asks if step < starts[-1]]
        lengths |= {after - before for before, after in itertools.pairwise(starts)}
        for begun, end in itertools.pairwise(starts):
            assert wanted[end - 1] == value[begun] != 0
        assert torch.equal(value != 0, start == 1)
        assert torch.equal(wanted[starts[0] :] != 0, asked[starts[0] :] == 1)
    assert lengths == set(range(6, 15))


@pytest.mark.parametrize("binary", [False, True])
def test_the_stated_variance_is_what_always_answering_zero_costs(binary):
    stream = tasks.endless_segments(64, 100, generator(0, "test"), binary=binary)
    target = torch.cat([window.target for window in itertools.islice(stream, 20)])
    assert float(target.square().mean()) == pytest.approx(tasks.STREAM_TARGET_VARIANCE, rel=0.02)
    assert float(target.mean()) == pytest.approx(0, abs=0.005)
    assert (set(target.unique().tolist()) == {-1.0, 0.0, 1.0}) == binary


def test_temporal_order_labels_the_two_marks_in_their_order():
    x, label = next(tasks.temporal_order(200, 20, generator(0, "test")))
    symbols = x.argmax(2)
    for row, wanted in zip(symbols.tolist(), label.tolist(), strict=True):
        places = [t for t, symbol in enumerate(row) if symbol < 2]
        assert len(places) == 2
        assert places[0] in range(2, 5)
        assert places[1] in range(10, 13)
        assert wanted == 2 * row[places[0]] + row[places[1]]
    assert set(label.tolist()) == {0, 1, 2, 3}
    assert torch.equal(x.sum(2), torch.ones(200, 20))


def test_temporal_order_keeps_its_two_marks_apart_at_the_shortest_length():
    x, _ = next(tasks.temporal_order(500, 10, generator(0, "test")))
    assert x[..., :2].sum((1, 2)).eq(2).all()


def test_adding_asks_for_the_sum_of_one_marked_value_in_each_half():
    x, target = next(tasks.adding(200, 30, generator(0, "test")))
    values, marks = x.unbind(2)
    torch.testing.assert_close(target, (values * marks).sum(1))
    assert marks[:, :15].sum(1).eq(1).all()
    assert marks[:, 15:].sum(1).eq(1).all()


@pytest.mark.parametrize("reach", [1, 3, 6])
@pytest.mark.parametrize("xor", [False, True])
def test_a_label_is_made_of_the_bits_reach_steps_back_and_ahead(reach, xor):
    x, label = next(tasks.past_and_future(6, 30, reach, generator(0, "test"), xor=xor))
    bits = (x[..., 0] > 0).long()
    assert set(x.unique().tolist()) == {-1.0, 1.0}
    for t in range(30):
        if reach <= t < 30 - reach:
            past, future = bits[:, t - reach], bits[:, t + reach]
            assert torch.equal(label[:, t], (past != future).long() if xor else 2 * past + future)
        else:
            assert label[:, t].eq(tasks.IGNORED).all()


def test_data_depend_on_their_seed_and_use_alone():
    def first(seed, use):
        return next(tasks.adding(2, 5, generator(seed, use))).x

    torch.manual_seed(5)
    reference = first(0, "a")
    torch.manual_seed(6)
    assert torch.equal(first(0, "a"), reference)
    assert not torch.equal(first(0, "b"), reference)
    assert not torch.equal(first(1, "a"), reference)
