"""Two processes give the gradient of the whole batch, and none of them is ever left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from sandbox.core import ranks
from sandbox.core.cells import Reader

torch.set_num_threads(1)


def parts() -> tuple[Reader, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    target = torch.randint(0, 3, (8, 5))
    target[:3, 2:] = -100  # the halves have unequal numbers of targets
    return Reader(torch.nn.LSTM(2, 4, batch_first=True), 3), torch.randn(8, 5, 2), target


def gone(pids: list[int], within: float = 20.0) -> bool:
    """Whether all processes end (a zombie has ended) within some seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if all(not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_two_processes_get_the_gradient_of_the_whole_batch_and_are_gone_afterwards() -> None:
    model, x, target = parts()
    with ranks.Ranks(model, x, target, updates=2, rate=0.1, timed=(2, 4)) as both:
        pids, result = both.pids, both.result()
    logits, _ = model(x)
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten()).backward()
    whole = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])
    torch.testing.assert_close(result.gradient, whole, rtol=1e-5, atol=1e-7)
    assert (len(result.seconds), len(result.together), len(result.alone)) == (2, 2, 2)
    assert min(result.exchange, *result.together, *result.alone) > 0
    assert gone(pids, 0.1)


def test_leaving_early_ends_both_and_removes_their_folder() -> None:
    with ranks.Ranks(*parts(), updates=10**7, rate=0.0) as both:
        pids, folder = both.pids, both._folder
        assert len(pids) == 2
    assert gone(pids, 0.1)
    assert not folder.exists()


def test_the_next_pair_needs_no_new_start() -> None:
    with ranks.Ranks(*parts(), updates=1, rate=0.1) as first:
        pids, result = first.pids, first.result()
    nursery = ranks._nursery
    with ranks.Ranks(*parts(), updates=1, rate=0.1) as second:
        assert ranks._nursery is nursery
        assert not set(pids) & set(second.pids)
        assert torch.equal(second.result().gradient, result.gradient)


def test_leaving_while_everything_is_still_loading_leaves_nothing() -> None:
    ranks.close()
    with ranks.Ranks(*parts(), updates=10**7, rate=0.0):
        nursery = ranks._nursery
    assert nursery is not None
    assert gone([nursery.pid], 0.1)
    assert ranks._nursery is None


def test_a_nursery_that_is_gone_is_told_and_replaced() -> None:
    with ranks.Ranks(*parts(), updates=10**7, rate=0.0) as both:
        pids = both.pids
        assert ranks._nursery is not None
        ranks._nursery.kill()
        ranks._nursery.wait()
        assert gone(pids)
        with pytest.raises(ranks.RanksFailed, match="has gone"):
            both.result()
    with ranks.Ranks(*parts(), updates=1, rate=0.1) as next_pair:
        next_pair.result()


def test_a_process_that_breaks_is_told() -> None:
    model, x, target = parts()
    with ranks.Ranks(model, x, target, updates=10**7, rate=0.0) as both:
        os.kill(both.pids[0], signal.SIGKILL)
        with pytest.raises(ranks.RanksFailed, match="process 0 of 2 ended with -9"):
            both.result()


def test_a_parent_that_is_killed_takes_both_with_it() -> None:
    code = (
        "import torch; from tests.core.test_ranks import parts; from sandbox.core import ranks\n"
        "with ranks.Ranks(*parts(), updates=10**7, rate=0.0) as both: print(*both.pids, flush=True); both.result()"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert not gone(pids, 0.1)
        parent.kill()
    assert gone(pids)
