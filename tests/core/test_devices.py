"""Devices are resolved with a reason, and randomness belongs to whom it was given."""

from __future__ import annotations

import pytest
import torch

from sandbox.core import devices


def test_auto_takes_the_cpu_for_small_networks_and_says_why():
    assert devices.resolve("auto") == ("cpu", "CPU: networks this small train faster there than on a GPU")
    assert devices.resolve("cpu", prefers_gpu=True) == ("cpu", "CPU, as asked")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_missing_gpu_is_refused_when_asked_for_and_explained_when_preferred():
    with pytest.raises(devices.DeviceUnavailable, match="use 'cpu' or 'auto'"):
        devices.resolve("cuda")
    assert devices.resolve("auto", prefers_gpu=True) == ("cpu", "CPU: torch finds no CUDA device here")


def test_an_unknown_device_is_refused_with_what_is_allowed():
    with pytest.raises(devices.DeviceUnavailable, match="auto, cpu, cuda, got 'tpu'"):
        devices.resolve("tpu")


def test_a_derived_seed_never_changes_between_versions():
    # Stored runs repeat only while this holds.
    assert devices.derive_seed(0, "stream") == 8161599852380197227
    assert devices.derive_seed(1, "stream") == 5513378060753577135
    assert devices.derive_seed(0, "a", "b") != devices.derive_seed(0, "ab")


def test_versions_name_what_decides_a_runs_bits():
    assert devices.versions().keys() == {"python", "torch", "platform", "device"}
    assert devices.versions()["torch"] == torch.__version__
