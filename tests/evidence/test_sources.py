"""Which source is named, and which group of them."""

import re
from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from pydantic import TypeAdapter
from statsmodels.stats.multitest import multipletests

from recsys.evidence.scores import Scores
from recsys.evidence.shapley import subset_name
from recsys.evidence.source_design import GroupPairs, SourceDesign, SourcePairs
from recsys.evidence.source_verdicts import WhichSources
from recsys.evidence.sources import judge_sources
from recsys.evidence.sources_wording import named_in_words
from tests.evidence.options import QUICK

N_USERS, N_REPEATS = 400, 5
BOTH = ("text", "image")


class Market:
    """Scores of one model whose lift over no content depends on which sources keep their rows.

    Args:
        lift: of a set of sources.
        sources: by name.
        groups: candidates.
        noise: of users, of users within a repeat, of repeats.
    """

    def __init__(self, lift, sources=BOTH, groups=(BOTH,), *, noise=(0.3, 0.2, 0.02), seed=0):
        self.rng, self.noise, self.scores = np.random.default_rng(seed), noise, {}
        self.ease = self.rng.beta(1.2, 2.5, N_USERS) * (self.rng.random(N_USERS) < 0.6)
        everything = frozenset(sources)
        full = self.scored("all", lift(everything)) if len(sources) > 1 else None
        self.design = SourceDesign(
            sources={
                source: SourcePairs(
                    own=self.scored(source, lift(frozenset([source]))),
                    own_shuffled=self.scored(f"{source}_shuffled", 0.0),
                    own_untuned=self.scored(f"{source}_shuffled_untuned", -0.01),
                    full=full,
                    full_altered=full and self.scored(f"all_{source}_shuffled", lift(everything - {source})),
                )
                for source in sources
            },
            groups=[
                GroupPairs(
                    sources=group,
                    full=full,
                    full_altered=self.scored(f"all_{'+'.join(group)}_shuffled", lift(everything - set(group))),
                )
                for group in groups
            ],
        )
        self.rival = self.scores[self.scored("interactions_only", 0.0)]

    def scored(self, arm, lift):
        of_users, within, of_repeats = self.noise
        deviations = self.rng.normal(0, of_users, N_USERS) + self.rng.normal(0, within, (N_REPEATS, N_USERS))
        deviations += self.rng.normal(0, of_repeats, (N_REPEATS, 1))
        values = self.ease * (1 + lift) + (self.ease > 0) * self.ease.mean() * deviations
        scores = Scores("FREEDOM", arm, np.arange(N_USERS), values, valid=0.0, held_out=0.1)
        self.scores[scores.pair] = scores
        return scores.pair

    def with_subsets(self, lift):
        """The model trained over every subset of the sources."""
        subsets = [
            chosen for n in range(len(self.design.sources) + 1) for chosen in combinations(self.design.sources, n)
        ]
        pairs = {
            subset_name(chosen): self.scored(f"only {subset_name(chosen)}", lift(set(chosen))) for chosen in subsets
        }
        self.design = self.design.model_copy(update={"subsets": pairs})

    def judged(self, reads=None):
        reads = reads or {source: frozenset([source]) for source in self.design.sources}
        return judge_sources(self.design, self.scores, self.rival, reads, options=QUICK)


def often(n_draws, *args, **kwargs):
    """How often each answer was given."""
    return Counter(tuple(Market(*args, **kwargs, seed=seed).judged().named) for seed in range(n_draws))


QUIET = (0.02, 0.02, 0.001)


def shared(part):
    """A lift of 50 %, of which so much is also there with one of the sources alone."""
    return lambda real: 0.5 * (0, part, 1)[min(len(real), 2)]


def image_only(real):
    return 0.5 * ("image" in real)


def test_irrelevant_sources_are_seldom_named():
    found = often(40, lambda real: 0.0, ("a", "b", "c", "d"), (("a", "b"), ("c", "d"), ("a", "b", "c", "d")))
    assert found[()] >= 38


def test_of_one_real_source_and_one_bystander_the_real_one_is_named():
    found = often(40, lambda real: 0.5 if "image" in real else 0.2 * bool(real))
    assert found["image",] >= 36
    assert not any("or" in named for answer in found for named in answer)


def test_of_sources_that_say_the_same_the_group_is_named():
    found = often(40, lambda real: 0.5 * bool(real))
    assert sum(count for answer, count in found.items() if "text or image" in answer) >= 38
    assert found[()] == 0


def test_two_sources_that_each_add_something_are_both_named():
    assert often(30, lambda real: 0.3 * len(real))["text", "image"] >= 28


def test_a_source_needs_to_beat_both_of_its_shuffled_selves():
    market = Market(image_only, noise=QUIET)
    pairs = market.design.sources["image"]
    assert market.judged().named == ["image"]
    for control in (pairs.own_shuffled, pairs.own_untuned):
        kept, market.scores[control] = market.scores[control], market.scores[pairs.own]
        assert market.judged().named == []
        market.scores[control] = kept


def test_a_condition_that_points_the_other_way_is_no_evidence():
    image, text = Market(lambda real: 0.5 * ("image" in real) - 0.2 * ("text" in real), noise=QUIET).judged().by_source
    assert (image.source, text.source) == ("text", "image")
    assert image.p_value == image.p_holm == 1


def test_p_values_are_corrected_over_sources_and_over_groups():
    sources = ("text", "image", "audio")
    found = Market(image_only, sources, list(combinations(sources, 2)), noise=(0.9, 0.5, 0.05)).judged()
    for family in (found.by_source, found.groups):
        expected = multipletests([each.p_value for each in family], method="holm")[1]
        assert [each.p_holm for each in family] == pytest.approx(expected.tolist())
        assert 0 < min(expected) < 1


def test_a_single_source_needs_nothing_else():
    found = Market(lambda real: 0.3 * bool(real), ("image",), ()).judged()
    (image,) = found.by_source
    assert found.named == ["image"]
    assert image.added_last is None
    assert found.sentence.startswith("image helps (+") and found.sentence.endswith("% alone over itself shuffled).")


def test_a_small_loss_by_each_does_not_hide_what_they_share():
    found = Market(shared(0.97), noise=QUIET).judged()
    (group,) = found.groups
    assert found.named == ["text", "image", "text or image"]
    assert group.mostly_shared
    assert "text or image: " in found.sentence
    assert re.match(
        r"text helps \(\+\S+ % alone over itself shuffled, \+\S+ % on top of the other sources\);", found.sentence
    )
    assert named_in_words(found) == "text, image; and any one of text, image"


def test_sources_that_share_less_than_most_are_no_group():
    found = Market(shared(0.7), noise=QUIET).judged()
    assert found.named == ["text", "image"]
    assert "nothing to name beside text and image" in found.groups[0].sentence


def test_either_will_do_only_where_that_was_shown():
    noises = QUIET, (0.9, 0.2, 0.02), (1.5, 0.4, 0.05)
    quiet, noisy, noisiest = (Market(shared(1.0), noise=noise).judged() for noise in noises)
    assert quiet.named == noisy.named == noisiest.named == ["text or image"]
    assert quiet.sentence.startswith("text or image: either will do; together +")
    assert noisy.groups[0].interchangeable is noisiest.groups[0].interchangeable is False
    assert "most of what they give is the same" in noisy.sentence
    assert "which of them it is was not shown" in noisiest.sentence
    assert [named_in_words(each) for each in (quiet, noisy, noisiest)] == [
        "any one of text, image",
        "one of text, image (which mostly say the same)",
        "at least one of text, image (which of them was not shown)",
    ]


def test_sources_that_say_nearly_the_same_are_a_group_beside_those_named():
    found = often(30, shared(0.88))
    assert sum(count for answer, count in found.items() if "text or image" in answer) >= 27
    assert not any("or" in named for answer in often(30, shared(0.65)) for named in answer)


def test_the_member_that_speaks_for_a_group_is_chosen_on_validation():
    """The text is by far the surer one on test, and nothing of that is looked at."""
    market = Market(shared(1.0), noise=QUIET)
    image = market.design.sources["image"]
    market.scores[image.own_untuned] = market.scores[image.own]
    assert market.judged().named == ["text or image"]
    market.scores[image.own] = replace(market.scores[image.own], valid=0.1)
    assert market.judged().groups[0].p_value == 1


def test_a_loss_within_the_margin_does_not_make_a_bystander_do():
    """All equals within the margin, but only the image gives what the group gives."""
    market = Market(lambda real: 0.015 * ("image" in real), noise=(0.05, 0.02, 0.001))
    (group,) = market.judged().groups
    assert not group.interchangeable
    assert not group.mostly_shared


def test_sources_made_of_the_same_raw_thing_are_a_group_beside_a_named_member():
    market = Market(image_only, ("image", "caption"), [("image", "caption")], noise=QUIET)
    assert market.judged().named == ["image"]
    found = market.judged({"image": frozenset(["image"]), "caption": frozenset(["image", "text"])})
    assert found.named == ["image", "image or caption"]
    assert "made of the same image: together +" in found.groups[0].sentence
    assert named_in_words(found) == "image; and image, caption together (made of the same image)"


def test_of_nested_groups_the_smallest_is_named():
    sources, groups = ("a", "b", "c"), [("a", "b", "c"), ("a", "b"), ("b", "c")]
    found = Market(lambda real: 0.5 * bool(real & {"a", "b"}), sources, groups, noise=QUIET).judged()
    assert found.named == ["a or b"]
    assert [each.sources for each in found.groups] == groups
    three = Market(lambda real: 0.5 * bool(real), sources, groups, noise=QUIET).judged()
    assert three.named == ["a or b or c"]


SAYS = {"a": {"x", "y"}, "b": {"y", "z"}, "c": {"x", "z"}}


def two_suffice(real):
    """What each source says, another one says as well, so that any one can be spared, and no one says it all."""
    return 0.2 * len(set().union(*(SAYS[source] for source in real)))


@pytest.mark.parametrize(
    ("lift", "trained", "kind"),
    [
        (lambda real: 0.5 * bool(real), True, "interchangeable"),
        (lambda real: 0.5 * bool(real), False, "mostly shared"),
        (two_suffice, True, "mostly shared"),
    ],
)
def test_of_three_any_one_will_do_only_where_each_was_shown_to_do_without_both_others(lift, trained, kind):
    market = Market(lift, tuple(SAYS), [tuple(SAYS)], noise=QUIET)
    if trained:
        market.with_subsets(lift)
    (group,) = market.judged().groups
    assert (group.named, group.kind) == (True, kind)
    assert ("a or b or c: any one will do; together +" in group.sentence) == (kind == "interchangeable")


def test_where_nothing_is_named_it_is_said_what_could_have_been():
    found = Market(lambda real: 0.0).judged()
    assert found.sentence.startswith(
        "No source is shown to help by itself (the smallest lift that could have been shown is "
    )
    assert found.by_source[0].sentence.startswith("text is not shown to help, Holm p")
    assert "text or image: not shown to help as a group" in found.groups[0].sentence
    assert re.search(r"with its best member alone, Holm p = \S+ over the groups", found.groups[0].sentence)


def test_of_one_repeat_nothing_is_known_and_no_p_value_is_made_up():
    market = Market(image_only, noise=QUIET)
    market.scores = {pair: replace(each, values=each.values[:1], seeded=True) for pair, each in market.scores.items()}
    market.rival = market.scores[market.rival.pair]
    found = market.judged()
    assert found.named == []
    p_values = [p for each in (*found.by_source, *found.groups) for p in (each.p_value, each.p_holm)]
    assert np.isnan(p_values).all()
    assert found.by_source[1].sentence.startswith(
        "image is not shown to help, which takes two repeats or more: "
        "alone, in FREEDOM, it is not shown to differ from"
    )
    assert not any("Holm" in each.sentence for each in (*found.by_source, *found.groups))


def test_the_sentence_of_a_source_has_every_condition_with_its_figures():
    sentence = Market(image_only, noise=QUIET).judged().by_source[1].sentence
    assert sentence.startswith("image helps, Holm p < 0.001 over the sources: alone, in FREEDOM, it beats its ")
    assert "beats the one at its own settings (lift +5" in sentence
    assert "and beats the best interaction-only model (lift +" in sentence
    assert "; all sources together, in FREEDOM, beat the same without what it says (lift +" in sentence


def test_a_source_that_tuning_gave_no_weight_is_said_to_have_none():
    market = Market(lambda real: 0.0)
    market.scores["FREEDOM", "text"] = replace(market.scores["FREEDOM", "text"], content_used=False)
    text, image = market.judged().by_source
    assert (
        "over the sources: alone, tuning gave it no weight in FREEDOM; all sources together, in FREEDOM"
        in text.sentence
    )
    assert "alone, in FREEDOM, it is not shown to differ from" in image.sentence


def test_a_source_that_is_not_judged_is_said_and_the_others_have_all_their_conditions():
    market = Market(lambda real: 0.5 * bool(real), noise=QUIET)
    market.design = SourceDesign(sources={"text": market.design.sources["text"]})
    reads = {source: frozenset([source]) for source in ("text", "image")}
    found = market.judged(reads)
    # The image says the same, so that nothing is lost without the text.
    assert found.named == [] and found.by_source[0].added_last is not None
    assert found.sentence.endswith("Not judged, since no model was trained on it alone and on its controls: image.")


def test_one_of_several_sources_without_its_pairs_over_all_is_refused():
    market = Market(image_only)
    alone = market.design.sources["text"].model_copy(update={"full": None})
    market.design = market.design.model_copy(update={"sources": {**market.design.sources, "text": alone}})
    with pytest.raises(ValueError, match="source 'text' is one of 2: it needs its pairs over all sources"):
        market.judged()


@pytest.mark.parametrize("members", [("text",), ("text", "audio")])
def test_a_group_without_two_judged_members_is_refused(members):
    market = Market(image_only)
    group = market.design.groups[0].model_copy(update={"sources": members})
    market.design = market.design.model_copy(update={"groups": [group]})
    with pytest.raises(ValueError, match="it needs two members at least"):
        market.judged()


def test_no_sources_no_names():
    found = judge_sources(SourceDesign(sources={}), {}, Market(image_only).rival, {})
    assert (found.named, found.shares, found.sentence) == ([], None, "There is no source to judge.")


def test_the_answer_survives_being_written():
    found = Market(image_only).judged()
    adapter = TypeAdapter(WhichSources)
    assert adapter.validate_json(adapter.dump_json(found)) == found


def test_a_design_names_each_pair_once():
    design = Market(image_only).design
    assert len(design.pairs) == len(set(design.pairs)) == 10
