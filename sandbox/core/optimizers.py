"""Gradient descent and Adam, as short as they are, over torch's own arithmetic.

torch.optim's classes load torch's compiler (torch._dynamo, sympy) when the first is made: measured with torch 2.13, 75 MB and a second in
each training process, for something that nothing here uses. What they call for each step, torch's fused kernel, is called
here directly, so the numbers are those of `torch.optim.AdamW(..., fused=True)` and `torch.optim.SGD`: a test compares them bit for bit. Their
names are kept too (`lr`, `param_groups`, `zero_grad`, `step`), so either kind can be put in the other's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Parameters = Iterable[nn.Parameter] | Iterable[Mapping[str, Any]]


class Optimizer(Protocol):
    """What training needs of an optimizer, ours or one of torch.optim."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Change the weights by their gradients."""


class _Grouped:
    """`params` are parameters, or groups of them as {"params": ..., "lr": ...}; `param_groups` may be changed between steps."""

    def __init__(self, params: Parameters, lr: float) -> None:
        given: list[Any] = list(params)
        groups: list[Mapping[str, Any]] = given if isinstance(given[0], Mapping) else [{"params": given}]
        self.param_groups: list[dict[str, Any]] = [{"lr": lr, **group, "params": list(group["params"])} for group in groups]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None


class SGD(_Grouped):
    """Gradient descent: w ← w − lr · g."""

    @torch.no_grad()
    def step(self) -> None:
        """Change every weight that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-group["lr"])


class _Moments(NamedTuple):
    """What Adam remembers of one parameter: the running means of its gradient and of the gradient's square, and how many there were."""

    first: Tensor
    second: Tensor
    steps: Tensor


class Adam(_Grouped):
    """Adam (Kingma & Ba 2015); with `weight_decay` AdamW, which shrinks the weights apart from the gradient (Loshchilov & Hutter 2019).

    m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  w ← (1 − lr · decay) w − lr · m̂ / (√v̂ + ε),  with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
    The parameters of one group are of one device and type.
    """

    def __init__(self, params: Parameters, lr: float, *, betas: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.0) -> None:
        super().__init__(params, lr)
        self._betas, self._weight_decay = betas, weight_decay
        self._moments: dict[Tensor, _Moments] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Change every weight that has a gradient; a parameter's own steps are counted."""
        for group in self.param_groups:
            learning = [parameter for parameter in group["params"] if parameter.grad is not None]
            if learning:
                self._change(learning, [parameter.grad for parameter in learning], group["lr"])

    def _change(self, parameters: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        known = [self._moments_of(parameter) for parameter in parameters]
        steps = [one.steps for one in known]
        torch._foreach_add_(steps, 1)
        torch._fused_adamw_(
            parameters,
            gradients,
            [one.first for one in known],
            [one.second for one in known],
            [],  # AMSGrad's maxima
            steps,
            lr=lr,
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=self._weight_decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def _moments_of(self, parameter: Tensor) -> _Moments:
        if parameter not in self._moments:
            steps = torch.zeros((), dtype=torch.float32, device=parameter.device)
            self._moments[parameter] = _Moments(torch.zeros_like(parameter), torch.zeros_like(parameter), steps)
        return self._moments[parameter]
