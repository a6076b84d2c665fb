"""Items' content as a network takes it: features on a chosen scale, and a source's map to the embeddings' width."""

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.content.features import Content, Features
from recsys.training.network import TrainedConfig

FeatureScaling = Literal["raw", "unit_mean", "rows"]


class ContentConfig(TrainedConfig):
    """Hyper-parameters of trained models that take content.

    Attributes:
        feature_scaling: of each source's matrix before training (see `scaled_features`).
    """

    feature_scaling: FeatureScaling = "unit_mean"


def scaled_features(features: Features, scaling: FeatureScaling = "unit_mean") -> Tensor:
    """The matrix on a chosen scale, float32, shape (n_items, dim); absent rows are zero.

    The published models take features raw: unit vectors for text, norms of tens for images, so that the louder
    source dominates the first epochs whatever it says. One divisor a source removes that and keeps what rows say.

    Args:
        features: content of the items.
        scaling: `raw`: as given, the scale at which published learning rates were found; `unit_mean`: divided by the
            mean norm of the rows; `rows`: each row divided by its norm.
    """
    matrix = features.matrix * features.present[:, None]
    if scaling == "raw":
        return torch.from_numpy(matrix)
    norms = np.linalg.norm(matrix[features.present], axis=1)
    if scaling == "rows":
        matrix[features.present] /= np.where(norms > 0, norms, 1)[:, None]
        return torch.from_numpy(matrix)
    norm = norms.mean() if features.present.any() else 0.0
    return torch.from_numpy((matrix / norm if norm > 0 else matrix).astype(np.float32))


class Source(nn.Module):
    """One source's features, which are trained too, and a linear map of them.

    Attributes:
        present: bool, shape (n_items, 1): which items have this source.
    """

    present: Tensor

    def __init__(self, features: Features, n_outputs: int, scaling: FeatureScaling) -> None:
        """Take the features as starting values; the map starts as torch's linear layers do."""
        super().__init__()
        self.table = nn.Parameter(scaled_features(features, scaling))
        self.linear = nn.Linear(features.dim, n_outputs)
        self.register_buffer("present", torch.from_numpy(features.present)[:, None], persistent=False)

    def forward(self, items: Tensor | None = None) -> Tensor:
        """Mapped content of the items, or of all, shape (n, n_outputs); zero where an item lacks the source."""
        if items is None:
            return self.linear(self.table) * self.present
        return self.linear(embedding(items, self.table)) * self.present[items]


class Sources(nn.ModuleList):
    """A `Source` for each source that is shown, in their order."""

    def __init__(self, content: Content, config: ContentConfig) -> None:
        """Map each to the width of the embeddings."""
        super().__init__(Source(features, config.n_factors, config.feature_scaling) for features in content.values())

    def __iter__(self) -> Iterator[Source]:
        """One after the other."""
        return (cast(Source, source) for source in super().__iter__())
