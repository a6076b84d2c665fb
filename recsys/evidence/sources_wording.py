"""What is said of sources and groups of sources: a sentence each, with its figures, and one for all."""

import math
from collections.abc import Sequence

from recsys.evidence.comparison import ALPHA
from recsys.evidence.source_verdicts import GroupKind, GroupVerdict, SourceVerdict, WhichSources
from recsys.evidence.wording import detectable, lift, probability, versus
from recsys.wording import listed, percent

NEEDS_REPEATS = "which takes two repeats or more"
_IN_A_LIST: dict[GroupKind, str] = {
    "interchangeable": "any one of {members}",
    "mostly shared": "one of {members} (which mostly say the same)",
    "same reading": "{members} together (made of the same {reading})",
    "open": "at least one of {members} (which of them was not shown)",
}
_NAMED: dict[GroupKind, str] = {
    "interchangeable": "{label}: {any} will do; {together}",
    "mostly shared": "{label}: most of what they give is the same; {together}",
    "same reading": "{label}, made of the same {reading}: {together}",
    "open": "{label}: {together}, and which of them it is was not shown",
}


def source_sentence(found: SourceVerdict) -> str:
    """What holds and what does not of one source."""
    opening = f"{found.source} helps" if found.named else f"{found.source} is not shown to help"
    alone = _alone(found) if found.content_used else f"alone, tuning gave it no weight in {found.own.model_a}"
    added = ""
    if together := found.added_last:
        verb = "beat" if together.a_better else "are not shown to beat"
        added = (
            f"; all sources together, in {together.model_a}, {verb} the same without what it says ({lift(together)})"
        )
    shown = f"Holm {probability(found.p_holm)} over the sources"
    return f"{opening}, {NEEDS_REPEATS if math.isnan(found.p_holm) else shown}: {alone}{added}."


def _alone(found: SourceVerdict) -> str:
    return (
        f"alone, in {found.own.model_a}, it {versus(found.own)} its shuffled control tuned anew ({lift(found.own)}), "
        f"{versus(found.own_untuned)} the one at its own settings ({lift(found.own_untuned)}), "
        f"and {versus(found.against_rival)} the best interaction-only model ({lift(found.against_rival)})"
    )


def group_sentence(found: GroupVerdict, explained_by: Sequence[str]) -> str:
    """What holds and what does not of one group.

    Args:
        found: its verdict.
        explained_by: the named sources or smaller groups that leave nothing to the group.
    """
    unknown = math.isnan(found.p_holm)
    counted = f"with its best member alone, Holm {probability(found.p_holm)} over the groups"
    corrected = NEEDS_REPEATS if unknown else counted
    if found.named:
        return (
            f"{_named(found)} (all sources against all without what these say: {lift(found.together)}; {corrected})."
        )
    if found.p_holm <= ALPHA:
        return f"{found.label}: nothing to name beside {listed(explained_by)} ({lift(found.together)}; {corrected})."
    return f"{found.label}: not shown to help as a group ({lift(found.together)}; {corrected})."


def summary(sources: Sequence[SourceVerdict], groups: Sequence[GroupVerdict], unjudged: Sequence[str] = ()) -> str:
    """What is named, in one sentence for the first screen, and which sources are not judged."""
    said = _named_in_all(sources, groups)
    if not unjudged:
        return said
    return f"{said} Not judged, since no model was trained on it alone and on its controls: {listed(unjudged)}."


def _named_in_all(sources: Sequence[SourceVerdict], groups: Sequence[GroupVerdict]) -> str:
    named = [each for each in sources if each.named]
    parts = [f"{each.source} helps ({_gain(each)})" for each in named]
    parts += [_named(each) for each in groups if each.named]
    if parts:
        return f"{'; '.join(parts)}."
    added = [each.added_last or each.own for each in sources]
    return f"No source is shown to help by itself ({detectable(*added)})." if added else "There is no source to judge."


def named_in_words(part: WhichSources) -> str:
    """What is named, sources apart from groups; empty where nothing is."""
    sources = ", ".join(each.source for each in part.by_source if each.named)
    return "; and ".join(filter(None, [sources, *(_in_a_list(each) for each in part.groups if each.named)]))


def _in_a_list(found: GroupVerdict) -> str:
    return _IN_A_LIST[found.kind].format(
        members=", ".join(found.sources),
        reading=", ".join(found.same_reading),
    )


def _named(found: GroupVerdict) -> str:
    return _NAMED[found.kind].format(
        label=found.label,
        any=_any(found),
        reading=listed(found.same_reading) if found.same_reading else "",
        together=f"together {percent(found.together.lift, signed=True)}",
    )


def _any(found: GroupVerdict) -> str:
    return "either" if len(found.sources) == 2 else "any one"


def _gain(found: SourceVerdict) -> str:
    alone = f"{percent(found.own.lift, signed=True)} alone over itself shuffled"
    if found.added_last is None:
        return alone
    return f"{alone}, {percent(found.added_last.lift, signed=True)} on top of the other sources"
