"""What model assets hand on: for each (model, arm) its choice, its trials and its final cells."""

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

RESULT = "result.json"


class ArmResult(BaseModel):
    """What came of one (model, arm).

    Attributes:
        valid: primary metric on validation, mean over the final seeds; the only figure that choices may use.
        content_used: whether the chosen hyper-parameters give content any weight.
        trials: one row a tuning trial, in order: `params`, `valid` (None: failed), `pruned` (given up as hopeless,
            `valid` being what it had reached), `seconds`.
        exhausted: whether the trials are all the settings that there are.
        finals: fingerprint of the final cell of each seed.
        seconds: of fitting and evaluating all its cells.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    arm: str
    sources: tuple[str, ...]
    control: str | None
    altered: tuple[str, ...]
    params: dict[str, Any]
    valid: float
    content_used: bool
    trials: list[dict[str, Any]]
    exhausted: bool
    finals: list[str]
    seconds: float

    @property
    def best(self) -> pd.Series:
        """Best value on validation after each trial; one that was given up does not count. NaN before the first."""
        values = [None if trial["pruned"] else trial["valid"] for trial in self.trials]
        return pd.Series(values, dtype=float).cummax().ffill()

    @property
    def pruned(self) -> list[int]:
        """Numbers of the trials that were given up, from 1."""
        return [number for number, trial in enumerate(self.trials, start=1) if trial["pruned"]]


class ModelResult(BaseModel):
    """What came of a list of arms, of one model or of several."""

    model_config = ConfigDict(frozen=True)

    arms: list[ArmResult]

    def save(self, folder: Path) -> None:
        """Write it into an asset's folder."""
        (folder / RESULT).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ModelResult":
        """Read it from an asset's folder."""
        return cls.model_validate_json((folder / RESULT).read_text(encoding="utf-8"))
