"""Reads the fields that a vision-language model was asked to fill in, in whatever form it gave them.

Fields are found by name. Finding them by position, as has been published, gives the labels of answers that
leave one out to the wrong fields.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from recsys.content.descriptions.forms import WIDE, from_json, from_labels, from_table, from_tags
from recsys.content.descriptions.spelling import spelled
from recsys.content.texts import unwrap
from recsys.content.thinking import without_thinking

FIELDS: dict[str, tuple[str, ...]] = {
    "movies": ("Genre", "Audience", "Visual Format", "Mood", "Setting"),
    "recipes": ("Dish Type", "Cuisine", "Primary Ingredient", "Flavor Profile", "Meal Type"),
    "baby": ("Category", "Age Group", "Purpose", "Material", "Usage Context"),
    "pets": ("Category", "Pet Type", "Purpose", "Material", "Usage Context"),
    "clothing": ("Type", "Color", "Wear Location", "Material", "Style"),
}
"""The five labels of the published prompts, by domain."""

NO_VALUE = (
    r"n ?a|nan|nil|null|none|nothing|undefined|unspecified|unknown|unclear|uncertain|undetermined"
    r"|indeterminate|unavailable|indiscernible|not applicable|no answer|no data|no information|no value|not sure|tbd"
    r"|(?:not enough|insufficient) (?:information|context|detail)"
    r"|(?:it |it s )?(?:is |are )?(?:not|cannot|can not|can t|could not|couldn t|unable to|impossible to) (?:be )?"
    r"(?:clearly |directly |explicitly |possible to )?"
    r"(?:applicable|available|clear|determine|determined|discernible|given|identifiable|identified|identify|known"
    r"|mentioned|provided|said|seen|shown|specified|stated|tell|visible)"
    r"|unbekannt|keine(?: angabe)?|nicht (?:sichtbar|erkennbar|bekannt|zutreffend)"
    r"|inconnue?|aucune?|non (?:visible|precise|specifie)"
    r"|desconocid[oa]|ningun[oa]?|no (?:visible|aplica|especificado)|sconosciuto|nessuno"
    r"|onbekend|nieznan[aey]|bilinmiyor|\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e"
    r"|\u063a\u064a\u0631 \u0645\u0639\u0631\u0648\u0641"
    r"|[\u65e0\u7121]\u6cd5(?:\u786e\u5b9a|\u78ba\u5b9a|\u5224\u65ad|\u5224\u65b7|\u8bc6\u522b|\u8fa8\u8ba4)"
    r"|\u4e0d\u8be6|\u4e0d\u8a73|\u4e0d\u6e05\u695a|\u4e0d\u786e\u5b9a|\u4e0d\u78ba\u5b9a|\u672a\u63d0\u4f9b"
    r"|\u5224\u65ad\u3067\u304d\u307e\u305b\u3093|\uc54c \uc218 \uc5c6\uc74c"
    r"|\u65e0|\u672a\u77e5|\u4e0d\u660e|\u4e0d\u53ef\u89c1|\u4e0d\u9002\u7528|\u306a\u3057|\uc5c6\uc74c"
)
TAIL = r"(?: (?:in|from|on|by|based on|here|without|due to|because)(?: .*)?)?"
SAYS_NOTHING = re.compile(rf"(?:{NO_VALUE})(?: (?:{NO_VALUE}))*{TAIL}", re.DOTALL)
"""Spellings that fill a field in without saying anything; several in a row likewise."""
AROUND = (
    " ,;.|/'_-\u2013\u2014\u2022(\u3002\uff0c\uff1b\u3001"
    "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u300c\u300d\u300e\u300f"
)
"""Punctuation and quotation marks around a value."""
MARKUP = re.compile(r"<[^<>]*>?|[\[\]{}>\"*`]")


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

    What stands before the end of a model's thinking aloud is no answer, and an answer that never leaves it gives
    nothing. Of several values of a field the last counts. Words such as `N/A`, `unknown` or `not visible` are no
    value.

    Understands `[Field] {value}`, `Field: value`, JSON, tags, lists, Markdown and its tables, full-width punctuation,
    missing and wrong brackets, and prose around them. Case and the space within a field's name do not matter.

    Args:
        answer: what the model gave.
        fields: names of the fields asked for.
    """
    text = without_thinking(unwrap(answer), fields).translate(WIDE)
    if not text or not fields:
        return {}
    found = from_json(text, fields)
    if not found:
        found = from_labels(text, fields) | from_table(text, fields) | from_tags(text, fields)
    cleaned = {field: clean_value(found[field]) for field in fields if field in found}
    return {field: value for field, value in cleaned.items() if not says_nothing(value, field)}


def clean_value(value: str) -> str:
    """A value without markup and the punctuation around it."""
    text = " ".join(MARKUP.sub("", value).split())
    text = text.strip(AROUND)
    return text.rstrip(") ") if text.count(")") > text.count("(") else text


def says_nothing(value: str, field: str = "") -> bool:
    """Whether a value fills a field in without saying anything: `N/A`, `-`, `the color is not visible here`."""
    words = spelled(value)
    about = {*spelled(field).split(), "the", "its", "i", "is", "are"} if field else set()
    besides = " ".join(word for word in words.split() if word not in about)
    return not words or any(SAYS_NOTHING.fullmatch(each) for each in (words, besides))


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
        exact=_share(
            bool(_exact(tuple(fields)).fullmatch(without_thinking(unwrap(answer), fields)))
            for answer in corpus["answer"]
        ),
    )


def _share(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return sum(listed) / len(listed) if listed else 0.0


@cache
def _exact(fields: tuple[str, ...]) -> re.Pattern[str]:
    pairs = (rf"\[{re.escape(field)}\] \{{[^{{}}\[\]\n]+\}}" for field in fields)
    return re.compile(", ".join(pairs) + r"\.?\s*")
