"""What descriptions are worth: beside known attributes, beside one another, and beside what people choose by."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.evidence.wording import p_cell
from recsys.study.study import Study
from recsys.wording import DASH, percent

Columns = dict[str, tuple[str, Callable[..., str]]]
"""By head: the column it shows, and how a value of it is printed."""


class Comprehension(Analysis):
    """Whether models understood what they describe, before any recommender is trained on it."""

    title = "Descriptions by field: beside known attributes, one another, and people's choices"
    needs = ("dataset", "descriptions")
    tables = ("known", "between", "fields", "vocabulary")
    position = 40

    def applies(self, study: Study, name: str) -> bool:
        """Where there are descriptions."""
        return bool(study.datasets[name].descriptions)

    def settings(self, study: Study, name: str) -> object:
        """Which columns of the items tell what a field should say."""
        return {corpus: spec.truth for corpus, spec in study.datasets[name].descriptions.items()}

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """See `recsys.content.descriptions.comprehension`, `consistency` and `user_signal` for the columns."""
        # Their dictionaries take long to load, and Dagster loads this file for every page.
        from recsys.content.descriptions import fields_of, values, vocabulary
        from recsys.content.descriptions.comprehension import agreement_with_attributes
        from recsys.content.descriptions.consistency import agreement_between, coarseness
        from recsys.content.descriptions.user_signal import user_signal

        data, specs = inputs.dataset, inputs.study.datasets[inputs.name].descriptions
        corpora = {
            corpus: fields_of(table)
            for corpus, table in inputs.corpora.items()
            if len(table.columns) > 2  # a corpus of sentences has no fields
        }
        known, fields, words = [], [], []
        for corpus, said in corpora.items():
            known.append(agreement_with_attributes(said, data.items, specs[corpus].truth).assign(corpus=corpus))
            signal = user_signal(said, data.items["item_id"].tolist(), data.train)
            fields.append(coarseness(said).merge(signal.drop(columns="n_items"), on="field").assign(corpus=corpus))
            words.append(vocabulary(values(said)).assign(corpus=corpus))
        return {
            "known": _joined(known),
            "between": agreement_between(corpora),
            "fields": _joined(fields),
            "vocabulary": _joined(words),
        }

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """Three tables; the vocabulary is for the asset's page."""
        return [_known(tables["known"]), _fields(tables["fields"]), _between(tables["between"])]


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table, the corpus first."""
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame({"corpus": pd.Series(dtype="str")})
    joined = pd.concat(filled, ignore_index=True)
    return joined[["corpus", *joined.columns.drop("corpus")]]


def _known(known: pd.DataFrame) -> Table:
    columns: Columns = {
        "items": ("n_items", "{:,.0f}".format),
        "precision": ("precision", percent),
        "recall": ("recall", percent),
        "F1": ("f1", _score),
        "F1 by chance": ("f1_chance", _score),
        "accuracy": ("accuracy", percent),
        "majority": ("majority", percent),
    }
    shown = {head: each for head, each in columns.items() if each[0] in known and known[each[0]].notna().any()}
    return Table(
        title="Do the descriptions say what is known?",
        caption="Fields against attributes of the items, over the items that have both; by chance: the same answers "
        "permuted across items. Accuracy where no item has two values, beside always saying the commonest.",
        columns=["corpus", "field", "attribute", *shown],
        rows=_rows(known, ["corpus", "field", "column"], shown),
        n_names=3,
    )


def _fields(fields: pd.DataFrame) -> Table:
    if len(fields):
        tested = fields["p_value"].notna() if "p_value" in fields else pd.Series(data=False, index=fields.index)
        fields = fields.assign(p_corrected=math.nan)
        if tested.any():
            from statsmodels.stats.multitest import multipletests

            corrected = multipletests(fields.loc[tested, "p_value"], method="fdr_bh")[1]
            fields.loc[tested, "p_corrected"] = corrected
    shown: Columns = {
        "values": ("n_values", "{:,.0f}".format),
        "commonest": ("top", str),
        "its share": ("top_share", percent),
        "pairs that share": ("share", percent),
        "beside chance": ("ratio", "{:.2f} times".format),
        "chance varies by": ("ratio_sd", percent),
        "p": ("p_corrected", p_cell),
    }
    return Table(
        title="Do the descriptions say what people choose by?",
        caption="How often two items of one user share a value, beside the same with users and items rewired at equal "
        "degrees; p for permuting the descriptions among items of like popularity, corrected by Benjamini and "
        "Hochberg's method.",
        columns=["corpus", "field", *shown],
        rows=_rows(fields, ["corpus", "field"], shown),
        n_names=2,
    )


def _between(between: pd.DataFrame) -> Table:
    """Each model's mean kappa with the others: a row per corpus, a column per field."""
    both = pd.concat([between, between.rename(columns={"first": "second", "second": "first"})])
    means = both.pivot_table(index="first", columns="field", values="kappa", sort=False, dropna=False)
    return Table(
        title="Do the models agree?",
        caption="Mean of Cohen's kappa with each of the other models, on the items that both describe: 1 is the same "
        "answer always, 0 is chance.",
        columns=["corpus", *map(str, means.columns)],
        rows=[[str(row[0]), *map(_score, row[1:])] for row in means.itertuples()],
    )


def _rows(table: pd.DataFrame, names: list[str], shown: Columns) -> list[list[str]]:
    def cell(value: Any, form: Callable[..., str]) -> str:
        return DASH if value is None or pd.isna(value) else form(value)

    return [
        [*(str(row[name]) for name in names), *(cell(row.get(column), form) for column, form in shown.values())]
        for row in table.to_dict("records")
    ]


def _score(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:.2f}"
