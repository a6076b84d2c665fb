"""Does tuning find what a grid finds? Best validation value of N trials beside that of a hand-made grid.

python benchmarks/tuning.py FOLDER... [--models ItemKNN,EASE] [--trials 30] [--seeds 1] [--cosine]

A folder holds a published split, `NAME/NAME.inter` (`userID itemID x_label`, tab-separated; 0 train, 1 valid, 2
test), and for the models that take content `*_feat.npy`, of which all sources are shown. Trials and grid are compared
by mean nDCG@20 on the validation part; a ratio below 0.99 says that tuning misses something. Test figures, seen items
masked, belong to the setting that validation chose. `--cosine` fixes the neighbours' options to the plain cosine
without weighting, as the grids of neighbourhood models do.
"""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _baby import console
from rich.table import Table

from recsys.content.features import Content, Features
from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import TrainingData
from recsys.tuning.tuner import Tuner

Axes = dict[str, list[Any]]
COSINE = {"similarity": "cosine", "weighting": "none", "alpha": 0.5, "beta": 0.5}
NEIGHBOURS: Axes = {"n_neighbours": [10, 20, 50, 100, 200, 500, 1000], "shrink": [0.0, 2.0, 10.0, 50.0, 200.0, 1000.0]}
L2 = [3.0, 10.0, 30.0, 60.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 2000.0]
WALKS: Axes = {"n_neighbours": [20, 50, 100, 200, 500], "alpha": [0.5, 0.8, 1.0, 1.2, 1.5]}
CONTENT: Axes = {"content_weight": [0.0, 0.1, 0.2, 0.4], "n_content_neighbours": [10, 20, 50]}
GRIDS: dict[str, Axes] = {
    "TopPop": {},
    "ItemKNN": NEIGHBOURS,
    "UserKNN": NEIGHBOURS,
    "HybridItemKNN": CONTENT | {"n_neighbours": [50, 100, 200], "shrink": [0.0, 2.0, 10.0]},
    "EASE": {"l2": L2},
    "CEASE": {"l2": L2, "content_weight": [1.0, 10.0, 100.0, 1000.0]},
    "AddEASE": {
        "l2": [30.0, 60.0, 100.0, 200.0, 300.0],
        "content_weight": [0.0, 0.1, 0.2],
        "content_l2": [0.1, 1.0, 10.0],
    },
    "P3alpha": WALKS,
    "RP3beta": WALKS | {"beta": [0.0, 0.2, 0.4, 0.6]},
    "PureSVD": {"n_factors": [5, 10, 20, 30, 50, 80, 120, 200, 300, 512]},
    "IALS": {"n_factors": [64], "unobserved_weight": [0.03, 0.1, 0.3], "l2": [0.001, 0.003, 0.01, 0.03]},
}
"""Values by hyper-parameter; without similarity and weighting they mean the plain cosine, which is the default."""


class Market:
    """A dataset with its content, and what settings of a model are worth on it."""

    def __init__(self, folder: Path) -> None:
        """Read the split and all features of a folder."""
        rows = pd.read_csv(folder / f"{folder.name}.inter", sep="\t", usecols=["userID", "itemID", "x_label"])
        rows = rows.rename(columns={"userID": "user", "itemID": "item"})
        rows["part"] = rows["x_label"].map({0: "train", 1: "valid", 2: "test"})
        users, items = (pd.DataFrame(index=range(rows[column].max() + 1)) for column in ("user", "item"))
        dataset = Dataset(rows, users, items, quarantine=pd.DataFrame())
        self.train = dataset.train
        self.content: Content = {
            path.stem.removesuffix("_feat"): Features(matrix, np.ones(len(matrix), dtype=bool))
            for path in sorted(folder.glob("*_feat.npy"))
            if len(matrix := np.load(path).astype(np.float32)) == dataset.n_items
        }
        self._valid, self._test = (Evaluator(dataset, part, Protocol(ks=(20,))) for part in ("valid", "test"))
        self._known: dict[str, tuple[float, float]] = {}

    def value(self, model: str, params: dict[str, Any]) -> tuple[float, float]:
        """Validation and test nDCG@20 of one fit; each setting is fitted once."""
        key = f"{model} {sorted(params.items())}"
        if key not in self._known:
            fitted = registry.load(model).from_params(**params)
            content = self.content if registry.find(model).takes_content else {}
            fitted.fit(TrainingData(self.train, content))
            valid, test = (each.primary(each.rank(fitted)) for each in (self._valid, self._test))
            self._known[key] = valid, test
        return self._known[key]

    def of_grid(self, model: str) -> list[tuple[float, float]]:
        """The values of a model's grid."""
        return [self.value(model, params) for params in _grid(GRIDS[model])]

    def of_trials(self, model: str, fixed: dict[str, Any], n_trials: int, seed: int) -> list[tuple[float, float]]:
        """The values of a search."""
        tuner = Tuner(registry.load(model).Config, fixed, n_trials, seed, sources=list(self.content))
        values: list[tuple[float, float]] = []
        while batch := tuner.ask():
            results = [self.value(model, params) for params in batch]
            tuner.tell([valid for valid, _ in results])
            values += results
        return values


def _grid(axes: Axes) -> Iterator[dict[str, Any]]:
    return (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))


def main() -> None:
    """Search, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--models", default=",".join(GRIDS), help="comma-separated")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cosine", action="store_true")
    args = parser.parse_args()
    for folder in args.folders:
        table = Table("model", "seed", "grid", "trials", "ratio", "grid, test", "trials, test", title=folder.name)
        market = Market(folder)
        for model in args.models.split(","):
            fields = registry.load(model).Config.model_fields
            fixed = {name: value for name, value in COSINE.items() if args.cosine and name in fields}
            grid = max(market.of_grid(model))
            for seed in range(args.seeds):
                best = max(market.of_trials(model, fixed, args.trials, seed))
                figures = (grid[0], best[0], best[0] / grid[0], grid[1], best[1])
                table.add_row(model, str(seed), *(f"{figure:.4f}" for figure in figures))
        console.print(table)


if __name__ == "__main__":
    main()
