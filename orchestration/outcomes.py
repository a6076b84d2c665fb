"""What model assets hand on: for each (model, arm) its choice, its trials and its final cells."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

RESULT = "result.json"


class ArmResult(BaseModel):
    """What came of one (model, arm).

    Attributes:
        valid: primary metric on validation, mean over the final seeds; the only figure that choices may use.
        content_used: whether the chosen hyper-parameters give content any weight.
        trials: one row a tuning trial, in order: `params`, `valid` (None: failed), `seconds`.
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
    finals: list[str]
    seconds: float


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
