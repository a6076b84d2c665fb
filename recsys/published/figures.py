"""Figures that others published, one row for each publication, data set, model and arm.

They are there to stand beside ours. A figure with a `doubt` is no target: it says what was done that a comparison here
does not do, such as training on the validation part.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import yaml

from recsys.errors import UserError, hint

FOLDER = Path(__file__).parent
METRICS = ("recall_at_10", "recall_at_20", "ndcg_at_10", "ndcg_at_20")


@dataclass(frozen=True)
class Publication:
    """Where figures stand, and how they were measured."""

    paper: str
    protocol: str


@dataclass(frozen=True)
class PublishedTable:
    """The figures of one publication for one data set.

    Attributes:
        source: the publication, and how its figures were measured.
        rows: by row, a model or `MODEL (ARM)`, then by metric.
        doubts: why figures of a row are no target, by row.
    """

    source: str
    rows: dict[str, dict[str, float]]
    doubts: dict[str, str]


@cache
def publications() -> dict[str, Publication]:
    """All publications by name."""
    known = yaml.safe_load((FOLDER / "publications.yaml").read_text(encoding="utf-8"))
    return {name: Publication(**fields) for name, fields in known.items()}


@cache
def figures() -> pd.DataFrame:
    """One row per publication, data set, model and arm.

    Columns: `publication`, `dataset`, `model`, `arm` (empty: as the model is), `doubt`, and METRICS, where published.
    """
    texts = dict.fromkeys(("publication", "dataset", "model", "arm", "doubt"), "string")
    read = pd.read_csv(FOLDER / "figures.csv", dtype=texts)
    return read.fillna({"arm": "", "doubt": ""})


def published_table(name: str) -> PublishedTable:
    """The figures that `PUBLICATION/DATASET` names; UserError proposes the nearest name."""
    known = figures()["publication"] + "/" + figures()["dataset"]
    found = figures()[known == name]
    if found.empty:
        raise UserError(f"there are no published figures '{name}'{hint(name, list(known.unique()))}")
    rows, doubts = {}, {}
    for record in found.to_dict("records"):
        row = row_name(record["model"], record["arm"])
        rows[row] = {metric: record[metric] for metric in METRICS if pd.notna(record[metric])}
        if record["doubt"]:
            doubts[row] = record["doubt"]
    where = publications()[name.partition("/")[0]]
    return PublishedTable(f"{where.paper} ({where.protocol})", rows, doubts)


def row_name(model: str, arm: str = "") -> str:
    """How a row is called: by its model, and by its arm where the figure is of one."""
    return f"{model} ({arm})" if arm else model
