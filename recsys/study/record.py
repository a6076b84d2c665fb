"""What making an asset leaves behind beside its files, checks among it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

LEFT_OUT = "left_out"
"""The fact of a model that says why it is not trained on a dataset."""


class Check(BaseModel):
    """One check and what it found."""

    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool
    message: str


@dataclass(frozen=True)
class AssetRecord:
    """What making an asset leaves behind beside the files it wrote.

    Attributes:
        facts: small values for a person and for assets downstream (JSON).
        rows: rows of the main table.
        checks: what was checked on the way.
        mlflow_runs: ids of the runs that belong to it.
        failures: one line for each model that was left out because it failed.
        worth_another_try: whether a part failed for what the machine lacked at the time; such a version is not
            reused, but made again when it is next asked for.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None
    checks: Sequence[Check] = ()
    mlflow_runs: Sequence[str] = ()
    failures: Sequence[str] = ()
    worth_another_try: bool = False
