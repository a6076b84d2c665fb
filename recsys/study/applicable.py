"""Which models are left out of a dataset before anything is trained.

Those of ratings, where all that is known is what users took, and those that would not fit in memory.
"""

from collections.abc import Mapping
from typing import Any

from recsys.engine.slots import free_memory
from recsys.errors import UserError
from recsys.models import registry
from recsys.study.estimate import data_size, fits
from recsys.study.study import Study

RATED = "rated"
"""The fact of a dataset that says whether its training ratings differ at all."""


def left_out(study: Study, name: str, model: str, facts: Mapping[str, Any], widths: Mapping[str, int]) -> str:
    """Why a model is left out of a dataset, in one line; empty where it runs, or where the facts do not tell yet.

    Args:
        study: names the model and its hyper-parameters.
        name: the dataset's.
        model: class name.
        facts: of the prepared dataset, as far as they are known.
        widths: columns of each source of content, as far as they are known.
    """
    if model in study.ensembles:  # it is left out where a member is
        return ""
    if not facts.get(RATED, True) and registry.find(model).needs_ratings:
        return f"{model} is not applicable to {name}: it needs ratings, and here there are none, or all are the same"
    if "counts" not in facts:
        return ""
    try:
        cls = registry.load(model)
    except UserError:  # training says so, arm by arm
        return ""
    size = max((data_size(facts["counts"], arm, widths) for arm in study.arms_of(name, model)), key=lambda s: s.width)
    return fits(cls, study.fixed_params_of(model), size, free_memory(), name)
