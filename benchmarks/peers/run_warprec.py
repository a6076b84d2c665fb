# /// script
# requires-python = "==3.12.*"
# dependencies = ["warprec==2.2.8", "torch-geometric==2.8.1"]
# ///
"""WarpRec: closed forms and networks in torch; lists by its scores of blocks of users and torch's partial sort."""

import logging
import warnings
from typing import Any

import lightning
import narwhals
import numpy as np
import pandas as pd
import torch
from protocol import BLOCK, Recommend, even_penalty, serve
from scipy import sparse
from warprec.data.entities import Interactions
from warprec.recommenders.collaborative_filtering_recommender.autoencoder import EASE, MultiVAE
from warprec.recommenders.collaborative_filtering_recommender.graph_based import LightGCN, RP3Beta
from warprec.recommenders.collaborative_filtering_recommender.knn import ItemKNN, UserKNN
from warprec.recommenders.collaborative_filtering_recommender.latent_factor import BPR, iALS
from warprec.recommenders.unpersonalized_recommender import Pop

NAMES = {
    "n_neighbours": "k",
    "n_factors": "embedding_size",
    "max_epochs": "epochs",
}
"""Hyper-parameters of ours that have another name there, for all its models."""


def prepare(train: sparse.csr_matrix) -> Interactions:
    """Its own form of interactions, with the matrix that it makes of them."""
    entries = train.tocoo()
    frame = pd.DataFrame({"user_id": entries.row, "item_id": entries.col})
    users, items = ({number: number for number in range(n)} for n in train.shape)
    data = Interactions(narwhals.from_native(frame), train.shape, users, items)
    data.get_sparse()
    return data


def built(model_class: Any, data: Interactions, params: dict[str, Any]) -> Any:
    """A model; those in closed form are then fitted."""
    n_users, n_items = data.get_sparse().shape
    named = {NAMES.get(name, name): value for name, value in params.items()}
    return model_class(named, {"n_users": n_users, "n_items": n_items}, interactions=data, seed=0)


def scored(model: Any, data: Interactions) -> Recommend:
    """Lists by the model's scores."""
    train = data.get_sparse()

    @torch.inference_mode()
    def recommend(k: int) -> np.ndarray:
        model.eval()
        lists = []
        for users in torch.arange(train.shape[0]).split(BLOCK):
            scores, seen = torch.as_tensor(model.predict(users)), train[users.numpy()].tocoo()
            scores[seen.row, seen.col] = -torch.inf
            lists.append(scores.topk(k).indices)
        return torch.cat(lists).numpy()

    return recommend


def trained(model_class: Any, data: Interactions, params: dict[str, Any]) -> Recommend:
    """A network, by the trainer that the package uses, without what that would log."""
    model = built(model_class, data, params)
    trainer = lightning.Trainer(
        max_epochs=params["max_epochs"],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    trainer.fit(model, train_dataloaders=model.get_dataloader(interactions=data, sessions=None))
    return scored(model, data)


def ials(data: Interactions, params: dict[str, Any]) -> Recommend:
    """Its penalty is of every vector alike too when its nu is zero."""
    named = {
        "factors": params["n_factors"],
        "alpha0": params["unobserved_weight"],
        "reg": even_penalty(data.get_sparse().shape, data.get_sparse().nnz, params),
        "n_iterations": params["n_iterations"],
        "nu": 0.0,
    }
    return scored(built(iALS, data, named), data)


def closed(model_class: Any, **extra: Any) -> Any:
    """How a model without gradients is fitted."""
    return lambda data, params: scored(built(model_class, data, params | extra), data)


MODELS = {
    "TopPop": closed(Pop),
    "ItemKNN": closed(ItemKNN, similarity="cosine"),
    "UserKNN": closed(UserKNN, similarity="cosine"),
    "RP3beta": closed(RP3Beta, normalize=False),
    "EASE": closed(EASE),
    "IALS": ials,
    "BPRMF": lambda data, params: trained(BPR, data, params | {"reg_weight": 0.0}),
    "LightGCN": lambda data, params: trained(LightGCN, data, params | {"reg_weight": params["l2"]}),
    "MultVAE": lambda data, params: trained(
        MultiVAE,
        data,
        params
        | {
            "intermediate_dim": params["n_hidden"],
            "latent_dim": params["n_factors"],
            "corruption": params["dropout"],
            "weight_decay": 0.0,
            "anneal_cap": params["kl_weight"],
            "anneal_step": 0,
        },
    ),
}

if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    serve("warprec", MODELS.__getitem__, prepare)
