"""What the descriptions are worth, as tables of a report."""

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from statsmodels.stats.multitest import multipletests

from assets.comprehension import load
from recsys.evidence.wording import percent
from recsys.report.rows import Table

NOTHING = "\u2013"


def tables(folder: Path) -> list[Table]:
    """The tables that have a row."""
    found = load(folder)
    made = [_known(found["known"]), _fields(found["fields"]), _between(found["between"])]
    return [table for table in made if table.rows]


def _known(known: pd.DataFrame) -> Table:
    told = {
        "items": ("n_items", "{:,.0f}".format),
        "precision": ("precision", percent),
        "recall": ("recall", percent),
        "F1": ("f1", _score),
        "F1 by chance": ("f1_chance", _score),
        "accuracy": ("accuracy", percent),
        "majority": ("majority", percent),
    }
    shown = {head: each for head, each in told.items() if each[0] in known and known[each[0]].notna().any()}
    return Table(
        title="Do the descriptions say what is known?",
        caption="Fields against attributes of the items, over the items that have both; by chance: the same answers "
        "dealt out at random. Accuracy where no item has two values, beside always saying the commonest.",
        columns=["corpus", "field", "attribute", *shown],
        rows=_rows(known, ["corpus", "field", "column"], shown),
        n_names=3,
    )


def _fields(fields: pd.DataFrame) -> Table:
    if len(fields):
        tested = fields["p_value"].notna() if "p_value" in fields else pd.Series(data=False, index=fields.index)
        fields = fields.assign(p_corrected=math.nan)
        if tested.any():
            corrected = multipletests(fields.loc[tested, "p_value"], method="fdr_bh")[1]
            fields.loc[tested, "p_corrected"] = corrected
    shown = {
        "values": ("n_values", "{:,.0f}".format),
        "commonest": ("top", str),
        "its share": ("top_share", percent),
        "pairs that share": ("share", percent),
        "beside chance": ("ratio", "{:.2f} times".format),
        "chance varies by": ("ratio_sd", percent),
        "p": ("p_corrected", _probability),
    }
    return Table(
        title="Do the descriptions say what people choose by?",
        caption="How often two items of one user share a value, beside the same with users and items rewired at equal "
        "degrees; p for dealing the descriptions out anew among items of like popularity, corrected by Benjamini and "
        "Hochberg's method.",
        columns=["corpus", "field", *shown],
        rows=_rows(fields, ["corpus", "field"], shown),
        n_names=2,
    )


def _between(between: pd.DataFrame) -> Table:
    """Each model's mean kappa with the others: a row a corpus, a column a field."""
    both = pd.concat([between, between.rename(columns={"first": "second", "second": "first"})])
    means = both.pivot_table(index="first", columns="field", values="kappa", sort=False, dropna=False)
    return Table(
        title="Do the models agree?",
        caption="Mean of Cohen's kappa with each of the other models, on the items that both describe: 1 is the same "
        "answer always, 0 is chance.",
        columns=["corpus", *map(str, means.columns)],
        rows=[[str(row[0]), *map(_score, row[1:])] for row in means.itertuples()],
    )


def _rows(table: pd.DataFrame, names: list[str], shown: dict[str, tuple[str, Callable[..., str]]]) -> list[list[str]]:
    def cell(row: dict[str, object], column: str, form: Callable[..., str]) -> str:
        value = row.get(column)
        return NOTHING if value is None or pd.isna(value) else form(value)

    return [
        [*(str(row[name]) for name in names), *(cell(row, column, form) for column, form in shown.values())]
        for row in table.to_dict("records")
    ]


def _score(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.2f}"


def _probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
