"""What the keys of a model or an encoder mean, from the docstrings of their classes, in the words of a study file."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo


def meanings(cls: "type[BaseModel]") -> dict[str, str]:
    """By field what the `Attributes` of its class or of a base class say of it, in one line."""
    from docstring_parser import DocstringStyle, parse

    docs = [vars(base).get("__doc__") or "" for base in reversed(cls.__mro__)]
    said = [each for doc in docs for each in parse(doc, DocstringStyle.GOOGLE).params]
    return {each.arg_name: _as_yaml(" ".join((each.description or "").split())) for each in said}


def _as_yaml(meaning: str) -> str:
    """A docstring's `None: no limit` as a study has it, `null: no limit`."""
    return re.sub(r"\bNone\b(?! of)", "null", meaning)


def default_of(field: "FieldInfo") -> str:
    """What a field is where nothing is given."""
    return "must be given" if field.is_required() else shown(field.get_default(call_default_factory=True))


def shown(value: Any) -> str:
    """A number with the digits that a person reads: 0.00674 and 148, not sixteen of them."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
