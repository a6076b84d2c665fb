"""`<dataset>/models/<model>`: one recommender, tuned and trained on each of its arms."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from orchestration import keys
from orchestration.applicable import left_out
from orchestration.fingerprints import fingerprint, model_code
from orchestration.home import Home, Outcome
from orchestration.outcomes import ModelResult
from orchestration.results import key, materialised, plainly, plot, table
from orchestration.study import Study


def budget(study: Study) -> list[Any]:
    """What every training of a study depends on beside its own hyper-parameters."""
    return [study.tuning.model_dump(), study.seeds, study.evaluation.model_dump()]


def build(study: Study, name: str, model: str) -> dg.AssetsDefinition:
    """The asset of one model on one dataset."""
    asset = keys.model(name, model)
    arms = study.arms_of(name, model)
    sources = sorted({source for arm in arms for source in arm.sources})
    inputs = [keys.dataset(name), *(keys.embeddings(name, source) for source in sources)]
    version = fingerprint(study.params_of(model), [repr(arm) for arm in arms], budget(study), model_code(model))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"pytorch", "mlflow"} if sources else {"numpy", "mlflow"},
        code_version=version,
        description=f"{model} on {name}: arms {', '.join(arm.name for arm in arms)}; "
        f"{study.tuning.said} of tuning and {study.seeds} seeds for each.",
    )
    @plainly
    def recommender(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        def fit(out: Path, _: dict[str, Path]) -> Outcome:
            from orchestration.trainings import train

            if why := left_out(model, name, home.current(keys.dataset(name)).facts):
                ModelResult(arms=[]).save(out)
                return Outcome(facts={"left_out": why}, rows=0)
            results, runner = train(home, study, name, model, arms, asset=asset, run=context.run.run_id)
            ModelResult(arms=results).save(out)
            return Outcome(
                facts={"cells": len(runner.runs), "computed_now": runner.computed},
                rows=len(results),
                mlflow_runs=tuple(runner.runs),
            )

        event = home.produce(asset, run=context.run.run_id, code_version=version, inputs=inputs, build=fit)
        return materialised(event, _shown(home, study, name, model, ModelResult.load(home.folder(event)), event.facts))

    return recommender


def _shown(
    home: Home, study: Study, name: str, model: str, result: ModelResult, facts: dict[str, Any]
) -> dict[str, Any]:
    if not result.arms:
        return facts
    from matplotlib.figure import Figure

    primary = study.evaluation.primary
    figure = Figure(figsize=(5, 3))
    axes = figure.subplots()
    for arm in result.arms:
        axes.plot(range(1, len(arm.trials) + 1), arm.best, marker="o", label=arm.arm)
        axes.plot(arm.pruned, arm.best[[number - 1 for number in arm.pruned]], "x", color="black", zorder=3)
    axes.set(title="Best value found by trials", xlabel="trials", ylabel=f"{primary}, validation")
    axes.legend(fontsize=7)
    rows = [
        {
            "arm": arm.arm,
            f"valid {primary}": arm.valid,
            "hyper-parameters": ", ".join(f"{k}={_short(v)}" for k, v in arm.params.items()),
            "trials": len(arm.trials),
            "given up": len(arm.pruned),
            "seconds": arm.seconds,
        }
        for arm in result.arms
    ]
    query = f"tags.model = '{model}' and tags.stage = 'final'"
    return {
        **facts,
        "arms": table(pd.DataFrame(rows)),
        "tuning": plot(figure),
        "mlflow": dg.MetadataValue.url(home.tracker.search_url(name, query, primary)),
    }


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
