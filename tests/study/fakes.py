"""Training without models: the real search over cells whose value on validation is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.content.arms import Arm
from recsys.study.results import ModelResult
from recsys.study.study import Study
from recsys.study.training import ModelWork, train_model
from recsys.tuning.trials import Trial

Value = Callable[[str, Trial], float | None]
"""What a model reaches on validation in a trial; None where it fails."""


@dataclass(frozen=True)
class FakeCell:
    """What the search and its results need of a stored cell."""

    fingerprint: str
    valid: float | None
    record: dict[str, Any]
    message: str = ""
    curve: Sequence[dict[str, float]] = ()
    pruned: bool = False
    seconds: float = 1.0
    worth_another_try: bool = False


@dataclass
class FakeRunner:
    """A `CellRunner` of one model."""

    model: str
    value: Value
    asked: list[Trial] = field(default_factory=list)
    cells: dict[str, FakeCell] = field(default_factory=dict)

    def __call__(self, trials: Sequence[Trial]) -> list[FakeCell]:
        self.asked += trials
        return [self._run(trial) for trial in trials]

    def _run(self, trial: Trial) -> FakeCell:
        name = f"{self.model} {trial.arm.name} {trial.stage} {trial.repeat} {trial.params}"
        value = self.value(self.model, trial)
        record = {"arm": trial.arm.name, "content_used": bool(trial.arm.sources)}
        self.cells[name] = FakeCell(name, value, record, "" if value is not None else "its loss is NaN")
        return self.cells[name]


@dataclass
class Trainer:
    """Trains arms of a study's models as `recsys.run` and the assets do, and remembers what was asked.

    Attributes:
        counts: of each call the stage, the cells, and how many there should be at most.
    """

    study: Study
    value: Value
    asked: list[tuple[str, Trial]] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    counts: list[tuple[str, int, int]] = field(default_factory=list)

    def train(self, model: str, arms: Sequence[Arm], work: ModelWork) -> ModelResult:
        """A `recsys.study.controls.Train`."""
        runner = FakeRunner(model, self.value)
        self.stages.append(work.stage)
        result = work.do(runner)  # type: ignore[arg-type]
        self.counts.append((work.stage, len(runner.cells), work.most_cells(self.study, model, len(arms))))
        self.asked += [(model, trial) for trial in runner.asked]
        assert {trial.arm for trial in runner.asked} <= set(arms)
        return result

    def models(self, dataset: str) -> ModelResult:
        """All of the study's models on their own arms."""
        found = ModelResult()
        for model in self.study.models:
            arms = self.study.arms_of(dataset, model)
            found += train_model(self.study, model, arms, FakeRunner(model, self.value))  # type: ignore[arg-type]
        return found
