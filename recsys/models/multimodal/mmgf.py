"""MM-GF: polynomial filters on item graphs, one of co-occurrence and one for each source; nothing is trained."""

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat
from scipy import sparse

from recsys.content.features import Features, source_shares
from recsys.errors import UserError
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, Presets, Share, TrainingData, searched

MOST_ITEMS = 25_000
"""Above this the graphs of all pairs of items, 2.5 GB each there, are not made."""
CUBIC = 0.01
"""Factor of the cubic filter's polynomial."""
Filter = Literal["linear", "quadratic", "cubic"]
_FILTERS = ["linear", "quadratic", "cubic"]
_MATRICES = {"linear": 1, "quadratic": 2, "cubic": 3}  # of all pairs of items at the peak of a filter


class MMGFConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        alpha: power by which rows count less the more they hold (users' interactions, an item's features); columns
            have the rest of one.
        power: exponent of each entry of a graph.
        item_filter: polynomial of the graph by interactions: P, 2 P - P^2, or P + 0.01 (-P^3 + 10 P^2 - 29 P).
        content_weight: weight of all sources together beside the interactions.
        content_filter: polynomial of the sources' graphs.
        image_weight: weight of the image graph where exactly text and image are shown; otherwise sources weigh the
            same.
        content_scale: `equal`: entries of the sources' graphs are scaled to the standard deviation of those by
            interactions, so that weights mean the same for all encoders; `raw`: as they come, published.
    """

    alpha: Share = searched(0.4, 0.2, 1.0, step=0.05)
    power: PositiveFloat = searched(0.6, 0.3, 1.5, step=0.1)
    item_filter: Filter = searched("linear", choices=_FILTERS)
    content_weight: NonNegativeFloat = searched(0.3, 0.01, 30.0, log=True, needs="content")
    content_filter: Filter = searched("linear", choices=_FILTERS, needs="content")
    image_weight: Share = searched(0.1, choices=[0.1, 0.5, 0.9], needs="text_and_image")
    content_scale: Literal["equal", "raw"] = "equal"

    first_points: ClassVar[FirstPoints] = ({"alpha": 0.9, "power": 0.7},)


@register
class MMGF(ItemWeightsModel):
    """Score = X (f(P) + c sum_m w_m g(P_m)), P = (R'R)^s entry by entry and P_m = (F_m F_m')^s of each source m.

    R = D_u^-a X D_i^(a-1), X divided by powers of the degrees of users and items. F_m is normalised alike, by sums of
    rows and columns, after each column lost its median and was divided by its interquartile range, and the least value
    of all was taken off, so that none is negative. f and g are polynomials.

    Paper and published code differ: the code takes squares and cubes of entries, here they are of matrices; it learns
    from the validation part too, and from ratings, here from who took what in training. Its constants can only have
    been chosen on the test part. Decided here: a source's graph is centred over the items that have it, which leaves
    their order and puts an item without it in the middle; entries are on one scale, and weights sum to one over what
    is shown, times `content_weight`; squares and cubes are of a graph divided by its largest eigenvalue: powers of
    entries take the spectrum out of the range that polynomials are made for; the cubic filter's factor is 0.01, in the
    code 0.1. Without content it is the linear filter of GF-CF with degrees of other powers. Weights of all pairs of
    items are kept, n_items^2; more than 25,000 items are refused. Defaults did best among a few on the validation part
    of Last.fm.
    """

    Config = MMGFConfig
    source = (
        "Roh, Kim, Park, Shin: Training-free Adjustable Polynomial Graph Filtering for Ultra-fast Multimodal "
        "Recommendation (MM-GF), arXiv 2503.04406, 2025"
    )
    deterministic = True
    scores_cold_items = True
    without_content = "GFCF"
    presets: ClassVar[Presets] = {
        "published/baby": {
            "alpha": 0.89,
            "power": 0.67,
            "item_filter": "linear",
            "content_filter": "linear",
            "content_weight": 600.1,
            "image_weight": 0.1 / 600.1,
            "content_scale": "raw",
        }
    }

    @property
    def content_used(self) -> bool:
        """False at weight 0."""
        return self.config.content_weight > 0 and self._content_used

    @classmethod
    def memory(cls, config: MMGFConfig, size: DataSize) -> float:
        """Dense matrices of all pairs of items, the sparse product before them, and copies of the content."""
        n_matrices: float = _MATRICES[config.item_filter]
        if size.width:  # the sum so far and a mask stand beside a source's filter
            n_matrices = max(n_matrices, 1.25 + _MATRICES[config.content_filter])
        dense = 4 * n_matrices * size.n_items**2
        sparse_product = 20 * size.item_pairs + 40 * size.n_interactions
        return FIXED_MEMORY + dense + sparse_product + 40 * size.width * size.n_items

    def fit(self, data: TrainingData) -> None:
        """Make each graph, filter it, and add it up; UserError where there are too many items."""
        n_items, config = data.train.shape[1], self.config
        if n_items > MOST_ITEMS:
            raise UserError(
                f"MMGF keeps weights of all pairs of items and takes {MOST_ITEMS:,} items at most, "
                f"here are {n_items:,}: leave the model out, or raise 'k_core'"
            )
        self.train = data.train
        self.weights = filtered(interaction_graph(data.train, config.alpha, config.power), config.item_filter)
        spread = deviation(self.weights)
        self._content_used = bool(data.content)
        for source, share in source_shares(data.content, config.image_weight).items():
            features, weight = data.content[source], config.content_weight * share
            if weight == 0:
                continue
            graph = filtered(content_graph(features, config.alpha, config.power), config.content_filter)
            centre(graph, features.present)
            if config.content_scale == "equal":
                weight *= spread * np.count_nonzero(features.present) / np.linalg.norm(graph)
            self.weights += np.multiply(graph, np.float32(weight), out=graph)


def deviation(weights: np.ndarray) -> float:
    """Standard deviation of the entries, without a copy of them."""
    variance = np.vdot(weights, weights) / weights.size - weights.mean(dtype=np.float64) ** 2
    return math.sqrt(max(variance, 0))  # rounding takes it below zero where all entries are alike


def centre(graph: np.ndarray, present: np.ndarray) -> None:
    """Take the mean over pairs of items that have the source off their entries, in place."""
    mean = graph.sum(dtype=np.float64) / np.count_nonzero(present) ** 2
    np.subtract(graph, np.float32(mean), out=graph, where=present[:, None] & present)


def interaction_graph(train: sparse.csr_array, alpha: float, power: float) -> np.ndarray:
    """Entries of R'R to a power, float32, shape (n_items, n_items); items without interactions have zeros."""
    users, items = (np.maximum(train.sum(axis=axis), 1).astype(np.float64) for axis in (1, 0))
    normalised = sparse.csr_array(train * (users**-alpha)[:, None] * (items ** (alpha - 1))[None, :])
    graph = sparse.csr_array(normalised.T @ normalised).astype(np.float32)
    graph.data **= np.float32(power)
    return graph.toarray()


def content_graph(features: Features, alpha: float, power: float) -> np.ndarray:
    """Entries of F F' to a power, float32, shape (n_items, n_items); items without the source have zeros."""
    known = features.matrix[features.present].astype(np.float64)
    low, median, high = np.quantile(known, [0.25, 0.5, 0.75], axis=0)
    known = (known - median) / np.where(high > low, high - low, 1)
    known -= known.min()
    rows, columns = known.sum(axis=1, keepdims=True), known.sum(axis=0)
    known *= np.where(rows > 0, rows, 1) ** -alpha * np.where(columns > 0, columns, 1) ** (alpha - 1)
    vectors = np.zeros(features.matrix.shape, dtype=np.float32)
    vectors[features.present] = known
    graph = vectors @ vectors.T
    return np.power(graph, np.float32(power), out=graph)


def filtered(graph: np.ndarray, name: Filter) -> np.ndarray:
    """The polynomial of a graph, whose array it may take; its square and cube are of one with eigenvalues up to 1."""
    if name == "linear":
        return graph
    graph /= largest_eigenvalue(graph)
    square = graph @ graph
    if name == "quadratic":
        return np.subtract(np.multiply(graph, 2, out=graph), square, out=graph)
    cube = square @ graph
    graph *= np.float32(1 - 29 * CUBIC)
    graph += np.multiply(square, np.float32(10 * CUBIC), out=square)
    graph -= np.multiply(cube, np.float32(CUBIC), out=cube)
    return graph


def largest_eigenvalue(graph: np.ndarray, n_steps: int = 20) -> np.float32:
    """By power iteration, of a symmetric matrix without negative entries; 1 where all are zero."""
    vector, value = np.ones(len(graph), dtype=np.float32), np.float32(0)
    for _ in range(n_steps):
        vector = graph @ vector
        value = np.linalg.norm(vector)
        if value == 0:
            return np.float32(1)
        vector /= value
    return value
