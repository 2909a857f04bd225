"""The device that trains faster wins, whichever it is, and one that cannot train loses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from sandbox.protocol import Experiment, Measured, Point, Settings, Step
from sandbox.racing import LOOK_S, faster, pace, race
from tests.experiments import lab_experiments

WARM_UP_S = 30.0


class Track:
    """An experiment of two arms on a clock that only training moves: a point takes as long as `takes` says for its device."""

    def __init__(self, cpu: float, cuda: float | None, points: int = 10_000) -> None:
        self.now = 0.0
        self.takes = {"cpu": cpu, "cuda": cuda}
        self.points = points
        self.yielded = 0

    def clock(self) -> float:
        return self.now

    @property
    def experiment(self) -> Experiment:
        return replace(lab_experiments.find("walk"), run=self.run)

    def run(self, settings: Settings, seed: int, device: str) -> Iterator[Step]:
        takes = self.takes[device]
        if takes is None:
            raise RuntimeError("no kernel image is available for execution on the device")
        for number in range(self.points):
            self.now += WARM_UP_S if number < 2 else takes  # an arm's first point loads what it needs
            self.yielded += 1
            yield Point(("plain", "wild")[number % 2], number // 2, {"loss": 1.0})
        yield Measured({"loss": 0.0, "ratio": 1.0})


@pytest.mark.parametrize(
    ("cpu", "cuda", "device", "why"),
    [
        (0.25, 0.125, "cuda", "CUDA: 2.0 times as fast as the CPU at these settings (a GPU, tried just before)"),
        (0.125, 0.5, "cpu", "CPU: 4.0 times as fast as a GPU at these settings, tried just before"),
        (0.125, 0.125, "cpu", "CPU: 1.0 times as fast as a GPU at these settings, tried just before"),
        (0.125, None, "cpu", "CPU: a GPU could not train this, tried just before"),
    ],
)
def test_the_faster_device_wins_and_says_by_how_much(cpu: float, cuda: float | None, device: str, why: str) -> None:
    track = Track(cpu, cuda)
    assert faster(track.experiment, {}, "a GPU", track.clock) == (device, why)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_gpu_that_does_not_say_its_name_is_not_raced() -> None:
    assert race(Track(0.125, 0.125).experiment, {}) == ("cpu", "CPU: the GPU does not answer")


def test_warming_up_does_not_count_and_the_race_is_short() -> None:
    track = Track(0.125, None)
    assert pace(track.experiment, {}, "cpu", track.clock) == 8.0
    assert track.yielded == 2 + LOOK_S / 0.125


def test_a_run_that_is_over_before_the_race_has_no_pace() -> None:
    track = Track(0.125, None, points=2)
    assert pace(track.experiment, {}, "cpu", track.clock) == 0.0
