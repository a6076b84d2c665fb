"""The forms in which models fill in fields: JSON, tags, Markdown tables, and labels before values.

Each reader gives what it finds by field, markup and all; of several values for a field the last counts.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import unescape
from typing import Any

OPEN, CLOSE, QUOTES = r"\[({<", r"\])}>", r"\"'*_`"
DASH = r"[-\u2013\u2014]"
CLOSERS = {"{": "}]", "[": "]}", "(": ")", "<": ">"}
"""What ends a value in brackets; models mix up `}` and `]`."""
ABBREVIATIONS = r"(?<!\b[A-Z])(?<!\bSt|\bDr|\bMr|\bMs)"
AFTER_VALUE = re.compile(rf"\n|[\[{{]|{ABBREVIATIONS}\.\s|[,;]\s*[A-Z][\w /]{{0,30}}:\s")
"""What ends a bare value: a new line, a bracket, a sentence, or a label nobody asked for."""
LIST_MARK = re.compile(r"\s\d{1,2}[.)]\s+$")
"""The number of the next line of a list."""
WIDE: dict[int, int | None] = {
    **str.maketrans("\uff1a\u3010\u3011\uff3b\uff3d\uff5b\uff5d\uff08\uff09\uff1d\uff5c", ":[][]{}()=|"),
    **dict.fromkeys(map(ord, "\u200b\u2060\ufeff")),
}
"""Full-width punctuation, as models write it between Chinese, Japanese and Korean words; characters of no width go."""
OF_A_VALUE = ("value", "answer", "label", "text", "name")
OF_A_NAME = ("field", "name", "key", "property", "attribute")


def plain(name: str) -> str:
    """A field's name without case, blanks and punctuation."""
    return re.sub(r"[\W_]", "", name.lower())


def from_json(text: str, fields: Sequence[str]) -> dict[str, str]:
    """Values in JSON objects, also where one lies within another."""
    found: dict[str, str] = {}
    for document in _documents(text):
        found |= _given(document, {plain(field): field for field in fields})
    return found


def _documents(text: str) -> Iterator[Any]:
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            document, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield document
        start = text.find("{", end)


def _given(document: Any, asked: dict[str, str]) -> dict[str, str]:
    """Fields of an object, or of what lies in it where it has none itself."""
    found: dict[str, str] = {}
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        if not isinstance(each, dict):
            continue
        by_name = {plain(key): value for key, value in each.items()}
        pair = next((plain(str(by_name[key])) for key in OF_A_NAME if key in by_name), "")
        if pair in asked:
            by_name = {pair: each}
        own = {asked[key]: words for key, value in by_name.items() if key in asked and (words := _words(value))}
        found |= own
        if not own:
            waiting += each.values()
    return found


def _words(value: Any) -> str:
    if isinstance(value, dict):
        named = {plain(key): inner for key, inner in value.items()}
        return next((_words(named[key]) for key in OF_A_VALUE if key in named), "")
    if isinstance(value, list):
        return ", ".join(filter(None, map(_words, value)))
    return "" if value is None else str(value).strip()


def from_tags(text: str, fields: Sequence[str]) -> dict[str, str]:
    """Values between tags: `<Type>chair</Type>`."""
    asked = {plain(field): field for field in fields}
    found = _tags(tuple(fields)).finditer(text)
    return {asked[plain(tag["name"])]: unescape(tag["value"]).strip() for tag in found if tag["value"].strip()}


@cache
def _tags(fields: tuple[str, ...]) -> re.Pattern[str]:
    name = rf"(?P<name>{_spelled(fields)})"
    return re.compile(rf"<\s*{name}(?:\s[^<>]*)?>(?P<value>[^<>]*)<\s*/\s*(?P=name)\s*>", re.IGNORECASE)


def from_table(text: str, fields: Sequence[str]) -> dict[str, str]:
    """Values in a Markdown table, with the fields as its header or as its rows."""
    asked = {plain(field): field for field in fields}
    found: dict[str, str] = {}
    header: list[str | None] = []
    for line in text.splitlines():
        if "|" not in line:
            header = []
            continue
        cells = [cell.strip(" \t*_`\"'") for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        named = [asked.get(plain(cell.rstrip(":"))) for cell in cells]
        if all(named) or sum(name is not None for name in named) > 1:
            header = named
        elif any(named):
            at = next(place for place, name in enumerate(named) if name)
            if value := "".join(cells[at + 1 : at + 2]):
                found[named[at] or ""] = value
        elif any(map(plain, cells)):
            found |= {name: cell for name, cell in zip(header, cells, strict=False) if name and cell}
    return found


def from_labels(text: str, fields: Sequence[str]) -> dict[str, str]:
    """Values that follow a field's name in brackets, or before a colon, a dash or a brace.

    A value in the form that is asked for, `[Field] {value}`, is the answer, whatever the prose around it repeats.
    """
    asked = {plain(field): field for field in fields}
    found: dict[str, str] = {}
    as_asked: dict[str, str] = {}
    labels = list(_label(tuple(fields)).finditer(text))
    starts = [label.start() for label in labels] + [len(text)]
    for label, end in zip(labels, starts[1:], strict=True):
        name = label["bracketed"] or label["plain"] or label["headed"] or ""
        field = asked.get(plain(name))
        segment = text[label.end() : end]
        if field and (value := _value(segment)):
            found[field] = value
            if label["bracketed"] and segment.lstrip().startswith("{"):
                as_asked[field] = value
    return found | as_asked


def _spelled(fields: Sequence[str]) -> str:
    """A pattern of the fields' names, whatever stands between their words."""
    spelled = (r"[\s_-]*".join(map(re.escape, field.split())) for field in fields)
    return "|".join(sorted(spelled, key=len, reverse=True))


@cache
def _label(fields: tuple[str, ...]) -> re.Pattern[str]:
    """A field's name where it stands as a label: in brackets, as a heading, or before a colon, a dash or a brace.

    Other words in square brackets before a brace match too, without a name: they end the value before them.
    """
    names = _spelled(fields)
    bracketed = rf"[{OPEN}]\s*[{QUOTES}]*(?P<bracketed>{names})[{QUOTES}]*\s*[{CLOSE}]\s*[{QUOTES}]*\s*[:=]?"
    before = rf"(?<![\w-])(?P<plain>{names})[{QUOTES}]*\s*(?:[:=]|[-=]>|\u2192|{DASH}\s|(?=\{{))"
    headed = (
        rf"(?m:^)[ \t]*(?:#{{1,6}}[ \t]*[*_]*|[*_]{{2}})(?P<headed>{names})(?:[*_]{{2}}[ \t]*[:=]?|[*_]*[ \t]*(?m:$))"
    )
    other = r"\[[^\[\]{}]{1,40}\](?=\s*:?\s*\{)"
    return re.compile(f"{bracketed}|{before}|{headed}|{other}", re.IGNORECASE)


def _value(segment: str) -> str:
    """The value at the start of what stands between a label and the next, without its wrapping."""
    text = re.sub(rf"^[\s{QUOTES}]+", "", LIST_MARK.sub("", segment))
    end = re.search(rf"[{re.escape(CLOSERS[text[0]])}]", text) if text[:1] in CLOSERS else None
    text = text[: end.start()] if end else text
    return AFTER_VALUE.split(text.lstrip("{[(<"), maxsplit=1)[0]
