"""What every model trained by gradient must keep to beside `ModelContract`: points at which published code fails.

class TestMyModel(GradientContract):
    model = MyModel
    params = {"max_epochs": 30, "batch_size": 256}
    reference = 0.61
"""

from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from torch import Tensor

from recsys.content.features import Content, Features
from recsys.models.gradient import LearnsByGradient
from recsys.recommender import TrainingData
from recsys.testing import market
from recsys.testing.contract import ALL_USERS, MARKET, ONE_SOURCE, SEED, ModelContract
from recsys.training.network import FactorNetwork, Network, PairwiseNetwork
from recsys.training.randomness import seeded_region
from recsys.tuning.space import SearchSpace

LARGEST_GRADIENT = 1e6
N_COLUMNS = 12
SHOWN = {"all": MARKET.content, "none": {}} | ONE_SOURCE


class GradientContract(ModelContract):
    """Contract tests of one model trained by gradient.

    Attributes:
        without_gradient: parameters that no loss reaches, and why that is right is said beside them.
        noiseless: hyper-parameters that take what is random out of the loss.
        order_counts: the loss of a batch depends on the order of its pairs.
    """

    model: ClassVar[type[LearnsByGradient]]
    without_gradient: ClassVar[set[str]] = set()
    noiseless: ClassVar[dict[str, Any]] = {}
    order_counts: ClassVar[bool] = False

    def network(self, content: Content | None = None, **params: Any) -> Network:
        """A network as `fit` builds it, in training mode at the start of its first epoch."""
        content = MARKET.content if content is None else content
        model = self.model.from_params(**(self.params | params))
        with seeded_region(SEED):
            network = model.new_network(TrainingData(MARKET.train, content, SEED)).train()
            network.start_epoch(np.random.default_rng(SEED))
        return network

    def loss(self, network: Network, batch: tuple[Tensor, ...]) -> Tensor:
        """Sum of the steps' losses, all with the same noise."""
        with seeded_region(SEED):
            return torch.stack([step.loss(batch) for step in network.steps()]).sum()

    @pytest.mark.parametrize("shown", SHOWN)
    def test_every_parameter_gets_a_gradient(self, shown: str) -> None:
        network = self.network(SHOWN[shown])
        self.loss(network, next(network.batches(np.random.default_rng(SEED)))).backward()
        idle = {
            name
            for name, parameter in network.named_parameters()
            if parameter.numel() and (parameter.grad is None or not parameter.grad.any())
        }
        assert idle <= self.without_gradient

    def test_steps_move_every_parameter(self) -> None:
        network = self.network()
        moved = {id(parameter) for step in network.steps() for parameter in step.parameters}
        assert moved == {id(parameter) for parameter in network.parameters()}

    def test_nothing_of_the_content_path_is_left_without_content(self) -> None:
        with_content, without = self.network(), self.network({})
        parts = [
            {name: part.numel() for name, part in (*network.named_parameters(), *network.named_buffers())}
            for network in (with_content, without)
        ]
        assert {name for name, size in parts[1].items() if size} <= set(parts[0])
        assert (sum(parts[1].values()) < sum(parts[0].values())) == self.takes_content
        assert not self.fitted({}).content_used

    @pytest.mark.parametrize("sources", [("text",), ("image",), ("tags", "audio"), ("text", "image")])
    def test_what_is_searched_has_an_effect_on_what_is_shown(self, sources: tuple[str, ...]) -> None:
        rng = np.random.default_rng(SEED)
        present = np.ones(market.N_ITEMS, dtype=bool)
        content = {
            source: Features(rng.standard_normal((market.N_ITEMS, N_COLUMNS), dtype=np.float32), present)
            for source in sources
        }
        space = SearchSpace(self.model.Config, {}, sources)
        idle = set()
        for name, distribution in space.distributions.items():
            extra: Any = self.model.Config.model_fields[name].json_schema_extra
            if extra["search"]["needs"] and space.matters(name, space.first[0]):
                one, other = (space.params(space.first[0] | {name: end}) for end in _ends(distribution))
                if self._trace(content, one) == self._trace(content, other):
                    idle.add(name)
        assert not idle  # a trial that differs in nothing else would repeat another

    def test_cold_rows_in_the_loss_give_small_gradients(self) -> None:
        network = self._pairwise(market.with_missing(MARKET.content))
        users = torch.tensor([market.COLD_USER, 1, 2, market.COLD_USER])
        cold = torch.from_numpy(market.COLD_ITEMS)
        positives, negatives = cold, torch.tensor([0, 1, cold[1], cold[2]])
        self.loss(network, (users, positives, negatives)).backward()
        for name, parameter in network.named_parameters():
            if parameter.grad is not None and parameter.numel():
                assert parameter.grad.isfinite().all(), name
                assert parameter.grad.abs().max() < LARGEST_GRADIENT, name

    def test_factors_after_a_step_are_those_of_its_parameters(self) -> None:
        network, again = self.network(), self.network()
        if not isinstance(network, FactorNetwork) or not isinstance(again, FactorNetwork):
            pytest.skip("scores by something else than factors")
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        network.eval()
        with torch.no_grad():
            network.factors()  # what is kept from here must not outlive the step
        network.train()
        self.loss(network, next(network.batches(np.random.default_rng(SEED)))).backward()
        optimiser.step()
        again.load_state_dict(network.state_dict())
        with torch.no_grad():
            for after, fresh in zip(network.eval().factors(), again.eval().factors(), strict=True):
                torch.testing.assert_close(after, fresh, rtol=0, atol=0)

    def test_the_order_within_a_batch_does_not_count(self) -> None:
        if self.order_counts:
            pytest.skip("the order counts in this model")
        network = self._pairwise(MARKET.content, **self.noiseless)
        batch = next(network.batches(np.random.default_rng(SEED)))
        before = [part.clone() for part in batch]
        orders = {len(part): torch.randperm(len(part), generator=torch.Generator().manual_seed(1)) for part in batch}
        loss = self.loss(network, batch)
        assert all(torch.equal(part, same) for part, same in zip(batch, before, strict=True))
        again = self._pairwise(MARKET.content, **self.noiseless)
        permuted = self.loss(again, tuple(part[orders[len(part)]] for part in batch))
        torch.testing.assert_close(permuted, loss, rtol=1e-5, atol=1e-6)

    @pytest.mark.gpu
    def test_cpu_and_gpu_agree(self) -> None:
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")
        here, there = self.network(**self.noiseless), self.network(**self.noiseless).to("cuda")
        batch = next(here.batches(np.random.default_rng(SEED)))
        loss = self.loss(there, tuple(part.to("cuda") for part in batch)).cpu()
        torch.testing.assert_close(loss, self.loss(here, batch), rtol=1e-3, atol=1e-4)
        assert np.isfinite(self.fitted().score(ALL_USERS)).all()

    def _trace(self, content: Content, params: dict[str, Any]) -> list[float]:
        """Numbers that differ between networks which learn or score otherwise."""
        network = self.network(content, **params)
        loss = self.loss(network, next(network.batches(np.random.default_rng(SEED))))
        loss.backward()
        numbers = [loss.item(), *(p.grad.abs().sum().item() for p in network.parameters() if p.grad is not None)]
        if isinstance(network, FactorNetwork):
            with torch.no_grad():
                numbers += [table.abs().sum().item() for table in network.eval().factors()]
        return numbers

    def _pairwise(self, content: Content, **params: Any) -> PairwiseNetwork:
        network = self.network(content, **params)
        if not isinstance(network, PairwiseNetwork):
            pytest.skip("does not learn from triples")
        return network


def _ends(distribution: BaseDistribution) -> tuple[Any, Any]:
    """The first and the last value of an axis of a search space."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0], distribution.choices[-1]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return distribution.low, distribution.high
