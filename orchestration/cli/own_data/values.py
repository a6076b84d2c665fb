"""What a column's values say of its role: numbers, times, a scale of few values, words, files."""

import numpy as np
import pandas as pd

from recsys.data.decoding import SUFFIXES
from recsys.data.ids import NO_ID, normalised
from recsys.data.readers.catalogue import DECIMAL_COMMA
from recsys.data.times import OURS, to_times

MOST_STEPS = 20
"""Distinct values of a column that may be a scale of opinions."""
_MOSTLY = 0.9
_LONGEST_TIME = 40
_MISSING = NO_ID | {"na", "n/a", "#n/a", "-", "--", "?"}
_NO_VALUE = frozenset({"NaN", "NaT"}.union(_MISSING, map(str.upper, _MISSING), map(str.title, _MISSING)))
"""What R, spreadsheets and people write where a number or a time is missing."""
_DATE_PARTS = 60
"""Whole numbers below may be days, months, weeks, hours or minutes, which come round again."""
_PICTURE = rf"(?i)(?!https?://).+\.({'|'.join(suffix[1:] for suffix in sorted(SUFFIXES))})"


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose lists are text, so that all values can be compared."""
    return frame.apply(lambda column: column.map(_flat, na_action="ignore")) if len(frame) else frame


def _flat(value: object) -> object:
    return " ".join(str(each) for each in value) if isinstance(value, list | tuple | np.ndarray) else value


def same_ids(values: pd.Series) -> pd.Series:
    """A column's ids as the reader compares them, without the missing ones."""
    return normalised(values).dropna()


def written(values: pd.Series) -> pd.Series:
    """A column's values without the missing ones, however it is written that they are."""
    known = values.dropna()
    return known[~known.isin(_NO_VALUE)]


def is_fact_of(frame: pd.DataFrame, name: str, column: str) -> bool:
    """Whether each id of a column has one value of another, as a country is a fact of a person."""
    return bool((frame.groupby(column)[name].nunique() <= 1).all())


def numbers(values: pd.Series) -> pd.Series | None:
    """A column's numbers, without what is missing; None where more than a tenth of it is something else."""
    read = _read_as_numbers(written(values))
    found = read.dropna()
    return found if len(read) and len(found) >= _MOSTLY * len(read) else None


def no_numbers(values: pd.Series) -> pd.Series:
    """The values that are no numbers."""
    known = written(values)
    return known[_read_as_numbers(known).isna()]


def _read_as_numbers(known: pd.Series) -> pd.Series:
    """Numbers, with a point or a comma before the decimals; NaN for anything else."""
    if known.astype(str).str.fullmatch(DECIMAL_COMMA).any():
        known = known.astype(str).str.replace(",", ".")
    return pd.to_numeric(known, errors="coerce")


def steps(values: pd.Series) -> list[float] | None:
    """The distinct numbers of a column that may be a scale: 2 to 20 of them; None for any other column."""
    found = numbers(values)
    distinct = sorted(found.unique().tolist()) if found is not None else []
    return distinct if 2 <= len(distinct) <= MOST_STEPS else None


def kinds(values: pd.Series) -> list[str] | None:
    """The distinct words of a column that may name kinds of action, the commonest first; None for any other."""
    if numbers(values) is not None:
        return None
    counts = values.dropna().astype(str).value_counts()
    return counts.index.tolist() if 2 <= len(counts) <= MOST_STEPS and counts.iloc[-1] > 1 else None


def are_times(values: pd.Series) -> bool:
    """Whether the reader can read a column as times, and what it reads is of our days."""
    known = written(values)
    if not len(known) or known.astype(str).str.len().max() > _LONGEST_TIME:
        return False
    moments = to_times(known).dropna()
    return len(moments) >= _MOSTLY * len(known) and bool(
        moments.quantile(0.05) >= pd.Timestamp(OURS)
    )  # earlier: what counts something else


def no_times(values: pd.Series) -> pd.Series:
    """The values that the reader cannot read as times."""
    known = written(values)
    return known[to_times(known).isna()]


def are_ordered(values: pd.Series) -> bool:
    """Whether values are numbers that the reader orders by size; seconds beside milliseconds are not."""
    known = written(values)
    return numbers(known) is not None and len(no_times(known)) <= (1 - _MOSTLY) * len(known)


def may_come_round(values: pd.Series) -> bool:
    """Whether values may be parts of dates, such as the day of a month, by which nothing can be ordered."""
    found = numbers(values)
    return found is not None and bool(((found % 1 == 0) & (found >= 0) & (found < _DATE_PARTS)).all())


def are_times_of_day(values: pd.Series) -> bool:
    """Whether values are times such as 10:15 or 10:15:30 without a day."""
    known = written(values).astype(str)
    return bool(len(known)) and bool(known.str.match(r"\s*[0-2]?\d:[0-5]\d(?!.*\d{4})").mean() > _MOSTLY)


def are_days(values: pd.Series) -> bool:
    """Whether all times that can be read are at midnight."""
    moments = to_times(values).dropna()
    return bool((moments == moments.dt.normalize()).all())


def look_like_dates(values: pd.Series) -> bool:
    """Whether most values read like times in any spelling, those too that the reader does not take."""
    known = values.dropna().astype(str)
    spelled = known.str.contains(r"\d{1,4}[-/. ]\d{1,2}[-/., ]+\d{2,4}") | known.str.fullmatch(r"\d{9,19}([.]\d*)?")
    return bool(len(known)) and bool(spelled.mean() > 0.5)


def can_number_rows(values: pd.Series) -> bool:
    """Whether values are whole numbers, each once, as row numbers are even of rows that were sorted or left out."""
    return bool(values.str.fullmatch(r"\s*\d+\s*").all()) and values.is_unique


def number_the_rows(values: pd.Series) -> bool:
    """Whether values are 0, 1, 2, ... or 1, 2, 3, ... in the order of the rows."""
    found = pd.to_numeric(values, errors="coerce")
    return len(found) > 1 and bool(found.notna().all()) and bool((found.diff().iloc[1:] == 1).all())


def are_words(values: pd.Series) -> bool:
    """Whether values are text of several words, mostly different from each other."""
    known = values.dropna().astype(str)
    if not len(known) or numbers(known) is not None or are_times(known) or are_addresses(known):
        return False
    if known.str.fullmatch(r"(?=[\x21-\x7e]*\d)[\x21-\x7e]+").mean() > 0.5:
        return False  # codes, such as 9a1f-03
    long = known.str.count(r"\S+").mean() >= 3 or known.str.len().mean() >= 12
    return bool(long and known.nunique() > 0.2 * len(known) and known.str.contains(r"[^\W\d_]{2}").mean() > _MOSTLY)


def are_addresses(values: pd.Series) -> bool:
    """Whether values are addresses in the web."""
    known = values.dropna().astype(str)
    return bool(len(known)) and bool(known.str.match(r"(?i)(https?://|www\.)").mean() > 0.5)


def are_pictures(values: pd.Series) -> bool:
    """Whether values name image files on this machine."""
    known = values.dropna().astype(str)
    return bool(len(known)) and bool(known.str.fullmatch(_PICTURE).mean() > 0.5)


def example(values: pd.Series) -> str:
    """A value to show, cut short."""
    known = values.dropna()
    text = " ".join(str(known.iloc[0]).split()) if len(known) else ""
    return text if len(text) <= 40 else f"{text[:37]}..."
