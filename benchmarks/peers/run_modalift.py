"""Ours, measured as the peers are; in the project's own environment."""

from functools import partial
from typing import Any

import numpy as np
from protocol import Recommend, serve
from scipy import sparse

from recsys.evaluation.ranking import rank
from recsys.models import registry
from recsys.recommender import TrainingData


def fit(name: str, train: sparse.csr_array, params: dict[str, Any]) -> Recommend:
    """A model by its name."""
    model = registry.load(name).from_params(**params)
    model.fit(TrainingData(train))
    users = np.arange(train.shape[0], dtype=np.int32)
    return lambda k: rank(model, users, train, k).items


if __name__ == "__main__":
    serve("modalift", lambda name: partial(fit, name), sparse.csr_array)
