"""Which source is named."""

import numpy as np
import pytest

from recsys.evidence.scores import Scores
from recsys.evidence.sources import SourcePairs, judge_sources
from recsys.evidence.verdict import decide

N_USERS = 400
BASE = np.random.default_rng(0).random(N_USERS)


def scored(arm, shift, seed, model="FREEDOM"):
    deviation = np.random.default_rng(seed).normal(0, 0.02, N_USERS)
    return Scores(model, arm, np.arange(N_USERS), (BASE + shift + deviation - deviation.mean())[None], valid=0.0)


RIVAL = scored("interactions_only", 0.0, 90, model="EASE")
FUSED = scored("both", 0.03, 91)


def source(name, over_control, over_altered, seed=1):
    """A source's name, the scores it is judged by, and whether a model of all sources is among them."""
    own, shuffled = scored(name, 0.02, seed), scored(f"{name}_shuffled", 0.02 - over_control, seed + 1)
    return name, (own, shuffled, FUSED, scored(f"both_{name}_shuffled", 0.03 - over_altered, seed + 2))


def alone():
    return "image", (scored("image", 0.02, 1), scored("image_shuffled", 0.0, 2))


def judged(*sources, helps=True):
    verdict = decide(FUSED, RIVAL, scored("both_shuffled", 0.0 if helps else 0.03, 92), n_resamples=500)
    roles = ("own", "own_shuffled", "fused", "fused_altered")
    pairs = {
        name: SourcePairs(**{role: each.pair for role, each in zip(roles, scores, strict=False)})
        for name, scores in sources
    }
    known = {each.pair: each for _, scores in sources for each in scores}
    return judge_sources(verdict, pairs, known, RIVAL, n_resamples=500)


def test_a_source_needs_both_conditions():
    named = {
        each.source: each.named
        for each in judged(
            source("image", 0.02, 0.02), source("bystander", 0.02, 0.0, seed=11), source("useless", 0.0, 0.02, seed=21)
        )
    }
    assert named == {"image": True, "bystander": False, "useless": False}


def test_a_condition_that_points_the_other_way_is_no_evidence():
    image, text = judged(source("image", 0.02, 0.02), source("text", 0.02, -0.02, seed=11))
    assert text.p_value == text.p_holm == 1
    assert not text.named
    assert image.p_value == max(image.own.p_value, image.fused.p_value)


def test_p_values_are_corrected_over_the_sources():
    found = judged(
        source("image", 0.02, 0.02), source("text", 0.02, 0.02, seed=11), source("audio", 0.02, 0.02, seed=21)
    )
    assert [each.p_holm for each in found] == pytest.approx([3 * each.p_value for each in found])


def test_a_single_source_needs_no_fused_arm():
    (image,) = judged(alone())
    assert image.named
    assert image.fused is None


def test_one_of_several_sources_without_fused_scores_is_refused():
    with pytest.raises(ValueError, match="source 'image' is one of 2: it needs its fused pairs"):
        judged(alone(), source("text", 0.02, 0.02))


def test_sources_are_judged_only_where_content_helps():
    assert judged(source("image", 0.02, 0.02), helps=False) == []
    assert judged() == []


def test_whether_the_source_alone_beats_the_rival_is_reported():
    (image, text) = judged(source("image", 0.02, 0.02), source("text", 0.0, 0.0, seed=11))
    assert image.against_rival.b == "EASE"
    assert image.against_rival.a_better
    assert image.sentence.startswith("image helps, Holm p 0.00")
    assert "alone it beats the best interaction-only model (lift +" in image.sentence
    assert text.sentence.startswith("text is not shown to help")
