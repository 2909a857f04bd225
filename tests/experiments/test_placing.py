"""What CUDA says when it gives up comes with a next step; what is a bug stays one."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from sandbox.placing import GpuFailed, guarded

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nGPU 0 has")
BROKEN = ("CUDA error: an illegal memory access was encountered\nmore", "No CUDA GPUs are available", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")


def raised(device: str, error: Exception) -> Exception:
    def work() -> None:
        raise error

    with pytest.raises(RuntimeError) as caught:
        guarded(device, work)
    return caught.value


def test_a_full_gpu_can_be_used_again_and_a_broken_one_cannot() -> None:
    assert str(raised("cuda", FULL)).startswith("the GPU has no memory left (CUDA out of memory. Tried to allocate 20.00 MiB.). Choose the CPU")
    assert not raised("cuda", FULL).lasting
    for said in BROKEN:
        failed = raised("cuda", RuntimeError(said))
        assert (failed.lasting, str(failed)) == (
            True,
            f"the GPU failed ({said.splitlines()[0]}). Start again: a new process is tried. If it fails again, choose the CPU.",
        )


def test_it_travels_between_processes_without_torch() -> None:
    failed = raised("cuda", FULL)
    assert (failed.__cause__, failed.__context__) == (None, None)
    for other in (pickle.loads(pickle.dumps(failed)), copy.copy(raised("cuda", RuntimeError(BROKEN[0])))):
        assert isinstance(other, GpuFailed)
    assert pickle.loads(pickle.dumps(raised("cuda", RuntimeError(BROKEN[0])))).lasting


@pytest.mark.parametrize(
    ("device", "error"),
    [
        ("cuda", RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!")),
        ("cuda", RuntimeError("mat1 and mat2 shapes cannot be multiplied")),
        ("cpu", FULL),
        ("cpu", RuntimeError(BROKEN[0])),
    ],
)
def test_a_bug_and_what_happens_on_the_cpu_stay_as_they_are(device: str, error: Exception) -> None:
    assert raised(device, error) is error
