"""Models trained for an asset: through the home's store, shown as progress, and logged in MLflow once a round."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import Any

from orchestration import keys
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.notes import experiment_note, run_note
from orchestration.tracked import TrackedDataset, TrackedTraining, run_id
from orchestration.training_progress import OnCell, in_cells, in_seconds
from recsys.content.arms import Arm
from recsys.content.features import FEATURES
from recsys.engine.runner import CellInputs, CellRunner, Watcher
from recsys.engine.stored import StoredCell
from recsys.study.applicable import left_out
from recsys.study.counting import n_settings
from recsys.study.estimate import cell_memory
from recsys.study.preparing import VERSIONS
from recsys.study.record import AssetRecord
from recsys.study.results import ModelResult
from recsys.study.study import Study
from recsys.study.training import ModelWork
from recsys.wording import count


class Trainings:
    """What is trained for one asset of a dataset.

    Attributes:
        cells: fingerprints of all cells, each once.
        computed: how many of them were computed now.
        lost: a line for each model of which the machine lost a training, by its memory, its disk or the like, even
            where no arm is left out for it.
    """

    def __init__(self, home: Home, study: Study, dataset: str, *, asset: str, run: str) -> None:
        """Trainings that belong to `asset`, in Dagster's run `run`."""
        self.home, self.study, self.dataset = home, study, dataset
        self.asset, self.run = asset, run
        self.cells: dict[str, None] = {}
        self.computed = 0
        self.lost: dict[str, str] = {}

    @property
    def mlflow_runs(self) -> list[str]:
        """The run of every cell."""
        return [run_id(self.dataset, each) for each in self.cells]

    def train(self, model: str, arms: Sequence[Arm], work: ModelWork) -> ModelResult:
        """Train arms of a model."""
        shown = arms[0].name if len(arms) == 1 else count(len(arms), "arm")
        label = f"{self.dataset}: {model}, {shown}{work.stage and f', {work.stage}'}"
        with self._progress(label, model, arms, work) as tell:
            watcher = Watcher(cell=tell, round=self._log)
            runner = CellRunner(self.home.store, self._inputs(model, arms), self.home.slots, watcher)
            result = work.do(runner)
        self.cells |= dict.fromkeys(runner.cells)
        self.computed += runner.computed
        if lost := [cell for cell in runner.cells.values() if cell.worth_another_try]:
            failed = f"{len(lost)} of {len(runner.cells)} trainings failed, which the next run tries again"
            self.lost[model] = f"{model}: {failed}: {lost[0].message}"
        return result

    def record(self, result: ModelResult, facts: dict[str, Any]) -> AssetRecord:
        """What lineage keeps of all that was trained, beside the facts of the asset."""
        left_out = {each.model for each in result.left_out}
        lost = [line for model, line in self.lost.items() if model not in left_out]
        return AssetRecord(
            facts=facts,
            rows=len(result.arms),
            mlflow_runs=self.mlflow_runs,
            failures=[*result.failures, *lost],
            worth_another_try=bool(lost) or any(each.worth_another_try for each in result.left_out),
        )

    def left_out(self, model: str) -> str:
        """Why a model is not trained at all, in one line; empty where it is."""
        facts = self._data.facts
        content = self._content(self.study.arms_of(self.dataset, model))
        return left_out(self.study, self.dataset, model, facts, _widths(content))

    @cached_property
    def _data(self) -> Event:
        return self.home.current(keys.dataset(self.dataset))

    def _content(self, arms: Sequence[Arm]) -> dict[str, Event]:
        sources = sorted({source for arm in arms for source in arm.sources})
        return {source: self.home.current(keys.embeddings(self.dataset, source)) for source in sources}

    def _inputs(self, model: str, arms: Sequence[Arm]) -> CellInputs:
        data, content = self._data, self._content(arms)
        return CellInputs(
            dataset=self.dataset,
            folder=self.home.folder(data),
            data_versions=data.facts[VERSIONS],
            content={source: self.home.folder(event) / FEATURES for source, event in content.items()},
            content_versions={source: event.content_hash for source, event in content.items()},
            model=model,
            protocol=self.study.evaluation,
            keeps_state=self.study.keeps_state,
            memory=cell_memory(model, data.facts["counts"], _widths(content)),
        )

    def _log(self, cells: Sequence[StoredCell]) -> None:
        self.home.tracker.log_all([self._training(cell) for cell in cells])

    @cached_property
    def _tracked_dataset(self) -> TrackedDataset:
        return TrackedDataset(
            name=self.dataset,
            digest=self._data.content_hash,
            folder=str(self.home.folder(self._data)),
            counts={name: self._data.facts["counts"][name] for name in ("users", "items", "interactions")},
            note=experiment_note(self.home.settings, self.study, self.dataset, self._data),
        )

    def _training(self, cell: StoredCell) -> TrackedTraining:
        record = cell.record
        repeat = record["repeat"]
        tags = {
            **{name: str(record[name]) for name in ("model", "arm", "repeat", "seed", "stage", "data_version")},
            "fingerprint": cell.fingerprint,
            "asset": self.asset,
            "dagster_run": self.run,
            **({"pruned": "true"} if cell.pruned else {}),
        }
        metrics = {} if cell.valid is None else {f"valid/{record['primary']}": cell.valid}
        return TrackedTraining(
            dataset=self._tracked_dataset,
            name=f"{record['arm']}, {record['model']}, repeat {repeat}, seed {record['seed']}, {record['stage']}",
            tags=tags,
            params=record["params"],
            metrics=metrics | {f"seconds/{name}": value for name, value in record["seconds"].items()},
            curve=record["curve"],
            started=record["ended"] - cell.seconds,
            ended=record["ended"],
            failed=cell.message,
            note=run_note(self.home.settings, self.study, cell, tags),
        )

    def _progress(
        self, label: str, model: str, arms: Sequence[Arm], work: ModelWork
    ) -> AbstractContextManager[OnCell]:
        """Progress in cells; while time is being spent, and their number is unknown, in seconds of tuning."""
        study, progress = self.study, self.home.progress
        most = partial(work.most_cells, study, model, len(arms))
        is_counted = work.n_cells is not None or study.tuning.minutes is None
        if is_counted or model in study.ensembles or n_settings(study, model) == 1:
            return in_cells(progress, label, most())

        def after(trials: int) -> int:
            return most(trials) - len(arms) * trials

        return in_seconds(progress, label, [arm.name for arm in arms], study.tuning.seconds, after)


def _widths(content: Mapping[str, Event]) -> dict[str, int]:
    """Columns of each embedding set."""
    return {source: event.facts["dim"] for source, event in content.items()}
