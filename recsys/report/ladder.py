"""The ladder: what content is measured against, rung by rung, and the model with content above them."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.evidence.comparison import Comparison
from recsys.report.model import DatasetReport


@dataclass(frozen=True)
class Rung:
    """One of those that are compared.

    Attributes:
        what: its part in the verdict.
        name: the (model, arm) in words.
        mean: primary metric over users and repeats.
        repeats: the same in each repeat; empty where it is not known.
        below: content against it; None for content itself.
    """

    what: str
    name: str
    mean: float
    repeats: list[float]
    below: Comparison | None


def rungs(dataset: DatasetReport) -> list[Rung]:
    """The rival, the controls of content, and content, in this order; none without a verdict."""
    verdict = dataset.verdict
    if verdict is None:
        return []
    rival, itself = verdict.against_rival, verdict.against_itself
    is_itself = itself is not None and (itself.model_b, itself.arm_b) == (rival.model_b, rival.arm_b)
    compared = {
        f"Best without content{', which is the same model' if is_itself else ''}: the rival": rival,
        "The same model without content": None if is_itself else itself,
        "Its content shuffled, tuned anew": verdict.against_shuffled,
        "Its content shuffled, same settings": verdict.against_untuned,
        "Popularity as its content": verdict.against_popularity,
    }
    repeats = {(row.model, row.arm): row.repeat_means for row in dataset.results}
    found = [
        Rung(what, each.b, each.mean_b, repeats.get((each.model_b, each.arm_b), []), each)
        for what, each in compared.items()
        if each
    ]
    return [*found, Rung("With content", rival.a, rival.mean_a, repeats.get((rival.model_a, rival.arm_a), []), None)]


@dataclass(frozen=True)
class Scale:
    """A stretch of the metric, from `low` to `high`, that holds every dot."""

    low: float
    high: float

    @classmethod
    def of(cls, shown: Sequence[Rung]) -> "Scale":
        """The scale of some rungs, with a margin at both ends."""
        values = [value for rung in shown for value in (rung.mean, *rung.repeats)]
        margin = 0.06 * (max(values) - min(values)) or 0.01
        return cls(max(0.0, min(values) - margin), max(values) + margin)

    def at(self, value: float) -> str:
        """Where a value lies, in percent of the way from left to right."""
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"
