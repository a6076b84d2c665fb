"""Times as people write them, to the nanosecond: ISO 8601 dates, and numbers whose unit their size tells."""

import numpy as np
import pandas as pd

UNITS = {"s": (0.0, 1e11), "ms": (1e11, 1e14), "us": (1e14, 1e17), "ns": (1e17, 1e20)}
"""A number's size tells its unit: seconds of the years up to 5138 are smaller than milliseconds after March 1973."""
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
FIRST, LAST = np.datetime64("1900-01-01", "ns"), np.datetime64("2100-01-01", "ns")
COMPACT = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{6})?"


def to_times(stamps: pd.Series) -> pd.Series:
    """Times as UTC, dtype datetime64[ns]; NaT where one cannot be read or cannot be true.

    Args:
        stamps: strings or numbers. Numbers of one column are of one unit, that of most of them; those that are
            of another by their size are not read, nor is any time before 1900 or from 2100.
    """
    if pd.api.types.is_datetime64_any_dtype(stamps):
        return pd.to_datetime(stamps, utc=True).dt.tz_localize(None).astype("datetime64[ns]")
    codes, unique = pd.factorize(stamps)
    texts = pd.Series(unique, dtype="object").astype("str").str.strip()
    moments = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    is_number = np.isfinite(numbers)
    is_compact = texts.str.fullmatch(COMPACT).to_numpy(dtype=bool)
    if is_number.any() and is_compact[is_number].all():
        is_number[:] = False
    if is_number.any():
        moments[is_number] = _since_1970(texts[is_number], numbers[is_number])
    dated = ~is_number & texts.str.contains(r"[0-9]{4}", regex=True).to_numpy(dtype=bool)
    if dated.any():
        moments[dated] = _dates(texts[dated])
    moments[~((moments >= FIRST) & (moments < LAST))] = np.datetime64("NaT")
    found = np.append(moments, np.datetime64("NaT"))[codes]  # code -1 is a missing one
    return pd.Series(found, index=stamps.index, name=stamps.name)


def _since_1970(texts: pd.Series, numbers: np.ndarray) -> np.ndarray:
    size = np.abs(numbers)
    unit = next((name for name, (_, end) in UNITS.items() if np.median(size) < end), "ns")
    low, high = UNITS[unit]
    scale = NANOSECONDS[unit]
    alike = (size >= low) & (size < high)
    whole = np.trunc(np.where(alike, numbers, 0))
    parts = texts.str.extract(r"^([-+]?[0-9]+)(?:\.([0-9]*))?$")
    plain = alike & parts[0].notna().to_numpy()
    nanoseconds = np.zeros(len(numbers), dtype=np.int64)
    if plain.any():
        # Digit by digit: a float64 of seconds since 1970 cannot hold a microsecond exactly.
        digits = len(str(scale)) - 1
        units = parts[0][plain].astype("int64").to_numpy()
        fraction = parts[1][plain].fillna("").str.ljust(digits, "0").str[:digits] if digits else None
        rest = np.where(fraction == "", "0", fraction).astype(np.int64) if fraction is not None else 0
        negative = parts[0][plain].str.startswith("-").to_numpy()
        with np.errstate(over="ignore"):
            nanoseconds[plain] = units * scale + np.where(negative, -rest, rest)
        alike[plain] &= np.abs(units) < 2**63 // scale
    other = alike & ~plain
    nanoseconds[other] = np.clip(numbers[other] * scale, -(2.0**62), 2.0**62).astype(np.int64)
    moments = nanoseconds.astype("datetime64[ns]")
    moments[~alike | (np.abs(whole) * scale > 2.0**62)] = np.datetime64("NaT")
    return moments


def _dates(texts: pd.Series) -> np.ndarray:
    # A blank before the time zone, or a zone in words, as SQL and BigQuery print them.
    plain = texts.str.replace(r"\s+(UTC|GMT|Z)$", "Z", regex=True).str.replace(
        r"\s+([-+][0-9]{2}:?[0-9]{0,2})$", r"\1", regex=True
    )
    plain = plain.str.replace("/", "-") if plain.str.fullmatch(r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}.*").all() else plain
    found = pd.to_datetime(plain, errors="coerce", utc=True, format="ISO8601")
    return found.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
