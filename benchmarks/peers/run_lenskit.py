# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["lenskit==2025.8.1", "torch-geometric==2.8.1"]
# ///
"""lenskit: lists user by user, by its batch routine in one process."""

from typing import Any

import numpy as np
import pandas as pd
from lenskit.als import ImplicitMFScorer
from lenskit.basic import PopScorer
from lenskit.batch import recommend
from lenskit.data import Dataset, from_interactions_df
from lenskit.flexmf import FlexMFImplicitScorer
from lenskit.graphs.lightgcn import LightGCNScorer
from lenskit.knn import EASEScorer, ItemKNNScorer, SLIMScorer
from lenskit.pipeline import topn_pipeline
from protocol import Recommend, even_penalty, serve
from scipy import sparse


def prepare(train: sparse.csr_matrix) -> tuple[Dataset, sparse.csr_matrix]:
    """Its data set, and ours for the numbers of users and interactions."""
    entries = train.tocoo()
    return from_interactions_df(pd.DataFrame({"user_id": entries.row, "item_id": entries.col})), train


def fitted(scorer: Any, data: tuple[Dataset, sparse.csr_matrix]) -> Recommend:
    """A pipeline of the scorer and of what leaves out items of the training data."""
    dataset, train = data
    pipeline = topn_pipeline(scorer)
    pipeline.train(dataset)
    users = np.flatnonzero(np.diff(train.indptr))

    def lists(k: int) -> np.ndarray:
        found = np.full((train.shape[0], k), -1)
        for key, items in recommend(pipeline, users, k, n_jobs=1).items():
            found[key.user_id, : len(items)] = items.ids()
        return found

    return lists


def ials(data: tuple[Dataset, sparse.csr_matrix], params: dict[str, Any]) -> Recommend:
    """Divided by alpha_0, an interaction weighs 1 / alpha_0 more than none, and the penalty as much more."""
    scorer = ImplicitMFScorer(
        embedding_size=params["n_factors"],
        epochs=params["n_iterations"],
        weight=1 / params["unobserved_weight"],
        regularization=even_penalty(data[1].shape, data[1].nnz, params) / params["unobserved_weight"],
        user_embeddings="prefer",
    )
    return fitted(scorer, data)


def slim(data: tuple[Dataset, sparse.csr_matrix], params: dict[str, Any]) -> Recommend:
    """With the penalties of a sum over users, not of a mean."""
    n_users, share = data[1].shape[0], params["l1_ratio"]
    scorer = SLIMScorer(
        l1_reg=n_users * params["alpha"] * share, l2_reg=n_users * params["alpha"] * (1 - share), max_iters=100
    )
    return fitted(scorer, data)


def trained(
    scorer_class: Any, data: tuple[Dataset, sparse.csr_matrix], params: dict[str, Any], **extra: Any
) -> Recommend:
    """A network by the same sizes, batches, epochs and rate; its own kind of penalty left out."""
    scorer = scorer_class(
        embedding_size=params["n_factors"],
        batch_size=params["batch_size"],
        epochs=params["max_epochs"],
        learning_rate=params["learning_rate"],
        **extra,
    )
    return fitted(scorer, data)


MODELS = {
    "TopPop": lambda data, params: fitted(PopScorer(), data),
    # Of the items of a profile, as many as there are count; of an item's neighbours, those asked for.
    "ItemKNN": lambda data, params: fitted(
        ItemKNNScorer(max_nbrs=100_000, save_nbrs=params["n_neighbours"], feedback="implicit"), data
    ),
    "EASE": lambda data, params: fitted(EASEScorer(regularization=params["l2"]), data),
    "SLIMElasticNet": slim,
    "IALS": ials,
    "BPRMF": lambda data, params: trained(FlexMFImplicitScorer, data, params, preset="bpr", reg_method=None),
    "LightGCN": lambda data, params: trained(
        LightGCNScorer, data, params, layer_count=params["n_layers"], regularization=None
    ),
}

if __name__ == "__main__":
    serve("lenskit", MODELS.__getitem__, prepare)
