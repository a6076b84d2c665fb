"""Splits: which interactions are for training, for choosing, and for the one look at the end."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from recsys.data.dataset import PARTS
from recsys.errors import UserError

Rounding = Literal["floor", "ceil", "mmrec"]
TRAIN, VALID, TEST = range(3)
_SHARES = ("valid", "test", "rounding")
WITHOUT_EFFECT = {"leave_one_out": _SHARES, "fixed": _SHARES, "global_time": ("rounding",)}
"""Keys of a rule that mean nothing, by protocol."""
# Shares such as 0.1 have no exact binary form: without it, 0.1 * 30 rounds up to 4.
EPSILON = 1e-9


class SplitRule(BaseModel):
    """How interactions are split.

    Attributes:
        protocol: `ratio` (shares of each user's rows at random), `leave_one_out` (each user's last row for test
            and the one before for validation, at random without timestamps), `temporal` (shares of each user's
            rows, the last for test), `global_time` (two points in time for all), `fixed` (by the source's label).
        valid: share of validation rows.
        test: share of test rows.
        seed: of random draws and of ties in time.
        rounding: how a user's shares become numbers of rows. `mmrec` is the rule of published splits (MMRec and
            LATTICE): a user of fewer than 10 rows gives one to each part, others give floor(n (valid + test)),
            of which validation gets its share rounded down.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Literal["ratio", "leave_one_out", "temporal", "global_time", "fixed"] = "ratio"
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.1, gt=0, lt=1)
    seed: int = Field(default=42, ge=0)
    rounding: Rounding = "mmrec"

    @model_validator(mode="after")
    def _shares_count(self) -> "SplitRule":
        if odd := [key for key in WITHOUT_EFFECT.get(self.protocol, ()) if key in self.model_fields_set]:
            raise ValueError(f"'{odd[0]}' has no effect where the protocol is '{self.protocol}': leave it out")
        return self

    @model_validator(mode="after")
    def _leaves_training(self) -> "SplitRule":
        if self.valid + self.test >= 1:
            raise ValueError("'valid' and 'test' together must leave a share for training, such as 0.1 each")
        return self


def needs_times(rule: SplitRule, interactions: pd.DataFrame) -> bool:
    """Whether a row without a time has no place in the split."""
    return rule.protocol in ("temporal", "global_time", "leave_one_out") and "timestamp" in interactions


def is_drawn(rule: SplitRule, interactions: pd.DataFrame) -> bool:
    """Whether the split is drawn at random, so that a repeat can have one of its own; else it is a fact."""
    return rule.protocol == "ratio" or (rule.protocol == "leave_one_out" and "timestamp" not in interactions)


def of_repeat(rule: SplitRule, number: int) -> SplitRule:
    """The rule with the seed of a repeat, from 1: the first repeat's is the rule's own."""
    return rule.model_copy(update={"seed": rule.seed + 1_000_003 * (number - 1)})


def assign_parts(interactions: pd.DataFrame, rule: SplitRule) -> pd.Series:
    """The part of each interaction.

    Args:
        interactions: unique pairs of integers `user` and `item` and, where known, `timestamp` and `part`.
        rule: how to split. The same rule and the same pairs give the same split in whatever order they come.

    Returns:
        One of `PARTS` for each row, with the index of `interactions`. Under all protocols but `global_time` and
        `fixed`, a user with a validation or test row has a training row.

    Raises:
        UserError: the source lacks what the protocol needs, or a part is left empty.
    """
    _need_columns(interactions, rule)
    if rule.protocol == "fixed":
        parts = interactions["part"]
    else:
        order = np.lexsort((interactions["item"], interactions["user"]))
        codes = np.empty(len(interactions), dtype=np.int8)
        needed = [name for name in ("user", "item", "timestamp") if name in interactions]
        codes[order] = PROTOCOLS[rule.protocol](interactions[needed].iloc[order], rule)
        parts = pd.Series(PARTS).take(codes).set_axis(interactions.index).rename("part")
    for part in PARTS:
        if not (parts == part).any():
            raise UserError(f"split '{rule.protocol}' leaves the {part} part empty: {_remedy(rule.protocol)}")
    return parts


def _need_columns(interactions: pd.DataFrame, rule: SplitRule) -> None:
    if rule.protocol == "fixed" and "part" not in interactions:
        raise UserError("split 'fixed' needs a source that labels its rows; choose another protocol such as 'ratio'")
    if rule.protocol in ("temporal", "global_time") and "timestamp" not in interactions:
        raise UserError(
            f"split '{rule.protocol}' needs timestamps, which the source lacks; "
            "name the timestamp column in its options or choose the protocol 'ratio'"
        )


def _remedy(protocol: str) -> str:
    return {
        "fixed": "the source labels no row so; choose another protocol such as 'ratio'",
        "leave_one_out": "it takes users of 3 interactions or more; read more data",
        "global_time": "too many rows share one timestamp; choose another protocol such as 'ratio'",
    }.get(protocol, "users have too few interactions; raise the share or set rounding 'ceil'")


def _by_ratio(rows: pd.DataFrame, rule: SplitRule) -> np.ndarray:
    return _last_rows(rows, _shuffled_keys(rows, rule.seed), *_shares(_rows_of_user(rows), rule))


def _by_user_time(rows: pd.DataFrame, rule: SplitRule) -> np.ndarray:
    return _last_rows(rows, _time_keys(rows, rule.seed), *_shares(_rows_of_user(rows), rule))


def _leave_one_out(rows: pd.DataFrame, rule: SplitRule) -> np.ndarray:
    keys = _time_keys(rows, rule.seed) if "timestamp" in rows else _shuffled_keys(rows, rule.seed)
    n = _rows_of_user(rows)
    return _last_rows(rows, keys, (n >= 3).astype(np.int64), (n >= 2).astype(np.int64))


def _by_global_time(rows: pd.DataFrame, rule: SplitRule) -> np.ndarray:
    """Rows of one moment stay together, so the shares are met as nearly as ties allow."""
    times = rows["timestamp"].to_numpy()
    # Ranks, not np.quantile: it would pass nanoseconds through float64, which cannot hold them.
    first = np.ceil((len(times) - 1) * np.array([1 - rule.valid - rule.test, 1 - rule.test])).astype(np.int64)
    first_valid, first_test = np.partition(times, first)[first]
    return np.where(times >= first_test, TEST, np.where(times >= first_valid, VALID, TRAIN))


PROTOCOLS: dict[str, Callable[[pd.DataFrame, SplitRule], np.ndarray]] = {
    "ratio": _by_ratio,
    "leave_one_out": _leave_one_out,
    "temporal": _by_user_time,
    "global_time": _by_global_time,
}


def _rows_of_user(rows: pd.DataFrame) -> np.ndarray:
    """For each row, the number of rows of its user."""
    return rows.groupby("user")["item"].transform("size").to_numpy()


def _shuffled_keys(rows: pd.DataFrame, seed: int) -> tuple[np.ndarray, ...]:
    return (np.random.default_rng(seed).random(len(rows)),)


def _time_keys(rows: pd.DataFrame, seed: int) -> tuple[np.ndarray, ...]:
    return (*_shuffled_keys(rows, seed), rows["timestamp"].to_numpy())


def _shares(n: np.ndarray, rule: SplitRule) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of validation and test rows of users with `n` rows; one row at least is left for training."""
    if rule.rounding == "mmrec":
        held_out = np.where(n < 10, 2, np.floor((rule.valid + rule.test) * n + EPSILON))
        valid = np.floor(held_out * rule.valid / (rule.valid + rule.test) + EPSILON)
        valid = np.where(n < 10, 1, valid)
        test = held_out - valid
    elif rule.rounding == "floor":
        valid, test = np.floor(rule.valid * n + EPSILON), np.floor(rule.test * n + EPSILON)
    else:
        valid, test = np.ceil(rule.valid * n - EPSILON), np.ceil(rule.test * n - EPSILON)
    test = np.minimum(test, n - 1)
    return np.minimum(valid, n - 1 - test).astype(np.int64), test.astype(np.int64)


def _last_rows(
    rows: pd.DataFrame, keys: tuple[np.ndarray, ...], n_valid: np.ndarray, n_test: np.ndarray
) -> np.ndarray:
    """Codes of parts: by ascending keys (the last key sorts first), a user's last rows are test, then validation."""
    users = rows["user"].to_numpy()
    order = np.lexsort((*keys, users))
    grouped = users[order]
    after_last = np.searchsorted(grouped, grouped, side="right")
    from_end = np.empty(len(rows), dtype=np.int64)
    from_end[order] = after_last - 1 - np.arange(len(rows))
    return np.where(from_end < n_test, TEST, np.where(from_end < n_test + n_valid, VALID, TRAIN))
