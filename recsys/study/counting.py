"""How many trainings a study asks for, at most, before any of them has run; and whether its trials are too few.

An arm has its own trials and tries what the model's other arms chose; once all models are there, it tries what related
ones chose. Either time later repeats choose among the best, and every repeat ends with a final cell. One that fails is
not counted: that of the next best settings takes its place.
"""

import math

from recsys.errors import UserError
from recsys.models import registry
from recsys.study.control_arms import most_arms
from recsys.study.model_settings import check_model
from recsys.study.selection import content_models, has_verdict
from recsys.study.study import Study
from recsys.tuning.budget import most_chosen_again, most_nested, most_trials
from recsys.tuning.plateau import FEWEST_TRIALS
from recsys.tuning.space import SearchSpace
from recsys.wording import count, listed


def cells_of(study: Study, model: str, n_arms: int, trials: int | None = None, n_also: int = 0) -> int:
    """Cells of a model before what related models chose is tried.

    Args:
        study: gives the budget and the repeats.
        model: or an ensemble, whose members have their own.
        n_arms: arms that it is trained on.
        trials: of each arm; None: as many as there can be.
        n_also: settings that arms trained before chose, which each of these arms tries too.
    """
    if model in study.ensembles:
        return n_arms * study.n_repeats
    trials = _most(study, model) if trials is None else trials
    settings = n_settings(study, model)
    trials = int(min(trials, settings))
    most = most_nested(trials)
    elsewhere = int(min(min(n_arms - 1, most) + min(n_also, most), settings - trials))
    # Where one setting was tried there is nothing among which later repeats could choose.
    choice = _cells_to_choose(study, trials) if trials > 1 else study.n_repeats
    return n_arms * (trials + elsewhere + choice)


def n_settings(study: Study, model: str) -> float:
    """Settings of a model that there are to try; infinite where a real number is searched or they are wrong."""
    try:
        return SearchSpace(registry.load(model).Config, study.params_of(model)).n_points
    except UserError:  # `check` names it, and training leaves the model out
        return math.inf


def cells_of_related(study: Study, model: str, n_arms: int, trials: int | None = None) -> int:
    """Cells of a model that tries what related models of the study chose; see `cells_of`."""
    if not registry.related(model) & set(study.models):
        return 0
    trials = _most(study, model) if trials is None else trials
    return n_arms * (most_nested(trials) + _cells_to_choose(study, trials))


def cells_of_controls(study: Study, name: str) -> int:
    """Cells after all models of a dataset are trained, whichever content model is chosen."""
    related = sum(cells_of_related(study, model, len(study.arms_of(name, model))) for model in study.models)
    again = sum(cells_of(study, ensemble, len(study.arms_of(name, ensemble))) for ensemble in study.ensembles)
    of_choice = max((_cells_of_choice(study, name, row) for row in content_models(study)), default=0)
    return related + (again if related else 0) + of_choice


def _cells_of_choice(study: Study, name: str, row: str) -> int:
    """Cells of the controls of a model, or of an ensemble and those of its members that take content."""
    members = (
        [model for model in study.ensembles[row].of if study.takes_content(model)] if row in study.ensembles else []
    )
    n_arms = most_arms(study.datasets[name])
    return sum(cells_of(study, each, n_arms, n_also=len(study.arms_of(name, each))) for each in (row, *members))


def too_few_trials(study: Study) -> str:
    """That the trials are fewer than a verdict asks of the rival, which may be any that is tuned; else empty."""
    trials = study.tuning.trials or FEWEST_TRIALS
    if trials >= FEWEST_TRIALS or not any(has_verdict(study, name) for name in study.datasets):
        return ""
    tuned = [model for model in study.models if _is_tuned(study, model)]
    short = [model for model in tuned if study.trials_of(model) < min(FEWEST_TRIALS, n_settings(study, model))]
    if not short:
        return ""
    return (
        f"{count(trials, 'trial')} will not do for a verdict, since the best model without content may be one that "
        f"has more settings ({listed(short)}): give {FEWEST_TRIALS} trials at least"
    )


def _is_tuned(study: Study, model: str) -> bool:
    """Whether a model has no preset, and hyper-parameters with which it can be trained."""
    if registry.preset_name(model):
        return False
    try:
        check_model(study, model)
    except UserError:
        return False
    return True


def _most(study: Study, model: str) -> int:
    # Where time is the budget, no search goes on beyond it.
    trials = study.trials_of(model)
    return most_trials(trials) if study.tuning.minutes is None else trials


def _cells_to_choose(study: Study, trials: int) -> int:
    return (study.n_repeats - 1) * most_chosen_again(trials) + study.n_repeats
