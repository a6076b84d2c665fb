"""Ensembles: the lists of fitted models added up, with weights from the validation part.

A study names them beside its models (`ensembles`), and each is a row of its own in all that counts rows:

    ensembles:
      Together: {of: [VBPR, EASE]}
      BySource: {of: [VBPR], each_source: true}

**On an arm** an ensemble has the members of the same arm: models that take no content stand for themselves, and with
`each_source` the others are there once for each source of the arm, shown that one alone. On a control its members are
on that control, and on `interactions_only` all of them are: an ensemble shows content if one of its members does.

**Nothing is trained.** The members are rows of the study, and what is added are the lists that their final cells left,
which is a cell again: two files of lists with a record, found by the fingerprints of its members' cells. Its fitted
model is not kept, for it is those of its members.

**What is added.** Scores of different models have different scales, so that those of each user's best 100 are brought
to the range from 0 to 1 first (Fox and Shaw, Combination of Multiple Searches, TREC-2, 1994); or ranks are used in
their place, 1 / (60 + rank) (Cormack, Clarke and Buettcher, Reciprocal Rank Fusion Outperforms Condorcet and
Individual Rank Learning Methods, SIGIR 2009). An item that a model does not list gets nothing from it.

**The weights** of each repeat, and which of the two is added, are chosen on its own validation lists, by ensemble
selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, Ensemble Selection from Libraries of Models,
ICML 2004): ten times the member is taken in with which the sum is best, and the best of all sums on the way is kept. A
member alone is among them. The test lists are first opened when the weights are settled.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator

from recsys.arrays import top_k
from recsys.content.arms import INTERACTIONS_ONLY, UNTUNED, Arm, control_arm
from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.engine.worker import one_thread
from recsys.evaluation.evaluate import LIST_DEPTH, Evaluator
from recsys.evaluation.metrics.registry import metric_module
from recsys.evaluation.ranking import Ranking
from recsys.evidence.scores import label
from recsys.evidence.wording import listed
from recsys.fingerprints import code_of, fingerprint
from recsys.models import registry
from recsys.study.dataset_spec import Strict
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.tuning.search import Params, Tried

if TYPE_CHECKING:
    from recsys.engine.runner import CellRunner

SOURCE = (
    "Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble Selection from Libraries of Models, ICML 2004; "
    "Cormack, Clarke, Buettcher: Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank Learning Methods, "
    "SIGIR 2009; Fox, Shaw: Combination of Multiple Searches, TREC-2 1994"
)
"""What ensembles follow, as models name theirs."""
Scale = Literal["scores", "ranks"]
SCALES: tuple[Scale, ...] = ("scores", "ranks")
RANK_OFFSET = 60
LEAST = 1e-9
ROUNDS = 10
"""Members that are taken in, the same one as often as it is best: weights are tenths or coarser."""
Weighting = tuple[Scale, tuple[float, ...]]
"""What is added, and the weight of each member."""


@dataclass(frozen=True)
class Member:
    """A model on an arm; `name` is what its weight is called."""

    name: str
    model: str
    arm: Arm


class Ensemble(Strict):
    """Models whose lists are added.

    Attributes:
        of: rows of the study's models.
        by: what is added; None: what is better on validation.
        each_source: whether models that take content stand in it once for each source, shown that one alone.
    """

    of: tuple[str, ...]
    by: Scale | None = None
    each_source: bool = False

    @field_validator("of")
    @classmethod
    def _each_once(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        if not of or len(set(of)) < len(of):
            raise ValueError("name at least one model, and each once")
        return of

    @property
    def takes_content(self) -> bool:
        """Whether any of the models takes content."""
        return any(registry.find(model).takes_content for model in self.of)

    @property
    def said(self) -> str:
        """What it is, in words."""
        what = " or ".join(self.scales)
        apart = ", one model a source" if self.each_source else ""
        return f"The {what} of {listed(self.of)} added{apart}, with weights from validation"

    @property
    def scales(self) -> tuple[Scale, ...]:
        """What may be added."""
        return SCALES if self.by is None else (self.by,)

    def members(self, arm: Arm) -> list[Member]:
        """Who is added on an arm."""
        found = []
        for model in self.of:
            if not arm.sources or not registry.find(model).takes_content:
                found.append(Member(model, model, Arm(INTERACTIONS_ONLY)))
            elif self.each_source and len(arm.sources) > 1:
                found += [Member(f"{model} {source}", model, _alone(arm, source)) for source in arm.sources]
            else:
                found.append(Member(model, model, arm))
        return found


def _alone(arm: Arm, source: str) -> Arm:
    """What an arm shows of one source, by the name that this has in tables."""
    real = Arm(source, (source,))
    if arm.control is None or source not in arm.altered:
        return real
    return control_arm(real, arm.control, name=f"{source}_{arm.control}{UNTUNED * arm.name.endswith(UNTUNED)}")


class Added:
    """The lists of all members over the items that any of them lists, so that only the weights are open."""

    def __init__(self, lists: Sequence[Ranking], scale: Scale) -> None:
        """Lists of the same users in the same order."""
        self._lists = lists
        self._depth = max(each.items.shape[1] for each in lists)
        n_items = 1 + max(int(each.items.max(initial=0)) for each in lists)
        keys = [_keys(each, n_items) for each in lists]
        union = np.sort(np.concatenate(keys))
        union = union[np.diff(union, prepend=-1) > 0]
        rows, items = np.divmod(union, n_items)
        counts = np.bincount(rows, minlength=len(lists[0].users))
        places = np.arange(len(union)) - np.repeat(np.cumsum(counts) - counts, counts)
        # Of a user the items in their order, so that equal sums are listed in it.
        self._items = np.full((len(counts), max(self._depth, counts.max(initial=0))), -1, dtype=np.int32)
        self._items[rows, places] = items
        self._worths = []
        for ranking, own in zip(lists, keys, strict=True):
            at, worth = np.searchsorted(union, own), np.zeros(self._items.shape, dtype=np.float32)
            worth[rows[at], places[at]] = _worth(ranking, scale)[ranking.items >= 0]
            self._worths.append(worth)

    def combine(self, weights: Sequence[float]) -> Ranking:
        """One list a user, as long as the longest of the members', best first; a member alone keeps its own."""
        counting = [place for place, weight in enumerate(weights) if weight]
        if len(counting) == 1:
            return self._lists[counting[0]]
        total = sum(np.float32(weights[place]) * self._worths[place] for place in counting)
        assert isinstance(total, np.ndarray)
        total[total <= 0] = -np.inf
        places, scores = top_k(total, self._depth)
        items = np.take_along_axis(self._items, np.maximum(places, 0), axis=1)
        return Ranking(self._lists[0].users, np.where(places < 0, np.int32(-1), items), scores)


def _keys(ranking: Ranking, n_items: int) -> np.ndarray:
    """A number for each listed (user, item), in the order of the lists."""
    rows = np.arange(len(ranking.items), dtype=np.int64)[:, None] * n_items + ranking.items
    return rows[ranking.items >= 0]


def _worth(ranking: Ranking, scale: Scale) -> np.ndarray:
    """What each place of the lists is worth, their shape."""
    listed = ranking.items >= 0
    if scale == "ranks":
        return np.broadcast_to(1 / (RANK_OFFSET + 1 + np.arange(listed.shape[1])), listed.shape)
    # Test lists are longer than those of validation; both are brought to one range by the same places.
    last = np.clip(listed.sum(axis=1, keepdims=True), 1, LIST_DEPTH) - 1
    scores = np.where(listed, ranking.scores.astype(np.float64), 0.0)
    low, high = np.take_along_axis(scores, last, axis=1), scores[:, :1]
    spread = np.where(high > low, high - low, 1)
    # The last of a list is still better than what is not listed.
    return np.where(high > low, np.maximum((scores - low) / spread, LEAST), 1.0)


def choose(
    lists: Sequence[Ranking], value: Callable[[Ranking], float], scales: Sequence[Scale] = SCALES
) -> dict[Weighting, float]:
    """Every weighting that was tried and its value, in their order; the first of the best is to be taken.

    Args:
        lists: of each member on the validation part.
        value: what lists are worth there, higher is better.
        scales: what may be added.
    """
    tried: dict[Weighting, float] = {}
    for scale in scales:
        added, counts = Added(lists, scale), (0,) * len(lists)
        for n_taken in range(1, (ROUNDS if len(lists) > 1 else 1) + 1):
            grown: dict[tuple[int, ...], float] = {}
            for member in range(len(lists)):
                now = tuple(count + (place == member) for place, count in enumerate(counts))
                weights = tuple(count / n_taken for count in now)
                if (scale, weights) not in tried:
                    tried[scale, weights] = value(added.combine(weights))
                grown[now] = tried[scale, weights]
            counts = max(grown, key=lambda each: grown[each])
    return tried


def best_of(tried: Mapping[Weighting, float]) -> Weighting:
    """The weighting to be taken."""
    return max(tried, key=lambda each: tried[each])


@one_thread()
def train_ensemble(
    name: str,
    ensemble: Ensemble,
    arms: Sequence[Arm],
    results: ModelResult,
    runner: "CellRunner",
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
    runner: "CellRunner",
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
    runner: "CellRunner"

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
