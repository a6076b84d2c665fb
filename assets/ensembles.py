"""`<dataset>/models/<ensemble>`: the lists of some models added up, on each of the arms that all of them run."""

from functools import partial

from assets import models
from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.usable import usable_study
from recsys.evaluation.metrics.registry import metric_module
from recsys.fingerprints import code_of, fingerprint
from recsys.study.counting import cells_of
from recsys.study.ensembles import train_ensemble
from recsys.study.record import AssetRecord
from recsys.study.results import ModelResult
from recsys.study.study import Study
from recsys.study.training import ModelWork


def node(study: Study, name: str, ensemble: str) -> Node:
    """The asset of one ensemble on one dataset."""
    spec, arms = study.ensembles[ensemble], study.arms_of(name, ensemble)
    metric = study.evaluation.primary_name
    return Node(
        asset=keys.model(name, ensemble),
        group=name,
        inputs=[keys.dataset(name), *(keys.model(name, model) for model in spec.of)],
        version=fingerprint(
            spec.model_dump(),
            [repr(arm) for arm in arms],
            study.evaluation.model_dump(),
            code_of("recsys.study.ensembles:train_ensemble", f"{metric_module(metric)}:{metric}"),
        ),
        make=partial(make, study, name, ensemble),
        show=partial(models.show, study, name, ensemble),
        description=f"{spec.said}; on {name}: arms {', '.join(arm.name for arm in arms)}.",
        kinds=frozenset({"numpy", "mlflow"}),
        cells=partial(cells_of, study, ensemble, len(arms)),
    )


def make(study: Study, name: str, ensemble: str, making: Making) -> AssetRecord:
    """Choose the weights and add up; nothing is trained."""
    from orchestration.trainings import Trainings

    study = usable_study(study, name, making.home)
    spec, arms = study.ensembles[ensemble], study.arms_of(name, ensemble)
    members = ModelResult.load_all([making.read[keys.model(name, model)] for model in spec.of])
    trainings = Trainings(making.home, study, name, asset=keys.model(name, ensemble), run=making.run)
    result = trainings.train(ensemble, arms, ModelWork(partial(train_ensemble, ensemble, spec, arms, members)))
    result.save(making.out)
    return trainings.record(result, {"cells": len(trainings.cells), "computed_now": trainings.computed})
