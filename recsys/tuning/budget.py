"""How many settings are tried: where a study does not say, where a search goes on, and of those chosen elsewhere."""

from recsys.models import registry
from recsys.tuning.plateau import FEWEST_TRIALS

CLOSED_FORM_TRIALS = 30
TRAINED_TRIALS = 10
SHORTLIST = 3
"""Settings of the first repeat among which later repeats choose, where it has so many."""


def default_trials(model: str) -> int:
    """The default number of trials per arm: more for closed-form models, whose trials take seconds at most."""
    return TRAINED_TRIALS if registry.find(model).is_trained else CLOSED_FORM_TRIALS


def most_trials(budget: int) -> int:
    """Trials of an arm's own search at most: one that is still finding better settings goes on."""
    return 2 * budget if budget >= FEWEST_TRIALS else budget


def most_nested(n_trials: int) -> int:
    """Settings chosen elsewhere that an arm tries at a time.

    A third of its own trials, and three at least, but never more than these: where time is the budget, a slow model
    has but one trial, and what is tried beyond the budget is not to take a multiple of it.
    """
    return min(n_trials, max(SHORTLIST, n_trials // 3))


def most_chosen_again(n_trials: int) -> int:
    """Settings among which later repeats choose, never more than an arm's own trials, for the same reason."""
    return min(n_trials, SHORTLIST)
