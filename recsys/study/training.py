"""A model on its arms: tuned with one budget, trained with every seed, and summed up for what comes after."""

from collections.abc import Sequence
from typing import Any

from recsys.content.arms import Arm
from recsys.engine.runner import CellRunner
from recsys.errors import UserError
from recsys.models import registry
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.study.study import Study
from recsys.tuning.search import tune_and_train
from recsys.tuning.tuner import Tuner


def train_model(
    study: Study, model: str, arms: Sequence[Arm], runner: CellRunner, fixed: dict[str, Any] | None = None
) -> ModelResult:
    """Tune and train a model on arms of a dataset.

    Args:
        study: gives the budget, the seeds and what is fixed of the hyper-parameters.
        model: class name.
        arms: what it is shown.
        runner: runs its cells on the dataset.
        fixed: hyper-parameters to train with, untuned; None: the study's own, tuned.
    """
    try:
        config, budget = registry.load(model).Config, study.tuning
    except UserError as error:
        lost = [LeftOutArm(model=model, arm=arm.name, reason=str(error)) for arm in arms]
        return ModelResult(left_out=lost)
    given = study.params_of(model) if fixed is None else fixed

    def new_tuner() -> Tuner:
        return Tuner(config, given, budget.trials, budget.seed, seconds=budget.seconds)

    found = tune_and_train(arms, new_tuner, range(1, study.seeds + 1), runner, budget.prune)
    return ModelResult(
        arms=[ArmResult.of(model, trained) for trained in found.trained],
        left_out=[
            LeftOutArm(
                model=model,
                arm=each.arm.name,
                reason=each.reason,
                worth_another_try=any(
                    cell.worth_another_try for cell in runner.cells.values() if cell.record["arm"] == each.arm.name
                ),
            )
            for each in found.left_out
        ],
    )
