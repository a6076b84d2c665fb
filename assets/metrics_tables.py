"""The tables of a metrics asset: what was reached on the test part, on average and user by user."""

from pathlib import Path

import numpy as np
import pandas as pd

from assets.controls import Pair
from recsys.evidence.interval import Interval
from recsys.evidence.scores import Scores
from recsys.study.results import ModelResult


def summarised(
    wide: dict[tuple[str, str, str], np.ndarray],
    intervals: dict[tuple[str, str, str], Interval],
    lists: dict[Pair, list[dict[str, float]]],
) -> pd.DataFrame:
    """One row a (model, arm, metric), with its mean under each seed.

    Args:
        wide: by (model, arm, metric), shape (n_seeds, n_users).
        intervals: of their means, by the same keys.
        lists: by (model, arm), for each seed what is measured on all lists together, which has no interval.
    """
    rows = [
        (*which, interval.mean, interval.low, interval.high, wide[which].mean(axis=1).tolist())
        for which, interval in intervals.items()
    ]
    for pair, per_seed in lists.items():
        for metric in per_seed[0]:
            values = [one[metric] for one in per_seed]
            rows.append((*pair, metric, float(np.mean(values)), np.nan, np.nan, values))
    return pd.DataFrame(rows, columns=["model", "arm", "metric", "mean", "ci_low", "ci_high", "per_seed"])


def scores_of_users(frames: dict[Pair, list[pd.DataFrame]], primary: str) -> pd.DataFrame:
    """The primary metric of every user under every seed: columns `model`, `arm`, `seed`, `user`, `value`."""
    scores = pd.concat(
        frame[["user", primary]].rename(columns={primary: "value"}).assign(model=model, arm=arm, seed=seed)
        for (model, arm), of_seeds in frames.items()
        for seed, frame in enumerate(of_seeds, start=1)
    )
    return scores.astype({"model": "category", "arm": "category", "seed": "int16"})


def read_scores(folder: Path) -> dict[Pair, Scores]:
    """Per-user scores of every (model, arm), as comparisons want them, from the metrics asset's folder."""
    long = pd.read_parquet(folder / "scores.parquet")
    groups = long.groupby(["model", "arm"], observed=True)
    results = {(arm.model, arm.arm): arm for arm in ModelResult.load(folder).arms}
    scores = {}
    for pair, result in results.items():
        wide = groups.get_group(pair).pivot(index="seed", columns="user", values="value")
        scores[pair] = Scores(
            *pair,
            users=wide.columns.to_numpy(),
            values=wide.to_numpy(),
            valid=result.valid,
            content_used=result.content_used,
        )
    return scores
