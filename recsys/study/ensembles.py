"""Ensembles: the lists of fitted models added up, with weights from the validation part.

Which models an ensemble has on which arm is in `recsys.study.ensemble_spec`.

**Nothing is trained.** The members are rows of the study, and what is added are the lists that their final cells left,
which is a cell again: two files of lists with a record, found by the fingerprints of its members' cells. Its fitted
model is not kept, for it is those of its members.

**The weights** of each repeat, and whether scores or ranks are added (see `recsys.study.added_lists`), are chosen on
its own validation lists. The test lists are first opened when the weights are settled.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recsys.content.arms import Arm
from recsys.data.dataset import Dataset
from recsys.engine.runner import CellRunner
from recsys.engine.stored import StoredCell
from recsys.engine.worker import one_thread
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.metrics.registry import metric_module
from recsys.evidence.scores import label
from recsys.fingerprints import code_of, fingerprint
from recsys.study.added_lists import Added, Scale, Weighting, best_of, choose
from recsys.study.ensemble_spec import Ensemble, Member
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.tuning.trials import Params, Tried

SOURCE = (
    "Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble Selection from Libraries of Models, ICML 2004; "
    "Cormack, Clarke, Buettcher: Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank Learning Methods, "
    "SIGIR 2009; Fox, Shaw: Combination of Multiple Searches, TREC-2 1994"
)
"""What ensembles follow, as models name theirs."""


@one_thread()
def train_ensemble(
    name: str,
    ensemble: Ensemble,
    arms: Sequence[Arm],
    results: ModelResult,
    runner: CellRunner,
    settings: Sequence[Params] | None = None,
) -> ModelResult:
    """Add up what members left on arms of a dataset.

    Args:
        name: the ensemble's.
        ensemble: who is added, and how.
        arms: it is left out of those on which a member is.
        results: what came of the members.
        runner: keeps its cells.
        settings: of each repeat, as chosen on another arm; None: weights are chosen.
    """
    there = {each.model for each in results.arms} | {each.model for each in results.left_out}
    if absent := [model for model in ensemble.of if model not in there]:
        return ModelResult(inapplicable=[f"{name} is left out, since its member {absent[0]} is"])
    found = ModelResult()
    for arm in arms:
        members = ensemble.members(arm)
        known = {each.name: _of(results, each) for each in members}
        if lost := [each for each in members if known[each.name] is None]:
            found.left_out.append(_left_out(name, arm, lost[0], results))
        else:
            added = {each: result for each, result in known.items() if result}
            found.arms.append(_added(name, ensemble, arm, added, runner, settings))
    return found


def _of(results: ModelResult, member: Member) -> ArmResult | None:
    """What came of a member; another arm that happens to have the same name is none."""
    found = results.find((member.model, member.arm.name))
    return found if found and found.as_arm == member.arm else None


def _left_out(name: str, arm: Arm, lost: Member, results: ModelResult) -> LeftOutArm:
    pair = lost.model, lost.arm.name
    return LeftOutArm(
        model=name,
        arm=arm.name,
        reason=f"its member {label(*pair)} was left out",
        worth_another_try=any(each.worth_another_try for each in results.left_out if (each.model, each.arm) == pair),
    )


def _added(
    name: str,
    ensemble: Ensemble,
    arm: Arm,
    members: Mapping[str, ArmResult],
    runner: CellRunner,
    settings: Sequence[Params] | None,
) -> ArmResult:
    """An ensemble on one arm in every repeat; repeats whose members' cells are the same share theirs."""
    finals = list(zip(*(each.finals for each in members.values()), strict=True))
    making = _Making(name, arm, list(members), ensemble.scales, runner)
    fixed: Sequence[Params | None] = settings or [None] * len(finals)
    wanted = [making.fingerprint(*each) for each in zip(finals, fixed, strict=True)]
    makes: dict[str, Callable[[Path], dict[str, Any]]] = {}
    for repeat, each in enumerate(wanted, start=1):
        makes.setdefault(each, partial(making.make, repeat, finals[repeat - 1], fixed[repeat - 1]))
    cells = runner.made(makes)
    made = [cells[each] for each in wanted]
    values = [cell.record["valid"] for cell in made]
    return ArmResult(
        model=name,
        arm=arm.name,
        sources=arm.sources,
        control=arm.control,
        altered=arm.altered,
        settings=[cell.record["params"] for cell in made],
        valid=sum(values) / len(values),
        valid_by_repeat=values,
        content_used=any(cell.record["content_used"] for cell in made),
        seeded=any(each.seeded for each in members.values()),
        trials=[Tried(params, value) for params, value in made[0].record["tried"]],
        n_nested=0,
        exhausted=True,
        finals=wanted,
        seconds=sum(cell.seconds for cell in cells.values()),
        members=[each.pair for each in members.values()],
    )


@dataclass(frozen=True)
class _Making:
    """How the cells of an ensemble on an arm are made of its members' cells."""

    name: str
    arm: Arm
    members: Sequence[str]
    scales: Sequence[Scale]
    runner: CellRunner

    def fingerprint(self, cells: Sequence[str], settings: Params | None) -> str:
        """Hash of everything that a cell depends on; those of members cover data and protocol."""
        metric = self.runner.inputs.protocol.primary_name
        code = code_of(f"{__name__}:_Making", f"{metric_module(metric)}:{metric}")
        return fingerprint(self.name, self.arm.name, self.members, self.scales, cells, settings, code)

    def make(self, repeat: int, cells: Sequence[str], settings: Params | None, out: Path) -> dict[str, Any]:
        """Write the lists of both parts; gives the record."""
        started = time.perf_counter()
        inputs = self.runner.inputs
        stored = [self._stored(each) for each in cells]
        evaluator = Evaluator(Dataset.load(inputs.folder).repeat(repeat), "valid", inputs.protocol)
        lists = [cell.lists("valid") for cell in stored]
        tried = {} if settings else choose(lists, evaluator.primary, self.scales)
        scale, weights = self._weighting(settings) if settings else best_of(tried)
        added = Added(lists, scale).combine(weights)
        added.save(out / "valid.safetensors")
        Added([cell.lists("test") for cell in stored], scale).combine(weights).save(out / "test.safetensors")
        used = [cell.record["content_used"] for cell, weight in zip(stored, weights, strict=True) if weight]
        return {
            "dataset": inputs.dataset,
            "model": self.name,
            "arm": self.arm.name,
            "repeat": repeat,
            "seed": 0,
            "stage": "final",
            "params": self._settings((scale, weights)),
            "primary": inputs.protocol.primary,
            "data_version": inputs.data_versions[repeat - 1],
            "members": dict(zip(self.members, cells, strict=True)),
            "tried": [[self._settings(weighting), value] for weighting, value in tried.items()],
            "valid": evaluator.primary(added),
            "curve": [],
            "pruned": False,
            "content_used": any(used),
            "peak_memory": None,
            "seconds": {"fit": time.perf_counter() - started, "rank": 0.0},
            "failure": "",
            "failure_kind": "",
            "ended": time.time(),
        }

    def _stored(self, cell: str) -> StoredCell:
        folder = self.runner.store.find(self.runner.place, cell)
        assert folder is not None, f"member {cell} is not in the store"
        return StoredCell.load(folder)

    def _settings(self, weighting: Weighting) -> Params:
        scale, weights = weighting
        return {"by": scale, "weights": dict(zip(self.members, weights, strict=True))}

    def _weighting(self, settings: Params) -> Weighting:
        return settings["by"], tuple(settings["weights"][member] for member in self.members)
