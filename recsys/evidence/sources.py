"""Which source of content it is that helps: judged only where content helps at all.

A source is named when the best model over its own arm beats that arm's shuffled control, and `both` beats
`both` with only that source's rows shuffled. With correlated sources the first condition alone names
bystanders: a text that tells what the image shows helps by itself, and adds nothing to the image. Leaving a
source out instead of shuffling it would change the model's capacity along with its content.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from recsys.evidence.comparison import ALPHA, N_RESAMPLES, Comparison, compare, holm_corrected
from recsys.evidence.scores import Pair, Scores
from recsys.evidence.verdict import Verdict
from recsys.evidence.wording import lift


class SourcePairs(BaseModel):
    """Which (model, arm)s a source is judged by.

    Attributes:
        own: the best model, chosen on validation, over the arm that shows this source alone.
        own_shuffled: the shuffled control of `own`.
        fused: the best model over all sources; None where the dataset has one source only.
        fused_altered: `fused` with only this source's rows shuffled; None where there is one source only.
    """

    model_config = ConfigDict(frozen=True)

    own: Pair
    own_shuffled: Pair
    fused: Pair | None = None
    fused_altered: Pair | None = None

    @property
    def pairs(self) -> list[Pair]:
        """All that it names."""
        return [pair for pair in (self.own, self.own_shuffled, self.fused, self.fused_altered) if pair]


@dataclass(frozen=True)
class SourceVerdict:
    """What the evidence says about one source.

    Attributes:
        source: its name.
        named: whether it is this source that helps.
        p_value: the larger one of its two conditions, 1 where a condition points the other way.
        p_holm: `p_value` corrected over the sources.
        sentence: what holds and what does not, with the figures.
        own: the source alone against its shuffled control.
        fused: all sources against all with this one shuffled; None where there is one source only.
        against_rival: the source alone against the best interaction-only model; reported, not required.
    """

    source: str
    named: bool
    p_value: float
    p_holm: float
    sentence: str
    own: Comparison
    fused: Comparison | None
    against_rival: Comparison


def judge_sources(
    verdict: Verdict,
    sources: Mapping[str, SourcePairs],
    scores: Mapping[Pair, Scores],
    rival: Scores,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> list[SourceVerdict]:
    """Each source's verdict, corrected over the sources by Holm's method; none where content does not help.

    Args:
        verdict: of the dataset.
        sources: by name what each is judged by; with several sources each needs its fused pairs.
        scores: by (model, arm); no more than two are held at a time, beside the rival.
        rival: the best interaction-only model.
        n_resamples: of each comparison.
        seed: of each comparison.
    """
    if verdict.name != "helps" or not sources:
        return []
    how: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
    conditions = {}
    for source, pairs in sources.items():
        own, fused = compare(scores[pairs.own], scores[pairs.own_shuffled], **how), None
        if len(sources) > 1:
            if pairs.fused is None or pairs.fused_altered is None:
                raise ValueError(f"source '{source}' is one of {len(sources)}: it needs its fused pairs to be judged")
            fused = compare(scores[pairs.fused], scores[pairs.fused_altered], **how)
        conditions[source] = own, fused, compare(scores[pairs.own], rival, **how)
    p_values = [max(_one_way(each) for each in (own, fused) if each) for own, fused, _ in conditions.values()]
    return [
        _judged(source, *compared, p, p_holm)
        for (source, compared), p, p_holm in zip(conditions.items(), p_values, holm_corrected(p_values), strict=True)
    ]


def _one_way(comparison: Comparison) -> float:
    return comparison.p_value if comparison.difference > 0 else 1.0


def _judged(
    source: str, own: Comparison, fused: Comparison | None, against_rival: Comparison, p_value: float, p_holm: float
) -> SourceVerdict:
    named = p_holm <= ALPHA
    parts = [f"alone it {_beats(own)} its shuffled control ({lift(own)})"]
    if fused:
        parts.append(f"all sources together {_beat(fused)} the same with its rows shuffled ({lift(fused)})")
    parts.append(f"alone it {_beats(against_rival)} the best interaction-only model ({lift(against_rival)})")
    opening = f"{source} helps" if named else f"{source} is not shown to help"
    sentence = f"{opening}, Holm p {p_holm:.3f} over the sources: {'; '.join(parts)}."
    return SourceVerdict(source, named, p_value, p_holm, sentence, own, fused, against_rival)


def _beats(comparison: Comparison) -> str:
    return "beats" if comparison.a_better else "is not shown to beat"


def _beat(comparison: Comparison) -> str:
    return "beat" if comparison.a_better else "are not shown to beat"
