"""The pretended CUDA device refuses what CUDA refuses, allows what it allows, and computes what the CPU computes."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.core.devices import Randomness, versions
from tests.core.pretend_cuda import MIXED, NAME, Generator, Kernels, pretend_cuda

torch.set_num_threads(1)


@pytest.fixture
def gpu() -> Iterator[Kernels]:
    with pretend_cuda() as kernels:
        yield kernels


def here(*shape: int) -> torch.Tensor:
    return torch.ones(shape)


def there(*shape: int) -> torch.Tensor:
    return torch.ones(shape, device="cuda")


def lstm(**how: bool) -> nn.LSTM:
    return nn.LSTM(3, 4, **how).to("cuda")


MIXTURES: dict[str, Callable[[], object]] = {
    "a sum": lambda: there(2) + here(2),
    "a sum in place": lambda: there(2).add_(here(2)),
    "a result in the wrong place": lambda: torch.add(there(2), there(2), out=here(2)),
    "a number on the CPU that is written to": lambda: here().add_(there()),
    "a number on CUDA beside values on the CPU": lambda: here(2) * there(),
    "a batch that was left behind": lambda: lstm()(here(5, 2, 3)),
    "a state that was left behind": lambda: lstm()(there(5, 2, 3), (here(1, 2, 4), here(1, 2, 4))),
    "targets that were left behind": lambda: F.cross_entropy(there(2, 3), torch.tensor([0, 1])),
    "a mask that was left behind": lambda: there(2).masked_fill(torch.tensor([True, False]), 0.0),
    "rows to gather that were left behind": lambda: there(2, 2).gather(1, torch.tensor([[0], [1]])),
    "a lookup on the CPU by indices on CUDA": lambda: here(4)[torch.tensor([1], device="cuda")],
    "a lookup on the CPU by a mask on CUDA": lambda: here(2)[there(2) > 0],
    "a loop's new tensor": lambda: torch.cat([torch.zeros(1), there(3)[:1]]),
    "one parameter that was made afterwards": lambda: F.linear(there(2, 3), nn.Parameter(here(4, 3))),
}


@pytest.mark.parametrize("mixture", MIXTURES)
def test_tensors_of_two_devices_do_not_meet(mixture: str, gpu: Kernels) -> None:
    with pytest.raises(RuntimeError, match=MIXED):
        MIXTURES[mixture]()


def test_they_do_not_meet_in_a_backward_pass_either(gpu: Kernels) -> None:
    weight = nn.Parameter(there(2))
    weight.register_hook(lambda gradient: gradient * here(2))  # type: ignore[no-untyped-call]
    with pytest.raises(RuntimeError, match=MIXED):
        weight.sum().backward()  # type: ignore[no-untyped-call]


class Forgetful(torch.autograd.Function):
    """Makes its gradient on the CPU."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * torch.ones(2)


def test_a_backward_pass_written_by_hand_is_looked_at(gpu: Kernels) -> None:
    with pytest.raises(RuntimeError, match=MIXED):
        Forgetful.apply(there(2).requires_grad_()).sum().backward()


ALLOWED: dict[str, tuple[Callable[[], torch.Tensor], str]] = {
    "a CPU number beside others": (lambda: there(2) * torch.tensor(2.0), "cuda"),
    "a CPU number as what fills a mask": (lambda: there(2).masked_fill(there(2) > 0, torch.tensor(3.0)), "cuda"),
    "CPU indices into CUDA": (lambda: there(4)[torch.tensor([0, 2])], "cuda"),
    "a CPU mask into CUDA": (lambda: there(2)[torch.tensor([True, False])], "cuda"),
    "a copy across": (lambda: there(2).copy_(here(2)), "cuda"),
    "an assignment across": (lambda: here(3).index_put_((torch.tensor([0]),), here(1)), "cpu"),
    "something like a tensor": (lambda: torch.zeros_like(there(2)), "cuda"),
    "something new by a tensor": (lambda: there(2).new_tensor([1.0]), "cuda"),
    "a view": (lambda: there(2, 3)[0].t().reshape(3, 1), "cuda"),
    "numbers from Python": (lambda: torch.as_tensor([1, 2], device="cuda"), "cuda"),
    "what a function makes inside": (lambda: F.one_hot(torch.tensor([1], device="cuda"), 3), "cuda"),
    "a deep copy": (lambda: copy.deepcopy(there(2)), "cuda"),
    "another kind of number": (lambda: there(2).double().to(torch.long), "cuda"),
    "a way back": (lambda: there(2).cpu(), "cpu"),
    "to where another is": (lambda: here(2).to(there(1)), "cuda"),
}


@pytest.mark.parametrize("operation", ALLOWED)
def test_what_cuda_allows_is_allowed_and_lands_where_it_would(operation: str, gpu: Kernels) -> None:
    work, place = ALLOWED[operation]
    result = work()
    assert (result.device.type, result.is_cuda) == (place, place == "cuda")


def test_a_tensor_on_cuda_is_no_array_and_is_not_pickled(gpu: Kernels) -> None:
    for leaving in (lambda x: x.numpy(), lambda x: x.__array__(), pickle.dumps, lambda x: torch.save({"w": x}, io.BytesIO())):
        leaving(there(2).cpu())
        with pytest.raises(TypeError, match="cuda:0"):
            leaving(there(2))
    assert there(2).tolist() == [1.0, 1.0]
    assert float(there(1)) == 1.0


def test_a_generator_draws_on_its_own_device(gpu: Kernels) -> None:
    assert torch.equal(torch.rand(3, generator=torch.Generator().manual_seed(1)), torch.rand(3, generator=Generator().manual_seed(1)))
    torch.rand(3, device="cuda", generator=torch.Generator("cuda"))
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        torch.rand(3, device="cuda", generator=torch.Generator())
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        there(3).bernoulli_(0.5, generator=torch.Generator())
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
        torch.rand(3, generator=torch.Generator("cuda"))


def test_cudas_global_generator_is_another_and_an_arm_owns_its_own_part(gpu: Kernels) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    outside = F.dropout(there(8))
    assert torch.equal(torch.get_rng_state(), before)
    one, other = Randomness(7, "cuda"), Randomness(7, "cuda")
    with one:
        first, then = F.dropout(there(8)), F.dropout(there(8))
    with other:
        assert torch.equal(F.dropout(there(8)), first)
    F.dropout(there(8))  # somebody else draws in between
    with other:
        assert torch.equal(F.dropout(there(8)), then)
    torch.manual_seed(0)
    assert torch.equal(F.dropout(there(8)), outside)
    assert gpu.draws == 7


def test_cudnn_wants_a_contiguous_state_and_trains_in_training_mode_only(gpu: Kernels) -> None:
    layer, x = lstm(batch_first=True), there(2, 5, 3)
    with pytest.raises(RuntimeError, match="hx is not contiguous"):
        layer(x, (there(1, 4, 2).mT, there(1, 2, 4)))
    with pytest.raises(RuntimeError, match="sequence length"):
        layer(x[:, :0])
    layer(x)[0].sum().backward()
    with pytest.raises(RuntimeError, match="only be called in training mode"):
        layer.eval()(x)[0].sum().backward()


def trained(device: str) -> tuple[list[float], nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    layer, head = nn.LSTM(3, 4, batch_first=True).to(device), nn.Linear(4, 2).to(device)
    both = nn.ModuleList([layer, head])
    optimizer, losses = torch.optim.AdamW(both.parameters(), 0.1), []
    for _ in range(3):
        x, target = torch.randn(5, 6, 3), torch.randint(0, 2, (5,))
        loss = F.cross_entropy(head(layer(x.to(device))[0][:, -1]), target.to(device))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(both.parameters(), 0.5)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, both, optimizer


def test_training_gives_the_cpus_numbers_and_everything_of_it_is_on_the_device() -> None:
    with pretend_cuda() as gpu:
        losses, model, optimizer = trained("cuda")
        for parameter in model.parameters():
            assert parameter.grad is not None
            states = [one for name, one in optimizer.state[parameter].items() if name != "step"]
            assert {one.device.type for one in (parameter, parameter.grad, *states)} == {"cuda"}
        assert gpu.operations["cuda"] > 100
    assert losses == trained("cpu")[0]


def test_a_gradient_finds_its_way_back_across_devices(gpu: Kernels) -> None:
    weight = nn.Parameter(there(2))
    (weight.cpu() * here(2) * 3).sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert (weight.grad.device.type, weight.grad.tolist()) == ("cuda", [3.0, 3.0])


def test_what_happens_on_the_device_is_known_by_name(gpu: Kernels) -> None:
    here(2).cumsum(0)
    weight = there(3).requires_grad_()
    weight[there(3) > 0].sum().backward()  # type: ignore[no-untyped-call]
    there(3).scatter_add_(0, torch.tensor([0, 0], device="cuda"), there(2))
    assert {"index_put", "scatter_add"} <= gpu.names
    assert "cumsum" not in gpu.names


def test_the_device_is_gone_afterwards() -> None:
    with pretend_cuda():
        assert (torch.cuda.is_available(), versions("cuda")["device"]) == (True, NAME)
    assert versions()["device"] != NAME
    assert torch.Generator is not Generator
    if not torch.cuda.is_available():
        with pytest.raises((RuntimeError, AssertionError), match="CUDA"):
            torch.ones(2, device="cuda")
