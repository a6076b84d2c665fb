"""Item weights by sparse regression: each item on the others, with an elastic net and no negative weight."""

import warnings
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from scipy import sparse
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from recsys.models.neighbours._similarity import strongest_stored
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, TrainingData, searched

MAX_SWEEPS = 100


class SLIMElasticNetConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_neighbours: largest weights kept for each item that is scored.
        alpha: of both penalties, for each user. The comparisons that made the model known default to 1 and search up
            to 100, where sparse data keep no weight at all; the narrower range of a later study is searched here.
        l1_ratio: share of the absolute values in the penalty. Of the powers of ten, the defaults of both are the
            best on the validation parts of Amazon Baby and of Last.fm.
    """

    n_neighbours: PositiveInt = searched(100, 5, 1000, log=True)
    alpha: PositiveFloat = searched(1e-2, 1e-4, 1.0, log=True)
    l1_ratio: Annotated[float, Field(gt=0, le=1)] = searched(1e-3, 1e-5, 1.0, log=True)

    first_points: ClassVar[FirstPoints] = ({"alpha": 0.03}, {"alpha": 0.003})


@register
class SLIMElasticNet(ItemWeightsModel):
    """Weights w towards item j minimise |x_j - X w|^2 / 2 + n_users alpha (r |w|_1 + (1 - r) |w|^2 / 2) over w >= 0.

    The item's own weight is zero, r is `l1_ratio`, and the penalties have scikit-learn's scale. Solved by
    coordinate descent on the Gram matrix X'X: as it has no negative entry either, an item that shares no more than
    n_users alpha r users with j has weight zero, and each regression is on the few others. Score = X W.
    """

    Config = SLIMElasticNetConfig
    source = "Ning, Karypis: SLIM: Sparse linear methods for top-N recommender systems, ICDM 2011"
    deterministic = True

    @classmethod
    def memory(cls, config: SLIMElasticNetConfig, size: DataSize) -> float:
        """The Gram matrix, sparse, and the weights before the largest are kept."""
        return FIXED_MEMORY + 110 * size.item_pairs

    def fit(self, data: TrainingData) -> None:
        """Regress each item on those it shares users with."""
        self.train = data.train
        n_users, n_items = data.train.shape
        gram = sparse.csr_array(data.train.T @ data.train).astype(np.float64)
        alpha, l1_ratio = n_users * self.config.alpha, self.config.l1_ratio
        # To check its parameters takes scikit-learn as long as to regress on few items.
        with config_context(skip_parameter_validation=True), warnings.catch_warnings():
            # More sweeps would move the last digits of weights of which only the largest are kept.
            warnings.simplefilter("ignore", ConvergenceWarning)
            parts = [regression(gram, item, alpha, l1_ratio) for item in range(n_items)]
        items, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
        ends = np.cumsum([0, *(len(others) for others, _ in parts)])
        towards = sparse.csr_array((weights.astype(np.float32), items, ends), shape=gram.shape)
        self.weights = strongest_stored(towards, self.config.n_neighbours).T.tocsr()


def regression(gram: sparse.csr_array, item: int, alpha: float, l1_ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """The other items that explain `item`, and their weights.

    Args:
        gram: X'X, float64, shape (n_items, n_items).
        item: the item explained.
        alpha: of the penalty alpha (l1_ratio |w|_1 + (1 - l1_ratio) |w|^2 / 2).
        l1_ratio: see there.
    """
    stored = slice(gram.indptr[item], gram.indptr[item + 1])
    others, shared = gram.indices[stored], gram.data[stored]
    possible = (shared > alpha * l1_ratio) & (others != item)
    others, shared = others[possible], shared[possible]
    if not len(others):
        return others, shared
    # Given both products, the solver reads of the regressors only how many there are, and of the target its norm.
    regressors, target = np.zeros((1, len(others)), order="F"), np.array([np.sqrt(gram[item, item])])
    _, path, _ = enet_path(
        regressors,
        target,
        l1_ratio=l1_ratio,
        alphas=[alpha],
        precompute=gram[others][:, others].toarray(),
        Xy=shared,
        positive=True,
        check_input=False,
        max_iter=MAX_SWEEPS,
    )
    return others, path[:, 0]
