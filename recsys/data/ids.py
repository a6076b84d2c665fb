"""Ids as people write them: what is one id in two spellings, and which repair would make two sides meet.

Blanks and characters of no width around an id go, `12.0` is `12`, and letters are composed (Unicode NFC): no two ids
that a catalogue keeps apart differ by that. Leading zeros, case, and what a spreadsheet made of a number can keep ids
apart, so these are never repaired here, only named.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa

from recsys.errors import UserError

NO_ID = frozenset({"", "nan", "none", "null", "<na>", "nat", "\\n"})
"""What programs write where an id is missing, in small letters."""
EXACT = {"FLOAT": 2**24, "DOUBLE": 2**53}
"""Whole numbers from here on share a float with others."""
_FLOAT = r"-?[0-9]{16,}\.0+|-?[0-9](\.[0-9]+)?[eE]\+[0-9]+"
INEXACT = "{:.16e}"
"""How a reader writes a whole number that its column cannot tell from the next."""
_INEXACT = r"-?[0-9]\.[0-9]{16}e\+[0-9]+"
MOST_APART = 0.9
"""Share of the known ids that a repair must keep apart from each other."""
_AROUND = re.compile(r"^[\s\u00ad\u200b-\u200f\u2060\ufeff]+|[\s\u00ad\u200b-\u200f\u2060\ufeff]+$")
"""Blanks, and characters of no width that web pages and spreadsheets leave around ids."""
REPAIRS: dict[str, Callable[[str], str]] = {
    "leading zeros": lambda name: name.lstrip("0") or "0",
    "case": str.casefold,
    "quotation marks around ids": lambda name: name.strip("'\"`"),
    "blanks within ids": lambda name: "".join(name.split()),
    "scientific notation such as 9.78E+12": lambda name: _written_out(name),
    "everything after the dot": lambda name: name.partition(".")[0],
    "punctuation and case": lambda name: re.sub(r"[\W_]", "", name).casefold(),
}


def normalised(ids: pd.Series) -> pd.Series:
    """Ids without blanks around them, whole numbers without `.0`, composed; missing ones stay missing."""
    encoded = pa.array(ids.astype("str"), pa.string()).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    unique = encoded.dictionary.to_pylist()
    written = [_normalised(name) for name in unique]
    if written == unique:
        return ids
    found = pa.array(written, pa.string()).take(encoded.indices)
    return pd.Series(found.to_pandas().to_numpy(), index=ids.index, dtype="str", name=ids.name)


def _normalised(name: str) -> str | None:
    text = name.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", _AROUND.sub("", text))
    if text.lower() in NO_ID:
        return None
    if text.endswith("0") and (whole := re.fullmatch(r"(-?[0-9]+)\.0+", text)):
        text = whole[1]
    return text


def spelt_twice(ids: pd.Series) -> list[str]:
    """What to say of distinct ids of people that differ only by what people and programs change without meaning to."""
    unique = pd.Series(ids.dropna().unique(), dtype="str")
    said = []
    # Where most ids mix both cases, programs made them, and letters of other case are other letters.
    mixed = ((unique != unique.str.lower()) & (unique != unique.str.upper()) & (unique != unique.str.title())).mean()
    for name in ("leading zeros",) if mixed > 0.5 else ("case", "leading zeros"):
        repaired = unique.map(REPAIRS[name])
        alike = repaired.duplicated(keep=False)
        if n := int(alike.sum()):
            first, second = unique[repaired == repaired[alike].iloc[0]].iloc[:2]
            said.append(
                f"{n:,} user ids equal another but for {name}, such as '{first}' and '{second}': make them one in the "
                "file if they are the same person"
            )
    return said


def refuse_inexact(ids: pd.Series, file: Path | str) -> None:
    """UserError where ids were whole numbers of a column of floats, too large for these to tell one from the next."""
    unique = pd.Series(ids.dropna().astype("str").unique(), dtype="str")
    numbers = pd.to_numeric(unique, errors="coerce")
    is_large = unique.str.fullmatch(_FLOAT) & (numbers.abs() >= EXACT["DOUBLE"])
    found = unique[is_large | unique.str.fullmatch(_INEXACT)]
    if len(found) and numbers.notna().mean() > 0.5:
        raise UserError(
            f"{file}: column '{ids.name}' holds ids as floats, such as {float(found.iloc[0]):.0f}, which are too "
            "large to be exact: write them as whole numbers or as text"
        )


def _written_out(name: str) -> str:
    try:
        return str(int(float(name))) if re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", name) else name
    except (ValueError, OverflowError):
        return name


def nearest_repair(ids: Collection[str], known: Collection[str]) -> tuple[str, set[str]] | None:
    """The repair that gives most unknown ids a known one, on both sides, and the ids it helps; None: none does.

    What makes one id of several is no repair.
    """
    best: tuple[str, set[str]] | None = None
    for name, repair in REPAIRS.items():
        repaired = {repair(one) for one in known}
        if len(repaired) < MOST_APART * len(known):
            continue  # it would make one id of several
        helped = {one for one in ids if repair(one) in repaired}
        if helped and (best is None or len(helped) > len(best[1])):
            best = name, helped
    return best


def refuse_strangers(ids: pd.Series, known: pd.Series) -> None:
    """UserError, with a value of each side and the nearest repair, where no id is known."""
    if not len(ids) or not len(known) or ids.isin(known).any():
        return
    counts = ids.value_counts()
    near = nearest_repair(list(counts.index), set(known))
    if near is None:
        hint = "name the column of the items that holds these ids, or give tables whose ids are the same"
        example = known.iloc[0]
    else:
        repair, helped = near
        rows = int(counts[list(helped)].sum())
        hint = f"{rows:,} rows would match without {repair}: write the ids alike in both files"
        counts = counts[counts.index.isin(helped)]
        example = next(one for one in known if REPAIRS[repair](one) == REPAIRS[repair](str(counts.index[0])))
    raise UserError(
        f"no interaction has an item of the item table: '{counts.index[0]}' here, '{example}' there; {hint}"
    )
