"""`<dataset>/metrics`: every (model, arm) on the test part, with intervals, read once.

Where there is content, the verdict follows. Where there is none, the models are compared here.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter

from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.dagster_metadata import plot, table
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.tracked import logged_metrics, run_id
from orchestration.usable import usable_study
from recsys.data.dataset import Dataset
from recsys.evaluation.metrics.registry import metric_module, metrics
from recsys.evaluation.protocol import Protocol
from recsys.evidence.leaderboard import Leaderboard
from recsys.fingerprints import code_of, fingerprint
from recsys.report.folding import fold_measured
from recsys.study.checks import BEATS_BASELINES, SHUFFLED
from recsys.study.judgement import LEADERBOARD, rank_without_content
from recsys.study.measuring import SUMMARY, UserScores, measure
from recsys.study.record import AssetRecord
from recsys.study.results import ModelResult
from recsys.study.selection import has_verdict
from recsys.study.study import Study

CHECKS = {
    BEATS_BASELINES: "A personalised model beats those that show everybody the same, and Random",
    SHUFFLED: "With its rows shuffled, content brings a model nothing over interactions alone",
}


def node(study: Study, name: str) -> Node:
    """The asset of one dataset's metrics."""
    judged = has_verdict(study, name)
    code = code_of(
        f"{__name__}:make",
        "recsys.study.measuring:measure",
        *(f"{metric_module(metric)}:{metric}" for metric in metrics()),
    )
    return Node(
        asset=keys.metrics(name),
        group=name,
        inputs=[
            keys.dataset(name),
            *(keys.model(name, row) for row in study.rows),
            *([keys.controls(name)] if judged else []),
        ],
        # Of models that are equally good the first is the best.
        version=fingerprint(
            list(study.rows), study.n_repeats, study.statistics.model_dump(), study.evaluation.model_dump(), code
        ),
        make=partial(make, study, name),
        show=partial(show, study.evaluation),
        description="Mean of each metric on the test part for every model and arm, with 95 % intervals.",
        kinds=frozenset({"parquet", "duckdb"}),
        checks={check: text for check, text in CHECKS.items() if judged or check != SHUFFLED},
    )


def make(study: Study, name: str, making: Making) -> AssetRecord:
    """Measure the lists of all final cells, one arm at a time."""
    study = usable_study(study, name, making.home)
    folders = [folder for asset, folder in making.read.items() if asset != keys.dataset(name)]
    results = ModelResult.load_all(folders)
    results.require_arms(name)
    data = Dataset.load(making.read[keys.dataset(name)])
    checks = measure(study, name, data, results, making.home.cell(name), making.out)
    summary = pd.read_parquet(making.out / SUMMARY)
    _log(making.home, study, name, results, summary)
    if has_verdict(study, name):
        return AssetRecord(rows=len(summary), checks=checks)
    board = rank_without_content(study, UserScores(making.out), summary)
    # Python's own writer keeps NaN, a lift over a model that scores nothing.
    (making.out / LEADERBOARD).write_text(json.dumps(asdict(board), indent=1), encoding="utf-8")
    return AssetRecord(facts={"sentence": board.sentence}, rows=len(summary), checks=checks)


def _log(home: Home, study: Study, name: str, results: ModelResult, summary: pd.DataFrame) -> None:
    """Give each final training's run in MLflow a few of its metrics on the test part, the primary first."""
    finals = {arm.pair: arm.finals for arm in results.arms}
    logged = logged_metrics(study.evaluation)
    rows = summary[summary["metric"].isin(logged)].sort_values("metric", key=lambda names: names.map(logged.index))
    figures: dict[str, dict[str, float]] = {}
    for row in rows.to_dict("records"):
        for fingerprint_of_cell, value in zip(finals[row["model"], row["arm"]], row["per_repeat"], strict=True):
            figures.setdefault(run_id(name, fingerprint_of_cell), {})[f"test/{row['metric']}"] = value
    home.tracker.add_metrics(figures)


def load_leaderboard(folder: Path) -> Leaderboard:
    """Read from the metrics asset's folder which model is best, for a dataset that has no verdict."""
    return TypeAdapter(Leaderboard).validate_json((folder / LEADERBOARD).read_text(encoding="utf-8"))


def show(protocol: Protocol, home: Home, event: Event) -> Mapping[str, object]:
    """The table, and the primary metric with its intervals; where there are many, of the arm that validation chose."""
    from matplotlib.figure import Figure

    folder, primary = home.folder(event), protocol.primary
    summary = pd.read_parquet(folder / SUMMARY)
    best_first = summary[summary["metric"] == primary].sort_values("mean", ascending=False)
    rows = pd.DataFrame(fold_measured(best_first.to_dict("records"), ModelResult.load(folder).arms)[0])
    figure = Figure(figsize=(6, 0.6 + 0.24 * len(rows)))
    axes = figure.subplots()
    # Without variance an end may lie beside its mean by a rounding error.
    spread = [(rows["mean"] - rows["ci_low"]).clip(lower=0), (rows["ci_high"] - rows["mean"]).clip(lower=0)]
    axes.errorbar(rows["mean"], rows["model"] + " " + rows["arm"], xerr=spread, fmt="o")
    axes.invert_yaxis()
    axes.set(title=f"{primary} on test, 95 % intervals")
    wide = summary.pivot_table(index=["model", "arm"], columns="metric", values="mean", sort=False).reset_index()
    columns = [
        "model",
        "arm",
        primary,
        *[m for m in wide.columns if m.endswith(f"_at_{protocol.primary_k}") and m != primary],
    ]
    return {"test": table(wide[columns].sort_values(primary, ascending=False)), "intervals": plot(figure)}
