"""A/A: one model with one setting on both sides, trained with other seeds, compared as a study would compare them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from calibration.markets import Market
from calibration.studies import Record
from recsys.content.features import Features
from recsys.data.cleaning import CleaningRules
from recsys.data.dataset import Dataset
from recsys.data.prepare import prepare
from recsys.data.raw import RawData
from recsys.data.readers.assembly import items_of
from recsys.data.splits import SplitRule
from recsys.evaluation.evaluate import Evaluator, validator
from recsys.evaluation.protocol import Protocol
from recsys.evidence.comparison import ComparisonOptions, compare
from recsys.evidence.scores import Scores
from recsys.models import registry
from recsys.recommender import TrainingData

MOST = 5
"""Trainings a side at most."""
PROTOCOL = Protocol(ks=(20,))


def same_model_twice(market: Market, model: str, params: dict[str, Any], seed: int, redrawn: bool) -> Record:
    """Compare a model with itself, by 1 to 5 trainings a side.

    Args:
        market: where.
        model: class name of a model whose training depends on its seed.
        params: its hyper-parameters.
        seed: of the splits; those of training are all different.
        redrawn: whether each pair of trainings has its own split, or all have the same.

    Returns:
        `relations` by the number of trainings a side, and `spread`: the standard deviation of the mean metric over
        seeds, relative to it.
    """
    content = {name: Features(each.matrix, each.present) for name, each in market.content.items()}
    shown = content if registry.find(model).takes_content else {}
    sides: list[list[pd.Series]] = [[], []]
    for number in range(MOST):
        data = dataset(market, seed + number if redrawn else seed)
        evaluator = Evaluator(data, "test", PROTOCOL)
        for side, values in enumerate(sides):
            fitted = registry.load(model).from_params(**params)
            fitted.fit(TrainingData(data.train, shown, 2 * number + side + 1, validate=validator(data, PROTOCOL)))
            values.append(evaluator.measure(evaluator.rank(fitted)).per_user.set_index("user")[PROTOCOL.primary])
    users = sides[0][0].index.to_numpy()
    held_out = data.test.nnz / data.train.nnz if redrawn else 0.0
    a, b = (np.stack([each.to_numpy() for each in values]) for values in sides)
    means = np.concatenate([a, b]).mean(axis=1)
    scores = [Scores("model", "side", users, each, valid=0.0, held_out=held_out) for each in (a, b)]
    relations = {}
    for n in range(1, MOST + 1):
        one, other = (replace(each, values=each.values[:n]) for each in scores)
        relations[str(n)] = compare(one, other, ComparisonOptions(seed=seed)).relation
    return {
        "relations": relations,
        "spread": float((a - b).mean(axis=1).std() / np.sqrt(2) / means.mean()),
    }


def dataset(market: Market, seed: int) -> Dataset:
    """The market as a study with this split seed would prepare it."""
    items, _ = items_of(pd.DataFrame({"item_id": [str(item) for item in range(market.n_items)]}))
    raw = RawData(items.assign(image_digest=None), market.interactions)
    return prepare(raw, CleaningRules(), SplitRule(valid=0.15, test=0.2, seed=seed))
