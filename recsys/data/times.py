"""Times as people write them, to the nanosecond: ISO 8601 dates, and numbers whose unit their size tells."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

UNITS = {10**9: (0, 10**11), 10**6: (10**11, 10**14), 10**3: (10**14, 10**17), 1: (10**17, 2**63 - 1)}
"""Nanoseconds of a unit, and the sizes that numbers of it have. Milliseconds before March 1973 would be taken for
seconds, and seconds after the year 5138 for milliseconds."""
FIRST, LAST = np.datetime64("1900-01-01", "ns"), np.datetime64("2100-01-01", "ns")
OURS = np.datetime64("1980-01-01", "ns")
"""Where most times are later, those of a day of `PLACEHOLDERS` stand for times that are not known."""
PLACEHOLDERS = np.array(["1900-01-01", "1970-01-01"], "datetime64[ns]")
"""What 0, -1 and an empty date become, a day earlier or later in other time zones."""
DAY = np.timedelta64(1, "D")
NUMBER = r"^(?P<sign>[-+]?)(?P<whole>[1-8]?[0-9]{1,18})(?:[.](?P<fraction>[0-9]*))?$"
SCIENTIFIC = r"^[-+]?[0-9]+([.][0-9]*)?[eE][+]?[0-9]{1,2}$"
COMPACT = r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(([01][0-9]|2[0-3])([0-5][0-9]){1,2})?$"


def to_times(stamps: pd.Series) -> pd.Series:
    """Times as UTC, dtype datetime64[ns]; NaT where one cannot be read or cannot be true.

    Args:
        stamps: strings, numbers or dates. Numbers of one column are of one unit, that of most of them; those that
            are of another by their size are not read, nor is any time before 1900 or from 2100, nor one that stands
            for a time that is not known (see `PLACEHOLDERS`).
    """
    texts = pa.chunked_array(pa.array(stamps.astype("str"), pa.string())).combine_chunks()
    texts = pc.utf8_trim_whitespace(texts)
    is_number, whole, fraction = _numbers(texts)
    if is_number.any() and pc.all(pc.match_substring_regex(texts.filter(pa.array(is_number)), COMPACT)).as_py():
        is_number[:] = False  # days such as 20150304
    moments = np.full(len(texts), np.datetime64("NaT", "ns"))
    if is_number.any():
        moments[is_number] = _since_1970(whole[is_number], fraction[is_number])
    dated = ~is_number & _true(pc.match_substring_regex(texts, "[0-9]{4}"))
    if dated.any():
        moments[dated] = _dates(texts.filter(pa.array(dated)))
    moments[~((moments >= FIRST) & (moments < LAST))] = np.datetime64("NaT")
    moments[_stand_for_none(moments)] = np.datetime64("NaT")
    return pd.Series(moments, index=stamps.index, name=stamps.name)


def _stand_for_none(moments: np.ndarray) -> np.ndarray:
    """Which times are placeholders, among others of our days; numbers that count from 0 are none."""
    near = np.zeros(len(moments), dtype=bool)
    for day in PLACEHOLDERS:
        near |= (moments >= day - DAY) & (moments <= day + DAY)
    if not near.any():
        return near
    others = moments[~near & ~np.isnat(moments)]
    are_ours = bool(len(others)) and np.median(others.astype("int64")) >= OURS.astype("int64")
    return near & are_ours


def _true(mask: pa.Array) -> np.ndarray:
    """A mask with missing values, as one that is false there."""
    return pc.fill_null(mask, False).to_numpy(zero_copy_only=False)


def _numbers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which texts are numbers, and their whole parts (int64) and fractions (float64, of the same sign).

    A float64 of seconds since 1970 cannot hold a microsecond, so the two are kept apart.
    """
    try:
        numbers = pc.cast(texts, pa.int64())
        return pc.is_valid(texts).to_numpy(False), pc.fill_null(numbers, 0).to_numpy(False), np.zeros(len(texts))
    except pa.ArrowInvalid:
        pass
    parts = pc.extract_regex(texts, NUMBER)
    is_number = pc.is_valid(parts).to_numpy(zero_copy_only=False)
    whole, fraction = np.zeros(len(texts), np.int64), np.zeros(len(texts))
    found = parts.filter(pa.array(is_number))
    sign = np.where(_true(pc.equal(pc.struct_field(found, "sign"), "-")), -1, 1)
    digits = pc.binary_join_element_wise("0", pc.struct_field(found, "fraction"), ".")
    whole[is_number] = sign * pc.cast(pc.struct_field(found, "whole"), pa.int64()).to_numpy(zero_copy_only=False)
    fraction[is_number] = sign * pc.cast(digits, pa.float64()).to_numpy(zero_copy_only=False)
    scientific = _true(pc.match_substring_regex(texts, SCIENTIFIC))
    values = pc.cast(texts.filter(pa.array(scientific)), pa.float64()).to_numpy(zero_copy_only=False)
    values = np.where(np.abs(values) < 2.0**62, values, 0)
    # A float64 says no more of a second than its microseconds.
    whole[scientific], fraction[scientific] = np.trunc(values), np.round(values - np.trunc(values), 6)
    return is_number | scientific, whole, fraction


def _since_1970(whole: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    size = np.abs(whole)
    unit = next((unit for unit, (_, end) in UNITS.items() if np.median(size) < end), 1)
    low, high = UNITS[unit]
    alike = (size >= low) & (size < high) & (size < 2**62 // unit)
    nanoseconds = np.where(alike, whole, 0) * unit + np.rint(fraction * unit).astype(np.int64)
    moments = nanoseconds.astype("datetime64[ns]")
    moments[~alike] = np.datetime64("NaT")
    return moments


def _dates(texts: pa.Array) -> np.ndarray:
    """Moments of ISO 8601 dates, and of what programs make of them.

    SQL and BigQuery write `... UTC`, `... +00` and 2015/03/04, loggers `10:00:00,250`.
    """
    for pattern, iso in (
        (r"[ ]*(UTC|GMT|Z)$", "Z"),
        (r"[ ]+([-+][0-9]{2}:?([0-9]{2})?)$", r"\1"),
        (r"(:[0-9]{2}),([0-9]+)", r"\1.\2"),
        (r"^([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", r"\1-\2-\3"),
        (r"^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$", r"\1-\2-\3T\4:\5:\6"),
        (r"^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$", r"\1-\2-\3T\4:\5"),
    ):
        if _true(pc.match_substring_regex(texts, pattern)).any():
            texts = pc.replace_substring_regex(texts, pattern, iso)
    found = pd.to_datetime(texts.to_pandas(), errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
    # Nanoseconds reach from 1677 to 2262; years of other calendars, such as 1442 and 2564, would come round as ours.
    return found.where((found >= FIRST) & (found < LAST)).to_numpy().astype("datetime64[ns]")
