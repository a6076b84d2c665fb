"""Items' content as a network takes it: features on a chosen scale, and a source's map to the embeddings' width."""

from collections.abc import Callable, Iterator
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.content.features import Content, Features
from recsys.training.distinct import distinct_rows
from recsys.training.network import TrainedConfig

FeatureScaling = Literal["raw", "unit_mean", "rows"]
FROZEN, TRAINED, IN_GRAPHS = 12, 24, 8
"""What a fit takes for each number of the content, in bytes (`Recommender.bytes_per_feature`), as measured by
`benchmarks/model_costs.py` with room to spare: of features held as they are, held and trained, or read for graphs."""


class ContentConfig(TrainedConfig):
    """Hyper-parameters of trained models that take content.

    Attributes:
        feature_scaling: how each source's matrix is scaled before training (see `scaled_features`).
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


def mapped_rows(rows: Tensor, table: Tensor, mapping: Callable[[Tensor], Tensor]) -> Tensor:
    """What a mapping makes of these rows of a table: each distinct one is mapped once.

    Args:
        rows: positions, shape (n,); repeats are allowed.
        table: shape (n_items, dim).
        mapping: of rows, each by itself.
    """
    if len(rows) < len(table):
        distinct, places = distinct_rows(rows)
        return embedding(places, mapping(embedding(distinct, table)))
    return embedding(rows, mapping(table))


class Source(nn.Module):
    """One source's features, which are trained too unless they are frozen, and a linear map of them.

    Attributes:
        present: bool, shape (n_items, 1): which items have this source.
    """

    table: Tensor
    present: Tensor

    def __init__(
        self, features: Features, n_outputs: int, scaling: FeatureScaling, *, trained: bool = True, bias: bool = True
    ) -> None:
        """Take the features as starting values; the map starts as torch's linear layers do."""
        super().__init__()
        table = scaled_features(features, scaling)
        if trained:
            self.table = nn.Parameter(table)
        else:
            self.register_buffer("table", table, persistent=False)
        self.linear = nn.Linear(features.dim, n_outputs, bias=bias)
        self.register_buffer("present", torch.from_numpy(features.present)[:, None], persistent=False)

    def forward(self, items: Tensor | None = None) -> Tensor:
        """Mapped content of the items, or of all, shape (n, n_outputs); zero where an item lacks the source."""
        if items is None:
            return self.linear(self.table) * self.present
        return mapped_rows(items, self.table, self.linear) * self.present[items]


class Sources(nn.ModuleList):
    """A `Source` for each source that is shown, in their order."""

    def __init__(self, content: Content, config: ContentConfig, *, trained: bool = True, bias: bool = True) -> None:
        """Map each to the width of the embeddings; the features are trained too or stay as they are."""
        width, scaling = config.n_factors, config.feature_scaling
        super().__init__(Source(f, width, scaling, trained=trained, bias=bias) for f in content.values())

    def __iter__(self) -> Iterator[Source]:
        """One after the other."""
        return (cast(Source, source) for source in super().__iter__())


class ItemView(nn.Module):
    """Items as one encoder sees them: a table of features or of learned vectors, and a map of it.

    Attributes:
        present: items that it says something about, bool, shape (n_items, 1); the others have zeros.
    """

    table: Tensor
    present: Tensor

    def __init__(self, table: Tensor, present: Tensor, mapping: nn.Module | None = None) -> None:
        """Take the table as it is, trained if it is a parameter; no mapping: it is the view itself."""
        super().__init__()
        if isinstance(table, nn.Parameter):
            self.table = table
        else:
            self.register_buffer("table", table, persistent=False)
        self.mapping = nn.Identity() if mapping is None else mapping
        self.register_buffer("present", present[:, None], persistent=False)

    def forward(self) -> Tensor:
        """All items, shape (n_items, n_factors)."""
        return self.mapping(self.table) * self.present
