"""A model on its arms: tuned with one budget, trained in every repeat, and summed up for what comes after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsys.content.arms import Arm
from recsys.engine.runner import CellRunner
from recsys.engine.stored import StoredCell
from recsys.errors import UserError
from recsys.models import registry
from recsys.study.counting import cells_of
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.study.study import Study
from recsys.tuning.search import nested, train, try_nested, tune
from recsys.tuning.space import SearchSpace
from recsys.tuning.trials import Params, Searched, SearchResult
from recsys.tuning.tuner import Tuner


@dataclass(frozen=True)
class ModelWork:
    """What is to be trained of a model.

    Attributes:
        do: trains it, given the runner of the model's cells.
        n_cells: that this takes at most; None: as the study's budget has it.
        stage: what for, such as "settings of related models"; empty: the model's own arms are tuned.
        n_also: settings that arms trained before chose, which every arm tries beyond its budget.
    """

    do: Callable[[CellRunner], ModelResult]
    n_cells: int | None = None
    stage: str = ""
    n_also: int = 0

    def most_cells(self, study: Study, model: str, n_arms: int, trials: int | None = None) -> int:
        """Cells that this takes at most; `trials` of each arm, None: as many as there can be."""
        return cells_of(study, model, n_arms, trials, self.n_also) if self.n_cells is None else self.n_cells


def train_model(
    study: Study, model: str, arms: Sequence[Arm], runner: CellRunner, also: Sequence[Params] = ()
) -> ModelResult:
    """Tune and train a model on arms of a dataset.

    Args:
        study: gives the budget, the repeats and what is fixed of the hyper-parameters.
        model: class name.
        arms: what it is shown.
        runner: runs its cells on the dataset.
        also: settings chosen elsewhere, of this model or a related one, which every arm tries beyond its budget.
    """
    try:
        config = registry.load(model).Config
    except UserError as error:
        lost = [LeftOutArm(model=model, arm=arm.name, reason=str(error)) for arm in arms]
        return ModelResult(left_out=lost)
    given, budget = study.params_of(model), study.tuning

    def new_tuner(arm: Arm) -> Tuner:
        return Tuner(
            config,
            given,
            study.trials_of(model),
            budget.seed,
            seconds=budget.seconds,
            sources=arm.shown,
        )

    searched = tune(arms, new_tuner, runner, budget.prune)
    spaces = {arm: SearchSpace(config, given, arm.shown) for arm in arms}
    try_nested(searched, {arm: nested(spaces[arm], each, also) for arm, each in searched.items()}, runner)
    return _result(model, train(searched, study.n_repeats, runner), runner)


def train_fixed(model: str, arm: Arm, settings: Sequence[Params], runner: CellRunner) -> ModelResult:
    """Train a model on an arm with the hyper-parameters given for each repeat."""
    return _result(model, train({arm: Searched([], fixed=settings)}, len(settings), runner), runner)


def train_nested(
    study: Study, model: str, known: Sequence[ArmResult], settings: Sequence[Params], runner: CellRunner
) -> ModelResult:
    """Try settings that related models chose on arms that were trained before; gives those arms anew.

    Args:
        study: gives the repeats and what is fixed of the hyper-parameters.
        model: class name.
        known: what came of its arms; those that nothing new was tried on come back as they are.
        settings: hyper-parameters of other models; those that this one shares are tried.
        runner: runs its cells on the dataset.
    """
    config, given = registry.load(model).Config, study.params_of(model)
    searched = {each.as_arm: each.searched for each in known}
    spaces = {arm: SearchSpace(config, given, arm.shown) for arm in searched}
    new = {arm: found for arm, each in searched.items() if (found := nested(spaces[arm], each, settings))}
    changed = {arm: searched[arm] for arm in new}
    try_nested(changed, new, runner)
    again = _result(model, train(changed, study.n_repeats, runner), runner)
    # An arm whose new setting failed stands at its old one: it is not left out.
    return ModelResult(arms=list(known)).updated(again.model_copy(update={"left_out": []}))


def chosen_settings(study: Study, results: Sequence[ArmResult], n_each: int = 1) -> list[Params]:
    """What arms of any models chose, each once, the best arm first: hyper-parameters that had an effect there.

    Those of the first repeat, which chose among all: another repeat then changes nothing of those before it.

    Args:
        study: gives what is fixed of the hyper-parameters.
        results: of the arms.
        n_each: the best settings of an arm; the second-best of all arms come after the best of all.
    """
    found: list[Params] = []
    shortlists = []
    for each in sorted(results, key=lambda each: -each.valid):
        space = SearchSpace(registry.load(each.model).Config, study.params_of(each.model), each.as_arm.shown)
        best = [each.params, *(params for params in each.shortlist if params != each.params)][:n_each]
        shortlists.append([space.effective(params) for params in best])
    for place in range(n_each):
        for shortlist in shortlists:
            if len(shortlist) > place and shortlist[place] not in found:
                found.append(shortlist[place])
    return found


def _result(model: str, found: SearchResult[StoredCell], runner: CellRunner) -> ModelResult:
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
