"""Each row of the verdict table in the order of evaluation, what it says, and who is chosen."""

import numpy as np
import pytest

from recsys.evidence.comparison import ComparisonOptions
from recsys.evidence.decision import Sides, decide
from recsys.evidence.scores import Scores, best_on_validation
from recsys.evidence.verdict_wording import ADVICE
from tests.evidence.options import QUICK
from tests.evidence.sides import N_USERS, scored, sides, verdict

ROWS = [
    ((0.02, 0.02, 0.02, 0.02), "helps"),
    ((0.02, 0.004, 0.02, 0.02), "helps"),  # surely better than shuffled, although by less than the margin
    ((0.005, 0.02, 0.02, 0.02), "helps_a_little"),
    ((0.02, 0.02, 0.02, 0.00), "popularity_not_content"),
    ((0.02, 0.02, 0.02, -0.02), "popularity_not_content"),
    ((0.02, 0.00, 0.02, 0.02), "capacity_not_content"),
    ((0.02, 0.00, 0.00, 0.00), "capacity_not_content"),
    ((0.00, 0.02, 0.02, 0.02), "used_but_does_not_pay"),
    ((-0.02, 0.02, 0.02, 0.02), "used_but_does_not_pay"),
    ((0.00, 0.00, 0.00, 0.02), "no_effect"),
    ((-0.004, 0.00, 0.00, 0.00), "no_effect"),  # surely worse, and surely by less than the margin
    ((-0.02, -0.02, -0.02, 0.00), "harms"),
    ((-0.02, 0.00, 0.00, 0.00), "model_harms"),
    ((0.02, 0.02, 0.00, 0.02), "inconclusive"),  # at its own settings shuffling loses nothing
    ((0.02, -0.02, 0.02, 0.02), "inconclusive"),
    ((0.00, 0.00, 0.02, 0.00), "inconclusive"),
]
OPENINGS = {
    "helps": "Content helps: VBPR (both) beats the best interaction-only model, EASE (nDCG@20 0.5000 against 0.4800; "
    "lift +4.2 %, 95 % interval +3.",
    "helps_a_little": "Content helps a little, by 1.01 % where the margin is 2.0 %: VBPR (both) beats the best ",
    "popularity_not_content": "The gain is popularity, not content: VBPR (both) beats the best interaction-only model",
    "capacity_not_content": "The gain is capacity, not content: VBPR (shuffled) beats the best interaction-only model",
    "used_but_does_not_pay": "Content is used but does not pay: VBPR (both) beats its own shuffled controls (lift +",
    "no_effect": "Content has no effect: VBPR (both) equals the best interaction-only model, EASE, and its own ",
    "harms": "Content harms: VBPR (both) is worse than the best interaction-only model, EASE (nDCG@20 0.5000 against ",
    "model_harms": "The model loses, not its content: VBPR (both) is worse than the best interaction-only model, EASE",
    "inconclusive": "Inconclusive: VBPR (both) ",
}


@pytest.mark.parametrize(("over", "expected"), ROWS)
def test_each_row_of_the_table(over, expected):
    found = verdict(*over)
    assert found.name == expected
    assert found.sentence.startswith(OPENINGS[expected])
    if expected != "inconclusive":
        assert found.advice == ADVICE[expected]


@pytest.mark.parametrize("over", [row for row, _ in ROWS])
def test_content_that_changes_nothing_was_not_chosen_whatever_the_scores(over):
    for found in (verdict(*over, used=False), decide(sides(*over), unchanged=True, options=QUICK)):
        assert found.name == "content_not_chosen"
        assert found.sentence.startswith("Content was not chosen: VBPR (both) recommends the same without its content")
        assert found.advice == ADVICE["content_not_chosen"]


@pytest.mark.parametrize("unchanged", [True, False])
def test_a_question_that_is_not_ready_is_not_answered(unchanged):
    stopped = ["No image can be read. Check the folder.", "TopPop is not beaten. Tune longer."]
    found = decide(sides(0.02, 0.02), stopped=stopped, unchanged=unchanged, options=QUICK)
    assert found.name == "not_ready"
    assert "No image can be read. Check the folder. TopPop is not beaten. Tune longer." in found.sentence
    assert found.advice == ADVICE["not_ready"]


def test_the_margin_decides_what_is_little_and_what_is_nothing():
    small, none = sides(0.006, 0.02), sides(-0.004, 0.0)
    assert decide(small, options=ComparisonOptions(0.02, 8)).name == "helps_a_little"
    assert decide(small, options=ComparisonOptions(0.01, 8)).name == "helps"
    assert decide(none, options=ComparisonOptions(0.02, 8)).name == "no_effect"
    assert decide(none, options=ComparisonOptions(0.005, 8)).name == "model_harms"


def test_against_a_rival_without_a_hit_any_lift_is_more_than_a_little():
    nothing = Scores("EASE", "interactions_only", np.arange(N_USERS), np.zeros((1, N_USERS)), 0.0, seeded=False)
    given = vars(sides(0.02, 0.02)) | {"rival": nothing}
    assert decide(Sides(**given), options=QUICK).name == "helps"


@pytest.mark.parametrize(
    ("over", "itself", "expected"),
    [
        ((0.02, 0.03, 0.04), None, "shuffled"),
        ((0.02, 0.04, 0.03), None, "shuffled_untuned"),
        ((0.02, 0.04, 0.03), 0.01, "interactions_only"),
    ],
)
def test_what_content_itself_gives_is_over_the_best_without_it(over, itself, expected):
    found = verdict(*over, itself=itself)
    assert found.gain.arm_b == expected
    without = "the same model without content" if itself else "the same model with shuffled rows"
    assert f"content itself gives +{100 * found.gain.lift:.1f} %" in found.sentence
    assert found.sentence.endswith(f"over {without}.")


def test_a_rival_of_the_same_model_is_told_apart():
    given = vars(sides(0.02, 0.02)) | {"rival": scored("VBPR", "interactions_only", -0.02)}
    assert "the best interaction-only model, VBPR without content (nDCG@20 0.5000" in decide(Sides(**given)).sentence


def test_validation_alone_chooses():
    poor = Scores("A", "text", np.arange(3), np.full((1, 3), 0.9), valid=0.1)
    good = Scores("B", "text", np.arange(3), np.full((1, 3), 0.1), valid=0.2)
    equal = Scores("C", "text", np.arange(3), np.full((1, 3), 0.5), valid=0.2)
    assert best_on_validation([poor, good, equal]) is good
    with pytest.raises(ValueError, match="no candidate"):
        best_on_validation([])
