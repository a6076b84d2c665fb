"""How figures read in sentences and tables: one place, so that a lift looks the same wherever it stands."""

import math

from recsys.evidence.comparison import Comparison, Relation
from recsys.wording import DASH, percent

_ALL_LOST = -1.0005
"""What is below this one would be printed as less than -100.0 %."""
_RELATIONS: dict[Relation, str] = {
    "better": "beats",
    "worse": "is worse than",
    "equivalent": "equals",
    "open": "is not shown to differ from",
}
_METRICS = {
    "ndcg": "nDCG",
    "recall": "Recall",
    "hit_rate": "Hit rate",
    "precision": "Precision",
    "map": "MAP",
    "mrr": "MRR",
}


def metric_name(metric: str) -> str:
    """`ndcg_at_20` as nDCG@20."""
    name, _, k = metric.rpartition("_at_")
    return f"{_METRICS.get(name, name)}@{k}" if name else metric


def probability(p: float) -> str:
    """A p-value with its sign of equality: three digits are enough, and none is ever zero."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def p_cell(p: float) -> str:
    """A p-value as a table prints it; a dash where there is none."""
    return DASH if math.isnan(p) else probability(p).removeprefix("p ").removeprefix("= ")


def interval(low: float, high: float, *, signed: bool = True) -> str:
    """Both ends of an interval, those of lifts signed; a dash where there is none.

    An interval is as wide to both sides, but no score can fall by more than all of it.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    lower = "below -100 %" if signed and low < _ALL_LOST else percent(low, signed=signed)
    return f"{lower} to {percent(high, signed=signed)}"


def with_interval(value: float, low: float, high: float, *, signed: bool = True) -> str:
    """A lift or a share with its interval; alone where one repeat says nothing of others."""
    figure = percent(value, signed=signed)
    if math.isnan(low):
        return f"{figure} in the only repeat"
    return f"{figure} (95 % interval {interval(low, high, signed=signed)})"


def lift(comparison: Comparison) -> str:
    """Lift, interval and p-value of a comparison; the lift alone where one repeat says nothing of others."""
    if comparison.mean_b <= 0:
        return f"the lift is undefined, since {comparison.b} has no hit"
    figure = percent(comparison.lift, signed=True)
    if not comparison.error.known:
        return f"lift {figure} in the only repeat"
    ends = interval(comparison.lift_low, comparison.lift_high)
    return f"lift {figure}, 95 % interval {ends}, {probability(comparison.p_value)}"


def versus(comparison: Comparison) -> str:
    """How A stands to B, as a verb; what is not decided is open, not the same."""
    return relation(comparison.relation)


def relation(name: Relation) -> str:
    """A relation as a verb."""
    return _RELATIONS[name]


def means(comparison: Comparison, metric: str) -> str:
    """Both means on the metric, four digits each."""
    return f"{metric_name(metric)} {comparison.mean_a:.4f} against {comparison.mean_b:.4f}"


def detectable(*comparisons: Comparison) -> str:
    """What the data could have shown, to stand beside differences that were not; a range for several."""
    lifts = sorted(each.detectable_lift for each in comparisons if math.isfinite(each.detectable_lift))
    if not all(each.error.known for each in comparisons):
        return "one repeat cannot show a lift of any size"
    if not lifts:
        return "the smallest lift that could have been shown is unknown, since all users differ by the same amount"
    low, high = percent(lifts[0]), percent(lifts[-1])
    return f"the smallest lift that could have been shown is {low if low == high else f'{low} to {high}'}"
