"""What models say that a number of their content takes in memory, against the tensors in which they hold it."""

from collections.abc import Iterator

import pytest
from torch import Tensor

from recsys.models import registry
from recsys.models.gradient import LearnsByGradient
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.training.content import FROZEN, IN_GRAPHS, TRAINED
from recsys.training.randomness import seeded_region

WIDTHS = [features.dim for features in MARKET.content.values()]
MODELS = [info.name for info in registry.model_infos() if info.file.takes_content and info.file.is_trained]


def n_held(tensors: Iterator[Tensor]) -> int:
    """Numbers of tensors that can be the features of all items, of one source or of all side by side."""
    shapes = {(len(next(iter(MARKET.content.values())).matrix), width) for width in (*WIDTHS, sum(WIDTHS))}
    return sum(tensor.numel() for tensor in tensors if tuple(tensor.shape) in shapes)


@pytest.mark.parametrize("name", MODELS)
def test_features_count_as_they_are_held(name: str) -> None:
    model = registry.load(name)
    assert issubclass(model, LearnsByGradient)
    with seeded_region(0):
        network = model.from_params().new_network(TrainingData(MARKET.train, MARKET.content))
    trained, frozen = n_held(network.parameters()), n_held(network.buffers())
    expected = TRAINED if trained else FROZEN if frozen else IN_GRAPHS
    assert model.bytes_per_feature == expected
    assert trained + frozen in (0, MARKET.train.shape[1] * sum(WIDTHS))
