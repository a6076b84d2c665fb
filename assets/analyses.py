"""`<dataset>/analyses/<name>`: one analysis of stored results; see `recsys.analyses`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.dagster_metadata import table
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.usable import usable_study
from recsys.analyses.base import HEADLINE, Analysis, Inputs
from recsys.fingerprints import code_of, fingerprint
from recsys.study.record import AssetRecord
from recsys.study.study import Study


def node(study: Study, name: str, analysis_name: str, analysis: Analysis) -> Node:
    """The asset of one analysis of a dataset."""
    kind = type(analysis)
    return Node(
        asset=keys.analysis(name, analysis_name),
        group=name,
        inputs=list(_inputs(study, name, analysis).values()),
        version=fingerprint(
            analysis.settings(study, name),
            study.evaluation.primary,
            code_of(f"{__name__}:make", f"{kind.__module__}:{kind.__name__}"),
        ),
        make=partial(make, study, name, analysis),
        show=partial(show, analysis),
        description=analysis.title,
        kinds=frozenset({"parquet", "duckdb"}),
    )


def _inputs(study: Study, name: str, analysis: Analysis) -> dict[str, str]:
    """Keys of the assets that an analysis needs, by what it calls them."""
    found: dict[str, str] = {}
    for kind in analysis.needs:
        if kind == "descriptions":
            corpora = study.datasets[name].descriptions
            found |= {f"{kind}/{corpus}": keys.descriptions(name, corpus) for corpus in corpora}
        elif kind == "embeddings":
            sources = study.datasets[name].content
            found |= {f"{kind}/{source}": keys.embeddings(name, source) for source in sources}
        else:
            found[kind] = f"{name}/{kind}"
    return found


def make(study: Study, name: str, analysis: Analysis, making: Making) -> AssetRecord:
    """Compute the tables and write each as Parquet."""
    study = usable_study(study, name, making.home)
    folders = {called: making.read[asset] for called, asset in _inputs(study, name, analysis).items()}
    tables = analysis.compute(Inputs(study, name, folders, making.home.cell(name)))
    for called in analysis.tables:
        tables[called].to_parquet(making.out / f"{called}.parquet", index=False)
    return AssetRecord(facts={HEADLINE: analysis.headline(tables)}, rows=sum(len(each) for each in tables.values()))


def load(analysis: Analysis, folder: Path) -> dict[str, pd.DataFrame]:
    """The tables by name."""
    return {called: pd.read_parquet(folder / f"{called}.parquet") for called in analysis.tables}


def show(analysis: Analysis, home: Home, event: Event) -> Mapping[str, object]:
    """The first rows of every table."""
    tables = load(analysis, home.folder(event))
    return {called: table(each.head(200), digits=3) for called, each in tables.items() if len(each)}
