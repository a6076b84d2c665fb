"""Item weights that learn to rank what a user chose above what they did not."""

from collections.abc import Iterator

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.arrays import pack_sparse
from recsys.models.gradient import LearnsByGradient
from recsys.models.neighbours._similarity import strongest_stored
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import FIXED_MEMORY, TORCH_MEMORY, DataSize, LearningRate, TrainingData, searched
from recsys.training.losses import bpr_loss
from recsys.training.network import Batch, LoopConfig, Network, batch_size_for
from recsys.training.sampling import PairSampler


class SLIMBPRConfig(LoopConfig):
    """Hyper-parameters of SLIM-BPR.

    Attributes:
        n_neighbours: largest weights kept for each item that is scored.
        symmetric: one weight for both directions of a pair of items.
        positive_l2: weight of half the squares of the chosen item's weights.
        negative_l2: the same of the other item's.
    """

    n_neighbours: PositiveInt = searched(200, 5, 1000, log=True)
    symmetric: bool = searched(True, choices=[True, False])
    positive_l2: NonNegativeFloat = searched(1e-5, 1e-5, 1e-2, log=True)
    negative_l2: NonNegativeFloat = searched(1e-5, 1e-5, 1e-2, log=True)
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-1, log=True)


class SLIMBPRNetwork(Network):
    """One weight for each pair of items that share a user."""

    def __init__(self, data: TrainingData, config: SLIMBPRConfig) -> None:
        """Number the pairs; all weights start at zero."""
        super().__init__()
        self.config, self.train_matrix = config, data.train
        self.sampler = PairSampler(data.train, config.batch_size or batch_size_for(data.train.nnz))
        self.numbers = numbered_pairs(data.train, config.symmetric)
        self.weights = nn.Parameter(torch.zeros(self.numbers.max() + 1, 1))

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        """An epoch of triples, spelt out: which weights stand between the profile and either item.

        Each batch holds the row of the batch that a pair belongs to, the number of the weight from an item of the
        user's profile to the chosen item, and of that to the other item; three int64 tensors of one length.
        """
        device = self.weights.device
        for users, positives, negatives in self.sampler.epoch(rng):
            profiles = self.train_matrix[users]
            rows = np.repeat(np.arange(len(users)), np.diff(profiles.indptr))
            numbers = (self.numbers[items[rows], profiles.indices] for items in (positives, negatives))
            yield tuple(torch.from_numpy(part).to(device) for part in (rows, *numbers))

    def loss(self, batch: Batch) -> Tensor:
        """BPR and the squares of the weights that took part."""
        rows, *numbers = batch
        positive, negative = (embedding(part, self.weights, padding_idx=0).squeeze(1) for part in numbers)
        scores = self.weights.new_zeros(2, int(rows[-1]) + 1)  # no profile is empty: each holds the chosen item
        scores = scores.index_add(1, rows, torch.stack([positive, negative]))
        squares = self.config.positive_l2 * positive.square().sum() + self.config.negative_l2 * negative.square().sum()
        return bpr_loss(scores[0], scores[1]) + squares / (2 * scores.shape[1])

    def arrays(self) -> dict[str, np.ndarray]:
        """The profiles and the largest weights towards each item."""
        values = self.weights.detach().cpu().numpy()[self.numbers.data, 0]
        structure = self.numbers.indices, self.numbers.indptr
        towards = sparse.csr_array((values, *structure), shape=self.numbers.shape, copy=True)
        kept = strongest_stored(towards, self.config.n_neighbours).T.tocsr()
        return pack_sparse("train", self.train_matrix) | pack_sparse("weights", kept)


@register
class SLIMBPR(LearnsByGradient, ItemWeightsModel):
    """Score of an item = weights towards it from the user's other items, learnt by pairwise ranking.

    Published code draws as many samples an epoch as there are users, and the sign of its penalty on the negative
    item's weights makes them grow; here an epoch holds each training pair once, and both penalties shrink. Decided
    here: only items that share a user have a weight. The others' could only fall below zero, where the cut to the
    largest weights removes them.
    """

    Config = SLIMBPRConfig
    network = SLIMBPRNetwork
    source = "Ning, Karypis: SLIM, ICDM 2011; Rendle, Freudenthaler, Gantner, Schmidt-Thieme: BPR, UAI 2009"

    @classmethod
    def memory(cls, config: SLIMBPRConfig, size: DataSize) -> float:
        """A number and a weight for each pair of items, while pairs are counted several times."""
        return FIXED_MEMORY + TORCH_MEMORY + 160 * size.n_interactions + 100 * size.item_pairs


def numbered_pairs(train: sparse.csr_array, symmetric: bool) -> sparse.csr_array:
    """Pairs of different items that share a user, numbered from 1; both directions of a pair alike if `symmetric`.

    Args:
        train: interactions, shape (n_users, n_items).
        symmetric: see above.

    Returns:
        int64, shape (n_items, n_items).
    """
    shared = sparse.coo_array(train.T @ train)
    one, other = shared.coords
    kept = one < other if symmetric else one != other
    one, other = one[kept], other[kept]
    pairs = sparse.csr_array((np.arange(1, len(one) + 1), (one, other)), shape=shared.shape)
    return sparse.csr_array(pairs + pairs.T) if symmetric else pairs
