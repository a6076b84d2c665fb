"""Hyper-parameters that a study gives its models, tried before anything is trained."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from recsys.errors import UserError
from recsys.mistakes import MUST_BE, PYDANTICS, first_mistake
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
            registry.load(model)
        except UserError:
            continue
        try:
            check_model(study, model)
        except UserError as error:
            yield model, str(error)


def check_model(study: "Study", model: str) -> None:
    """Try what a study gives a model; UserError as `check_settings` has it, or where the model's file is unusable."""
    check_settings(registry.load(model), study.params_of(model), of_preset=registry.preset_name(model) is not None)


def check_settings(cls: "type[Recommender]", given: dict[str, Any], *, of_preset: bool = False) -> None:
    """Try each fixed value, and each choice of a list, which tuning would meet one by one.

    Args:
        cls: the model's class.
        given: values and lists by hyper-parameter.
        of_preset: whether what is not given is a preset's, rather than searched.

    Raises:
        UserError: a hyper-parameter is unknown, or cannot have the value; or a plug-in's class is not whole. The line
            begins with the hyper-parameter, for a reader who knows whose it is.
    """
    if missing := sorted(cls.__abstractmethods__):
        raise UserError(f"its class lacks {' and '.join(missing)}; write what a Recommender has to do")
    remedy = partial(_remedy, cls, of_preset=of_preset)
    fixed = {key: value for key, value in given.items() if not isinstance(value, list)}
    choices = {key: value for key, value in given.items() if isinstance(value, list)}
    for key, value in (*fixed.items(), *((key, value) for key, values in choices.items() for value in values)):
        try:
            refuse_booleans(cls.Config, {key: value})
        except ValueError as error:
            raise UserError(str(error)) from None
        _try(cls, fixed | {key: value}, remedy)
    for key, values in choices.items():
        if key in cls.Config.model_fields and not values:
            raise UserError(f"{key}: {MUST_BE}one value at least, not []; {remedy(key)}")
        if twice := [value for place, value in enumerate(values) if value in values[:place]]:
            raise UserError(f"{key}: {_as_written(twice[0])} stands among its choices twice; write each choice once")
    SearchSpace(cls.Config, given)


def _try(cls: "type[Recommender]", params: dict[str, Any], remedy: Callable[[str], str]) -> None:
    """UserError with the hyper-parameter that is wrong, the value that was written, and what may be written."""
    try:
        cls(cls.Config(**params))
    except ValidationError as error:
        said, mistake = first_mistake(error, cls.Config), error.errors()[0]
        if not mistake["msg"].startswith(PYDANTICS):
            raise UserError(said) from None
        key = str(mistake["loc"][0])
        written = "" if ", not " in said else f", not {_as_written(params[key])}"
        raise UserError(f"{said}{written}; {remedy(key)}") from None


def _as_written(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {each}' for key, each in value.items())}}}"
    return str(value)


def _remedy(cls: "type[Recommender]", key: str, *, of_preset: bool) -> str:
    if of_preset:
        return "a value replaces the preset's, which stands without the key"
    field = cls.Config.model_fields.get(key)
    extra: Any = (field and field.json_schema_extra) or {}
    without = "its own range is searched" if "search" in extra else "it has its default"
    return f"a value fixes it, a list is searched, and without the key {without}"
