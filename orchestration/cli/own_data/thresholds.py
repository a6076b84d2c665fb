"""From which rating on a row counts as liked: on the scale's own values, never so high that hardly a row is left."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.errors import UserError
from recsys.wording import percent, whole_percent

LIKED = 0.7
"""Place on the scale, from its lowest to its highest value, from which a rating counts as liking: 4 of 1 to 5."""
FEWEST = 0.1
"""Share of the rows that a threshold must leave."""
_MANY = 100
"""Distinct values beyond which a column is measured rather than chosen from a scale."""
_CODE = 0.01
"""Share of the rows from which a value that stands far from all others may be a code, such as 99 for 'not rated'."""
_FAR = 3
"""How far such a value stands from the others, in ranges of theirs."""
_ZEROS = 0.25
"""Share of zeros from which they may mean that nothing was rated, where they are the commonest value too."""


@dataclass(frozen=True)
class Threshold:
    """From which rating on a row is positive.

    Attributes:
        value: the least rating that counts; None: every row counts.
        feedback: what an interaction then is, in words.
        reason: why, in a line; a warning begins with `!`.
    """

    value: float | None
    feedback: str
    reason: str


def threshold(ratings: pd.Series, is_count: bool = False, given: float | None = None) -> Threshold:
    """The threshold that suits the values of a rating.

    The lowest value that occurs in the upper part of the scale; where less than a tenth of the rows reach it, the
    highest value that a tenth reach, or the median of values that are measured rather than chosen from a scale.

    Args:
        ratings: finite numbers, one a row.
        is_count: whether they count actions, such as plays.
        given: what the user said.

    Raises:
        UserError: no threshold leaves a tenth of the rows, or the given one leaves none.
    """
    if given is not None:
        return _given(ratings, given)
    low, high = float(ratings.min()), float(ratings.max())
    if low == high:
        doubt = "" if low else ", which may stand for 'not rated'"
        return Threshold(None, "every row", f"{doubt and '! '}min_rating: none, since every rating is {low:g}{doubt}")
    zeros = float((ratings == 0).mean())
    if is_count:
        return _of_counts(ratings, zeros)
    unrated = _zeros_mean_nothing(ratings, zeros)
    rated = ratings[ratings != 0] if unrated else ratings
    note = (
        f"; {whole_percent(zeros)} of the rows are 0, taken to mean 'not rated', and do not count" if unrated else ""
    )
    if unrated and rated.nunique() == 1:
        return _made(
            ratings, float(rated.min()), f"{'! ' if note else ''}min_rating: {high:g}, the only value beside 0{note}"
        )
    if said := _code(rated):
        raise UserError(f"{said}, or say with --min-rating what counts as liked")
    value, how = _in_upper_part(rated)
    scale = f"a scale of {float(rated.min()):g} to {high:g}"
    return _made(ratings, value, f"{'! ' if note else ''}min_rating: {value:g} {how} {scale}{note}")


def _given(ratings: pd.Series, given: float) -> Threshold:
    if not (ratings >= given).any():
        raise UserError(
            f"--min-rating {given:g}: no row reaches it; the ratings go from {ratings.min():g} to {ratings.max():g}"
        )
    said = _code(ratings)
    return _made(
        ratings, float(given), f"{'! ' if said else ''}min_rating: {given:g}, as you said{said and '; '}{said}"
    )


def _of_counts(ratings: pd.Series, zeros: float) -> Threshold:
    """Something that was done at all is a sign of liking, however often."""
    high = float(ratings.max())
    if zeros == 0 and ratings.min() > 0:
        reason = (
            f"min_rating: none, since it counts from {ratings.min():g} to {high:g}, and any count is a sign of liking"
        )
        return Threshold(None, "every row", reason)
    least = float(ratings[ratings > 0].min()) if high > 0 else high
    return _made(ratings, least, f"min_rating: {least:g}, the least count above 0 (up to {high:g})")


def _zeros_mean_nothing(ratings: pd.Series, zeros: float) -> bool:
    """Whether 0 stands for no rating: the commonest value by far, below a scale that begins above it."""
    counts = ratings.value_counts(normalize=True)
    above = sorted(value for value in counts.index if value > 0)
    if zeros < _ZEROS or ratings.min() < 0 or counts.index[0] != 0 or not above:
        return False
    return len(above) == 1 or zeros > 2 * counts[above[0]]


def _code(rated: pd.Series) -> str:
    """What is said of a lowest or highest value much farther from the others than these from each other, if any."""
    distinct = np.sort(rated.unique())
    if len(distinct) < 4:
        return ""
    for code, rest in ((distinct[-1], distinct[:-1]), (distinct[0], distinct[1:])):
        low, high = float(rest[0]), float(rest[-1])
        share = float((rated == code).mean())
        if share >= _CODE and np.abs(rest - code).min() > _FAR * (high - low):
            return (
                f"the ratings go from {low:g} to {high:g}, but {whole_percent(share)} of the rows are {code:g}, which "
                "may be a code for 'not rated': leave those rows out of the file"
            )
    return ""


def _in_upper_part(rated: pd.Series) -> tuple[float, str]:
    """The threshold and how it was found, for a sentence that names the scale after it."""
    distinct = np.sort(rated.unique())
    low, high = float(distinct[0]), float(distinct[-1])
    at = float(distinct[np.searchsorted(distinct, low + (LIKED - 1e-9) * (high - low))])
    if len(distinct) > _MANY:
        if (rated >= at).mean() >= FEWEST:
            return _rounded(rated, at), "in the upper part of"
        median = float(rated.quantile(0.5, interpolation="higher"))
        return _rounded(rated, median), "(the median, since few rows are much larger) on"
    if (rated >= at).mean() >= FEWEST:
        return at, "in the upper part of"
    reached = [float(value) for value in distinct if low < value < at and (rated >= value).mean() >= FEWEST]
    if not reached:
        raise UserError(
            f"the ratings go from {low:g} to {high:g}, and only {percent((rated > low).mean())} of the rows are above "
            f"{low:g}, so that it cannot be guessed what counts as liked: say it with --min-rating, or "
            "--rating-column none for every row"
        )
    return max(reached), f"(the highest that {whole_percent(FEWEST)} of the rows reach) on"


def _rounded(rated: pd.Series, value: float) -> float:
    """A value with as many digits as tell a hundredth of the way from the lowest rating to it, never above too few."""
    low = float(rated.min())
    digits = max(0, 2 - math.floor(math.log10(value - low))) if value > low else 0
    nearest = round(value, digits)
    return nearest if nearest > low and (rated >= nearest).mean() >= FEWEST else value


def _made(ratings: pd.Series, value: float, reason: str) -> Threshold:
    share = float((ratings >= value).mean())
    return Threshold(value, f"a rating of {value:g} or more", f"{reason}; {whole_percent(share)} of the rows reach it")
