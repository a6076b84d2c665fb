"""Tune, then train: the same budget for every arm of a model, and every repeat with its own split, seeds and choice.

The first repeat spends the budget. Each arm is then tried with the settings that the other arms chose, so that no arm
is ahead by the luck of its search. Later repeats choose among the best few settings of the first, on their own
validation part, and every repeat ends with one final cell an arm.

Rounds of all arms are run together, so that a pool stays busy; what is asked in a round depends only on the results
of earlier ones, never on the order in which cells ended. A run that was killed therefore asks for the same cells
again and finds them done. A cell that fails is a result like any other: an arm that cannot be trained is left out,
with the reason, and the others go on.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from recsys.content.arms import Arm
from recsys.tuning.plateau import FEWEST_TRIALS, PLATEAU, late_gain
from recsys.tuning.pruning import Curve, PruningCurve, pruning_curve
from recsys.tuning.space import SearchSpace
from recsys.tuning.tuner import Tuner

Stage = Literal["tuning", "final"]
Params = dict[str, Any]
SHORTLIST = 3
"""Settings of the first repeat among which later repeats choose."""
_ATTEMPTS = 2
"""Settings of an arm that are trained in a repeat: the best, and the next best where the final cell of it fails."""


class TrialResult(Protocol):
    """What the search needs to know of a cell that has ended."""

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part; None for a cell that failed."""

    @property
    def message(self) -> str:
        """Why the cell failed; empty where it did not."""

    @property
    def curve(self) -> Curve:
        """One dict an epoch, for models trained by gradient."""

    @property
    def pruned(self) -> bool:
        """Whether training was pruned."""

    @property
    def seconds(self) -> float:
        """Of the fit, and of ranking with metrics."""


Result = TypeVar("Result", bound=TrialResult)


@dataclass(frozen=True)
class Trial:
    """A cell to be run for a model on an arm; it is pruned by `pruning_curve`, None: never."""

    arm: Arm
    params: Params
    stage: Stage
    repeat: int = 1
    pruning_curve: PruningCurve | None = None


Runner = Callable[[Sequence[Trial]], Sequence[Result]]
"""Runs trials and gives their results in the same order; a trial that fails is a result, not an exception."""


@dataclass(frozen=True)
class Tried:
    """A setting that was tried on validation, and what came of it; `valid` is None where it failed."""

    params: Params
    valid: float | None
    pruned: bool = False
    seconds: float = 0.0
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether it can be chosen."""
        return not self.pruned and self.valid is not None and math.isfinite(self.valid)


@dataclass(frozen=True)
class Trained(Generic[Result]):
    """An arm that was tuned and trained.

    Attributes:
        arm: what the model was shown.
        trials: settings that the first repeat tried, in order; the last `n_nested` are those of other arms.
        n_nested: how many were other arms' choices.
        settings: the hyper-parameters of each repeat.
        finals: the final cell of each repeat.
        exhausted: whether the trials are all the settings that there are.
        seconds: of all its cells.
    """

    arm: Arm
    trials: list[Tried]
    n_nested: int
    settings: list[Params]
    finals: list[Result]
    exhausted: bool
    seconds: float


@dataclass(frozen=True)
class LeftOut:
    """An arm without a trained model, and why."""

    arm: Arm
    reason: str


@dataclass(frozen=True)
class SearchResult(Generic[Result]):
    """Every arm of a search, in the order it was given, as one of the two."""

    trained: list[Trained[Result]]
    left_out: list[LeftOut]


@dataclass
class Searched:
    """What is known of an arm before it is trained.

    Attributes:
        trials: settings tried in the first repeat, in order; the last `n_nested` are other arms' choices.
        exhausted: whether they are all there are.
        fixed: the setting of each repeat, where nothing is to be chosen.
    """

    trials: list[Tried]
    n_nested: int = 0
    exhausted: bool = False
    fixed: Sequence[Params] = ()

    @property
    def shortlist(self) -> list[Params]:
        """The best settings, each once, the best first and the earlier of equals."""
        return ranked(self.trials)[:SHORTLIST]

    @property
    def best(self) -> Params:
        """The best setting."""
        return self.shortlist[0]

    @property
    def value(self) -> float:
        """What the best setting reached on validation; 0 where every trial failed."""
        return max((each.valid or 0.0 for each in self.trials if each.counts), default=0.0)


def tune_and_train(
    arms: Sequence[Arm], new_tuner: Callable[[Arm], Tuner], n_repeats: int, run: Runner[Result], prune: bool = True
) -> SearchResult[Result]:
    """Tune each arm on validation, then train it in every repeat.

    An arm is left out if all its trials fail, or if final cells of its best setting and of the next best fail.

    Args:
        arms: what the model is shown.
        new_tuner: gives the tuner of an arm, with the whole budget.
        n_repeats: repeats, from 1.
        run: runs trials and gives their results.
        prune: stop trials that fall behind those of earlier rounds of the same arm.
    """
    searched = tune(arms, new_tuner, run, prune)
    return train(searched, n_repeats, run)


def tune(
    arms: Sequence[Arm], new_tuner: Callable[[Arm], Tuner], run: Runner[Result], prune: bool = True
) -> dict[Arm, Searched]:
    """Spend each arm's budget in the first repeat, and try what the other arms chose; see `tune_and_train`.

    A search that is still finding better settings (see `recsys.tuning.plateau`) goes on by a third of its budget at a
    time, until it has spent twice as much.
    """
    tuners = {arm: new_tuner(arm) for arm in arms}
    searched = {arm: Searched([]) for arm in arms}
    curves: dict[Arm, list[Curve]] = {arm: [] for arm in arms}
    _spend(tuners, searched, curves, run, prune)
    budgets = {arm: len(each.trials) for arm, each in searched.items()}
    while rising := [arm for arm in arms if _goes_on(searched[arm], tuners[arm], budgets[arm])]:
        for arm in rising:
            tuners[arm].extend(min(budgets[arm] // 3, most_trials(budgets[arm]) - len(searched[arm].trials)))
        _spend(tuners, searched, curves, run, prune)
    for arm, tuner in tuners.items():
        searched[arm].exhausted = tuner.exhausted
    best_first = sorted((arm for arm in arms if searched[arm].shortlist), key=lambda arm: -searched[arm].value)
    chosen = [tuners[arm].space.effective(searched[arm].best) for arm in best_first]
    try_nested(searched, {arm: nested(tuners[arm].space, each, chosen) for arm, each in searched.items()}, run)
    return searched


def _spend(
    tuners: Mapping[Arm, Tuner],
    searched: Mapping[Arm, Searched],
    curves: Mapping[Arm, list[Curve]],
    run: Runner[Result],
    prune: bool,
) -> None:
    """Run rounds of trials of all arms until every tuner has spent its budget."""
    while asked := {arm: params for arm, tuner in tuners.items() if (params := tuner.ask())}:
        by_arm = {arm: pruning_curve(curves[arm]) if prune else None for arm in asked}
        batch = [Trial(arm, p, "tuning", 1, by_arm[arm]) for arm, params in asked.items() for p in params]
        results = iter(run(batch))
        for arm, params in asked.items():
            ended = [next(results) for _ in params]
            pruned = [position for position, result in enumerate(ended) if result.pruned]
            tuners[arm].tell([result.valid for result in ended], pruned, sum(result.seconds for result in ended))
            searched[arm].trials += [_tried(*pair) for pair in zip(params, ended, strict=True)]
            curves[arm].extend(each.curve for each in ended if _has_value(each) and not each.pruned)


def most_trials(budget: int) -> int:
    """Trials of an arm's own search at most: one that is still finding better settings goes on."""
    return 2 * budget if budget >= FEWEST_TRIALS else budget


def _goes_on(searched: Searched, tuner: Tuner, budget: int) -> bool:
    n_trials = len(searched.trials)
    more = n_trials < most_trials(budget) and not tuner.exhausted and not tuner.timed
    return more and late_gain([each.valid if each.counts else None for each in searched.trials]) > PLATEAU


def nested(space: SearchSpace, searched: Searched, settings: Sequence[Params]) -> list[Params]:
    """Settings that were chosen elsewhere, the best first, as an arm can try them.

    As many as `most_nested` of its own trials; none for an arm without a good trial.
    """
    if not searched.shortlist:
        return []
    tried = [trial.params for trial in searched.trials]
    return space.nested(settings, searched.best, tried)[: most_nested(len(tried) - searched.n_nested)]


def most_nested(n_trials: int) -> int:
    """Settings chosen elsewhere that an arm tries at a time: a third of its own trials, and three at least."""
    return max(SHORTLIST, n_trials // 3)


def try_nested(
    searched: Mapping[Arm, Searched], settings: Mapping[Arm, Sequence[Params]], run: Runner[Result]
) -> None:
    """Try settings that were chosen elsewhere, beyond the budget and all of them in one round."""
    asked = [(arm, params) for arm, each in settings.items() for params in each]
    results = run([Trial(arm, params, "tuning") for arm, params in asked])
    for (arm, params), result in zip(asked, results, strict=True):
        searched[arm].trials.append(_tried(params, result))
        searched[arm].n_nested += 1


def train(searched: Mapping[Arm, Searched], n_repeats: int, run: Runner[Result]) -> SearchResult[Result]:
    """The final cell of every arm in every repeat, by the setting that the repeat itself chooses."""
    choices, seconds = _choose(searched, n_repeats, run)
    settings, finals = _finals(choices, run)
    found = SearchResult[Result]([], [])
    for arm, each in searched.items():
        repeats = [(arm, repeat) for repeat in range(1, n_repeats + 1)]
        lost = next((place for place in repeats if place not in finals), None)
        failed = next((finals[place] for place in repeats if place in finals and not _has_value(finals[place])), None)
        if lost:
            last = each.trials[-1].message or "its validation metric is not finite"
            found.left_out.append(LeftOut(arm, f"every trial failed, the last with: {last}"))
        elif failed:
            reason = f"training with the chosen hyper-parameters failed: {_reason(failed)}"
            found.left_out.append(LeftOut(arm, reason))
        else:
            ended = [finals[place] for place in repeats]
            spent = sum(trial.seconds for trial in each.trials) + seconds[arm] + sum(cell.seconds for cell in ended)
            chosen = [settings[place] for place in repeats]
            found.trained.append(Trained(arm, each.trials, each.n_nested, chosen, ended, each.exhausted, spent))
    return found


def ranked(trials: Sequence[Tried]) -> list[Params]:
    """Settings that can be chosen, each once, the best first and the earlier of equals."""
    best = sorted((each for each in trials if each.counts), key=lambda each: -(each.valid or 0.0))
    different: list[Params] = []
    for each in best:
        if each.params not in different:
            different.append(each.params)
    return different


_Place = tuple[Arm, int]
"""An arm in a repeat."""


def _choose(
    searched: Mapping[Arm, Searched], n_repeats: int, run: Runner[Result]
) -> tuple[dict[_Place, list[Params]], dict[Arm, float]]:
    """The settings of every arm in every repeat, the best first, and the seconds that later repeats took to choose."""
    choices: dict[_Place, list[Params]] = {}
    asked: list[tuple[_Place, Params]] = []
    for arm, each in searched.items():
        shortlist = each.shortlist
        for repeat in range(1, n_repeats + 1):
            if each.fixed:
                choices[arm, repeat] = [each.fixed[repeat - 1]]
            elif shortlist:
                choices[arm, repeat] = shortlist
                asked += [((arm, repeat), params) for params in shortlist if repeat > 1 and len(shortlist) > 1]
    results = run([Trial(arm, params, "tuning", repeat) for (arm, repeat), params in asked])
    tried: dict[_Place, list[Tried]] = {}
    for (place, params), result in zip(asked, results, strict=True):
        tried.setdefault(place, []).append(_tried(params, result))
    # Where all of them fail in a repeat, the first repeat's order stands, and the final cell says why.
    choices |= {place: order for place, trials in tried.items() if (order := ranked(trials))}
    seconds = dict.fromkeys(searched, 0.0)
    for (arm, _), trials in tried.items():
        seconds[arm] += sum(trial.seconds for trial in trials)
    return choices, seconds


def _finals(
    choices: Mapping[_Place, list[Params]], run: Runner[Result]
) -> tuple[dict[_Place, Params], dict[_Place, Result]]:
    """Setting and final cell of each place: the first setting whose cell did not fail, or the last that was tried."""
    settings: dict[_Place, Params] = {}
    finals: dict[_Place, Result] = {}
    for attempt in range(_ATTEMPTS):
        todo = [
            place
            for place, order in choices.items()
            if len(order) > attempt and (attempt == 0 or not _has_value(finals[place]))
        ]
        results = run([Trial(arm, choices[arm, repeat][attempt], "final", repeat) for arm, repeat in todo])
        finals |= dict(zip(todo, results, strict=True))
        settings |= {place: choices[place][attempt] for place in todo}
    return settings, finals


def _tried(params: Params, result: TrialResult) -> Tried:
    return Tried(params, result.valid, result.pruned, result.seconds, result.message)


def _has_value(result: TrialResult) -> bool:
    return result.valid is not None and math.isfinite(result.valid)


def _reason(failed: TrialResult) -> str:
    return failed.message or "its validation metric is not finite"
