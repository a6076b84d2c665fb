"""Which source of content it is that helps: judged whatever the verdict.

A source is named when the best model over it alone beats both of its shuffled selves (tuned anew, and at its own
settings), and all sources together beat the same without what this one says. With correlated sources the first
condition alone names bystanders: a text that repeats what the image shows helps by itself, and adds nothing to the
image. What a source says is taken away in two ways, of which the better on validation counts. Its rows are shuffled,
which keeps the model's capacity; but rows that say nothing blur those of the other sources, so that one of two equal
sources would be missed by 7 %. Or the source is left out.

Sources that stand in for each other fail the last condition, each because of the others. A group of them is named
when the member that is best alone on validation beats its shuffled selves and all sources together lose without the
whole group. Where members are named they explain that, and the group is not named on top, unless all of its members
read the same raw thing, or its loss was shown to be mostly shared: each member alone beats its shuffled selves, and
their single losses add up to less than half of the group's. A group that holds a smaller named one says nothing new.
That any one member "will do" is a claim of sameness, made only where the loss is mostly shared and each member without
the others of the group is shown to do as well as all of them, within the margin. Of three members or more that takes
models over subsets of the sources: taking each away while all others stay shows only that one of them can be spared.

P-values are corrected by Holm, over the sources and over the groups. They are two-sided and a name is a claim in one
direction, so each of the two families errs in at most 2.5 % and both together in at most 5 %. One family of both would
be as safe and find less: t-based p-values of three repeats have no room for a factor of ten. A tree of tests, groups
first, would need groups that do not overlap. A group's member is chosen on validation, so that its test needs no
correction over the members, and both conditions of a group must hold, so that the larger p-value counts. What is said
of a named group beyond its name (mostly shared, either will do) is corrected over the groups and counts apart: each of
the two may err in another 5 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from recsys.evidence.comparison import ALPHA, DEFAULTS, ComparisonOptions, compare, holm_corrected
from recsys.evidence.contrast import Weights, contrasts
from recsys.evidence.scores import Pair, Scores
from recsys.evidence.shapley import shapley_shares, subset_name
from recsys.evidence.source_design import GroupPairs, SourceDesign
from recsys.evidence.source_verdicts import GroupVerdict, SourceVerdict, WhichSources, largest, one_way
from recsys.evidence.sources_wording import group_sentence, source_sentence, summary

SHARED = 0.5
"""A group's loss is mostly shared where more than this of it is lost only by taking several members away at once."""


def judge_sources(
    design: SourceDesign,
    scores: Mapping[Pair, Scores],
    rival: Scores,
    reads: Mapping[str, frozenset[str]],
    options: ComparisonOptions = DEFAULTS,
) -> WhichSources:
    """Judge each source and each group.

    Args:
        design: what is compared; with several sources each needs its `full` and `full_altered`.
        scores: by (model, arm); no more than two are held at a time, beside the rival and a sum per source.
        rival: the best interaction-only model.
        reads: by source, in the order of the study, the raw things that it is made of.
        options: of each comparison.

    Raises:
        ValueError: one of several sources has no pairs over all sources, or a group has a member that is not judged.
    """
    drafts = {source: _source(source, design, scores, rival, options) for source in design.sources}
    groups = [_group(pairs, design, scores, drafts, reads, options) for pairs in design.groups]
    p_values = holm_corrected([each.p_value for each in drafts.values()])
    by_source = [_judged(draft, p) for draft, p in zip(drafts.values(), p_values, strict=True)]
    judged = _judged_groups(groups, {each.source for each in by_source if each.named})
    # Of all sources, also those of which no controls stand for a verdict of their own.
    shares = shapley_shares(list(reads), design.subsets, scores) if design.subsets else None
    unjudged = [source for source in reads if source not in design.sources]
    return WhichSources(by_source, judged, shares, summary(by_source, judged, unjudged))


def _source(
    source: str, design: SourceDesign, scores: Mapping[Pair, Scores], rival: Scores, options: ComparisonOptions
) -> SourceVerdict:
    """One source before correction."""
    pairs, added = design.sources[source], None
    if pairs.full and pairs.full_altered:
        added = compare(scores[pairs.full], scores[pairs.full_altered], options)
    elif len(design.sources) > 1:
        raise ValueError(f"source '{source}' is one of {len(design.sources)}: it needs its pairs over all sources")
    own = scores[pairs.own]
    shuffled, untuned = (compare(own, scores[pair], options) for pair in (pairs.own_shuffled, pairs.own_untuned))
    p = largest(*(one_way(each) for each in (shuffled, untuned, added) if each))
    against_rival = compare(own, rival, options)
    return SourceVerdict(source, False, p, p, "", shuffled, untuned, added, against_rival, own.content_used)


def _group(
    group: GroupPairs,
    design: SourceDesign,
    scores: Mapping[Pair, Scores],
    drafts: Mapping[str, SourceVerdict],
    reads: Mapping[str, frozenset[str]],
    options: ComparisonOptions,
) -> GroupVerdict:
    """One group before correction. Its member that helps alone is chosen on validation, so that one test is made."""
    unknown = [source for source in group.sources if source not in drafts]
    if unknown or len(group.sources) < 2:
        raise ValueError(f"group {group.sources}: it needs two members at least, each of them a source that is judged")
    together = compare(scores[group.full], scores[group.full_altered], options)
    best = max(group.sources, key=lambda source: scores[design.sources[source].own].valid)
    p = largest(drafts[best].p_alone, one_way(together))
    (shared,) = contrasts([_shared(group, design)], scores)
    p_shared = largest(*(drafts[source].p_alone for source in group.sources), shared.estimate.p_above)
    return GroupVerdict(
        sources=group.sources,
        named=False,
        p_value=p,
        p_holm=p,
        sentence="",
        together=together,
        same_reading=tuple(sorted(frozenset.intersection(*(reads[source] for source in group.sources)))),
        p_shared=p_shared,
        p_interchangeable=largest(p_shared, _one_is_enough(group, design, scores, drafts, list(reads), options)),
    )


def _one_is_enough(
    group: GroupPairs,
    design: SourceDesign,
    scores: Mapping[Pair, Scores],
    drafts: Mapping[str, SourceVerdict],
    every_source: Sequence[str],
    options: ComparisonOptions,
) -> float:
    """P-value of each member doing as well without the others of the group; 1 where no model was shown that."""
    if len(group.sources) == 2:
        without_other = [each for source in group.sources if (each := drafts[source].added_last)]
        return largest(*(each.p_equivalent for each in without_other))
    if not design.subsets:
        return 1.0
    full = scores[design.subsets[subset_name(every_source)]]
    outside = set(every_source) - set(group.sources)
    kept = ([source for source in every_source if source in {*outside, member}] for member in group.sources)
    alone = (scores[design.subsets[subset_name(sources)]] for sources in kept)
    return largest(*(compare(full, each, options).p_equivalent for each in alone))


def _shared(group: GroupPairs, design: SourceDesign) -> Weights:
    """What the group's loss has beyond what its members' single losses would be at most, were it mostly shared."""
    weights: dict[Pair, float] = {group.full: 1 - SHARED, group.full_altered: SHARED - 1}
    for source in group.sources:
        pairs = design.sources[source]
        assert pairs.full is not None and pairs.full_altered is not None
        weights[pairs.full] = weights.get(pairs.full, 0.0) - 1
        weights[pairs.full_altered] = weights.get(pairs.full_altered, 0.0) + 1
    return weights


def _judged(draft: SourceVerdict, p_holm: float) -> SourceVerdict:
    judged = replace(draft, named=p_holm <= ALPHA, p_holm=p_holm)
    return replace(judged, sentence=source_sentence(judged))


def _judged_groups(drafts: Sequence[GroupVerdict], named: set[str]) -> list[GroupVerdict]:
    """Every group with its verdict, in the order given; smaller ones come first, for they explain larger ones.

    Args:
        drafts: the groups before correction.
        named: sources that are named.
    """
    p_values = holm_corrected([each.p_value for each in drafts])
    shared = holm_corrected([each.p_shared for each in drafts])
    interchangeable = holm_corrected([each.p_interchangeable for each in drafts])
    judged: dict[int, GroupVerdict] = {}
    for i in sorted(range(len(drafts)), key=lambda i: len(drafts[i].sources)):
        group = replace(drafts[i], p_holm=p_values[i], p_shared=shared[i], p_interchangeable=interchangeable[i])
        explained_by = [
            each.label for each in judged.values() if each.named and set(each.sources) < set(group.sources)
        ]
        if not (group.same_reading or group.mostly_shared):
            explained_by += [source for source in group.sources if source in named]
        group = replace(group, named=group.p_holm <= ALPHA and not explained_by)
        judged[i] = replace(group, sentence=group_sentence(group, explained_by))
    return [judged[i] for i in range(len(drafts))]
