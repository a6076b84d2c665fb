"""`<dataset>/metrics`: every (model, arm) on the test part, with intervals, read once.

Where there is content, the verdict follows. Where there is none, the models are compared here.
"""

import json
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from assets.controls import Pair, judges
from assets.metrics_tables import read_scores, scores_of_users, summarised
from orchestration import keys
from orchestration.home import Home, Outcome
from orchestration.lineage import Check
from orchestration.outcomes import ArmResult, ModelResult
from orchestration.results import key, materialised, plainly, plot, table
from orchestration.study import Study
from recsys.content.arms import INTERACTIONS_ONLY
from recsys.errors import UserError
from recsys.evidence.interval import Interval, mean_intervals
from recsys.evidence.standing import Standing, rank_models
from recsys.fingerprints import code_of, fingerprint

STANDING = "standing.json"
BASELINES = ("Random", "TopPop", "GlobalEffects")
SHUFFLED = "shuffled_shows_no_lift"
CHECKS = {
    "beats_baselines": "A personalised model beats those that show everybody the same, and Random",
    SHUFFLED: "With its rows shuffled, content brings a model nothing over interactions alone",
}


def build(study: Study, name: str) -> dg.AssetsDefinition:
    """The asset of one dataset's metrics."""
    asset = keys.metrics(name)
    inputs = [keys.model(name, model) for model in study.models]
    if judges(study, name):
        inputs.append(keys.controls(name))
    checks = [check for check in CHECKS if judges(study, name) or check != SHUFFLED]
    primary = study.evaluation.primary
    version = fingerprint(study.statistics.model_dump(), primary, code_of("assets.metrics:_measure"))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"parquet", "duckdb"},
        code_version=version,
        description="Mean of each metric on the test part for every model and arm, with 95 % intervals.",
        check_specs=[dg.AssetCheckSpec(check, asset=key(asset), description=CHECKS[check]) for check in checks],
    )
    @plainly
    def metrics(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=inputs,
            build=lambda out, read: _measure(home, study, name, [read[upstream] for upstream in inputs], out),
        )
        return materialised(event, _shown(home.folder(event), primary))

    return metrics


def _measure(home: Home, study: Study, name: str, folders: list[Path], out: Path) -> Outcome:
    results = [arm for folder in folders for arm in ModelResult.load(folder).arms]
    if not results:
        raise UserError(f"dataset {name}: none of the study's models is applicable; add one that needs no ratings")
    finals = {(r.model, r.arm): _finals(home, name, r) for r in results}
    wide = {
        (*pair, metric): np.stack([frame[metric].to_numpy() for frame in frames])
        for pair, (frames, _) in finals.items()
        for metric in frames[0].columns.drop("user")
    }
    intervals = mean_intervals(wide, n_resamples=study.statistics.resamples, seed=study.statistics.seed)
    primary = study.evaluation.primary
    summary = summarised(wide, intervals, {pair: lists for pair, (_, lists) in finals.items()})
    summary.to_parquet(out / "summary.parquet", index=False)
    scores = scores_of_users({pair: frames for pair, (frames, _) in finals.items()}, primary)
    scores.to_parquet(out / "scores.parquet", index=False)
    ModelResult(arms=results).save(out)
    means = summary[summary["metric"] == primary].set_index(["model", "arm"])
    checks, facts = [_baselines_check(means, primary)], {}
    if judges(study, name):
        checks.append(_shuffled_check(means))
    else:
        standing = _standing(study, out, {pair: intervals[*pair, primary] for pair in finals})
        (out / STANDING).write_text(json.dumps(asdict(standing), indent=1), encoding="utf-8")
        facts = {"sentence": standing.sentence}
    return Outcome(facts=facts, rows=len(summary), checks=tuple(checks))


def _standing(study: Study, out: Path, intervals: dict[Pair, Interval]) -> Standing:
    scores = read_scores(out)
    return rank_models(
        list(scores.values()),
        [intervals[pair] for pair in scores],
        metric=study.evaluation.primary,
        margin=study.statistics.margin,
        n_resamples=study.statistics.resamples,
        seed=study.statistics.seed,
    )


def load_standing(folder: Path) -> Standing:
    """Read from the metrics asset's folder which model is best, for a dataset that has no verdict."""
    return TypeAdapter(Standing).validate_json((folder / STANDING).read_text(encoding="utf-8"))


def _finals(home: Home, name: str, result: ArmResult) -> tuple[list[pd.DataFrame], list[dict[str, float]]]:
    from orchestration.stored_cells import load_cell

    # A deterministic model has one cell that stands for all seeds: read it once.
    cells = {mark: load_cell(home, name, mark) for mark in set(result.finals)}
    frames = {mark: cell.test() for mark, cell in cells.items()}
    return [frames[m] for m in result.finals], [cells[m].record["lists"] for m in result.finals]


def _baselines_check(means: pd.DataFrame, primary: str) -> Check:
    floors = [model for model in BASELINES if (model, INTERACTIONS_ONLY) in means.index]
    rivals = means.drop(index=[(model, INTERACTIONS_ONLY) for model in floors])
    floor = max((means.loc[(model, INTERACTIONS_ONLY), "mean"] for model in floors), default=0.0)
    best = rivals["mean"].max() if len(rivals) else 0.0
    return Check(
        name="beats_baselines",
        passed=bool(best > floor),
        message=f"best personalised {primary} {best:.4f}, best of {' and '.join(floors) or 'no baseline'} {floor:.4f}",
    )


def _shuffled_check(means: pd.DataFrame) -> Check:
    suspicious = []
    for model in means.index.unique("model"):
        if (model, "shuffled") in means.index and (model, INTERACTIONS_ONLY) in means.index:
            alone, shuffled = means.loc[(model, INTERACTIONS_ONLY)], means.loc[(model, "shuffled")]
            if shuffled["ci_low"] > alone["ci_high"]:
                suspicious.append(f"{model} ({shuffled['mean']:.4f} against {alone['mean']:.4f})")
    message = (
        f"shuffled content lifts {', '.join(suspicious)}: what these models gain is capacity, not content"
        if suspicious
        else "shuffled content lifts no model beyond its interactions"
    )
    return Check(name=SHUFFLED, passed=not suspicious, message=message)


def _shown(folder: Path, primary: str) -> dict[str, object]:
    from matplotlib.figure import Figure

    summary = pd.read_parquet(folder / "summary.parquet")
    rows = summary[summary["metric"] == primary].sort_values("mean", ascending=False)
    figure = Figure(figsize=(6, 0.6 + 0.24 * len(rows)))
    axes = figure.subplots()
    spread = [rows["mean"] - rows["ci_low"], rows["ci_high"] - rows["mean"]]
    axes.errorbar(rows["mean"], rows["model"] + " " + rows["arm"], xerr=spread, fmt="o")
    axes.invert_yaxis()
    axes.set(title=f"{primary} on test, 95 % intervals")
    wide = summary.pivot_table(index=["model", "arm"], columns="metric", values="mean", sort=False).reset_index()
    columns = ["model", "arm", primary, *[m for m in wide.columns if m.endswith("_at_20") and m != primary]]
    return {"test": table(wide[columns].sort_values(primary, ascending=False)), "intervals": plot(figure)}
