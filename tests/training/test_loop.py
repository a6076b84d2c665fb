from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import dropout

from recsys.errors import UserError
from recsys.evaluation.ranking import rank
from recsys.models.gradient import GradientModel
from recsys.recommender import Recommender, TrainingData
from recsys.training import loop
from recsys.training.loop import train
from recsys.training.network import FactorNetwork, Network, Step, TrainedConfig, batch_size_for
from recsys.tuning.space import SearchSpace

TRAIN = sparse.csr_array(np.eye(2, dtype=np.float32))


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


class Counter(GradientModel):
    """A model whose only state is how many epochs it has seen."""

    Config = TrainedConfig
    source = "this test"

    def new_network(self, data: TrainingData) -> Network:
        return CounterNetwork()


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


def test_a_pruned_model_stands_at_its_best() -> None:
    asked: list[tuple[int, int]] = []

    def should_prune(curve: list[dict[str, float]], last_epoch: int) -> bool:
        asked.append((len(curve), last_epoch))
        return len(curve) == 3

    model = Counter.from_params(max_epochs=50)
    train(model, CounterNetwork(), TrainingData(TRAIN, validate=scripted(0.1, 0.3, 0.2), should_prune=should_prune))
    assert model.pruned
    assert asked == [(1, 50), (2, 50), (3, 50)]
    assert model.user_factors[0, 0] == 2


def test_a_model_whose_patience_is_at_its_end_has_finished() -> None:
    model = Counter.from_params(patience=1)
    train(
        model,
        CounterNetwork(),
        TrainingData(TRAIN, validate=scripted(0.3, 0.2), should_prune=lambda c, _: len(c) == 2),
    )
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


class NoisyNetwork(FactorNetwork):
    """Factors that random numbers of every kind have a part in; each epoch begins with a draw."""

    def __init__(self, data: TrainingData, config: TrainedConfig) -> None:
        super().__init__()
        self.map = nn.Linear(2, 2)
        self.starts: list[float] = []

    def start_epoch(self, rng: np.random.Generator) -> None:
        self.starts.append(rng.random())

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        yield (torch.from_numpy(rng.random((3, 2), dtype=np.float32)),)

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        return dropout(self.map(batch[0])).square().sum() + self.starts[-1]

    def factors(self) -> tuple[Tensor, Tensor]:
        return self.map.weight, self.map.weight


class Noisy(GradientModel):
    Config = TrainedConfig
    source = "this test"
    network = NoisyNetwork


def noisy(seed: int = 3, **params: float) -> Noisy:
    model = Noisy.from_params(**({"max_epochs": 4} | params))
    model.fit(TrainingData(TRAIN, seed=seed, validate=lambda m: float(rank(m, np.arange(2), TRAIN, 1).scores.sum())))
    return model


def test_all_that_is_random_follows_the_seed_and_the_global_generators_are_left_alone() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = noisy()
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])
    torch.manual_seed(2)
    np.testing.assert_array_equal(noisy().item_factors, first.item_factors)
    assert noisy().curve == first.curve
    assert not np.array_equal(noisy(seed=4).item_factors, first.item_factors)


def test_a_model_ranked_where_it_trains_ends_as_one_ranked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = noisy()
    monkeypatch.setattr(loop, "_ranks_where_it_is", lambda network: True)
    monkeypatch.setattr(Noisy, "score", lambda *_: pytest.fail("went through numpy"))
    there = noisy()
    np.testing.assert_array_equal(there.item_factors, here.item_factors)
    assert there.curve == here.curve
    assert there.device_factors is None


class TwoSteps(CounterNetwork):
    """Two parameters, one for each of two optimisers."""

    def __init__(self, **second: Any) -> None:
        super().__init__(n_steps=1)
        self.other, self.second, self.path = nn.Parameter(torch.ones(1)), second, []

    def steps(self) -> list[Step]:
        return [
            Step(lambda batch: self.weight.sum() + self.other.sum(), [self.weight], torch.optim.SGD),
            Step(lambda batch: 3 * self.other.sum(), [self.other], torch.optim.SGD, **self.second),
        ]


def moved(network: TwoSteps, **params: float) -> tuple[float, float]:
    """How far the two parameters went."""
    train(Counter.from_params(**params), network, TrainingData(TRAIN))
    return 1 - network.weight.item(), 1 - network.other.item()


def test_each_step_moves_its_own_parameters_at_its_own_rate_with_its_own_decay_of_weights() -> None:
    assert moved(TwoSteps(), max_epochs=1, learning_rate=0.1) == pytest.approx((0.1, 0.3))
    assert moved(TwoSteps(learning_rate=0.01), max_epochs=1, learning_rate=0.1) == pytest.approx((0.1, 0.03))
    assert moved(TwoSteps(weight_decay=0.5), max_epochs=1, learning_rate=0.1) == pytest.approx((0.1, 0.35))


def test_the_curve_has_the_sum_of_the_steps_losses() -> None:
    model = Counter.from_params(max_epochs=1, learning_rate=0.1)
    train(model, TwoSteps(), TrainingData(TRAIN))
    assert model.curve[0]["loss"] == pytest.approx(2 + 3)


def test_the_learning_rate_falls_by_the_factor_over_fifty_epochs() -> None:
    far, _ = moved(TwoSteps(), max_epochs=101, learning_rate=1e-3, learning_rate_decay=0.5)
    assert far == pytest.approx(sum(1e-3 * 0.5 ** (epoch / 50) for epoch in range(101)), rel=1e-4)


def test_a_step_with_a_rate_of_its_own_keeps_it() -> None:
    _, far = moved(TwoSteps(learning_rate=1e-4), max_epochs=101, learning_rate=1e-3, learning_rate_decay=0.5)
    assert far == pytest.approx(3 * 1e-4 * 101, rel=1e-4)


class Quadratic(CounterNetwork):
    """Half the squared distance of two weights to the target that is the batch; a draw tells losses apart."""

    def __init__(self, targets: list[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
        self.targets, self.drawn = targets, [0.0]

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        yield from ((torch.full((2,), target, dtype=torch.float64),) for target in self.targets)

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        self.drawn.append(torch.rand(1).item())
        return ((self.weight - batch[0]) ** 2).sum() / 2


def stepped_by_hand(targets: list[float], rate: float, mirror: float, interval: int, epochs: int) -> np.ndarray:
    """Adam on the gradients of `Quadratic`, those of mirrored batches once more with the weight turned round."""
    weight, first, second, n_steps = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2), 0
    for _ in range(epochs):
        for number, target in enumerate(targets):
            for sign in (1.0, -mirror) if mirror and number % interval == 0 else (1.0,):
                gradient, n_steps = sign * (weight - target), n_steps + 1
                first = 0.9 * first + 0.1 * gradient
                second = 0.999 * second + 0.001 * gradient**2
                scale = np.sqrt(second / (1 - 0.999**n_steps)) + 1e-8
                weight = weight - rate * first / (1 - 0.9**n_steps) / scale
    return weight


@pytest.mark.parametrize(("mirror", "interval"), [(0.0, 3), (0.3, 3), (0.3, 1), (0.1, 2)])
def test_mirror_gradient_steps_back_on_the_same_batch(mirror: float, interval: int) -> None:
    targets = [3.0, -1.0, 0.5, 2.0]
    network = Quadratic(targets)
    model = Counter.from_params(max_epochs=2, learning_rate=0.05, mirror=mirror, mirror_interval=interval)
    train(model, network, TrainingData(TRAIN))
    expected = stepped_by_hand(targets, 0.05, mirror, interval, epochs=2)
    np.testing.assert_allclose(network.weight.detach().numpy(), expected, rtol=1e-9)
    # The loss of a mirrored batch is computed anew, with new draws.
    n_mirrored = 2 * len(targets[::interval]) if mirror else 0
    assert len(set(network.drawn)) - 1 == 2 * len(targets) + n_mirrored
    assert model.curve[0]["loss"] > 0


def test_mirror_gradient_of_two_optimisers_steps_back_with_each() -> None:
    assert moved(TwoSteps(), max_epochs=1, learning_rate=0.1, mirror=0.5) == pytest.approx((0.05, 0.15))


def test_off_by_default_and_searched_only_where_a_study_lists_it() -> None:
    assert TrainedConfig().mirror == 0
    assert not {"mirror", "mirror_interval"} & set(SearchSpace(TrainedConfig, {}).distributions)
    asked = SearchSpace(TrainedConfig, {"mirror": [0.0, 0.1, 0.3]})
    assert "mirror" in asked.distributions and "mirror_interval" not in asked.distributions


@pytest.mark.parametrize(
    ("n_pairs", "size"), [(0, 2048), (118_551, 2048), (524_288, 2048), (524_289, 4096), (10**6, 4096), (10**8, 16_384)]
)
def test_the_default_batch_grows_with_the_pairs(n_pairs: int, size: int) -> None:
    assert batch_size_for(n_pairs) == size
