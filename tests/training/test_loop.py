from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor, nn

from recsys.errors import UserError
from recsys.models.scoring import FactorModel
from recsys.recommender import Recommender, TrainingData
from recsys.training.loop import Network, TrainedConfig, train

TRAIN = sparse.csr_array(np.eye(2, dtype=np.float32))


class Counter(FactorModel):
    """A model whose only state is how many epochs it has seen."""

    Config = TrainedConfig
    source = "this test"

    def fit(self, data: TrainingData) -> None:
        train(self, CounterNetwork(), data)


class CounterNetwork(Network):
    def __init__(self, n_steps: int = 20, diverges_in: int | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.n_steps, self.diverges_in, self.n_epochs = n_steps, diverges_in, 0

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        self.n_epochs += 1
        yield from [(torch.ones(1),)] * self.n_steps

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        return self.weight.sum() * (float("nan") if self.n_epochs == self.diverges_in else 1.0)

    def arrays(self) -> dict[str, np.ndarray]:
        epochs = np.full((2, 1), self.n_epochs, dtype=np.float32)
        return {"user_factors": epochs, "item_factors": epochs}


def scripted(*values: float) -> Callable[[Recommender], float]:
    rest = iter(values)
    return lambda model: next(rest)


def test_stops_after_patience_and_keeps_the_best_state() -> None:
    model = Counter.from_params(patience=2, max_epochs=50)
    train(model, CounterNetwork(), TrainingData(TRAIN, validate=scripted(0.1, 0.3, 0.2, 0.4, 0.4, 0.39)))
    assert model.user_factors[0, 0] == 4
    assert [row["valid"] for row in model.curve] == [0.1, 0.3, 0.2, 0.4, 0.4, 0.39]
    assert [row["epoch"] for row in model.curve] == [1, 2, 3, 4, 5, 6]
    assert all(np.isfinite(row["loss"]) for row in model.curve)


def test_short_epochs_are_evaluated_now_and_then_and_at_the_end() -> None:
    model = Counter.from_params(max_epochs=9, steps_between_evaluations=18)
    train(model, CounterNetwork(n_steps=5), TrainingData(TRAIN, validate=scripted(0.1, 0.2, 0.3)))
    assert [row["epoch"] for row in model.curve if "valid" in row] == [4, 8, 9]
    assert model.user_factors[0, 0] == 9


def test_a_hopeless_model_is_given_up_and_stands_at_its_best() -> None:
    asked: list[tuple[int, int]] = []

    def hopeless(curve: list[dict[str, float]], last_epoch: int) -> bool:
        asked.append((len(curve), last_epoch))
        return len(curve) == 3

    model = Counter.from_params(max_epochs=50)
    train(model, CounterNetwork(), TrainingData(TRAIN, validate=scripted(0.1, 0.3, 0.2), hopeless=hopeless))
    assert model.pruned
    assert asked == [(1, 50), (2, 50), (3, 50)]
    assert model.user_factors[0, 0] == 2


def test_a_model_whose_patience_is_at_its_end_has_finished() -> None:
    model = Counter.from_params(patience=1)
    train(model, CounterNetwork(), TrainingData(TRAIN, validate=scripted(0.3, 0.2), hopeless=lambda c, _: len(c) == 2))
    assert not model.pruned


def test_without_validation_all_epochs_run() -> None:
    model = Counter.from_params(max_epochs=7)
    train(model, CounterNetwork(), TrainingData(TRAIN))
    assert len(model.curve) == model.user_factors[0, 0] == 7
    assert not any("valid" in row for row in model.curve)


def test_a_loss_that_is_no_number_is_one_line_with_the_hyper_parameters() -> None:
    model = Counter.from_params(learning_rate=0.5)
    with pytest.raises(
        UserError, match=r"^Counter: the loss became nan in epoch 3 with .*learning_rate=0.5.*lower"
    ) as e:
        train(model, CounterNetwork(diverges_in=3), TrainingData(TRAIN))
    assert "\n" not in str(e.value)


def test_the_global_generators_are_left_alone() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    model = Counter.from_params(max_epochs=2)
    model.fit(TrainingData(TRAIN))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])
