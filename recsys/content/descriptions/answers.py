"""Reads the fields that a vision-language model was asked to fill in, in whatever form it gave them.

Fields are found by name. Finding them by position, as has been published, gives the labels of answers that
leave one out to the wrong fields.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from recsys.content.texts import unwrap

FIELDS: dict[str, tuple[str, ...]] = {
    "movies": ("Genre", "Audience", "Visual Format", "Mood", "Setting"),
    "recipes": ("Dish Type", "Cuisine", "Primary Ingredient", "Flavor Profile", "Meal Type"),
    "baby": ("Category", "Age Group", "Purpose", "Material", "Usage Context"),
    "pets": ("Category", "Pet Type", "Purpose", "Material", "Usage Context"),
    "clothing": ("Type", "Color", "Wear Location", "Material", "Style"),
}
"""The five labels of the published prompts, by domain."""

OPEN, CLOSE, QUOTES = r"\[({<", r"\])}>", r"\"'*_`"
DASH = r"[-\u2013\u2014]"
CLOSERS = {"{": "}]", "[": "]}", "(": ")", "<": ">"}
"""What ends a value in brackets; models mix up `}` and `]`."""
ABBREVIATIONS = r"(?<!\b[A-Z])(?<!\bSt|\bDr|\bMr|\bMs)"
AFTER_VALUE = re.compile(rf"\n|[\[{{]|{ABBREVIATIONS}\.\s|[,;]\s*[A-Z][\w /]{{0,30}}:\s")
"""What ends a bare value: a new line, a bracket, a sentence, or a label nobody asked for."""
LIST_MARK = re.compile(r"\s\d{1,2}[.)]\s+$")
"""The number of the next line of a list."""


@dataclass(frozen=True)
class Compliance:
    """How well answers keep to the format they were asked for; shares are between 0 and 1.

    Attributes:
        n_answers: number of answers.
        given: share of answers that give a field, by field.
        complete: share of answers that give all fields.
        exact: share of answers that are `[Field] {value}, [Field] {value}, ...`, with all fields in order and
            nothing else but a full stop.
    """

    n_answers: int
    given: dict[str, float]
    complete: float
    exact: float


def parse(answer: str, fields: Sequence[str]) -> dict[str, str]:
    """Values by field; fields that the answer does not give are left out.

    Understands `[Field] {value}`, `Field: value`, JSON, lists, Markdown, missing and wrong brackets, and prose
    around them. Case and the space within a field's name do not matter.

    Args:
        answer: what the model gave.
        fields: names of the fields asked for.
    """
    text = unwrap(answer)
    found = _from_json(text, fields)
    if found:
        return found
    asked = {_plain(field): field for field in fields}
    labels = list(_label(tuple(fields)).finditer(text))
    starts = [label.start() for label in labels] + [len(text)]
    for label, end in zip(labels, starts[1:], strict=True):
        field = asked.get(_plain(label["bracketed"] or label["plain"] or ""))
        value = _value(text[label.end() : end])
        if field and value and field not in found:
            found[field] = value
    return found


def parse_corpus(corpus: pd.DataFrame, fields: Sequence[str]) -> tuple[pd.DataFrame, Compliance]:
    """Fields of all answers and how many kept to the format.

    Args:
        corpus: `item_id`, `answer`.
        fields: names of the fields asked for.

    Returns:
        A table of `item_id` and a column for each field (None where not given), and the compliance.
    """
    found = [parse(answer, fields) for answer in corpus["answer"]]
    values = {field: pd.Series([row.get(field) for row in found], dtype="object") for field in fields}
    table = pd.DataFrame({"item_id": corpus["item_id"].to_numpy(), **values})
    return table, Compliance(
        n_answers=len(found),
        given={field: _share(field in row for row in found) for field in fields},
        complete=_share(len(row) == len(fields) for row in found),
        exact=_share(bool(_exact(tuple(fields)).fullmatch(unwrap(answer))) for answer in corpus["answer"]),
    )


def _share(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return sum(listed) / len(listed) if listed else 0.0


def _from_json(text: str, fields: Sequence[str]) -> dict[str, str]:
    start, end = text.find("{"), text.rfind("}")
    try:
        answer = json.loads(text[start : end + 1]) if -1 < start < end else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(answer, dict):
        return {}
    given = {_plain(key): value for key, value in answer.items()}
    found = {}
    for field in fields:
        value = given.get(_plain(field))
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
        if words.strip():
            found[field] = words.strip()
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


@cache
def _label(fields: tuple[str, ...]) -> re.Pattern[str]:
    """A field's name where it stands as a label: in brackets, or before a colon, a dash or a brace.

    Other words in square brackets before a brace match too, without a name: they end the value before them.
    """
    spelled = (r"[\s_-]*".join(map(re.escape, field.split())) for field in fields)
    names = "|".join(sorted(spelled, key=len, reverse=True))
    bracketed = rf"[{OPEN}]\s*[{QUOTES}]*(?P<bracketed>{names})[{QUOTES}]*\s*[{CLOSE}]\s*[{QUOTES}]*\s*[:=]?"
    plain = rf"(?<![\w-])(?P<plain>{names})[{QUOTES}]*\s*(?:[:=]|{DASH}\s|(?=\{{))"
    other = r"\[[^\[\]{}]{1,40}\](?=\s*:?\s*\{)"
    return re.compile(f"{bracketed}|{plain}|{other}", re.IGNORECASE)


@cache
def _exact(fields: tuple[str, ...]) -> re.Pattern[str]:
    pairs = (rf"\[{re.escape(field)}\] \{{[^{{}}\[\]\n]+\}}" for field in fields)
    return re.compile(", ".join(pairs) + r"\.?\s*")


def _value(segment: str) -> str:
    """The value at the start of what stands between a label and the next, without its wrapping."""
    text = re.sub(rf"^[\s{QUOTES}]+", "", LIST_MARK.sub("", segment))
    end = re.search(rf"[{re.escape(CLOSERS[text[0]])}]", text) if text[:1] in CLOSERS else None
    text = text[: end.start()] if end else text
    text = AFTER_VALUE.split(text.lstrip("{[(<"), maxsplit=1)[0]
    text = re.sub(r"[\"*`]", "", text).strip(" \t\r,;.|'_-\u2013\u2014\u2022[]{}<>(")
    return text.rstrip(") ") if text.count(")") > text.count("(") else text
