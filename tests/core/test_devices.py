"""Devices are resolved with a reason, and randomness belongs to whom it was given."""

from __future__ import annotations

import pytest
import torch

from sandbox.core import devices


def race() -> tuple[str, str]:
    raise AssertionError("there is nothing to race against")


def test_what_is_asked_for_is_taken():
    assert devices.resolve("cpu", race) == ("cpu", "CPU, as asked")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_missing_gpu_is_refused_when_asked_for_and_explained_when_not():
    with pytest.raises(devices.DeviceUnavailable, match="use 'cpu' or 'auto'"):
        devices.resolve("cuda", race)
    assert devices.resolve("auto", race) == ("cpu", "CPU: torch finds no CUDA device here")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_with_a_gpu_a_race_decides():
    assert devices.resolve("auto", lambda: ("cuda", "it won")) == ("cuda", "it won")


def test_an_unknown_device_is_refused_with_what_is_allowed():
    with pytest.raises(devices.DeviceUnavailable, match="auto, cpu, cuda, got 'tpu'"):
        devices.resolve("tpu", race)


def test_a_derived_seed_never_changes_between_versions():
    # Stored runs repeat only while this holds.
    assert devices.derive_seed(0, "stream") == 8161599852380197227
    assert devices.derive_seed(1, "stream") == 5513378060753577135
    assert devices.derive_seed(0, "a", "b") != devices.derive_seed(0, "ab")


def test_versions_name_what_decides_a_runs_bits():
    assert devices.versions().keys() == {"python", "torch", "platform", "device"}
    assert devices.versions()["torch"] == torch.__version__
