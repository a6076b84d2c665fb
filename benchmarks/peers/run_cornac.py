# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["cornac==3.0.1", "torch>=2.9"]
# ///
"""cornac: lists user by user, as its `rank` gives them."""

from typing import Any

import numpy as np
from cornac.data import Dataset
from cornac.models import BPR, EASE, VAECF, MostPop
from protocol import Recommend, serve
from scipy import sparse


def prepare(train: sparse.csr_matrix) -> Dataset:
    """Its data set, in which users and items keep our numbers."""
    entries = train.tocoo()
    users, items = ({number: number for number in range(n)} for n in train.shape)
    return Dataset(*train.shape, users, items, (entries.row, entries.col, entries.data), seed=0)


def fitted(model: Any, data: Dataset) -> Recommend:
    """Lists of all users without what they have."""
    model.fit(data)
    everything = np.arange(data.num_items)

    def recommend(k: int) -> np.ndarray:
        lists = np.empty((data.num_users, k), dtype=np.int32)
        for user in range(data.num_users):
            unseen = np.delete(everything, data.csr_matrix[user].indices)
            lists[user] = model.rank(user, unseen, k=k)[0][:k]
        return lists

    return recommend


def ease(data: Dataset, params: dict[str, Any]) -> Recommend:
    """By numpy's inverse."""
    return fitted(EASE(lamb=params["l2"], posB=False), data)


def bpr(data: Dataset, params: dict[str, Any]) -> Recommend:
    """Stochastic gradient, a pair at a time, and so at a rate of its own; no penalty."""
    model = BPR(
        k=params["n_factors"],
        max_iter=params["max_epochs"],
        learning_rate=0.05,
        lambda_reg=0.0,
        use_bias=False,
        seed=0,
        verbose=False,
    )
    return fitted(model, data)


def mult_vae(data: Dataset, params: dict[str, Any]) -> Recommend:
    """Its variational autoencoder by the same sizes, epochs and rate; the divergence not annealed."""
    model = VAECF(
        k=params["n_factors"],
        autoencoder_structure=[params["n_hidden"]],
        n_epochs=params["max_epochs"],
        batch_size=params["batch_size"],
        learning_rate=params["learning_rate"],
        beta=params["kl_weight"],
        seed=0,
    )
    return fitted(model, data)


MODELS = {
    "TopPop": lambda data, params: fitted(MostPop(), data),
    "EASE": ease,
    "BPRMF": bpr,
    "MultVAE": mult_vae,
}

if __name__ == "__main__":
    serve("cornac", MODELS.__getitem__, prepare)
