"""What trained models hand on: for each (model, arm) its choice, trials and final cells, or why it was left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from recsys.content.arms import Arm, Control
from recsys.engine.stored import StoredCell
from recsys.errors import UserError
from recsys.evidence.scores import Pair
from recsys.models import registry
from recsys.tuning.trials import Searched, Trained, Tried

RESULT = "result.json"


class ArmResult(BaseModel):
    """What came of one (model, arm).

    Attributes:
        settings: the hyper-parameters of each repeat.
        valid: primary metric on validation, mean over repeats; the only figure that choices may use.
        valid_by_repeat: the same for each repeat.
        content_used: whether the chosen hyper-parameters give content any weight.
        seeded: whether training, or the control, depends on a seed.
        trials: one a setting that the first repeat tried, in order; the last `n_nested` were chosen elsewhere.
        exhausted: whether the trials are all the settings that there are.
        finals: fingerprint of the final cell of each repeat.
        seconds: of fitting and ranking all its cells, each counted once.
        members: of an ensemble, whose lists are added; its trials are the weights that were tried.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    arm: str
    sources: tuple[str, ...]
    control: Control | None
    altered: tuple[str, ...]
    settings: list[dict[str, Any]]
    valid: float
    valid_by_repeat: list[float]
    content_used: bool
    seeded: bool
    trials: list[Tried]
    n_nested: int
    exhausted: bool
    finals: list[str]
    seconds: float
    members: list[Pair] = []

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
            settings=trained.settings,
            valid=sum(values) / len(values),
            valid_by_repeat=values,
            content_used=any(cell.record["content_used"] for cell in finals),
            seeded=arm.is_random or not registry.load(model).deterministic,
            trials=trained.trials,
            n_nested=trained.n_nested,
            exhausted=trained.exhausted,
            finals=[cell.fingerprint for cell in finals],
            seconds=trained.seconds,
        )

    @property
    def pair(self) -> Pair:
        """Its model and its arm, by name."""
        return self.model, self.arm

    @property
    def n_trials(self) -> int:
        """Trials of its own search; an ensemble has none."""
        return 0 if self.members else self.searched.n_own

    @property
    def n_failed(self) -> int:
        """Those of them that gave no value, as without the memory that they needed."""
        return sum(not each.counts and not each.pruned for each in self.trials[: self.n_trials])

    @property
    def n_weightings(self) -> int:
        """Combinations of weights that were tried of an ensemble."""
        return len(self.trials) if self.members else 0

    @property
    def standing(self) -> tuple[bool, float]:
        """Its place among the arms of its model, the highest best: by validation alone, and controls come last."""
        return self.control is None, self.valid

    @property
    def params(self) -> dict[str, Any]:
        """The hyper-parameters of the first repeat, which spent the whole budget."""
        return self.settings[0]

    @property
    def shown_params(self) -> dict[str, Any]:
        """The same as a person reads them: without what is left to the data; an ensemble's weights by member."""
        if not self.members:
            return {name: value for name, value in self.params.items() if value is not None}
        return {"by": self.params["by"], **self.params["weights"]}

    @property
    def as_arm(self) -> Arm:
        """The arm, with its control."""
        return Arm(self.arm, self.sources, self.control, self.altered)

    @property
    def searched(self) -> Searched:
        """What is known of it to the search, which can go on from there."""
        return Searched(list(self.trials), self.n_nested, self.exhausted)

    @property
    def shortlist(self) -> list[dict[str, Any]]:
        """The settings among which later repeats choose, the best first."""
        return self.searched.shortlist

    @property
    def shown(self) -> Arm:
        """The arm without the control in it: what the model would be shown of real content."""
        return Arm(self.arm, self.sources)

    @property
    def best(self) -> pd.Series:
        """Best value on validation after each trial; a pruned one does not count. NaN before the first."""
        values = [trial.valid if trial.counts else None for trial in self.trials]
        return pd.Series(values, dtype=float).cummax().ffill()

    @property
    def pruned(self) -> list[int]:
        """Numbers of the trials that were pruned, from 1."""
        return [number for number, trial in enumerate(self.trials, start=1) if trial.pruned]


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

    def updated(self, other: "ModelResult") -> "ModelResult":
        """The same with the arms of another in the place of those of the same name, and with its further arms.

        An arm that either of them trained is not left out.
        """
        arms = {arm.pair: arm for arm in [*self.arms, *other.arms]}
        lost = dict.fromkeys(self.left_out + other.left_out)
        return ModelResult(
            arms=list(arms.values()),
            left_out=[each for each in lost if (each.model, each.arm) not in arms],
            inapplicable=list(dict.fromkeys(self.inapplicable + other.inapplicable)),
        )

    def require_arms(self, dataset: str) -> None:
        """UserError where none of the study's models could be trained, with the first reason."""
        if not self.arms:
            why = (*self.failures, *self.inapplicable)[0]
            raise UserError(f"dataset {dataset}: none of the study's models could be trained: {why}")

    def find(self, pair: Pair) -> ArmResult | None:
        """What came of a (model, arm); None where it was not trained."""
        return next((arm for arm in self.arms if arm.pair == pair), None)

    def arm(self, pair: Pair) -> ArmResult:
        """What came of a (model, arm); KeyError where it was not trained."""
        found = self.find(pair)
        if found is None:
            raise KeyError(pair)
        return found

    @property
    def failures(self) -> list[str]:
        """One line for each model that lost an arm: which arms, the reason of the first, whether it may do better."""
        lost: dict[str, list[LeftOutArm]] = {}
        for each in self.left_out:
            lost.setdefault(each.model, []).append(each)
        return [
            f"{model} left out ({', '.join(dict.fromkeys(each.arm for each in arms))}): {arms[0].reason}"
            f"{'; the next run tries again' if any(each.worth_another_try for each in arms) else ''}"
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
        """All of several folders, in their order; a later folder's arms replace earlier ones of the same name."""
        found = cls()
        for folder in folders:
            found = found.updated(cls.load(folder))
        return found
