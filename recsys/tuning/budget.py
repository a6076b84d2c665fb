"""How many trials a model gets where a study does not say."""

from recsys.models import registry

CLOSED_FORM_TRIALS = 30
TRAINED_TRIALS = 10


def default_trials(model: str) -> int:
    """Trials of each arm: more for models that are not trained by gradient, whose trials take seconds at most.

    A number that stands in the study holds for all its models alike.
    """
    return TRAINED_TRIALS if registry.find(model).is_trained else CLOSED_FORM_TRIALS
