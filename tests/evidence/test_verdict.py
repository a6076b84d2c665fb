"""Each row of the verdict table, and who is chosen."""

import numpy as np
import pytest

from recsys.evidence.scores import Scores
from recsys.evidence.verdict import choose, decide

N_USERS = 400
BASE = np.random.default_rng(0).random(N_USERS)
BASE += 0.5 - BASE.mean()


def scored(model, arm, shift=0.0, noise=0.02, seed=1, used=True):
    """Scores whose mean is exactly 0.5 + shift."""
    deviation = np.random.default_rng(seed).normal(0, 1, N_USERS)
    deviation = noise * (deviation - deviation.mean())
    return Scores(model, arm, np.arange(N_USERS), (BASE + shift + deviation)[None], 0.0, content_used=used)


def verdict(over_rival, over_shuffled, noise=0.02, used=True):
    return decide(
        scored("VBPR", "both", noise=0, used=used),
        scored("EASE", "interactions_only", -over_rival, noise, seed=1),
        scored("VBPR", "both_shuffled", -over_shuffled, noise, seed=2),
        n_resamples=1000,
    )


@pytest.mark.parametrize(
    ("over_rival", "over_shuffled", "noise", "expected"),
    [
        (0.02, 0.02, 0.02, "helps"),
        (0.00, 0.02, 0.02, "used_but_does_not_pay"),
        (-0.02, 0.02, 0.02, "used_but_does_not_pay"),
        (0.02, 0.00, 0.02, "capacity_not_content"),
        (0.02, -0.02, 0.02, "capacity_not_content"),
        (0.00, 0.00, 0.02, "no_effect"),
        (0.00, -0.02, 0.02, "no_effect"),
        (-0.004, 0.00, 0.02, "no_effect"),  # surely worse, and surely by less than the margin of 0.01
        (-0.02, -0.02, 0.02, "harms"),
        (-0.02, 0.00, 0.02, "model_harms"),
        (0.00, 0.00, 0.5, "inconclusive"),
        (0.00, -0.2, 0.5, "inconclusive"),
    ],
)
def test_each_row_of_the_table(over_rival, over_shuffled, noise, expected):
    assert verdict(over_rival, over_shuffled, noise).name == expected


@pytest.mark.parametrize("over_rival", [-0.02, 0.0, 0.02])
def test_content_without_weight_was_not_chosen_whatever_the_scores(over_rival):
    assert verdict(over_rival, 0.02, used=False).name == "content_not_chosen"


def test_the_margin_decides_what_has_no_effect():
    content, rival = scored("VBPR", "both", noise=0), scored("EASE", "interactions_only", 0.004)
    shuffled = scored("VBPR", "both_shuffled", seed=2)
    assert decide(content, rival, shuffled, margin=0.02, n_resamples=500).name == "no_effect"
    assert decide(content, rival, shuffled, margin=0.005, n_resamples=500).name == "model_harms"


def test_the_sentence_says_who_against_whom_by_how_much():
    found = verdict(0.02, 0.03)
    assert found.sentence.startswith(
        "Content helps: VBPR (both) beats the best interaction-only model, EASE "
        "(nDCG@20 0.5000 against 0.4800; lift +4.2 %, 95 % interval +3."
    )
    assert "beats its own shuffled control (lift +6.4 %" in found.sentence
    assert "p < 0.001" in found.sentence
    assert found.against_rival.b == "EASE"
    assert found.against_shuffled.b == "VBPR (both_shuffled)"


def test_a_rival_of_the_same_model_is_told_apart():
    content, rival = scored("VBPR", "both", noise=0), scored("VBPR", "interactions_only", -0.02)
    sentence = decide(content, rival, scored("VBPR", "both_shuffled", -0.02, seed=2), n_resamples=500).sentence
    assert sentence.startswith(
        "Content helps: VBPR (both) beats the best interaction-only model, VBPR without content (nDCG@20 0.5000"
    )


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((-0.02, 0.02), "it is worse than the best interaction-only model, EASE"),
        ((0.0, 0.02), "it is not shown to beat the best interaction-only model, EASE"),
        ((0.02, 0.0), "is as good with shuffled content, as far as these data can tell"),
        ((0.02, -0.02), "is even better with its content shuffled"),
        ((0.0, 0.0), "within a margin of 2.0 %"),
        ((-0.02, -0.02), "worse than with its content shuffled"),
        ((-0.02, 0.0), "no difference from its own shuffled control is shown"),
        ((0.0, 0.0, 0.5), "nor shown to equal it within 2.0 %"),
    ],
)
def test_the_sentence_says_what_does_not_hold(figures, expected):
    assert expected in verdict(*figures).sentence


@pytest.mark.parametrize("figures", [(0.0, 0.02), (0.02, 0.0), (0.0, 0.0), (-0.02, 0.0), (0.0, 0.0, 0.5)])
def test_what_could_have_been_shown_stands_beside_what_was_not(figures):
    assert "the smallest lift that could have been shown is " in verdict(*figures).sentence


def test_validation_alone_chooses():
    poor = Scores("A", "text", np.arange(3), np.full((1, 3), 0.9), valid=0.1)
    good = Scores("B", "text", np.arange(3), np.full((1, 3), 0.1), valid=0.2)
    equal = Scores("C", "text", np.arange(3), np.full((1, 3), 0.5), valid=0.2)
    assert choose([poor, good, equal]) is good
    with pytest.raises(ValueError, match="no candidate"):
        choose([])
