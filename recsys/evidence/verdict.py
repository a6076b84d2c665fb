"""The verdict on a dataset: does content help here.

Three scores decide: C, the best content-using (model, arm) chosen on validation; I, the best interaction-only
model chosen on validation; S, the shuffled control of C, tuned with C's own budget. C must beat I, or content
does not pay; C must beat S, or what pays is capacity and not content. A verdict is the intersection of the
two tests, each at 5 %, and needs no correction inside.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from recsys.evidence.comparison import MARGIN, N_RESAMPLES, Comparison, compare
from recsys.evidence.scores import Scores
from recsys.evidence.wording import detectable, lift, means, percent, probability

VerdictName = Literal[
    "helps",
    "used_but_does_not_pay",
    "capacity_not_content",
    "no_effect",
    "harms",
    "model_harms",
    "content_not_chosen",
    "inconclusive",
]


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about one dataset.

    Attributes:
        name: the verdict.
        sentence: what holds and what does not, with the figures.
        against_rival: C against the best interaction-only model.
        against_shuffled: C against its own shuffled control.
        metric: what all figures are in, such as `ndcg_at_20`.
    """

    name: VerdictName
    sentence: str
    against_rival: Comparison
    against_shuffled: Comparison
    metric: str


def choose(candidates: Iterable[Scores]) -> Scores:
    """The candidate with the best validation score, the first of equals; test scores have no say."""
    best = max(candidates, key=lambda scores: scores.valid, default=None)
    if best is None:
        raise ValueError("there is no candidate to choose from")
    return best


def decide(
    content: Scores,
    rival: Scores,
    shuffled: Scores,
    *,
    metric: str = "ndcg_at_20",
    margin: float = MARGIN,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Verdict:
    """The verdict from C (`content`), I (`rival`) and S (`shuffled`); see the module for who they are."""
    against_rival = compare(content, rival, margin=margin, n_resamples=n_resamples, seed=seed)
    against_shuffled = compare(content, shuffled, margin=margin, n_resamples=n_resamples, seed=seed)
    name = _name(against_rival, against_shuffled) if content.content_used else "content_not_chosen"
    sentence = _SENTENCES[name](against_rival, against_shuffled, metric)
    return Verdict(name, sentence, against_rival, against_shuffled, metric)


def _name(rival: Comparison, shuffled: Comparison) -> VerdictName:
    """The row of the table, read from the top: the first that holds."""
    if shuffled.a_better:
        return "helps" if rival.a_better else "used_but_does_not_pay"
    if rival.a_better:
        return "capacity_not_content"
    if rival.equivalent:
        return "no_effect"
    if rival.b_better:
        return "harms" if shuffled.b_better else "model_harms"
    return "inconclusive"


def _best_without(rival: Comparison) -> str:
    """The rival in words, which may be the same model shown no content."""
    itself = " without content" if rival.model_a == rival.model_b else ""
    return f"the best interaction-only model, {rival.b}{itself}"


def _helps(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    return (
        f"Content helps: {rival.a} beats {_best_without(rival)} ({means(rival, metric)}; {lift(rival)}), "
        f"and beats its own shuffled control ({lift(shuffled)})."
    )


def _used_but_does_not_pay(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    relation = "is worse than" if rival.b_better else "is not shown to beat"
    return (
        f"Content is used but does not pay: {rival.a} beats its own shuffled control ({lift(shuffled)}), yet it "
        f"{relation} {_best_without(rival)} ({means(rival, metric)}; {lift(rival)}; "
        f"{detectable(rival)})."
    )


def _capacity_not_content(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    relation = "is even better with its content shuffled" if shuffled.b_better else "is as good with shuffled content"
    return (
        f"The gain is capacity, not content: {rival.a} beats {_best_without(rival)} "
        f"({means(rival, metric)}; {lift(rival)}), but {relation}, as far as these data can tell "
        f"({lift(shuffled)}; {detectable(shuffled)})."
    )


def _no_effect(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    return (
        f"Content has no effect: {rival.a} equals {_best_without(rival)}, within a margin of "
        f"{percent(rival.margin)} ({means(rival, metric)}; {lift(rival)}; equivalence "
        f"{probability(rival.p_equivalent)}; {detectable(rival)}), and is not shown to beat its own shuffled control "
        f"({lift(shuffled)})."
    )


def _harms(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    return (
        f"Content harms: {rival.a} is worse than {_best_without(rival)} "
        f"({means(rival, metric)}; {lift(rival)}), and worse than with its content shuffled ({lift(shuffled)})."
    )


def _model_harms(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    return (
        f"The model is the loss, not its content: {rival.a} is worse than {_best_without(rival)} "
        f"({means(rival, metric)}; {lift(rival)}), and no difference from its own shuffled control is shown "
        f"({lift(shuffled)}; {detectable(shuffled)})."
    )


def _content_not_chosen(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    return (
        f"Content was not chosen: tuning gave it no weight in {rival.a}, which is therefore a model of interactions "
        f"({means(rival, metric)} of {_best_without(rival)}; {lift(rival)})."
    )


def _inconclusive(rival: Comparison, shuffled: Comparison, metric: str) -> str:
    relation = "worse than" if shuffled.b_better else "not shown to beat"
    return (
        f"Inconclusive: {rival.a} is neither better nor worse than {_best_without(rival)}, nor "
        f"shown to equal it within {percent(rival.margin)} ({means(rival, metric)}; {lift(rival)}; "
        f"{detectable(rival)}), and is {relation} its own shuffled control ({lift(shuffled)})."
    )


_SENTENCES: dict[VerdictName, Callable[[Comparison, Comparison, str], str]] = {
    "helps": _helps,
    "used_but_does_not_pay": _used_but_does_not_pay,
    "capacity_not_content": _capacity_not_content,
    "no_effect": _no_effect,
    "harms": _harms,
    "model_harms": _model_harms,
    "content_not_chosen": _content_not_chosen,
    "inconclusive": _inconclusive,
}
