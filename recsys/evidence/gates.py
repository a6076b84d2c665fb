"""Gates: whether the question is ready to be answered, asked before anything is answered.

A red gate stops the verdict (`not_ready`) and says what to do; an amber one stands beside the verdict. Each gate is a
function of plain values. What a gate needs that costs time (`probes`, `integrity`) is computed elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.content.integrity import Integrity, problems
from recsys.evidence.comparison import Comparison
from recsys.evidence.probes import MIN_ERROR_RATIO, LeakProbe
from recsys.evidence.resampling import NOTHING
from recsys.evidence.scores import Pair, label
from recsys.evidence.wording import lift, listed, metric_name, percent
from recsys.tuning.plateau import FEWEST_TRIALS, PLATEAU, late_gain

Colour = Literal["red", "amber", "green"]
BASELINES = ("Random", "TopPop", "GlobalEffects")
"""Models that show everybody the same, or anything."""
USERS_DIFFER = "users that differ"
FEWEST_ROWS = 5
MOST_IN_ONE_ROW = 0.5
MANY_TWINS = 0.05
FEWEST_MOVED = 20
FEWEST_SIBLINGS = 3
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


def content_rows(source: str, found: Integrity) -> Gate:
    """Red where the vectors cannot tell items apart; amber for all else that `integrity.problems` finds.

    Few distinct rows are no fault by themselves: a genre is content, and thousands of films share twenty of them. A
    table in which most items share one row, or which has fewer than `FEWEST_ROWS` rows, says next to nothing.
    """
    name = f"content rows: {source}"
    n_present = round(found.coverage * found.n_items)
    n_distinct = round(found.distinct * n_present)
    if not n_present:
        return Gate(
            name=name,
            colour="red",
            message=f"None of {found.n_items:,} items has {source}.",
            remedy=f"Check the paths or columns that '{source}' is made from, or leave it out of the study.",
        )
    if look_alike(n_present, n_distinct, found.largest_group):
        return Gate(
            name=name,
            colour="red",
            message=f"The {n_present:,} items with {source} have {n_distinct:,} distinct rows, and "
            f"{found.largest_group:,} share one.",
            remedy=f"Find out why so many items look the same to '{source}' (a placeholder picture, an empty text).",
        )
    faults = problems(found)
    return Gate(
        name=name,
        colour="amber" if faults else "green",
        message=" ".join(faults)
        or f"{n_present:,} of {found.n_items:,} items have {source}; {n_distinct:,} rows differ.",
        remedy=f"Look at the vectors of '{source}' before trusting what is said of it." if faults else "",
    )


def look_alike(n_present: int, n_distinct: int, largest_group: int) -> bool:
    """Whether contents cannot tell items apart: too few different ones, or most items share one."""
    return n_distinct < FEWEST_ROWS or largest_group > MOST_IN_ONE_ROW * n_present


def near_duplicates(source: str, share: float) -> Gate:
    """Amber where many items have a twin under another id; `share` is that of `neighbours.share_with_twin`."""
    many = share > MANY_TWINS
    return Gate(
        name=f"near-duplicate items: {source}",
        colour="amber" if many else "green",
        message=f"{percent(share)} of the items have nearly the same {source} as an item with another id.",
        remedy="Merge variants of one item: a test item whose twin was seen in training is no recommendation."
        if many
        else "",
    )


def beats_baselines(means: Mapping[Pair, float], metric: str, against_top_pop: Comparison | None = None) -> Gate:
    """Red where nothing beats Random, or no personalised model beats those that show everybody the same.

    Args:
        means: of the metric on the test part over users and repeats, by (model, arm).
        metric: its name.
        against_top_pop: the best personalised model against TopPop; where it is given, it must be shown to be better.
    """
    floors = {model: means[model, INTERACTIONS_ONLY] for model in BASELINES if (model, INTERACTIONS_ONLY) in means}
    best = max((pair for pair in means if pair[0] not in floors), key=lambda pair: means[pair], default=None)
    value = means[best] if best is not None else 0.0
    floor = max(floors, key=lambda model: floors[model], default=None)
    figures = f"best personalised {metric_name(metric)} {value:.4f}" + (f" ({label(*best)})" if best else "")
    figures += f", {floor} {floors[floor]:.4f}" if floor else ", no baseline"
    tune = "Tune more, or bring more interactions: so far nothing tells these users apart."
    if max(means.values(), default=0.0) <= floors.get("Random", 0.0):
        return Gate(name="baselines", colour="red", message=f"Nothing beats Random: {figures}.", remedy=tune)
    if floor and value <= floors[floor]:
        return Gate(name="baselines", colour="red", message=f"Nothing personal beats {floor}: {figures}.", remedy=tune)
    if against_top_pop is not None and not against_top_pop.a_better:
        message = f"{against_top_pop.a} is not shown to beat {against_top_pop.b}: {lift(against_top_pop)}."
        return Gate(name="baselines", colour="red", message=message, remedy=tune)
    return Gate(name="baselines", colour="green", message=figures[0].upper() + figures[1:] + ".")


def users_differ(differences: np.ndarray, *, equivalent: bool = False) -> Gate:
    """Red where content and rival differ for too few users, or for all by the same: no test is defined then.

    Where the two are shown to be the same, few users are what sameness looks like, and the gate is green.

    Args:
        differences: score with content minus the rival's, mean over repeats, shape (n_users,).
        equivalent: whether the two were shown to be the same within the margin.
    """
    n_moved = int(np.count_nonzero(np.abs(differences) > NOTHING))
    constant = n_moved > 0 and bool(np.ptp(differences) <= NOTHING)
    message = f"The score of {n_moved:,} of {len(differences):,} users differs between content and rival"
    if constant:
        message += ", and by the same amount for all of them"
    if equivalent:
        return Gate(name=USERS_DIFFER, colour="green", message=f"{message}; the two are the same within the margin.")
    if constant or n_moved < FEWEST_MOVED:
        return Gate(
            name=USERS_DIFFER,
            colour="red",
            message=f"{message}; {FEWEST_MOVED} that do not all differ alike are needed.",
            remedy="Enlarge the test part, raise the cut-off of the metric, or check that the two are not one model.",
        )
    return Gate(name=USERS_DIFFER, colour="green", message=f"{message}.")


def rival_plateaued(values: Sequence[float | None], exhausted: bool) -> Gate:
    """Red where the search for the rival's settings was still improving when its budget ended.

    The search goes on by itself while it finds better settings (see `recsys.tuning`), so this one was still improving
    at twice its budget. Settings taken over from other arms and models stand first: what they found needs no finding
    again, and the last third of the own trials is measured by all else. A space that was tried whole has no more to
    give. Fewer than `FEWEST_TRIALS` trials show nothing either way, and a rival that is not known to be tuned is no
    rival.

    Args:
        values: of the validation metric, settings taken over first, then trial by trial; None for one that failed.
        exhausted: whether these are all the settings that there are.
    """
    name, n, ended = "plateau of the rival", len(values), sum(value is not None for value in values)
    if exhausted:
        return Gate(name=name, colour="green", message=f"All {n:,} settings of the rival were tried.")
    if n < FEWEST_TRIALS or not ended:
        message = f"The rival was tuned with {n:,} trials, of which {ended:,} gave a value: too few to show a plateau."
        return Gate(name=name, colour="red", message=message, remedy=f"Give it {FEWEST_TRIALS} trials at least.")
    gained = late_gain(values)
    message = f"The last third of the rival's {n:,} trials gained {percent(gained)}."
    if gained > PLATEAU:
        remedy = f"Raise its budget to {2 * n:,} trials: a rival that is still improving flatters content."
        return Gate(name=name, colour="red", message=message, remedy=remedy)
    return Gate(name=name, colour="green", message=message)


def finals_agree(finals: Mapping[Pair, Sequence[float | None]]) -> Gate:
    """Red where a final training diverged, or stands far outside those of the other repeats.

    Far is more than five robust standard deviations (1.4826 times the median absolute deviation) from the median, and
    more than 40 % of it. The floor is needed: of three values the median absolute deviation is the smaller of two gaps
    and near zero by luck. Repeats have splits of their own and differ by some percent, on small data by ten; a run
    that diverged loses most. Two values cannot tell which of them is wrong, so three repeats are needed.

    Args:
        finals: validation metric of each repeat, by (model, arm), of those that the verdict compares: a model that
            decides nothing stops nothing. None where there is no value.
    """
    faults = []
    for pair, values in finals.items():
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        if not np.isfinite(numbers).all():
            faults.append(f"{label(*pair)} in repeat {int(np.flatnonzero(~np.isfinite(numbers))[0]) + 1} (diverged)")
        elif len(numbers) >= FEWEST_SIBLINGS:
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
            message=f"Final trainings stand apart from their siblings: {listed(faults)}.",
            remedy="Look at their training curves; lower the learning rate, or train longer, and run them again.",
        )
    n = sum(len(values) for values in finals.values())
    return Gate(
        name="final trainings", colour="green", message=f"All {n:,} final trainings agree with their siblings."
    )


def leak(source: str, found: LeakProbe | None) -> Gate:
    """Amber where a leak probe fires (see `probes`), or could not be run."""
    name = f"leak: {source}"
    if found is None:
        message = f"Too few users have enough items with {source} to probe whether it was made from interactions."
        return Gate(name=name, colour="amber", message=message, remedy="Find out what it was made from.")
    signs = _signs(found)
    if not found.fires:
        return Gate(name=name, colour="green", message=f"No sign that {source} was made from interactions: {signs}.")
    if found.from_training:
        message = f"The vectors of {source} look made from the training interactions: {signs}."
        remedy = "Find out how they were made; such vectors are a model of interactions, not content."
    else:
        message = f"The vectors of {source} are too good: {signs}."
        remedy = "Find out whether whoever made these vectors saw the test part."
    return Gate(name=name, colour="amber", message=message, remedy=remedy)


def _signs(found: LeakProbe) -> str:
    """The figures of a probe in words."""
    signs = [
        f"similarity alone ranks an item above a random one with probability {found.auc_train:.3f} in the training "
        f"part and {found.auc_test:.3f} in the test part"
    ]
    if found.error_ratio < MIN_ERROR_RATIO:
        signs.append(
            f"who chose an item predicts them worse ({percent(1 / found.error_ratio - 1)}) with all parts known"
        )
    elif found.error_falls_too_fast:
        signs.append(
            f"who chose an item predicts them {found.error_ratio:.2f} times better with all parts known, "
            f"{found.data_ratio:.2f} times the interactions"
        )
    if found.above_ceiling:
        signs.append(f"they know {found.ceiling:.1f} times as much of a user's basket as traits of items could tell")
    return "; ".join(signs)


def too_good(relative_lift: float) -> Gate:
    """Amber where content lifts by more than one half: rare enough to be asked after."""
    high = relative_lift > TOO_GOOD
    return Gate(
        name="size of the lift",
        colour="amber" if high else "green",
        message=f"Content lifts by {percent(relative_lift, signed=True)}"
        + (", rare enough to ask whether whoever made it saw the test part." if high else "."),
        remedy="Too good: find out whether whoever made these vectors saw the test part." if high else "",
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
        message=f"The study was run with {n_repeats} {'repeat' if one else 'repeats'}.",
        remedy="Set 'repeats' to 3 or more: one split and one seed say little of others." if one else "",
    )


def provenance(from_files: Sequence[str]) -> Gate:
    """Amber where vectors or descriptions were made elsewhere; `from_files` names them."""
    if not from_files:
        return Gate(name="provenance", colour="green", message="All content was encoded here.")
    return Gate(
        name="provenance",
        colour="amber",
        message=f"{listed(from_files)} came from files, and nothing here can tell what whoever made them has seen.",
        remedy="Say in the study where they came from and when they were made.",
    )


@dataclass(frozen=True)
class Findings:
    """What the gates look at.

    Attributes:
        means: mean of the metric on the test part, by (model, arm); see `beats_baselines`.
        metric: the primary metric.
        differences: content minus rival, by user; `equivalent`: whether they are the same; see `users_differ`.
        lift: of content over the rival.
        rival_trials: validation metric of the rival's trials, in order; `rival_exhausted`: whether these are all.
        finals: validation metric of each repeat, by (model, arm).
        n_repeats: number of repeats.
        scenario: what the study states.
        integrity: of each source in the content arm; likewise `twins` (shares) and `leaks`.
        from_files: names of sources and corpora that were made elsewhere.
        against_top_pop: the best personalised model against TopPop.
    """

    means: Mapping[Pair, float]
    metric: str
    differences: np.ndarray
    equivalent: bool
    lift: float
    rival_trials: Sequence[float | None]
    rival_exhausted: bool
    finals: Mapping[Pair, Sequence[float | None]]
    n_repeats: int
    scenario: Mapping[str, Any]
    integrity: Mapping[str, Integrity] = field(default_factory=dict)
    twins: Mapping[str, float] = field(default_factory=dict)
    leaks: Mapping[str, LeakProbe | None] = field(default_factory=dict)
    from_files: Sequence[str] = ()
    against_top_pop: Comparison | None = None


def inspect_readiness(findings: Findings) -> list[Gate]:
    """All gates: red first, then amber, then green."""
    gates = [
        *(content_rows(source, found) for source, found in findings.integrity.items()),
        beats_baselines(findings.means, findings.metric, findings.against_top_pop),
        users_differ(findings.differences, equivalent=findings.equivalent),
        rival_plateaued(findings.rival_trials, findings.rival_exhausted),
        finals_agree(findings.finals),
        *(leak(source, found) for source, found in findings.leaks.items()),
        too_good(findings.lift),
        *(near_duplicates(source, share) for source, share in findings.twins.items()),
        scenario_stated(findings.scenario),
        repeated(findings.n_repeats),
        provenance(findings.from_files),
    ]
    order: dict[Colour, int] = {"red": 0, "amber": 1, "green": 2}
    return sorted(gates, key=lambda gate: order[gate.colour])
