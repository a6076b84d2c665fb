"""Closed-form models on the splits of published tables, training items masked."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import TrainingData

DATA = os.environ.get("MODALIFT_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA, reason="MODALIFT_DATA names no folder with the published splits"),
]


@cache
def published_split(name: str) -> Dataset:
    rows = pd.read_csv(Path(str(DATA)) / name / f"{name}.inter", sep="\t")
    rows = rows.rename(columns={"userID": "user", "itemID": "item"})
    rows["part"] = rows["x_label"].map({0: "train", 1: "valid", 2: "test"})
    users, items = (pd.DataFrame(index=range(rows[column].max() + 1)) for column in ("user", "item"))
    return Dataset(rows, users, items, quarantine=pd.DataFrame())


# Hyper-parameters found on the validation part by a few random draws. The tolerance of 0.001 is the distance between
# two neighbouring draws; the standard error of the mean over Baby's users is 0.002.
@pytest.mark.parametrize(
    ("data", "model", "params", "recall_at_20"),
    [
        ("baby", "TopPop", {}, 0.0495),
        ("baby", "EASE", {"l2": 1000.0}, 0.0837),
        (
            "baby",
            "UserKNN",
            {
                "n_neighbours": 927,
                "similarity": "tversky",
                "shrink": 50,
                "weighting": "bm25",
                "alpha": 0.78,
                "beta": 0.54,
            },
            0.0865,
        ),
        ("baby", "ItemKNN", {"n_neighbours": 1000, "shrink": 1000}, 0.0830),
        ("baby", "P3alpha", {"n_neighbours": 500, "alpha": 0.3, "normalise": False}, 0.0851),
        ("baby", "RP3beta", {"n_neighbours": 500, "alpha": 0.3, "beta": 0.1, "normalise": False}, 0.0842),
        ("baby", "GFCF", {"n_factors": 64, "low_pass_weight": 3.0}, 0.0798),
        ("baby", "PureSVD", {}, 0.0570),
        ("baby", "IALS", {"unobserved_weight": 0.01, "l2": 0.03}, 0.0832),
        ("taobao", "ItemKNN", {"n_neighbours": 1000, "shrink": 1000}, 0.0920),
        (
            "douyin",
            "ItemKNN",
            {
                "n_neighbours": 229,
                "similarity": "tversky",
                "shrink": 10,
                "weighting": "bm25",
                "alpha": 0.69,
                "beta": 0.92,
            },
            0.3463,
        ),
    ],
)
def test_comes_near_the_published_recall(data: str, model: str, params: dict[str, Any], recall_at_20: float) -> None:
    dataset = published_split(data)
    fitted = registry.load(model).from_params(**params)
    fitted.fit(TrainingData(dataset.train))
    evaluation = evaluate(fitted, dataset, "test", Protocol(mask="train"))
    assert evaluation.summary["recall_at_20"] == pytest.approx(recall_at_20, abs=0.001)
