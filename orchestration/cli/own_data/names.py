"""What a column's name says of its role, in the languages and spellings that public tables are written in.

A name is cut into known words (`User-ID`, `reviewerID`, `unixReviewTime`, `kundennummer`, `商品名称`), and the words
decide together: `user_score` is a rating and no user, `book_author` is text and no item.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Role = Literal["user", "item", "rating", "count", "time", "title", "text", "image"]
CERTAIN, LIKELY = 2, 1
"""Strengths of a name: it says nothing but the role, or it names the role among other things."""

_TYPE = re.compile(r"^(?P<name>.*):(?P<type>token|token_seq|float|float_seq)$")
_INDEX = re.compile(r"(unnamed[: _.]*\d*([._]\d+)?(_level_\d+)?|__index_level_\d+__|index|level_\d+|)")

WORDS: dict[str, str] = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
_COMBINING_SCRIPTS = re.compile(r"[\u0300-\u036f]")


def folded(name: str) -> str:
    """A name in small letters, without Latin accents, in compatibility form."""
    small = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFC", _COMBINING_SCRIPTS.sub("", unicodedata.normalize("NFD", small)))


_KINDS: dict[str, frozenset[str]] = {}
for _kind, _listed in WORDS.items():
    for _word in _listed.split():
        _KINDS[folded(_word)] = _KINDS.get(folded(_word), frozenset()) | {_kind}
_LONGEST = max(map(len, _KINDS))
_ORDER = {folded(word): place for listed in WORDS.values() for place, word in enumerate(listed.split())}


def bare(name: str) -> str:
    """A name without the type that RecBole's atomic files give it (`rating:float`)."""
    found = _TYPE.match(name)
    return found["name"] if found else name


def declared_type(name: str) -> str | None:
    """The type that RecBole's atomic files give a column; None where the name has none."""
    found = _TYPE.match(name)
    return found["type"] if found else None


def plain(name: str) -> str:
    """A name's letters and digits, case and accents aside: names that differ otherwise are alike."""
    return "".join(_parts(folded(bare(name))))


def alike(name: str, other: str) -> bool:
    """Whether two columns are called the same; numbers, which stand where there is no name, are no names."""
    letters = plain(name)
    return letters == plain(other) and not letters.isdecimal() and bool(letters)


def _parts(name: str) -> list[str]:
    """What stands between all that is neither a letter nor a digit; marks belong to the letter they stand on."""
    return "".join(each if each.isalnum() or unicodedata.category(each)[0] == "M" else " " for each in name).split()


def index_columns(columns: Sequence[str]) -> list[str]:
    """Columns that writing a data frame adds for its row numbers: known names, or none at all.

    The reader calls a column without a name by its place, counted from 1.
    """
    unnamed = [name for place, name in enumerate(columns, 1) if name == str(place)]
    unnamed = unnamed if len(unnamed) < len(columns) else []
    return [name for name in columns if name in unnamed or _INDEX.fullmatch(name.strip().lower())]


@cache
def words(name: str) -> tuple[str, ...]:
    """The known words that a name consists of, and what else stands between them."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", bare(name))
    return tuple(word for part in _parts(folded(spaced)) for word in _cut(part))


def _cut(part: str) -> list[str]:
    """A part as known words where they cover all of it, digits at its end aside; else as it is."""
    stem = part.rstrip("0123456789") or part
    covers: list[list[str] | None] = [[]]
    for end in range(1, len(stem) + 1):
        found = None
        for start in range(max(0, end - _LONGEST), end):
            before, word = covers[start], stem[start:end]
            # One or two Latin letters inside a longer word mean nothing, but for an "id" or "nr" at its end.
            short = len(word) < 3 and word.isascii() and len(word) < len(stem)
            if short and end == len(stem) and "id" in kinds_of(word):
                short = False
            if before is not None and not short and kinds_of(word):
                longer = [*before, word]
                found = longer if found is None or len(longer) < len(found) else found
        covers.append(found)
    return covers[-1] or [part]


def kinds_of(word: str) -> frozenset[str]:
    """What a word may say, a plural's too."""
    if word in _KINDS:
        return _KINDS[word]
    return (
        _KINDS.get(word[:-1], frozenset()) if word.endswith("s") and word.isascii() and len(word) > 3 else frozenset()
    )


_BESIDE: dict[str, frozenset[str]] = {
    "user": frozenset({"id", "filler"}),
    "item": frozenset({"id", "filler"}),
    "rating": frozenset({"user", "item", "filler", "when"}),
    "count": frozenset({"user", "item", "aggregate", "filler"}),
    "time": frozenset({"user", "item", "filler", "when", "rating"}),
    "title": frozenset({"item", "filler"}),
    "text": frozenset({"item", "filler", "text", "title", "id"}),
    "image": frozenset({"item", "filler", "title"}),
}
"""Words that may stand beside the role's own without making it doubtful."""
_AGAINST: dict[str, frozenset[str]] = {
    "user": frozenset({"rating", "time", "text", "image", "aggregate", "other", "count"}),
    "item": frozenset({"rating", "time", "text", "image", "aggregate", "other", "title", "count"}),
    "rating": frozenset({"aggregate", "time", "span", "id", "other", "refusal"}),
    "count": frozenset({"time", "id", "rating", "refusal"}),
    "time": frozenset({"span"}),
    "title": frozenset({"user", "text", "image", "other"}),
    "text": frozenset({"aggregate", "time"}),
    "image": frozenset({"aggregate", "text"}),
}
"""Words that make a name of the role one of something else."""


def strength(role: Role, name: str) -> int:
    """How much a name speaks for a role: `CERTAIN`, `LIKELY` or 0."""
    said = [kinds_of(word) for word in words(name)]
    own = [kinds for kinds in said if role in kinds]
    if not own:
        return 0
    others = [kinds for kinds in said if role not in kinds]
    if any(kinds & _AGAINST[role] and not kinds & _BESIDE[role] for kinds in others):
        return 0
    if all(kinds & _BESIDE[role] for kinds in others):
        return CERTAIN
    identified = role in ("user", "item") and "id" in said[-1]
    return CERTAIN if identified else LIKELY


def named(role: Role, names: list[str], least: int = LIKELY) -> list[str]:
    """The names that speak for a role at least so much, the likeliest first."""
    found = [name for name in names if strength(role, name) >= least]
    return sorted(found, key=lambda name: (-strength(role, name), _rank(role, name), len(words(name))))


def _rank(role: Role, name: str) -> int:
    return min(_ORDER.get(word, _ORDER.get(word.rstrip("s"), 999)) for word in words(name) if role in kinds_of(word))


def names_only_an_id(name: str) -> bool:
    """Whether a name is `id`, `key` or `code` alone."""
    said = [kinds_of(word) for word in words(name)]
    return bool(said) and all("id" in kinds for kinds in said)


def speaks_of_refusal(name: str) -> bool:
    """Whether a name says that something was not liked, so that its higher values are no sign of liking."""
    return _speaks_of("refusal", name)


def speaks_of_something_elses_time(name: str) -> bool:
    """Whether a name is one of a length of time, or of the time of something else than an interaction."""
    return _speaks_of("span", name)


def speaks_of_users(name: str) -> bool:
    """Whether a column of the items is called like something that users wrote or did.

    An editor's reviews and a maker's comments are not; where the words leave open whose they are (`seller_feedback`,
    `author_reviews`), they are the users'.
    """
    if _speaks_of("user", name):
        return _speaks_of("crowd", name) or _speaks_of("tag", name) or _follows("user", "by", name)
    by_maker = _follows("remark", "maker", name) or _follows("maker", "by", name)
    return _speaks_of("crowd", name) and not _speaks_of("editorial", name) and not by_maker


def has_id(name: str) -> bool:
    """Whether a name says that its column holds ids, of whatever."""
    return _speaks_of("id", name) or strength("item", name) > 0


def _speaks_of(kind: str, name: str) -> bool:
    return any(kind in kinds_of(word) for word in words(name))


def _follows(kind: str, first: str, name: str) -> bool:
    """Whether a word of one kind stands somewhere after a word of another."""
    said = [kinds_of(word) for word in words(name)]
    return any(first in kinds and any(kind in later for later in said[place:]) for place, kinds in enumerate(said, 1))
