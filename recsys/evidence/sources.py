"""Which source of content it is that helps: judged only where content helps at all.

A source is named when the best model over its own arm beats that arm's shuffled control, and `both` beats
`both` with only that source's rows shuffled. With correlated sources the first condition alone names
bystanders: a text that tells what the image shows helps by itself, and adds nothing to the image. Leaving a
source out instead of shuffling it would change the model's capacity along with its content.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.evidence.comparison import ALPHA, N_RESAMPLES, Comparison, compare, holm_corrected
from recsys.evidence.scores import Scores
from recsys.evidence.verdict import Verdict
from recsys.evidence.wording import lift


@dataclass(frozen=True)
class SourceScores:
    """What a source is judged by.

    Attributes:
        source: its name, such as `image`.
        own: the best model, chosen on validation, over the arm that shows this source alone.
        own_shuffled: the shuffled control of `own`.
        fused: the best model over all sources; None where the dataset has one source only.
        fused_altered: `fused` with only this source's rows shuffled; None where there is one source only.
    """

    source: str
    own: Scores
    own_shuffled: Scores
    fused: Scores | None = None
    fused_altered: Scores | None = None


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
    sources: Sequence[SourceScores],
    rival: Scores,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> list[SourceVerdict]:
    """Each source's verdict, corrected over the sources by Holm's method; none where content does not help.

    Args:
        verdict: of the dataset.
        sources: one entry a source; with several sources each needs its fused scores.
        rival: the best interaction-only model.
        n_resamples: of each comparison.
        seed: of each comparison.
    """
    if verdict.name != "helps" or not sources:
        return []
    pairs = [_conditions(each, len(sources), n_resamples, seed) for each in sources]
    p_values = [max(_one_way(condition) for condition in pair if condition) for pair in pairs]
    corrected = holm_corrected(p_values)
    return [
        _judged(each.source, own, fused, compare(each.own, rival, n_resamples=n_resamples, seed=seed), p, p_holm)
        for each, (own, fused), p, p_holm in zip(sources, pairs, p_values, corrected, strict=True)
    ]


def _conditions(
    scores: SourceScores, n_sources: int, n_resamples: int, seed: int
) -> tuple[Comparison, Comparison | None]:
    own = compare(scores.own, scores.own_shuffled, n_resamples=n_resamples, seed=seed)
    if n_sources == 1:
        return own, None
    if scores.fused is None or scores.fused_altered is None:
        raise ValueError(f"source '{scores.source}' is one of {n_sources}: it needs its fused scores to be judged")
    return own, compare(scores.fused, scores.fused_altered, n_resamples=n_resamples, seed=seed)


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
