"""The answer at the top of a dataset: its badge, and the few figures that stand under the sentence."""

from dataclasses import dataclass

from recsys.evidence.comparison import Comparison
from recsys.evidence.leaderboard import Leaderboard
from recsys.evidence.sensitivity import Agreement
from recsys.evidence.source_verdicts import WhichSources
from recsys.evidence.sources_wording import named_in_words
from recsys.evidence.verdict import HELPS, Verdict
from recsys.evidence.wording import interval, metric_name
from recsys.report.model import Answer, DatasetReport
from recsys.wording import percent

BADGES: dict[Answer, str] = {
    "helps": "Content helps",
    "helps_a_little": "Content helps a little",
    "popularity_not_content": "Popularity, not content",
    "capacity_not_content": "Capacity, not content",
    "used_but_does_not_pay": "Used, but does not pay",
    "no_effect": "No effect",
    "harms": "Content harms",
    "model_harms": "The model harms, not content",
    "content_not_chosen": "Content not chosen",
    "not_ready": "Not ready to be answered",
    "inconclusive": "Inconclusive",
    "not_compared": "No content compared",
}
HOLM = "with p corrected by Holm"
FEW = 4
"""So many sources are named one by one in the opening."""


@dataclass(frozen=True)
class KeyFigure:
    """A figure, what it is, and the small print beside it."""

    what: str
    figure: str
    beside: str


def key_figures(dataset: DatasetReport) -> list[KeyFigure]:
    """The figures to read first; none where the question is not ready to be answered."""
    if dataset.verdict is None:
        assert dataset.leaderboard is not None
        return _of_leaderboard(dataset.leaderboard, dataset.metric)
    if dataset.verdict.name == "not_ready":
        return []
    return [
        *_of_verdict(dataset.verdict),
        *_of_agreement(dataset.agreement, dataset.verdict),
        *_of_sources(dataset.sources),
    ]


def _of_verdict(verdict: Verdict) -> list[KeyFigure]:
    lifts = {
        f"Lift over the best model without content, {verdict.against_rival.b}": verdict.against_rival,
        "What content itself gives": verdict.gain,
    }
    return [KeyFigure(what, percent(each.lift, signed=True), _interval(each)) for what, each in lifts.items()]


def _interval(comparison: Comparison) -> str:
    if not comparison.error.known:
        return "in the only repeat; an interval takes two or more"
    return f"95 % interval {interval(comparison.lift_low, comparison.lift_high)}"


def _of_agreement(agreement: Agreement | None, verdict: Verdict) -> list[KeyFigure]:
    lifts, same = verdict.against_rival.repeat_lifts, verdict.against_rival.n_repeats_of_its_sign
    repeats = KeyFigure("Repeats in which the lift has this sign", f"{same} of {len(lifts)}", _extremes(lifts))
    if len(set(lifts)) == 1:
        why = (
            "one was run"
            if len(lifts) == 1
            else "the split is given and neither model draws anything; controls differ by how they are permuted"
        )
        repeats = KeyFigure("Repeats that could differ", "none", why)
    if agreement is None:
        return [repeats]
    turned = f"{agreement.n_contradict or 'none'} says the opposite" if agreement.n_contradict < 2 else ""
    settings = KeyFigure(
        "Settings that agree",
        f"{agreement.n_agree} of {agreement.n_settings}",
        f"metric, cut-off and mask; {turned or f'{agreement.n_contradict} say the opposite'}",
    )
    return [settings, repeats]


def _extremes(lifts: tuple[float, ...]) -> str:
    return f"from {percent(min(lifts), signed=True)} to {percent(max(lifts), signed=True)}" if len(lifts) > 1 else ""


def _of_sources(sources: WhichSources | None) -> list[KeyFigure]:
    if sources is None or not sources.by_source:
        return []
    judged = [each.source for each in sources.by_source]
    among = ", ".join(judged) if len(judged) <= FEW else f"{len(judged)} sources"
    return [KeyFigure("Sources that help", named_in_words(sources) or "none named", f"of {among}")]


def why_unnamed(dataset: DatasetReport) -> str:
    """Why content can help without a source that is named; empty where that is not so."""
    verdict, sources = dataset.verdict, dataset.sources
    if verdict is None or verdict.name not in HELPS or sources is None or sources.named:
        return ""
    together = next((each.added_last for each in sources.by_source if each.added_last), None)
    if together is None:
        return ""
    return (
        "Content can help although no single source is named: the verdict is about "
        f"{verdict.against_rival.a}, while a source must help alone and also be missed by {together.model_a}, the "
        "best model over all sources, and no source was shown to do both."
    )


def _of_leaderboard(leaderboard: Leaderboard, metric: str) -> list[KeyFigure]:
    test, others = leaderboard.test, leaderboard.comparisons
    beaten = sum(each.b_better for each in others)
    return [
        KeyFigure("Best model", leaderboard.best, "chosen on validation" if others else "the only one"),
        KeyFigure(f"{metric_name(metric)} on test", f"{test.mean:.4f}", f"{test.low:.4f} to {test.high:.4f}"),
        *([KeyFigure("Others that it beats", f"{beaten} of {len(others)}", HOLM)] if others else []),
    ]
