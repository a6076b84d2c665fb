"""Item weights by sparse regression for all items at once, negative ones allowed or not."""

import math
from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat
from scipy import sparse
from scipy.sparse.linalg import eigsh
from torch import Tensor
from torch.nn.functional import softshrink

from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, TrainingData, searched
from recsys.runtime import device

BLOCK = 1024
"""Items whose weights are found at a time."""
MAX_STEPS = 100
RELAXATION = 1.7
RELATIVE, ABSOLUTE = 1e-3, 1e-6


class ADMMSLIMConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        l1: weight of the absolute values, in users: a smaller overlap than this cannot carry a weight.
        l2: weight of half the squares, lambda of EASE.
        non_negative: no negative weights, as in the original SLIM.
    """

    l1: NonNegativeFloat = searched(3.0, 0.1, 10.0, log=True)
    l2: PositiveFloat = searched(200.0, 5.0, 5000.0, log=True)
    non_negative: bool = searched(True, choices=[True, False])

    first_points: ClassVar[FirstPoints] = ({"l1": 0.1, "l2": 50.0}, {"l1": 0.5, "l2": 100.0, "non_negative": False})


@register
class ADMMSLIM(ItemWeightsModel):
    """Weights W minimise |X - X W|^2 / 2 + l1 |W|_1 + l2 |W|^2 / 2 with a zero diagonal; score = X W.

    Found by the alternating directions method of multipliers: ridge regressions, whose one matrix is inverted once,
    take turns with soft thresholding. Two additions make about ten steps of the hundred that are customary:
    over-relaxation, and a step size from the spectrum of X'X instead of a constant (Ghadimi et al., IEEE TAC 2015).
    The paper's weighting of the penalties by popularity is left out. Memory is n_items^2, as for EASE. Without
    negative weights the optimum is that of `SLIMElasticNet` with l1 = n_users alpha r, l2 = n_users alpha (1 - r).
    """

    Config = ADMMSLIMConfig
    source = "Steck, Dimakopoulou, Riabov, Jebara: ADMM SLIM: Sparse recommendations for many users, WSDM 2020"
    deterministic = True

    @classmethod
    def memory(cls, config: ADMMSLIMConfig, size: DataSize) -> float:
        """The Gram matrix, its factor and its inverse, all in double precision."""
        return FIXED_MEMORY + 24 * size.n_items**2 + 40 * BLOCK * size.n_items

    def fit(self, data: TrainingData) -> None:
        """Invert once, then find the weights towards a block of items at a time."""
        self.train = data.train
        gram = sparse.csr_array(data.train.T @ data.train)
        n_items, l2 = gram.shape[0], self.config.l2
        rho = math.sqrt(l2 * (l2 + largest_eigenvalue(gram)))
        dense = torch.from_numpy(gram.toarray().astype(np.float64)).to(device())
        dense.diagonal().add_(l2 + rho)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(dense)).float()
        blocks = [torch.arange(start, min(start + BLOCK, n_items)) for start in range(0, n_items, BLOCK)]
        found = [sparse.csc_array(self._weights(inverse, items.to(device()), rho).cpu().numpy()) for items in blocks]
        self.weights = sparse.csr_array(sparse.hstack(found))

    def _weights(self, inverse: Tensor, items: Tensor, rho: float) -> Tensor:
        """The weights towards `items`, shape (n_items, len(items)).

        Args:
            inverse: of X'X + (l2 + rho) I, shape (n_items, n_items).
            items: columns of W to find.
            rho: weight of the distance between the ridge solution and the thresholded one.
        """
        columns, own = inverse[:, items], (items, torch.arange(len(items), device=items.device))
        unpenalised = -(self.config.l2 + rho) * columns
        unpenalised[own] += 1  # the inverse times X'X
        thresholded = scaled_dual = torch.zeros_like(columns)
        for _ in range(MAX_STEPS):
            ridge = unpenalised + rho * (inverse @ (thresholded - scaled_dual))
            ridge -= columns * (ridge[own] / columns[own])  # zero diagonal
            before = thresholded
            shifted = RELAXATION * ridge + (1 - RELAXATION) * before + scaled_dual
            thresholded = softshrink(shifted, self.config.l1 / rho)
            if self.config.non_negative:
                thresholded = thresholded.clamp_(min=0)
            scaled_dual = shifted - thresholded
            if _close(ridge, thresholded, thresholded) and _close(thresholded, before, scaled_dual):
                break
        return thresholded


def largest_eigenvalue(gram: sparse.csr_array) -> float:
    """Largest eigenvalue of a symmetric matrix, shape (n, n)."""
    if gram.shape[0] < 2:
        return float(gram.sum())
    start = np.ones(gram.shape[0])  # the default is random
    return float(eigsh(gram.astype(np.float64), k=1, v0=start, tol=1e-2, return_eigenvectors=False)[0])


def _close(one: Tensor, other: Tensor, scale: Tensor) -> bool:
    return bool((one - other).norm() <= ABSOLUTE * math.sqrt(one.numel()) + RELATIVE * scale.norm())
