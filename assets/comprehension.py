"""`<dataset>/comprehension`: whether models understood what they describe, and whether it is what people choose by."""

from pathlib import Path

import dagster as dg
import pandas as pd

from assets.descriptions import CORPUS
from orchestration import keys
from orchestration.home import Home, Outcome
from orchestration.results import key, materialised, plainly, table
from orchestration.study_dataset import DatasetSpec
from recsys.data.dataset import Dataset
from recsys.fingerprints import code_of, fingerprint

TABLES = ("known", "between", "fields", "vocabulary")


def build(name: str, spec: DatasetSpec) -> dg.AssetsDefinition:
    """The asset of what a dataset's descriptions are worth, before any model is trained on them."""
    asset = keys.comprehension(name)
    inputs = [keys.dataset(name), *(keys.descriptions(name, corpus) for corpus in spec.descriptions)]
    truth = {corpus: settings.truth for corpus, settings in spec.descriptions.items()}
    version = fingerprint(truth, code_of("assets.comprehension:_assess"))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"parquet"},
        code_version=version,
        description="Descriptions by field: beside known attributes, beside one another, beside people's choices.",
    )
    @plainly
    def comprehension(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=inputs,
            build=lambda out, read: _assess(truth, read[inputs[0]], [read[upstream] for upstream in inputs[1:]], out),
        )
        tables = load(home.folder(event))
        shown = {part: table(tables[part].head(200), digits=3) for part in TABLES if len(tables[part])}
        return materialised(event, shown)

    return comprehension


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables by name; see `recsys.content.descriptions.comprehension` and `user_signal` for their columns."""
    return {part: pd.read_parquet(folder / f"{part}.parquet") for part in TABLES}


def _assess(truth: dict[str, dict[str, str]], dataset: Path, folders: list[Path], out: Path) -> Outcome:
    from recsys.content.descriptions import fields_of, values, vocabulary
    from recsys.content.descriptions.comprehension import agreement_with_attributes
    from recsys.content.descriptions.consistency import agreement_between, coarseness
    from recsys.content.descriptions.user_signal import user_signal

    data = Dataset.load(dataset)
    corpora = {}
    for corpus, folder in zip(truth, folders, strict=True):
        table = pd.read_parquet(folder / CORPUS)
        if len(table.columns) > 2:  # a corpus of sentences has no fields
            corpora[corpus] = fields_of(table)
    known, fields, words = [], [], []
    for corpus, said in corpora.items():
        known.append(agreement_with_attributes(said, data.items, truth[corpus]).assign(corpus=corpus))
        signal = user_signal(said, data.items["item_id"].tolist(), data.train)
        fields.append(coarseness(said).merge(signal.drop(columns="n_items"), on="field").assign(corpus=corpus))
        words.append(vocabulary(values(said)).assign(corpus=corpus))
    tables = {
        "known": _joined(known),
        "between": agreement_between(corpora),
        "fields": _joined(fields),
        "vocabulary": _joined(words),
    }
    for part in TABLES:
        tables[part].to_parquet(out / f"{part}.parquet", index=False)
    return Outcome(facts={"corpora": list(corpora)}, rows=len(tables["fields"]))


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table, the corpus first."""
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame({"corpus": pd.Series(dtype="str")})
    joined = pd.concat(filled, ignore_index=True)
    return joined[["corpus", *joined.columns.drop("corpus")]]
