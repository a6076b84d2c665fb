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

from recsys.content.arms import Arm
from recsys.tuning.budget import most_nested, most_trials
from recsys.tuning.plateau import PLATEAU, late_gain
from recsys.tuning.pruning import Curve, pruning_curve
from recsys.tuning.space import SearchSpace
from recsys.tuning.trials import (
    LeftOut,
    Params,
    Result,
    Runner,
    Searched,
    SearchResult,
    Trained,
    Trial,
    TrialResult,
    Tried,
    ranked,
)
from recsys.tuning.tuner import Tuner

_ATTEMPTS = 2
"""Settings of an arm that are trained in a repeat: the best, and the next best where the final cell of it fails."""


def tune(
    arms: Sequence[Arm], new_tuner: Callable[[Arm], Tuner], run: Runner[Result], prune: bool = True
) -> dict[Arm, Searched]:
    """Spend each arm's budget in the first repeat, and try what the other arms chose.

    A search that is still finding better settings (see `recsys.tuning.plateau`) goes on by a third of its budget at a
    time, until it has spent twice as much.

    Args:
        arms: what the model is shown.
        new_tuner: gives the tuner of an arm, with the whole budget.
        run: runs trials and gives their results.
        prune: stop trials that fall behind those of earlier rounds of the same arm.
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
    return space.nested(settings, searched.best, tried)[: most_nested(searched.n_own)]


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
    """The final cell of every arm in every repeat, by the setting that the repeat itself chooses.

    An arm is left out if all its trials fail, or if final cells of its best setting and of the next best fail.
    """
    choices, tried_again = _choose(searched, n_repeats, run)
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
            seconds = {trial.cell: trial.seconds for trial in [*each.trials, *tried_again[arm]]}
            seconds |= {cell.fingerprint: cell.seconds for cell in ended}
            chosen, spent = [settings[place] for place in repeats], sum(seconds.values())
            found.trained.append(Trained(arm, each.trials, each.n_nested, chosen, ended, each.exhausted, spent))
    return found


_Place = tuple[Arm, int]
"""An arm in a repeat."""


def _choose(
    searched: Mapping[Arm, Searched], n_repeats: int, run: Runner[Result]
) -> tuple[dict[_Place, list[Params]], dict[Arm, list[Tried]]]:
    """The settings of every arm in every repeat, the best first, and what later repeats tried to choose them."""
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
    by_arm: dict[Arm, list[Tried]] = {arm: [] for arm in searched}
    for (arm, _), trials in tried.items():
        by_arm[arm] += trials
    return choices, by_arm


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
    return Tried(params, result.valid, result.pruned, result.seconds, result.message, result.fingerprint)


def _has_value(result: TrialResult) -> bool:
    return result.valid is not None and math.isfinite(result.valid)


def _reason(failed: TrialResult) -> str:
    return failed.message or "its validation metric is not finite"
