"""Cells under fingerprints: what was computed is found again, what is missing is computed and stored."""

import errno
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recsys.content.arms import Arm
from recsys.engine.cell import Cell, CellResult, run_cell
from recsys.engine.code import cell_code, runs_on_gpu
from recsys.engine.failure import CellOutcome, Failure, unread_input
from recsys.engine.pool import run_cells
from recsys.engine.slots import Needs, Slots
from recsys.engine.stored import RECORD, StoredCell, place
from recsys.evaluation.protocol import Protocol
from recsys.fingerprints import fingerprint
from recsys.intact import damaged
from recsys.models import registry
from recsys.store import Store
from recsys.tuning.trials import Trial

logger = logging.getLogger(__name__)
_TUNING_SEEDS = 1_000
"""Where the seeds of tuning cells begin: what is chosen must not have seen the seed of the final cell."""


@dataclass(frozen=True)
class CellInputs:
    """What the cells of one model share.

    Attributes:
        dataset: its name.
        folder: its version's folder.
        data_versions: hash of what each repeat learns from and is measured by.
        content: file of the features by source.
        content_versions: hash of each set's content.
        model: class name.
        protocol: evaluation settings.
        keeps_state: whether the final cells of an arm keep the fitted model.
        memory: bytes that a cell needs, from its hyper-parameters and its arm; 0 where unknown.
    """

    dataset: str
    folder: Path
    data_versions: Sequence[str]
    content: dict[str, Path]
    content_versions: dict[str, str]
    model: str
    protocol: Protocol
    keeps_state: Callable[[Arm], bool] = lambda arm: False
    memory: Callable[[dict[str, Any], Arm], float] = lambda params, arm: 0.0

    def cell(self, trial: Trial) -> Cell:
        """The cell that a trial asks for."""
        arm, repeat = trial.arm, self._repeat(trial)
        return Cell(
            dataset=str(self.folder),
            repeat=repeat,
            content={source: str(self.content[source]) for source in arm.sources},
            model=self.model,
            params=trial.params,
            arm=arm,
            seed=self._seed(trial),
            stage=trial.stage,
            protocol=self.protocol,
            pruning_curve=trial.pruning_curve,
            keep_state=trial.stage == "final" and repeat == 1 and self.keeps_state(arm),
        )

    def _repeat(self, trial: Trial) -> int:
        """The first repeat with the same cell: where split and content are a closed form's too, there is but one."""
        if trial.arm.is_random or not registry.load(self.model).deterministic:
            return trial.repeat
        return self.data_versions.index(self.data_versions[trial.repeat - 1]) + 1

    def _seed(self, trial: Trial) -> int:
        # A closed-form model gives the same for every seed.
        if registry.load(self.model).deterministic:
            return 0
        return trial.repeat if trial.stage == "final" else _TUNING_SEEDS + trial.repeat

    def fingerprint(self, cell: Cell) -> str:
        """Hash of everything the cell depends on."""
        return fingerprint(
            self.data_versions[cell.repeat - 1],
            {source: self.content_versions[source] for source in cell.arm.sources},
            cell.model,
            cell.params,
            asdict(cell.arm),
            # Only a random control draws anything by the repeat itself.
            cell.repeat if cell.arm.is_random else None,
            cell.seed,
            cell.stage,
            cell.keep_state,
            cell.protocol.model_dump(),
            cell.pruning_curve and asdict(cell.pruning_curve),
            cell_code(cell.model, cell.protocol.primary_name),
        )


@dataclass(frozen=True)
class Watcher:
    """Callbacks: `cell` is called with each cell once it is stored, `round` with all of a round once it has ended."""

    cell: Callable[[StoredCell], None] = lambda cell: None
    round: Callable[[Sequence[StoredCell]], None] = lambda cells: None


class CellRunner:
    """Runs the cells of one model through the store; a `recsys.tuning.trials.Runner`."""

    def __init__(self, store: Store, inputs: CellInputs, slots: Slots, watcher: Watcher) -> None:
        """A runner for cells that share `inputs`."""
        self.store, self.inputs, self.slots, self.watcher = store, inputs, slots, watcher
        self.place = place(inputs.dataset)
        self.cells: dict[str, StoredCell] = {}
        self.to_replace: dict[str, StoredCell] = {}
        """Cells that failed in earlier runs for what may have passed by now: this run tries them again."""
        self.computed = 0
        self._damage_reported = False

    def __call__(self, trials: Sequence[Trial]) -> list[StoredCell]:
        """The cells of all trials, in their order; only missing ones are computed, each once."""
        cells = [self.inputs.cell(trial) for trial in trials]
        fingerprints = [self.inputs.fingerprint(cell) for cell in cells]
        found = {each: stored for each in set(fingerprints) if (stored := self._find(each))}
        missing = {each: cell for each, cell in zip(fingerprints, cells, strict=True) if each not in found}
        for each in dict.fromkeys(fingerprints):
            if each in found:
                self.watcher.cell(found[each])
        found |= self._compute(missing)
        self.watcher.round([found[each] for each in dict.fromkeys(fingerprints)])
        self.cells |= found
        return [found[each] for each in fingerprints]

    def made(self, makes: Mapping[str, Callable[[Path], dict[str, Any]]]) -> dict[str, StoredCell]:
        """Cells that are made here, of other cells; only missing ones are.

        Args:
            makes: by fingerprint, what writes a cell's files into a folder and gives its record.
        """
        found: dict[str, StoredCell] = {}
        for each, make in makes.items():
            stored = self._find(each)
            if stored is None:
                with self.store.scratch(self.place) as scratch:
                    stored = self._keep(each, make(scratch), scratch)
                self.computed += 1
            found[each] = stored
            self.watcher.cell(stored)
        self.watcher.round(list(found.values()))
        self.cells |= found
        return found

    def _find(self, each: str) -> StoredCell | None:
        """A cell of the store, None where it is to be computed; within one search a failure stands."""
        stored = self._load(each)
        if stored is None or each in self.cells or not stored.worth_another_try:
            return stored
        self.to_replace[each] = stored
        return None

    def _load(self, each: str) -> StoredCell | None:
        """A cell of the store, None where it is not there or a file of it is damaged or gone."""
        folder = self.store.find(self.place, each)
        if folder is None:
            return None
        try:
            file = damaged(folder)
            if file is None:
                return StoredCell.load(folder)
        except FileNotFoundError:  # another run is replacing it
            return None
        if not self._damage_reported:
            logger.warning("%s: is damaged or gone; this cell and others like it are computed anew", file)
            self._damage_reported = True
        return None

    def _compute(self, missing: dict[str, Cell]) -> dict[str, StoredCell]:
        names, made = list(missing), {}
        with self.store.scratch(self.place) as scratch:
            jobs = [_Job(cell, scratch / each) for each, cell in missing.items()]
            for position, outcome in run_cells(jobs, self.slots, _run, self._needs):
                job = jobs[position]
                made[names[position]] = self._keep(names[position], self._record(job.cell, outcome), job.out)
                self.computed += 1
                self.watcher.cell(made[names[position]])
        return made

    def _needs(self, job: "_Job") -> Needs:
        memory = int(self.inputs.memory(job.cell.params, job.cell.arm))
        # Data and content pass through main memory on their way to a GPU, so that it is counted in full there, too.
        return Needs(memory, gpu_memory=memory if runs_on_gpu(job.cell.model) else None)

    def _keep(self, each: str, record: dict[str, Any], files: Path) -> StoredCell:
        """Store a cell, or find that another run has stored it meanwhile, which then counts for both."""

        def fill(folder: Path) -> None:
            (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
            if files.is_dir() and not record["failure_kind"]:
                for file in files.iterdir():
                    file.rename(folder / file.name)

        with self.store.lock(self.place):
            stored = self._load(each)
            if stored is not None and not self._replaces(each, record, stored):
                return stored
            return StoredCell.load(self.store.write(self.place, each, fill, replace=True))

    def _replaces(self, each: str, record: dict[str, Any], stored: StoredCell) -> bool:
        """Whether what came of a cell takes the place of what is stored of it."""
        if not stored.worth_another_try:
            return False
        if not record["failure_kind"]:
            return True
        # Results of this or another run may have been made of a stored failure. So a new failure takes its place only
        # where it is the very record that this run set out to replace, and there is something new to say.
        before = self.to_replace.get(each)
        found_before = before is not None and before.record == stored.record
        return found_before and record["failure_kind"] != stored.record["failure_kind"]

    def _record(self, cell: Cell, outcome: CellOutcome) -> dict[str, Any]:
        described = {
            "dataset": self.inputs.dataset,
            "model": cell.model,
            "arm": cell.arm.name,
            "repeat": cell.repeat,
            "seed": cell.seed,
            "stage": cell.stage,
            "params": cell.params,
            "primary": cell.protocol.primary,
            "data_version": self.inputs.data_versions[cell.repeat - 1],
            "ended": time.time(),
        }
        if isinstance(outcome, Failure):
            nothing: dict[str, Any] = {
                "valid": None,
                "curve": [],
                "pruned": False,
                "content_used": False,
                "peak_memory": None,
            }
            failure = {"failure": outcome.message, "failure_kind": outcome.kind}
            return described | nothing | failure | {"seconds": {"fit": outcome.seconds}}
        return described | asdict(outcome) | {"failure": "", "failure_kind": ""}


@dataclass(frozen=True)
class _Job:
    """A cell and the folder that it writes into."""

    cell: Cell
    out: Path


def _run(job: _Job) -> CellResult:
    if job.cell.stage == "final":  # a tuning cell leaves no files
        job.out.mkdir(parents=True, exist_ok=True)
    try:
        return run_cell(job.cell, job.out)
    except (OSError, json.JSONDecodeError) as error:
        unread = unread_input(job.cell, error)
        if unread is None:
            raise
        # No error of the model, which would be kept: the input may be made anew.
        raise OSError(errno.ESTALE, "an input was changed while the cell ran, or is damaged", unread) from error
