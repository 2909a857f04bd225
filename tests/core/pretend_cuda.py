"""A CUDA device that is only pretended: CPU arithmetic behind it, CUDA's rules in front of it.

Inside `with pretend_cuda():` tensors can be put on "cuda" on any machine. They say that they are there, and whatever
mixes devices is refused as CUDA refuses it. Values, autograd and optimisers are real, so a training gives the numbers it
gives on the CPU. What is held to:

    every operation has all its tensors on one device, also backwards; CPU numbers (0 dimensions) may be read beside others,
    and CPU indices may pick from a tensor on CUDA
    a tensor on CUDA is no numpy array, and is not pickled: a process without the device could not read it
    a generator draws on its own device; CUDA has a global generator of its own
    a recurrent layer takes a contiguous state and at least one step, and has no backward pass in evaluation mode (cuDNN)

A device belongs to memory, so it is noted on a tensor's storage: views, parameters and their gradients share it. Two modes of
torch do the rest: `_Calls` sees what is called from Python, where devices are named and asked for; `Kernels` sees every
operation below autograd, where devices would be mixed. The rules are those of torch/_subclasses/fake_tensor.py. Not covered:
streams, memory, rounding, and kernels that CUDA lacks or that do not repeat there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from types import MethodWrapperType
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "a pretended GPU"
MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
_aten = torch.ops.aten
_COPIES = {_aten.copy_.default, _aten._to_copy.default}  # read from one device and write to another
_LOOK_UPS = {_aten.index.Tensor, _aten.index_put.default, _aten.index_put_.default, _aten._index_put_impl_.default, _aten._unsafe_index.Tensor}
_FROM_NUMBERS = {torch.tensor, torch.as_tensor, torch.Tensor.new_tensor}  # their memory is filled without an operation
_RECURRENT = {getattr(torch._VF, name) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")}  # type: ignore[attr-defined]


class Generator(torch.Generator):
    """A generator that says it is on `device`. It draws the same on each."""

    def __new__(cls, device: str | torch.device = "cpu") -> Generator:
        made = super().__new__(cls)
        made.place = torch.device(device)
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.place


# --- Where a tensor is: "cpu", "cuda" or "meta" -----------------------------------------------------------------


def _where(tensor: Tensor) -> str:
    """To be called where torch's functions are not overridden."""
    return "meta" if tensor.is_meta else getattr(tensor.untyped_storage(), "pretended", "cpu")


def _put(tensor: Tensor, place: str) -> None:
    if not tensor.is_meta:
        tensor.untyped_storage().pretended = place  # type: ignore[attr-defined]


def _tensors(values: Iterable[object]) -> list[Tensor]:
    """All tensors among values, lists of them included."""
    found = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


@cache
def _written(operation: Any) -> tuple[tuple[int, str], ...]:
    """Position and name of the arguments that an operation writes to."""
    arguments = enumerate(operation._schema.arguments)
    return tuple((number, one.name) for number, one in arguments if one.alias_info is not None and one.alias_info.is_write)


def _common_place(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any], tensors: Sequence[Tensor]) -> str | None:
    """Where an operation happens; None when it has no tensors. Errors: RuntimeError when its tensors are on several devices."""
    places = {_where(one) for one in tensors} - {"meta"}
    if len(places) < 2:
        return places.pop() if places else None
    free = {id(one) for one in tensors if not one.dim()}
    for number, name in _written(operation):
        free -= {id(one) for one in _tensors([args[number] if number < len(args) else kwargs.get(name)])}
    if operation in _LOOK_UPS:
        free |= {id(one) for one in _tensors([args[1]])}
    if any(_where(one) == "cpu" and id(one) not in free for one in tensors) or (operation in _LOOK_UPS and _where(args[0]) == "cpu"):
        raise RuntimeError(f"{MIXED} ({operation})")
    return "cuda"


# --- Below autograd: every operation ----------------------------------------------------------------------------


class Kernels(TorchDispatchMode):
    """Refuses operations on tensors of several devices, and notes where results are.

    `forced`: somebody named a device, and results are there. `nearby`: where a called function makes its own tensors.
    Kept are how many operations each device had, which there were on CUDA, and how often its global generator was drawn from.
    """

    def __init__(self) -> None:
        super().__init__()
        self.forced: str | None = None
        self.nearby = "cpu"
        self.random = Generator("cuda")
        self.operations: Counter[str] = Counter()
        self.names: set[str] = set()
        self.draws = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and torch's compiler takes long to load

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        with torch._C.DisableTorchFunction():
            tensors = _tensors([*args, *kwargs.values()])
            found = _where(tensors[-1 if func is _aten.copy_.default else 0]) if func in _COPIES else _common_place(func, args, kwargs, tensors)
            place = self.forced or found or self.nearby
            self.operations[place] += 1
            if place == "cuda":
                self.names.add(func.overloadpacket.__name__.strip("_"))
            results = self._drawn(func, args, kwargs) if place == "cuda" and torch.Tag.nondeterministic_seeded in func.tags else func(*args, **kwargs)
            known = {id(one.untyped_storage()) for one in tensors if not one.is_meta}
            for result in _tensors([results]):
                if not result.is_meta and id(result.untyped_storage()) not in known:
                    _put(result, place)
        return results

    def _drawn(self, func: Any, args: Any, kwargs: Any) -> Any:
        """An operation that draws: from the device's global generator, unless it was given one."""
        if kwargs.get("generator") is not None:
            return func(*args, **kwargs)
        self.draws += 1
        outside = torch.get_rng_state()
        torch.set_rng_state(self.random.get_state())
        try:
            return func(*args, **kwargs)
        finally:
            self.random.set_state(torch.get_rng_state())
            torch.set_rng_state(outside)

    def at(self, forced: str | None, nearby: str) -> _At:
        """A context in which results are `forced` to a device."""
        return _At(self, forced, nearby)

    def moved(self, x: Tensor, place: str) -> Tensor:
        """x itself, or its copy on another device, to which gradients find their way back."""
        return x if _where(x) == place else _Moved.apply(x, self, place)  # type: ignore[no-untyped-call]

    def copied(self, x: Tensor, place: str) -> Tensor:
        """A copy on a device."""
        with torch._C.DisableTorchFunction(), self.at(place, place):
            return x.clone()


class _At:
    """A generator would do, in three times the time."""

    def __init__(self, kernels: Kernels, forced: str | None, nearby: str) -> None:
        self.kernels, self.places = kernels, (forced, nearby)

    def __enter__(self) -> None:
        self.outside = self.kernels.forced, self.kernels.nearby
        self.kernels.forced, self.kernels.nearby = self.places

    def __exit__(self, *what: object) -> None:
        self.kernels.forced, self.kernels.nearby = self.outside


class _Moved(torch.autograd.Function):
    """A copy on another device; its gradient comes back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Kernels, place: str) -> Tensor:
        ctx.kernels, ctx.origin = kernels, _where(x)
        return kernels.copied(x, place)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return ctx.kernels.copied(gradient, ctx.origin), None, None


# --- What is called from Python ---------------------------------------------------------------------------------


def _device(place: str) -> torch.device:
    return torch.device("cuda", 0) if place == "cuda" else torch.device(place)


def _no_array(x: Tensor) -> None:
    if _where(x) == "cuda":
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")


class _Calls(TorchFunctionMode):
    """Answers where tensors are, moves them, and tells the kernels which device was named."""

    def __init__(self, kernels: Kernels) -> None:
        super().__init__()
        self.kernels = kernels
        tensor: Any = torch.Tensor
        self._answers: dict[Any, Callable[..., Any]] = {
            tensor.device.__get__: lambda x, *_: _device(_where(x)),
            tensor.is_cuda.__get__: lambda x, *_: _where(x) == "cuda",
            tensor.is_cpu.__get__: lambda x, *_: _where(x) == "cpu",
            tensor.get_device: lambda x: 0 if _where(x) == "cuda" else -1,
            tensor.to: self._to,
            tensor.cpu: lambda x, **_: kernels.moved(x, "cpu"),
            tensor.cuda: lambda x, *_, **__: kernels.moved(x, "cuda"),
            tensor.register_hook: lambda x, hook: x.register_hook(self.listened(hook)),
            torch._C._nn._parse_to: self._parse_to,  # type: ignore[attr-defined]
        }
        self._arrays = {tensor.numpy, tensor.__array__}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in self._answers:
            return self._answers[func](*args, **kwargs)
        if func in self._arrays:
            _no_array(args[0])
        if isinstance(func, MethodWrapperType):  # other attributes
            return func(*args, **kwargs)
        place = "cuda" if any(_where(one) == "cuda" for one in _tensors([*args, *kwargs.values()])) else "cpu"
        asked = _named(kwargs)
        _check_generator(kwargs.get("generator"), asked or place)
        with self.kernels.at(asked, asked or place):
            result = func(*args, **kwargs)
        if func in _FROM_NUMBERS:
            return self.kernels.moved(result, asked or place)
        if func is torch.Tensor.__deepcopy__:  # copied as bytes
            _put(result, place)
        return _as_cudnn(result, *args) if place == "cuda" and func in _RECURRENT else result

    def _to(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        device, dtype, *_ = self._parse_to(*args, **{name: value for name, value in kwargs.items() if name != "copy"})
        if device is not None and device.type == "meta":
            return x.to(*args, **kwargs)
        moved = x if device is None else self.kernels.moved(x, device.type)
        return moved.to(dtype=dtype or x.dtype, copy=bool(kwargs.get("copy")) and moved is x)

    def _parse_to(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        device, *rest = torch._C._nn._parse_to(*args, **kwargs)  # type: ignore[attr-defined]
        like = next(iter(_tensors([*args, *kwargs.values()])), None)
        return (device if like is None else _device(_where(like)), *rest)

    def listened(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is heard also where autograd calls it, which switches modes like this one off."""

        def heard(*args: Any) -> Any:
            with self:
                return function(*args)

        return heard


def _named(kwargs: dict[str, Any]) -> str | None:
    """The device that a call names; "cuda" is taken out, as there is none."""
    if kwargs.get("device") is None or torch.device(kwargs["device"]).type == "meta":
        return None
    place = torch.device(kwargs["device"]).type
    if place == "cuda":
        del kwargs["device"]
    return place


def _check_generator(generator: torch.Generator | None, place: str) -> None:
    if generator is not None and generator.device.type != place:
        raise RuntimeError(f"Expected a '{place}' device type for generator but found '{generator.device.type}'")


def _as_cudnn(results: tuple[Tensor, ...], x: Tensor, state: Any, *rest: Any) -> tuple[Tensor, ...]:
    """What a recurrent layer answered, if cuDNN would have answered it; in evaluation mode it has no backward pass."""
    training, batch_first = rest[4], rest[6]
    if not all(one.is_contiguous() for one in _tensors([state])):
        raise RuntimeError("rnn: hx is not contiguous")
    if not x.shape[1 if batch_first else 0]:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")

    def refuse(gradient: Tensor) -> None:
        raise RuntimeError("cudnn RNN backward can only be called in training mode")

    for result in results:
        if result.requires_grad and not training:
            result.register_hook(refuse)
    return results


# --- The outside world, as it looks with a GPU in it --------------------------------------------------------------


def _patches(random: Generator, calls: _Calls) -> Iterator[Any]:
    cuda = {
        "is_available": lambda: True,
        "get_device_name": lambda *_: NAME,
        "synchronize": lambda *_: None,  # nothing is computed elsewhere
        "get_rng_state": lambda *_: random.get_state(),
        "set_rng_state": lambda state, *_: random.set_state(state),
        "manual_seed_all": random.manual_seed,  # what torch.manual_seed calls
    }
    for name, function in cuda.items():
        yield mock.patch.object(torch.cuda, name, function)
    yield mock.patch.object(torch, "Generator", Generator)
    yield mock.patch.object(torch.backends.cudnn, "is_acceptable", return_value=False)  # it would lay weights out in one piece
    # Optimisers would take all parameters at once, in another order of operations: last digits would differ.
    yield mock.patch.object(import_module("torch.optim.optimizer"), "_get_foreach_kernels_supported_devices", list)
    backwards = torch.autograd.function.BackwardCFunction
    yield mock.patch.object(backwards, "apply", calls.listened(backwards.apply))
    plain = torch.Tensor.__reduce_ex__

    def pickled(x: Tensor, protocol: Any) -> Any:
        with torch._C.DisableTorchFunction():
            if _where(x) == "cuda":
                raise TypeError("a tensor on cuda:0 is pickled: a process without the device could not read it")
        return plain(x, protocol)

    yield mock.patch.object(torch.Tensor, "__reduce_ex__", pickled)


@contextmanager
def pretend_cuda() -> Iterator[Kernels]:
    """Within it there is a CUDA device. What is given counts what it does."""
    kernels = Kernels()
    calls = _Calls(kernels)
    with ExitStack() as stack:
        for patch in _patches(kernels.random, calls):
            stack.enter_context(patch)
        stack.enter_context(calls)
        yield stack.enter_context(kernels)
