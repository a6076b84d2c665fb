"""Hyper-parameters that a study gives its models, tried before anything is trained."""

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from recsys.errors import UserError
from recsys.models import registry
from recsys.study.booleans import refuse_booleans
from recsys.tuning.space import SearchSpace

if TYPE_CHECKING:
    from recsys.recommender import Recommender
    from recsys.study.study import Study


def wrong_settings(study: "Study", models: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each model whose hyper-parameters tuning would refuse, and why.

    A model whose file cannot be used is passed over: a run leaves it out and goes on with the others.
    """
    for model in models:
        try:
            cls = registry.load(model)
        except UserError:
            continue
        try:
            check_settings(cls, study.params_of(model))
        except UserError as error:
            yield model, str(error)


def check_settings(cls: "type[Recommender]", given: dict[str, Any]) -> None:
    """Try each fixed value, and each choice of a list, which tuning would meet one by one.

    Raises:
        UserError: a hyper-parameter is unknown, or cannot have the value; or a plug-in's class is not whole.
    """
    if missing := sorted(cls.__abstractmethods__):
        raise UserError(f"{cls.__name__}: its class lacks {' and '.join(missing)}; write what a Recommender has to do")
    fixed = {key: value for key, value in given.items() if not isinstance(value, list)}
    choices = {key: value for key, value in given.items() if isinstance(value, list)}
    for key, value in (*fixed.items(), *((key, value) for key, values in choices.items() for value in values)):
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{cls.__name__}: hyper-parameters: {key}: {value} is no value; write a finite number")
        try:
            refuse_booleans(cls.Config, {key: value})
        except ValueError as error:
            raise UserError(f"{cls.__name__}: hyper-parameters: {error}") from None
        cls.from_params(**fixed | {key: value})
    SearchSpace(cls.Config, given)
