"""The faults in the snippets of question 10."""

import torch
from torch import Tensor, nn

from tests.questions.proofs import run


def another_score_each_time(faulty: str, fixed: str) -> None:
    """In evaluation mode only the mended classifier repeats itself; in training mode it still drops."""
    x = torch.randn(2, 5, 8)
    wrong, right = _classifier(faulty).eval(), _classifier(fixed).eval()
    assert not torch.equal(wrong(x), wrong(x))
    assert torch.equal(right(x), right(x))
    right.train()
    assert not torch.equal(right(x), right(x))


def _classifier(source: str) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = run(source)["Classifier"]()
    return model


def the_best_weights(faulty: str, fixed: str) -> None:
    """An epoch adds 1 to the weight, and the loss is lowest at 2: only the mended loop gives the model of that epoch back."""
    assert _weight_after_five_epochs(faulty) == 5
    assert _weight_after_five_epochs(fixed) == 2


def _weight_after_five_epochs(source: str) -> float:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)

    def train_epoch(model: nn.Linear) -> None:
        with torch.no_grad():
            model.weight.add_(1)

    def validate(model: nn.Linear) -> float:
        return abs(model.weight.item() - 2)

    fitted: Tensor = run(source)["fit"](model, train_epoch, validate, 5).weight
    return fitted.item()
