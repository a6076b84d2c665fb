"""`<dataset>/models/<model>`: one recommender, tuned and trained on each of its arms."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import dagster as dg
import pandas as pd

from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.comparisons import compare_arms
from orchestration.dagster_metadata import plot, table
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.usable import usable_study
from recsys.engine.code import model_code
from recsys.fingerprints import code_of, fingerprint
from recsys.models import registry
from recsys.study.counting import cells_of
from recsys.study.record import LEFT_OUT, AssetRecord
from recsys.study.results import ModelResult
from recsys.study.study import Study
from recsys.study.training import ModelWork, train_model
from recsys.wording import count


def node(study: Study, name: str, model: str) -> Node:
    """The asset of one model on one dataset."""
    arms = study.arms_of(name, model)
    sources = sorted({source for arm in arms for source in arm.sources})
    primary = study.evaluation.primary_name
    return Node(
        asset=keys.model(name, model),
        group=name,
        inputs=[keys.dataset(name), *(keys.embeddings(name, source) for source in sources)],
        version=fingerprint(
            study.params_of(model),
            [repr(arm) for arm in arms],
            study.training_settings,
            model_code(model, primary),
            code_of("recsys.study.training:train_model"),
        ),
        make=partial(make, study, name, model),
        show=partial(show, study, name, model),
        description=f"{model} on {name}: arms {', '.join(arm.name for arm in arms)}; "
        f"{study.budget_of(model)} and {count(study.n_repeats, 'repeat')} for each.",
        kinds=frozenset({"pytorch" if registry.find(model).is_trained else "numpy", "mlflow"}),
        cells=partial(cells_of, study, model, len(arms)),
    )


def make(study: Study, name: str, model: str, making: Making) -> AssetRecord:
    """Tune and train; a model that says nothing of such data, or does not fit in memory, is left out."""
    from orchestration.trainings import Trainings

    study = usable_study(study, name, making.home)
    trainings = Trainings(making.home, study, name, asset=keys.model(name, model), run=making.run)
    if why := trainings.left_out(model):
        ModelResult(inapplicable=[why]).save(making.out)
        # There may be more memory the next time.
        return AssetRecord(facts={LEFT_OUT: why}, rows=0, worth_another_try=True)
    arms = study.arms_of(name, model)
    result = trainings.train(model, arms, ModelWork(partial(train_model, study, model, arms)))
    result.save(making.out)
    return trainings.record(result, {"cells": len(trainings.cells), "computed_now": trainings.computed})


def show(study: Study, name: str, model: str, home: Home, event: Event) -> Mapping[str, Any]:
    """The chosen hyper-parameters, the course of tuning, and where the trainings are in MLflow."""
    from matplotlib.figure import Figure

    arms = ModelResult.load(home.folder(event)).arms
    if not arms:
        return event.facts
    primary = study.evaluation.primary
    figure = Figure(figsize=(5, 3))
    axes = figure.subplots()
    for arm in arms:
        axes.plot(range(1, len(arm.trials) + 1), arm.best, marker="o", label=arm.arm)
        axes.plot(arm.pruned, arm.best[[number - 1 for number in arm.pruned]], "x", color="black", zorder=3)
    axes.set(title="Best value found", xlabel="settings tried", ylabel=f"{primary}, validation")
    axes.legend(fontsize=7)
    rows = [
        {
            "arm": arm.arm,
            f"valid {primary}": arm.valid,
            "trials": arm.n_trials,
            "pruned": len(arm.pruned),
            "failed": arm.n_failed,
            "chosen elsewhere": arm.n_nested,
            "combinations of weights": arm.n_weightings,
            "seconds": arm.seconds,
            "hyper-parameters": ", ".join(f"{k}={_short(v)}" for k, v in arm.shown_params.items()),
        }
        for arm in arms
    ]
    return {
        **event.facts,
        "arms": table(pd.DataFrame(rows)),
        "tuning": plot(figure),
        "mlflow": dg.MetadataValue.url(compare_arms(home, name, model, arms, study.evaluation)),
    }


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
