"""The faults in the snippets of question 13."""

from tests.questions.proofs import run


def of_equal_size(faulty: str, fixed: str) -> None:
    """Parameters of the LSTM ÷ those of the RNN: four at equal width, one after mending."""
    assert _ratio(faulty) == 4
    assert abs(_ratio(fixed) - 1) < 0.001


def _ratio(source: str) -> float:
    nets = run(source)["contestants"]()
    rnn, lstm = (sum(values.numel() for values in nets[name].parameters()) for name in ("rnn", "lstm"))
    return lstm / rnn
