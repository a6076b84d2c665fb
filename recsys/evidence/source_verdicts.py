"""What the evidence says about each source of content, about groups of sources, and about all of them.

How these verdicts are reached is in `recsys.evidence.sources`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.evidence.comparison import ALPHA, Comparison
from recsys.evidence.shapley import Shares


@dataclass(frozen=True)
class SourceVerdict:
    """What the evidence says about one source.

    Attributes:
        source: its name.
        named: whether it is this source that helps.
        p_value: the largest one of its conditions, 1 where a condition points the other way, nan where one is unknown.
        p_holm: `p_value` corrected over the sources.
        sentence: what holds and what does not, with the figures.
        own: the source alone against its shuffled control, tuned anew.
        own_untuned: the source alone against its shuffled control at its own settings.
        added_last: all sources against all without what this one says; None where there is one source only.
        against_rival: the source alone against the best interaction-only model; reported, not required.
        content_used: whether tuning gave the source alone any weight.
    """

    source: str
    named: bool
    p_value: float
    p_holm: float
    sentence: str
    own: Comparison
    own_untuned: Comparison
    added_last: Comparison | None
    against_rival: Comparison
    content_used: bool = True

    @property
    def p_alone(self) -> float:
        """p-value of the source alone against both of its shuffled selves."""
        return largest(one_way(self.own), one_way(self.own_untuned))


GroupKind = Literal["interchangeable", "mostly shared", "same reading", "open"]


@dataclass(frozen=True)
class GroupVerdict:
    """What the evidence says about sources that may stand in for each other.

    Attributes:
        sources: the members.
        named: whether it is this group that helps.
        p_value: the larger one of its two conditions, 1 where one points the other way, nan where one is unknown.
        p_holm: `p_value` corrected over the groups.
        sentence: what holds and what does not, with the figures.
        together: all sources against all without what the whole group says.
        same_reading: the raw things that all of its members read.
        p_shared: of the loss being mostly shared; corrected over the groups.
        p_interchangeable: the larger one of `p_shared` and of each member doing as well, within the margin, without
            the others of the group; corrected over the groups.
    """

    sources: tuple[str, ...]
    named: bool
    p_value: float
    p_holm: float
    sentence: str
    together: Comparison
    same_reading: tuple[str, ...]
    p_shared: float
    p_interchangeable: float

    @property
    def mostly_shared(self) -> bool:
        """Whether most of the loss was shown to come from taking several members away at once."""
        return self.p_shared <= ALPHA

    @property
    def interchangeable(self) -> bool:
        """Whether any one member was shown to do as well as all of them, within the margin."""
        return self.p_interchangeable <= ALPHA

    @property
    def kind(self) -> GroupKind:
        """The most that was shown of how its members stand to each other; it is for a group that is named."""
        if self.interchangeable:
            return "interchangeable"
        if self.mostly_shared:
            return "mostly shared"
        return "same reading" if self.same_reading else "open"

    @property
    def label(self) -> str:
        """The group in words."""
        return " or ".join(self.sources)


@dataclass(frozen=True)
class WhichSources:
    """Which source or group of sources helps, and how much is due to each.

    Attributes:
        by_source: one verdict per source, in the order of the study.
        groups: one verdict per candidate.
        shares: Shapley shares; None where the subsets were not trained.
        sentence: what is named, with the figures.
    """

    by_source: list[SourceVerdict]
    groups: list[GroupVerdict]
    shares: Shares | None
    sentence: str

    @property
    def named(self) -> list[str]:
        """What is named: sources, then groups in words such as `text or image`."""
        return [
            *(each.source for each in self.by_source if each.named),
            *(each.label for each in self.groups if each.named),
        ]


def one_way(comparison: Comparison) -> float:
    """The p-value of A being better; 1 where it is not, nan where one repeat says nothing of others."""
    return comparison.p_value if comparison.difference > 0 or not comparison.error.known else 1.0


def largest(*p_values: float) -> float:
    """The p-value of several conditions that must all hold; nan where one of them is unknown."""
    return float(np.max(p_values))
