"""From what a source holds to what a study uses: one positive pair a row, by rules that the study states."""

from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from recsys.data.quarantine import INTERACTION_KEY, RowFilter, collect, quarantine_of
from recsys.data.raw import RawData
from recsys.errors import UserError


class KCore(BaseModel):
    """Fewest interactions that a user and an item need to stay; 0 asks for none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: int = Field(default=0, ge=0)
    items: int = Field(default=0, ge=0)


class CleaningRules(BaseModel):
    """What counts as a positive interaction, and who stays.

    Attributes:
        min_rating: ratings below are not positive; None takes every interaction, whatever its rating.
        k_core: a number for users and items alike, or one for each (`{items: 5}`). Applied until all hold.
            Items without any interaction stay in the catalogue unless `items` is 1 or more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_rating: float | None = Field(default=None, allow_inf_nan=False)
    k_core: KCore = KCore()

    @field_validator("k_core", mode="before")
    @classmethod
    def _alike(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"users": value, "items": value}
        if isinstance(value, dict | KCore):
            return value
        raise ValueError("write a whole number, or one for each, such as {users: 5, items: 5}")


@dataclass(frozen=True)
class Cleaned:
    """A catalogue after cleaning.

    Attributes:
        raw: what stays; the quarantine holds what was left out here, after what the reader left out.
        steps: interactions read, and interactions left out by `duplicates`, `min_rating` and `k_core`.
    """

    raw: RawData
    steps: dict[str, int]


def clean(raw: RawData, rules: CleaningRules) -> Cleaned:
    """Leave out repeated pairs, ratings below the threshold, and who has too few interactions, in this order.

    Of a pair that occurs more than once the latest counts, the first in the source where no time tells: a user
    who rated again has changed their mind, so this comes before the threshold.

    Raises:
        UserError: no interaction is left (the line says which step removed the last), or `min_rating` is set
            for a source without ratings.
    """
    if rules.min_rating is not None and "rating" not in raw.interactions:
        raise UserError("'min_rating' is set but the source has no ratings; leave it out or name the rating column")
    marks, reasons, steps = _marks(raw.interactions, rules)
    _refuse_empty(steps, rules)
    out = marks > 0
    interactions = (raw.interactions[~out] if out.any() else raw.interactions).reset_index(drop=True)
    left_out = quarantine_of(
        "interactions",
        raw.interactions[out],
        INTERACTION_KEY,
        [reasons[mark] for mark in marks[out]],
        raw.interactions.get("row"),
    )
    row_filter = RowFilter("items", raw.items, ("item_id",))
    if rules.k_core.items:
        missing = ~raw.items["item_id"].isin(interactions["item_id"].unique())
        row_filter.reject(missing, f"fewer than {rules.k_core.items} interactions")
    cleaned = replace(
        raw,
        items=row_filter.kept.reset_index(drop=True),
        interactions=interactions,
        quarantine=collect([raw.quarantine, left_out, row_filter.quarantine()]),
    )
    return Cleaned(cleaned, steps)


def _marks(interactions: pd.DataFrame, rules: CleaningRules) -> tuple[np.ndarray, list[str], dict[str, int]]:
    """For each interaction 0 where it stays, else its reason's place among the reasons; and the rows of each step."""
    con = duckdb.connect()
    try:
        # Codes for ids: DuckDB compares integers several times as fast as strings.
        source = pd.DataFrame(
            {
                "position": np.arange(len(interactions)),
                "user": pd.factorize(interactions["user_id"])[0],
                "item": pd.factorize(interactions["item_id"])[0],
                "rating": interactions.get("rating", np.nan),
                "timestamp": interactions.get("timestamp", 0),
            }
        )
        con.register("source", source)
        con.execute("CREATE TABLE pairs AS SELECT *, 0::UTINYINT AS mark FROM source")
        con.unregister("source")
        del source
        reasons = [""]
        steps = {
            "read": len(interactions),
            "duplicates": _drop_duplicates(con, reasons),
            "min_rating": _drop_low_ratings(con, reasons, rules.min_rating),
            "k_core": _drop_to_core(con, reasons, rules.k_core),
        }
        marks = np.asarray(con.execute("SELECT mark FROM pairs ORDER BY position").fetchnumpy()["mark"])
        return marks, reasons, steps
    finally:
        con.close()


def _drop_duplicates(con: duckdb.DuckDBPyConnection, reasons: list[str]) -> int:
    again = """SELECT position FROM pairs QUALIFY
        row_number() OVER (PARTITION BY "user", item ORDER BY "timestamp" DESC NULLS LAST, position) > 1"""
    return _mark(con, reasons, f"position IN ({again})", "pair again: the latest was kept, else the first")


def _drop_low_ratings(con: duckdb.DuckDBPyConnection, reasons: list[str], min_rating: float | None) -> int:
    if min_rating is None:
        return 0
    return _mark(con, reasons, "rating < ?", f"rating below {min_rating:g}", min_rating)


def _drop_to_core(con: duckdb.DuckDBPyConnection, reasons: list[str], core: KCore) -> int:
    """Alternate between users and items until neither loses a row: the order does not change the fixed point."""
    total, dropped = 0, 1
    while dropped:
        dropped = sum(
            _mark(
                con,
                reasons,
                f'''"{column}" IN (
                    SELECT "{column}" FROM pairs WHERE mark = 0 GROUP BY ALL HAVING count(*) < {k})''',
                f"{column} with fewer than {k} interactions",
            )
            for column, k in (("user", core.users), ("item", core.items))
            if k > 1
        )
        total += dropped
    return total


def _mark(con: duckdb.DuckDBPyConnection, reasons: list[str], condition: str, reason: str, *values: float) -> int:
    if reason not in reasons:
        reasons.append(reason)
    con.execute(f"UPDATE pairs SET mark = ? WHERE mark = 0 AND {condition}", [reasons.index(reason), *values])
    changed = con.fetchone()
    return int(changed[0]) if changed else 0


def _refuse_empty(steps: dict[str, int], rules: CleaningRules) -> None:
    left = steps["read"] - steps["duplicates"]
    if not left:
        raise UserError("the source has no usable interaction; look at its quarantine for the reasons")
    core = f"users: {rules.k_core.users}, items: {rules.k_core.items}"
    remedies = {"min_rating": f"lower 'min_rating' ({rules.min_rating})", "k_core": f"lower 'k_core' ({core})"}
    for step, remedy in remedies.items():
        if steps[step] == left:
            raise UserError(f"cleaning leaves no interaction: '{step}' removed the last {left}; {remedy}")
        left -= steps[step]
