"""Gates: whether the question is ready to be answered, asked before anything is answered.

A red gate stops the verdict (`not_ready`) and says what to do; an amber one stands beside the verdict. Each gate is a
function of plain values. Those here are about how models were compared; those of the content itself are in
`content_gates`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.evidence.comparison import Comparison
from recsys.evidence.planning import what_would_decide
from recsys.evidence.resampling import NOTHING
from recsys.evidence.scores import Pair, label
from recsys.evidence.wording import lift, metric_name
from recsys.tuning.plateau import FEWEST_TRIALS, PLATEAU, late_gain
from recsys.wording import count, listed, percent

Colour = Literal["red", "amber", "green"]
BASELINES = ("Random", "TopPop", "GlobalEffects")
"""Models that show everybody the same, or anything."""
FEWEST_MOVED = 20
MIN_REPEATS_FOR_OUTLIERS = 3
FAR_IN_SPREADS, FAR_IN_SHARE = 5.0, 0.4
TOO_GOOD = 0.5


class Gate(BaseModel):
    """One thing that must hold, or be known, before a verdict is read.

    Attributes:
        name: of the gate, with the source it concerns where there is one.
        colour: `red` stops the verdict, `amber` stands beside it.
        message: what was found, one sentence.
        remedy: what to do; empty where the gate is green.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    colour: Colour
    message: str
    remedy: str = ""


def beats_baselines(means: Mapping[Pair, float], metric: str, against_top_pop: Comparison | None = None) -> Gate:
    """Red where nothing beats Random, or no personalised model beats those that show everybody the same.

    Args:
        means: of the metric on the test part over users and repeats, by (model, arm).
        metric: its name.
        against_top_pop: the best personalised model against TopPop; where it is given, it must be shown to be better,
            and where its lift is large what would show it is said.
    """
    floors = {model: means[model, INTERACTIONS_ONLY] for model in BASELINES if (model, INTERACTIONS_ONLY) in means}
    best = max((pair for pair in means if pair[0] not in floors), key=lambda pair: means[pair], default=None)
    value = means[best] if best is not None else 0.0
    floor = max(floors, key=lambda model: floors[model], default=None)
    figures = "there is no personalised model"
    if best:
        figures = f"best personalised {metric_name(metric)} {value:.4f} ({label(*best)})"
    figures += f", {floor} {floors[floor]:.4f}" if floor else ", no baseline"
    tune = "Tune with a larger budget, or give more interactions: no model tells these users apart yet."
    if max(means.values(), default=0.0) <= floors.get("Random", 0.0):
        return Gate(name="baselines", colour="red", message=f"Nothing beats Random: {figures}.", remedy=tune)
    if floor and value <= floors[floor]:
        return Gate(name="baselines", colour="red", message=f"Nothing personal beats {floor}: {figures}.", remedy=tune)
    if against_top_pop is not None and not against_top_pop.a_better:
        message = f"{against_top_pop.a} is not shown to beat {against_top_pop.b}: {lift(against_top_pop)}."
        large = against_top_pop.lift > against_top_pop.margin
        remedy = f"{_opening(what_would_decide(against_top_pop))}." if large else tune
        return Gate(name="baselines", colour="red", message=message, remedy=remedy)
    return Gate(name="baselines", colour="green", message=f"{_opening(figures)}.")


def users_differ(differences: np.ndarray, *, equivalent: bool = False) -> Gate:
    """Red where content and rival differ for too few users, or for all by the same: no test is defined then.

    Where the two are shown to be the same, few users are what sameness looks like, and the gate is green.

    Args:
        differences: score with content minus the rival's, mean over repeats, shape (n_users,).
        equivalent: whether the two were shown to be the same within the margin.
    """
    name = "users that differ"
    n_moved = int(np.count_nonzero(np.abs(differences) > NOTHING))
    constant = n_moved > 0 and bool(np.ptp(differences) <= NOTHING)
    message = f"The score of {n_moved:,} of {len(differences):,} users differs between content and rival"
    if constant:
        message += ", and by the same amount for all of them"
    if equivalent:
        return Gate(name=name, colour="green", message=f"{message}; the two are the same within the margin.")
    if constant or n_moved < FEWEST_MOVED:
        return Gate(
            name=name,
            colour="red",
            message=f"{message}; {FEWEST_MOVED} that do not all differ alike are needed.",
            remedy="Enlarge the test part, raise the cut-off of the metric, or check that the two are not one model.",
        )
    return Gate(name=name, colour="green", message=f"{message}.")


def rival_plateaued(
    values: Sequence[float | None],
    exhausted: bool,
    n_taken_over: int = 0,
    whose: str = "the rival",
    minutes: float | None = None,
) -> Gate:
    """Red where the search for the rival's settings was still improving when its budget ended.

    The search goes on by itself while it finds better settings (see `recsys.tuning`), so this one was still improving
    at twice its budget. Settings taken over from other arms and models stand first: what they found needs no finding
    again, and the last third of the own trials is measured by all else. A space that was tried whole has no more to
    give. Fewer than `FEWEST_TRIALS` trials show nothing either way, and a rival that is not known to be tuned is no
    rival. An ensemble has no trials: its members' searches are asked.

    Args:
        values: of the validation metric, settings taken over first, then trial by trial; None for one that failed.
        exhausted: whether these are all the settings that there are.
        n_taken_over: how many of them were taken over: no trials of its own, and none of its budget.
        whose: search it was, such as `EASE, a member of the rival Both,`.
        minutes: the time by which the search was bounded; None: by its number of trials.
    """
    name, n, ended = "plateau of the rival", len(values), sum(value is not None for value in values)
    if exhausted:
        tried = f"All {n:,} settings of {whose} were tried." if n > 1 else f"{_opening(whose)} has nothing to tune."
        return Gate(name=name, colour="green", message=tried)
    own = count(n - n_taken_over, "trial")
    both = f"{own} and {count(n_taken_over, 'setting')} chosen elsewhere" if n_taken_over else own
    if n < FEWEST_TRIALS or not ended:
        found = f"{both}, of which {ended:,} gave a value: too few to show a plateau"
        message = f"{_opening(whose)} was tuned with {found}."
        remedy = f"Set `tuning.trials` to {FEWEST_TRIALS} at least."
        if minutes is not None:
            remedy = f"Raise `tuning.minutes` (from {minutes:g}) until there are {FEWEST_TRIALS} trials at least."
        return Gate(name=name, colour="red", message=message, remedy=remedy)
    gained = late_gain(values)
    message = f"In the last third of {both}, {whose} gained {percent(gained)}."
    if gained > PLATEAU:
        more = f"`tuning.trials` to {2 * (n - n_taken_over):,}"
        if minutes is not None:
            more = f"`tuning.minutes` from {minutes:g} to {2 * minutes:g}"
        remedy = f"Raise {more}: a rival that is still improving flatters content."
        return Gate(name=name, colour="red", message=message, remedy=remedy)
    return Gate(name=name, colour="green", message=message)


def _opening(words: str) -> str:
    return words[0].upper() + words[1:]


def finals_agree(finals: Mapping[Pair, Sequence[float]]) -> Gate:
    """Red where a final training stands far outside those of the other repeats.

    One that diverged is not among them: its arm is left out, or trained with its next best settings.

    Far is more than five robust standard deviations (1.4826 times the median absolute deviation) from the median, and
    more than 40 % of it. The floor is needed: of three values the median absolute deviation is the smaller of two gaps
    and near zero by luck. Repeats have splits of their own and differ by some percent, on small data by ten; a run
    that diverged loses most. Two values cannot tell which of them is wrong, so three repeats are needed.

    Args:
        finals: validation metric of each repeat, by (model, arm), of those that the verdict compares: a model that
            decides nothing stops nothing.
    """
    faults = []
    for pair, values in finals.items():
        numbers = np.array(values, dtype=np.float64)
        if len(numbers) >= MIN_REPEATS_FOR_OUTLIERS:
            median = float(np.median(numbers))
            away = np.abs(numbers - median)
            far = away > max(FAR_IN_SPREADS * 1.4826 * float(np.median(away)), FAR_IN_SHARE * abs(median))
            faults += [
                f"{label(*pair)} in repeat {repeat + 1} ({numbers[repeat]:.4f}, the median being {median:.4f})"
                for repeat in np.flatnonzero(far)
            ]
    if faults:
        return Gate(
            name="final trainings",
            colour="red",
            message=f"Final trainings far from those of the other repeats: {listed(faults)}.",
            remedy="Look at their training curves; lower the learning rate, or train longer, and run them again.",
        )
    n = sum(len(values) for values in finals.values())
    message = f"All {n:,} final trainings agree with those of the other repeats."
    if all(len(values) < MIN_REPEATS_FOR_OUTLIERS for values in finals.values()):
        message = f"Final trainings that are outliers show with {MIN_REPEATS_FOR_OUTLIERS} repeats or more."
    return Gate(name="final trainings", colour="green", message=message)


def too_good(relative_lift: float) -> Gate:
    """Amber where content lifts by more than one half: rare enough to be asked after."""
    high = relative_lift > TOO_GOOD
    return Gate(
        name="size of the lift",
        colour="amber" if high else "green",
        message=f"The lift of content is {percent(relative_lift, signed=True)}"
        + (", which is unusually large." if high else "."),
        remedy="Check that these vectors were made without the test part." if high else "",
    )


def scenario_stated(scenario: Mapping[str, Any]) -> Gate:
    """Amber where the study states nothing of what its verdict holds for; `scenario` is its part of the study file."""
    stated = [name for name, value in scenario.items() if value and value != "not stated"]
    if stated:
        return Gate(name="scenario", colour="green", message=f"Stated: {listed(stated)}.")
    return Gate(
        name="scenario",
        colour="amber",
        message="The study does not state what its verdict holds for.",
        remedy="Fill in 'scenario': domain, feedback, what is seen before choosing, kinds of item, date of the data.",
    )


def repeated(n_repeats: int) -> Gate:
    """Amber where there is one repeat: what another split or seed would give is unknown."""
    one = n_repeats < 2
    return Gate(
        name="repeats",
        colour="amber" if one else "green",
        message=f"The study was run with {count(n_repeats, 'repeat')}.",
        remedy="Set 'repeats' to 3 or more: one split and one seed say little of others." if one else "",
    )


def in_reading_order(gates: Iterable[Gate]) -> list[Gate]:
    """Red first, then amber, then green."""
    order: dict[Colour, int] = {"red": 0, "amber": 1, "green": 2}
    return sorted(gates, key=lambda gate: order[gate.colour])
