"""Cells under fingerprints: what was computed is found again, what is missing is computed, logged and stored."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.fingerprints import cell_code, fingerprint
from orchestration.home import Home
from orchestration.stored_cells import StoredCell, load_cell, place
from orchestration.tracking import Training
from recsys.content.arms import Arm
from recsys.engine.cell import Cell, CellResult
from recsys.engine.failure import CellOutcome, Failure
from recsys.engine.pool import run_cells
from recsys.engine.slots import Slots, default_workers
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.tuning.search import Trial


@dataclass(frozen=True)
class Inputs:
    """What the cells of one model share.

    Attributes:
        dataset: name of the dataset, also of the MLflow experiment.
        folder: its version's folder.
        data_version: hash of that version's content.
        content: folder of the embedding set by source.
        content_versions: hash of each set's content.
        model: class name.
        protocol: evaluation settings.
        asset: the asset the cells belong to.
        run: Dagster's run id.
    """

    dataset: str
    folder: Path
    data_version: str
    content: dict[str, Path]
    content_versions: dict[str, str]
    model: str
    protocol: Protocol
    asset: str
    run: str

    def cell(self, trial: Trial) -> Cell:
        """The cell that a trial asks for."""
        arm = trial.arm
        return Cell(
            dataset=str(self.folder),
            content={source: str(self.content[source] / "features.safetensors") for source in arm.sources},
            model=self.model,
            params=trial.params,
            arm=arm,
            seed=self._seed(arm, trial.seed),
            stage=trial.stage,
            protocol=self.protocol,
            bar=trial.pruning_curve,
        )

    def _seed(self, arm: Arm, seed: int) -> int:
        # A closed-form model on honest content gives the same for every seed: one cell stands for all of them.
        return 0 if registry.load(self.model).deterministic and arm.control is None else seed

    def fingerprint(self, cell: Cell) -> str:
        """Hash of everything the cell depends on."""
        shown = {source: self.content_versions[source] for source in cell.arm.sources}
        protocol = cell.protocol.model_dump()
        return fingerprint(
            self.data_version,
            shown,
            cell.model,
            cell.params,
            asdict(cell.arm),
            cell.seed,
            cell.stage,
            protocol,
            cell.bar and asdict(cell.bar),
            cell_code(cell.model),
        )


class CellRunner:
    """Runs the cells of one model asset through the store."""

    def __init__(self, home: Home, inputs: Inputs, tell: Callable[[StoredCell], None]) -> None:
        """A runner for cells that share `inputs`; `tell` is told of each cell once it is there."""
        self.home = home
        self.inputs = inputs
        self.tell = tell
        self.workers = home.settings.workers or default_workers()
        self.place = place(inputs.dataset)
        self.runs: list[str] = []
        self.computed = 0

    def __call__(self, trials: Sequence[Trial]) -> list[StoredCell]:
        """The cells of all trials, in their order; only missing ones are computed, each once."""
        cells = [self.inputs.cell(trial) for trial in trials]
        marks = [self.inputs.fingerprint(cell) for cell in cells]
        missing = {
            mark: cell for mark, cell in zip(marks, cells, strict=True) if not self.home.store.find(self.place, mark)
        }
        found = self._computed(missing) if missing else {}
        for mark in dict.fromkeys(mark for mark in marks if mark not in missing):
            found[mark] = load_cell(self.home, self.inputs.dataset, mark)
            self.tell(found[mark])
        self.runs += [cell.record["mlflow_run"] for cell in found.values()]
        return [found[mark] for mark in marks]

    def _computed(self, missing: dict[str, Cell]) -> dict[str, StoredCell]:
        marks, cells = list(missing), list(missing.values())
        made = {}
        for position, outcome in run_cells(cells, Slots(self.workers)):
            mark = marks[position]
            self._keep(mark, cells[position], outcome)
            # Read back: where another process was quicker, its cell counts for both.
            made[mark] = load_cell(self.home, self.inputs.dataset, mark)
            self.computed += 1
            self.tell(made[mark])
        return made

    def _keep(self, mark: str, cell: Cell, outcome: CellOutcome) -> None:
        record = self._record(cell, outcome)
        record["mlflow_run"] = self.home.tracker.log(self._training(mark, cell, record))

        def fill(folder: Path) -> None:
            (folder / "cell.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
            if isinstance(outcome, CellResult) and outcome.test is not None and outcome.ranking is not None:
                outcome.test.to_parquet(folder / "test.parquet", index=False)
                _ranking_table(outcome).to_parquet(folder / "ranking.parquet", index=False)

        self.home.store.write(self.place, mark, fill)

    def _record(self, cell: Cell, outcome: CellOutcome) -> dict[str, Any]:
        described = {
            "dataset": self.inputs.dataset,
            "model": cell.model,
            "arm": cell.arm.name,
            "seed": cell.seed,
            "stage": cell.stage,
            "params": cell.params,
            "primary": cell.protocol.primary,
            "ended": time.time(),
        }
        if isinstance(outcome, Failure):
            empty = {"valid": {}, "curve": [], "pruned": False, "content_used": False, "lists": {}, "test": {}}
            return described | empty | {"seconds": {"fit": outcome.seconds}, "failure": outcome.message}
        test = {} if outcome.test is None else outcome.test.drop(columns="user").mean().to_dict()
        kept = {
            key: getattr(outcome, key)
            for key in ("valid", "curve", "pruned", "content_used", "seconds", "lists", "peak_memory")
        }
        return described | kept | {"test": test, "failure": ""}

    def _training(self, mark: str, cell: Cell, record: dict[str, Any]) -> Training:
        tags = {
            "model": cell.model,
            "arm": cell.arm.name,
            "seed": str(cell.seed),
            "stage": cell.stage,
            "fingerprint": mark,
            "asset": self.inputs.asset,
            "dagster_run": self.inputs.run,
            "data_version": self.inputs.data_version,
            **({"pruned": "true"} if record["pruned"] else {}),
        }
        seconds = {f"seconds_{name}": value for name, value in record["seconds"].items()}
        valid = {f"valid_{name}": value for name, value in record["valid"].items()}
        return Training(
            experiment=self.inputs.dataset,
            name=f"{cell.arm.name}, {cell.model}, seed {cell.seed}",
            tags=tags,
            params=cell.params,
            metrics=valid | record["test"] | record["lists"] | seconds,
            curve=record["curve"],
            started=record["ended"] - sum(record["seconds"].values()),
            ended=record["ended"],
            failed=record["failure"],
        )


def _ranking_table(result: CellResult) -> pd.DataFrame:
    ranking = result.ranking
    assert ranking is not None
    n_users, depth = ranking.items.shape
    table = pd.DataFrame(
        {
            "user": ranking.users.repeat(depth),
            "rank": list(range(1, depth + 1)) * n_users,
            "item": ranking.items.ravel(),
            "score": ranking.scores.ravel(),
        }
    )
    return table[table["item"] >= 0].astype({"rank": "int16"})
