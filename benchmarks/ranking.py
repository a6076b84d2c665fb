"""Full ranking and all metrics of a fitted matrix model on Amazon Baby, beside plain numpy.

MODALIFT_DATA=... python benchmarks/ranking.py
"""

import numpy as np
from _baby import compare, market, seconds

from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import Evaluator, evaluate
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import rank
from recsys.models.linear.ease import EASE
from recsys.recommender import TrainingData

K, BLOCK = 50, 1024
KS = (5, 10, 20, 50)


def plain_ranking(weights: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Product, dense mask and partial sort by numpy, a block of users at a time."""
    lists = []
    for start in range(0, dataset.n_users, BLOCK):
        profiles = dataset.train[start : start + BLOCK]
        scores = np.where(profiles.toarray() > 0, -np.inf, profiles @ weights)
        top = np.argpartition(-scores, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
        lists.append(np.take_along_axis(top, order, axis=1))
    return np.concatenate(lists)


def plain_metrics(items: np.ndarray, dataset: Dataset) -> list[float]:
    """Recall and nDCG of each user in turn."""
    discount = 1 / np.log2(np.arange(2, K + 2))
    values = []
    for user in np.flatnonzero(np.diff(dataset.test.indptr)):
        held_out = dataset.test.indices[dataset.test.indptr[user] : dataset.test.indptr[user + 1]]
        hits = np.isin(items[user], held_out)
        for k in KS:
            values += [
                hits[:k].sum() / len(held_out),
                hits[:k] @ discount[:k] / discount[: min(k, len(held_out))].sum(),
            ]
    return values


def main() -> None:
    """Fit, time, print."""
    dataset = market()
    model = EASE()
    model.fit(TrainingData(dataset.train))
    weights = np.asarray(model.weights)
    users = np.arange(dataset.n_users, dtype=np.int32)
    ranking = rank(model, users, dataset.train, K)
    ours = seconds(lambda: rank(model, users, dataset.train, K))
    theirs = seconds(lambda: plain_ranking(weights, dataset))
    evaluator = Evaluator(dataset, "test", Protocol(ks=KS))
    our_metrics = seconds(lambda: evaluator.measure(ranking))
    their_metrics = seconds(lambda: plain_metrics(ranking.items, dataset), repeats=1)
    both = seconds(lambda: evaluate(model, dataset, "test", Protocol(ks=KS)))
    rows = [
        (f"rank all {len(users)} users", ours, "dense mask, argpartition", theirs),
        ("all metrics of the lists", our_metrics, "a loop, two metrics", their_metrics),
        ("evaluate the test part", both, "the two above", theirs + their_metrics),
    ]
    compare(f"EASE, {dataset.n_users} users, {dataset.n_items} items, K = {K}", rows)


if __name__ == "__main__":
    main()
