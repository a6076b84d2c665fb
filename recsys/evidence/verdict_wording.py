"""What a verdict says: one sentence with its figures, and one of advice for the person who decides."""

from collections.abc import Callable, Sequence

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.evidence.comparison import Comparison
from recsys.evidence.planning import what_would_show
from recsys.evidence.verdict import Verdict, VerdictName
from recsys.evidence.verdict_table import awaited, has_open, in_the_way, unbeaten
from recsys.evidence.wording import interval, lift, means, versus
from recsys.wording import percent

ADVICE: dict[VerdictName, str] = {
    "helps": "Use content: put this model into an online test against the best one without content.",
    "helps_a_little": "Use content only if it costs little: the gain is real, but below the margin that you set.",
    "popularity_not_content": "Do not pay for content: give a model the popularity of items, which does the same.",
    "capacity_not_content": "Do not pay for content: the same model with permuted content does as well, so try larger "
    "or better tuned models without it.",
    "used_but_does_not_pay": "Keep the best model without content: what content adds to its own model is not enough.",
    "no_effect": "Leave content out: it changes nothing that matters here.",
    "harms": "Leave content out: here it makes recommendations worse.",
    "model_harms": "Do not judge content by this model: it loses with and without real content, so try another one.",
    "content_not_chosen": "Leave content out, or try another encoder: tuning found no use for this content.",
    "not_ready": "Fix what is named first; until then no figure of this dataset answers the question.",
    "inconclusive": "Do not decide by this study: it leaves the question open; its verdict says what would be needed.",
}
DOES_NOT_PAY = (
    "Keep the best model without content: this one is not better by the margin, and only the reason is still open."
)
NOTHING_PAYS = "Keep the best model without content: this one is not better by the margin, and no verdict says why."
NO_VERDICT_FITS = "Do not decide by this study: what its comparisons show fits no verdict."


def advice(name: VerdictName, found: Verdict) -> str:
    """What the person who decides should do; where the verdict is open, what is known suffices if nothing pays."""
    if name != "inconclusive":
        return ADVICE[name]
    fits_none = not awaited(found) and unbeaten(found) is None
    if found.against_rival.lift_high < found.against_rival.margin:
        return NOTHING_PAYS if fits_none else DOES_NOT_PAY
    return NO_VERDICT_FITS if fits_none else ADVICE[name]


def sentence(name: VerdictName, found: Verdict, stopped: Sequence[str]) -> str:
    """What holds and what does not, with the figures."""
    return f"Not ready to be answered. {' '.join(stopped)}" if stopped else _SENTENCES[name](found)


def best_without(rival: Comparison) -> str:
    """The rival in words, which may be the same model without content."""
    itself = " without content" if rival.model_a == rival.model_b else ""
    return f"the best interaction-only model, {rival.b}{itself}"


def _helps(found: Verdict) -> str:
    return f"Content helps: {_beats(found)}."


def _helps_a_little(found: Verdict) -> str:
    rival = found.against_rival
    little = f"by {percent(rival.lift, digits=2)} where the margin is {percent(rival.margin)}"
    return f"Content helps a little, {little}: {_beats(found)}."


def _beats(found: Verdict) -> str:
    rival, gain = found.against_rival, found.gain
    return (
        f"{rival.a} beats {best_without(rival)} ({means(rival, found.metric)}; {lift(rival)}), its own shuffled "
        f"controls and popularity as content; content itself gives {percent(gain.lift, signed=True)} "
        f"({interval(gain.lift_low, gain.lift_high)}) over {_without(gain)}"
    )


def _without(gain: Comparison) -> str:
    return f"the same model {'without content' if gain.arm_b == INTERACTIONS_ONLY else 'with shuffled rows'}"


def _popularity_not_content(found: Verdict) -> str:
    popularity = found.against_popularity
    relation = "is even better" if popularity.b_better else f"does as well within {percent(popularity.margin)}"
    return (
        f"The gain is popularity, not content: {_over_rival(found, 'beats')}, and the same model that is given the "
        f"popularity of items as content {relation} ({lift(popularity)})."
    )


def _capacity_not_content(found: Verdict) -> str:
    shuffled, capacity = found.against_shuffled, found.shuffled_against_rival
    return (
        f"The gain is capacity, not content: {capacity.a} beats {best_without(capacity)} with shuffled content "
        f"({means(capacity, found.metric)}; {lift(capacity)}), and real content does the same within "
        f"{percent(shuffled.margin)} ({lift(shuffled)})."
    )


def _used_but_does_not_pay(found: Verdict) -> str:
    rival, shuffled = found.against_rival, found.against_shuffled
    relation = f"does not beat {best_without(rival)}, by the margin of {percent(rival.margin)}"
    if rival.b_better:
        relation = f"is worse than {best_without(rival)}"
    return (
        f"Content is used but does not pay: {rival.a} beats its own shuffled controls ({lift(shuffled)}), yet it "
        f"{relation} ({means(rival, found.metric)}; {lift(rival)})."
    )


def _no_effect(found: Verdict) -> str:
    rival, shuffled = found.against_rival, found.against_shuffled
    return (
        f"Content has no effect: {rival.a} equals {best_without(rival)}, and its own shuffled controls, within "
        f"{percent(rival.margin)} ({means(rival, found.metric)}; {lift(rival)}; against the shuffled control "
        f"{lift(shuffled)})."
    )


def _harms(found: Verdict) -> str:
    return (
        f"Content harms: {_over_rival(found, 'is worse than')}, and worse than with its content shuffled "
        f"({lift(found.against_shuffled)})."
    )


def _model_harms(found: Verdict) -> str:
    shuffled = found.against_shuffled
    return (
        f"The model loses, not its content: {_over_rival(found, 'is worse than')}, and equals its own shuffled "
        f"control within {percent(shuffled.margin)} ({lift(shuffled)})."
    )


def _content_not_chosen(found: Verdict) -> str:
    rival = found.against_rival
    return (
        f"Content was not chosen: {rival.a} recommends the same without its content, and is therefore a model of "
        f"interactions ({means(rival, found.metric)} of {best_without(rival)}; {lift(rival)})."
    )


def _inconclusive(found: Verdict) -> str:
    rival, shuffled = found.against_rival, found.against_shuffled
    return (
        f"Inconclusive: {rival.a} {versus(rival)} {best_without(rival)} ({means(rival, found.metric)}; "
        f"{lift(rival)}), and {versus(shuffled)} its own shuffled control ({lift(shuffled)}); "
        f"{_what_is_missing(found)}."
    )


def _what_is_missing(found: Verdict) -> str:
    if way := awaited(found):
        compared = [each.comparison for each in way]
        unsaid = [each for each in compared if each not in (found.against_rival, found.against_shuffled)]
        return "; ".join([*map(_compared, unsaid), what_would_show(way)])
    if control := unbeaten(found):
        return f"that {control.a} beats {control.b} is not shown ({lift(control)})"
    fits = "were the lifts what was measured, no verdict would fit" if has_open(found) else "no verdict fits these"
    control = in_the_way(found)
    return f"yet {_compared(control)}: {fits}" if control else fits


def _compared(comparison: Comparison) -> str:
    return f"{comparison.a} {versus(comparison)} {comparison.b} ({lift(comparison)})"


def _over_rival(found: Verdict, relation: str) -> str:
    rival = found.against_rival
    return f"{rival.a} {relation} {best_without(rival)} ({means(rival, found.metric)}; {lift(rival)})"


_SENTENCES: dict[VerdictName, Callable[[Verdict], str]] = {
    "helps": _helps,
    "helps_a_little": _helps_a_little,
    "popularity_not_content": _popularity_not_content,
    "capacity_not_content": _capacity_not_content,
    "used_but_does_not_pay": _used_but_does_not_pay,
    "no_effect": _no_effect,
    "harms": _harms,
    "model_harms": _model_harms,
    "content_not_chosen": _content_not_chosen,
    "inconclusive": _inconclusive,
}
