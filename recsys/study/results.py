"""What trained models hand on: for each (model, arm) its choice, trials and final cells, or why it was left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from recsys.content.arms import Arm
from recsys.engine.stored import StoredCell
from recsys.evidence.scores import Pair
from recsys.tuning.search import Trained

RESULT = "result.json"


class ArmResult(BaseModel):
    """What came of one (model, arm).

    Attributes:
        valid: primary metric on validation, mean over the final seeds; the only figure that choices may use.
        content_used: whether the chosen hyper-parameters give content any weight.
        trials: one row a tuning trial, in order: `params`, `valid` (None: failed), `pruned` (`valid` being what it
            had reached), `seconds`.
        exhausted: whether the trials are all the settings that there are.
        finals: fingerprint of the final cell of each seed.
        seconds: of fitting and ranking all its cells.
        spans: start and end of each cell, seconds since 1970.
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
    spans: list[tuple[float, float]] = []

    @classmethod
    def of(cls, model: str, trained: Trained[StoredCell]) -> "ArmResult":
        """What is handed on of an arm that was tuned and trained."""
        arm, finals = trained.arm, trained.finals
        values = [cell.valid for cell in finals if cell.valid is not None]
        return cls(
            model=model,
            arm=arm.name,
            sources=arm.sources,
            control=arm.control,
            altered=arm.altered,
            params=trained.params,
            valid=sum(values) / len(values),
            content_used=any(cell.record["content_used"] for cell in finals),
            trials=[
                {"params": cell.record["params"], "valid": cell.valid, "pruned": cell.pruned, "seconds": cell.seconds}
                for cell in trained.trials
            ],
            exhausted=trained.exhausted,
            finals=[cell.fingerprint for cell in finals],
            seconds=sum(cell.seconds for cell in (*trained.trials, *finals)),
            spans=[(cell.record["ended"] - cell.seconds, cell.record["ended"]) for cell in (*trained.trials, *finals)],
        )

    @property
    def pair(self) -> Pair:
        """Its model and its arm, by name."""
        return self.model, self.arm

    @property
    def shown(self) -> Arm:
        """The arm without the control in it: what the model would be shown of real content."""
        return Arm(self.arm, self.sources)

    @property
    def best(self) -> pd.Series:
        """Best value on validation after each trial; a pruned one does not count. NaN before the first."""
        values = [None if trial["pruned"] else trial["valid"] for trial in self.trials]
        return pd.Series(values, dtype=float).cummax().ffill()

    @property
    def pruned(self) -> list[int]:
        """Numbers of the trials that were pruned, from 1."""
        return [number for number, trial in enumerate(self.trials, start=1) if trial["pruned"]]


class LeftOutArm(BaseModel):
    """An arm of a model without a single good trial, or whose final training failed.

    Attributes:
        reason: why, in one line.
        worth_another_try: whether the machine lacked something at the time, such as memory.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    arm: str
    reason: str
    worth_another_try: bool = False


class ModelResult(BaseModel):
    """What came of a list of arms, of one model or of several.

    Attributes:
        arms: those that were tuned and trained.
        left_out: those that failed.
        inapplicable: one line for each model that was left out before anything was trained.
    """

    model_config = ConfigDict(frozen=True)

    arms: list[ArmResult] = []
    left_out: list[LeftOutArm] = []
    inapplicable: list[str] = []

    def __add__(self, other: "ModelResult") -> "ModelResult":
        """Both together."""
        return ModelResult(
            arms=self.arms + other.arms,
            left_out=self.left_out + other.left_out,
            inapplicable=self.inapplicable + other.inapplicable,
        )

    @property
    def failures(self) -> list[str]:
        """One line for each model that lost an arm: which arms, and the reason of the first."""
        lost: dict[str, list[LeftOutArm]] = {}
        for each in self.left_out:
            lost.setdefault(each.model, []).append(each)
        return [
            f"{model} left out ({', '.join(dict.fromkeys(each.arm for each in arms))}): {arms[0].reason}"
            for model, arms in lost.items()
        ]

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        (folder / RESULT).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ModelResult":
        """Read it from a folder."""
        return cls.model_validate_json((folder / RESULT).read_text(encoding="utf-8"))

    @classmethod
    def load_all(cls, folders: Sequence[Path]) -> "ModelResult":
        """All of several folders, in their order."""
        return sum((cls.load(folder) for folder in folders), cls())
