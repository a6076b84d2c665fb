"""The answer at the top of a dataset: its badge, and the few figures that stand under the sentence."""

from dataclasses import dataclass

from recsys.evidence.leaderboard import Leaderboard
from recsys.evidence.sources import SourceVerdict
from recsys.evidence.verdict import Verdict
from recsys.evidence.wording import metric_name, percent
from recsys.report.model import Answer, DatasetReport

BADGES: dict[Answer, str] = {
    "helps": "Content helps",
    "used_but_does_not_pay": "Used, but does not pay",
    "capacity_not_content": "Capacity, not content",
    "no_effect": "No effect",
    "harms": "Content harms",
    "model_harms": "The model is the loss",
    "content_not_chosen": "Content not chosen",
    "inconclusive": "Inconclusive",
    "not_compared": "No content compared",
}
POWER = "with 80 % power, at 5 %"


FEW = 4
"""So many sources are named one by one in the opening."""


@dataclass(frozen=True)
class KeyFigure:
    """A figure, what it is, and the small print beside it."""

    what: str
    figure: str
    beside: str


def key_figures(dataset: DatasetReport) -> list[KeyFigure]:
    """The figures to read first."""
    if dataset.verdict:
        return [*_of_verdict(dataset.verdict), *_of_sources(dataset.sources)]
    assert dataset.leaderboard is not None
    return _of_leaderboard(dataset.leaderboard, dataset.metric)


def _of_verdict(verdict: Verdict) -> list[KeyFigure]:
    rival, shuffled = verdict.against_rival, verdict.against_shuffled
    lifts = {f"Lift over the best rival, {rival.b}": rival, "Lift over its own shuffled content": shuffled}
    return [
        *(
            KeyFigure(
                what,
                percent(each.lift, signed=True),
                f"{percent(each.lift_low, signed=True)} to {percent(each.lift_high, signed=True)}",
            )
            for what, each in lifts.items()
        ),
        KeyFigure("Smallest lift that could have been shown", percent(rival.detectable_lift), POWER),
    ]


def _of_sources(sources: list[SourceVerdict]) -> list[KeyFigure]:
    if not sources:
        return []
    named = [each.source for each in sources if each.named]
    among = ", ".join(each.source for each in sources) if len(sources) <= FEW else f"{len(sources)} sources"
    return [KeyFigure("Sources that help", ", ".join(named) or "none named", f"of {among}")]


def _of_leaderboard(leaderboard: Leaderboard, metric: str) -> list[KeyFigure]:
    test, others = leaderboard.test, leaderboard.comparisons
    beaten = sum(each.b_better for each in others)
    return [
        KeyFigure("Best model", leaderboard.best, "chosen on validation"),
        KeyFigure(f"{metric_name(metric)} on test", f"{test.mean:.4f}", f"{test.low:.4f} to {test.high:.4f}"),
        KeyFigure("Others that it beats", f"{beaten} of {len(others)}", "with p corrected by Holm"),
    ]
