"""Each row of the verdict table in the order of evaluation, what it says, and who is chosen."""

import re

import numpy as np
import pytest

from recsys.evidence.comparison import ComparisonOptions
from recsys.evidence.decision import Sides, decide
from recsys.evidence.planning import what_would_decide
from recsys.evidence.scores import Scores, best_on_validation
from recsys.evidence.verdict_wording import ADVICE, DOES_NOT_PAY, NO_VERDICT_FITS
from tests.evidence.options import QUICK

N_USERS = 400
BASE = np.random.default_rng(0).random(N_USERS)
BASE += 0.5 - BASE.mean()


def scored(model, arm, shift=0.0, noise=0.02, seed=1, used=True):
    """Scores whose mean is exactly 0.5 + shift."""
    deviation = np.random.default_rng(seed).normal(0, 1, N_USERS)
    values = BASE + shift + noise * (deviation - deviation.mean())
    return Scores(model, arm, np.arange(N_USERS), values[None], 0.0, content_used=used, seeded=False)


def sides(over_rival, over_shuffled, over_untuned=None, over_popularity=0.02, *, noise=0.02, itself=None, used=True):
    """C at 0.5, and by how much it is above each of the others; a margin of 2 % is 0.01."""
    over_untuned = over_shuffled if over_untuned is None else over_untuned
    return Sides(
        content=scored("VBPR", "both", noise=0, used=used),
        rival=scored("EASE", "interactions_only", -over_rival, noise, seed=1),
        shuffled=scored("VBPR", "shuffled", -over_shuffled, noise, seed=2),
        untuned=scored("VBPR", "shuffled_untuned", -over_untuned, noise, seed=3),
        popularity=scored("VBPR", "popularity", -over_popularity, noise, seed=4),
        itself=None if itself is None else scored("VBPR", "interactions_only", -itself, noise, seed=5),
    )


def verdict(*over, **how):
    return decide(sides(*over, **how), options=QUICK)


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


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ((0.00, 0.02, 0.00), DOES_NOT_PAY),
        ((0.02, -0.02, 0.02), NO_VERDICT_FITS),
        ((0.02, 0.02, -0.02), NO_VERDICT_FITS),
        ((0.02, 0.02, 0.00), ADVICE["inconclusive"]),
    ],
)
def test_the_advice_of_an_open_verdict_says_whether_anything_would_answer_it(over, said):
    found = verdict(*over)
    assert found.name == "inconclusive"
    assert found.advice == said


def test_where_only_the_reason_is_open_the_advice_is_to_keep_the_rival():
    """Worse than the rival; and better than the shuffled control tuned anew, but not than the one at its settings."""
    found = verdict(-0.02, 0.02, 0.0)
    assert found.name == "inconclusive" and found.against_rival.b_better
    assert found.advice == DOES_NOT_PAY


@pytest.mark.parametrize("over", [(0.02, 0.02), (0.0, 0.02), (0.0, 0.0), (-0.02, -0.02), (0.0, -0.02)])
def test_where_noise_hides_everything_nothing_is_claimed(over):
    found = verdict(*over, noise=0.5)
    assert found.name == "inconclusive"
    assert "is not shown to differ from the best interaction-only model, EASE (" in found.sentence
    assert " would be shown by about " in found.sentence


@pytest.mark.parametrize("over", [(0.02, 0.02), (0.0, 0.0), (-0.02, -0.02)])
def test_without_other_repeats_nothing_is_claimed(over):
    """The same figures that decide where no seed has a say."""
    plain = sides(*over)
    seeded = {name: Scores(*each.pair, each.users, each.values, 0.0) for name, each in vars(plain).items() if each}
    found = decide(Sides(**seeded), options=QUICK)
    assert found.name == "inconclusive"
    assert found.sentence.endswith("one repeat cannot be told from luck: run at least 3.")


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


def test_what_may_still_pay_is_not_said_not_to():
    """Used, not shown to beat the rival, and the upper end of the interval is above the margin."""
    given = vars(sides(0.005, 0.1)) | {"rival": scored("EASE", "interactions_only", -0.005, 0.1)}
    found = decide(Sides(**given), options=QUICK)
    assert found.against_rival.lift_low < 0 < 0.02 < found.against_rival.lift_high
    assert found.name == "inconclusive"


def test_open_popularity_leaves_the_question_open():
    given = vars(sides(0.02, 0.02)) | {"popularity": scored("VBPR", "popularity", -0.005, 0.2)}
    found = decide(Sides(**given), options=QUICK)
    assert found.name == "inconclusive"
    assert found.sentence.endswith(f"{what_would_decide(found.against_popularity)}.")


def test_content_that_is_used_and_may_still_pay_is_open_even_where_it_equals_the_rival():
    """The 90 % interval lies within the margin and that of 95 % does not."""
    given = vars(sides(0.005, 0.06)) | {"rival": scored("EASE", "interactions_only", -0.0046, 0.06)}
    found = decide(Sides(**given), options=QUICK)
    rival = found.against_rival
    assert rival.relation == "equivalent" and rival.lift_high_90 < rival.margin <= rival.lift_high
    assert found.name == "inconclusive"
    assert "contradict" not in found.sentence
    assert re.search(r"a lift below 2\.0 % would be shown by about \S+ users", found.sentence)


def test_what_decides_nothing_is_not_said_to_be_what_is_open():
    """Whether shuffled content beats the rival does not matter where real content beats both."""
    noisy = {"rival": scored("EASE", "interactions_only", -0.02, 0.1, seed=1)}
    noisy["shuffled"] = scored("VBPR", "shuffled", -0.02, 0.1, seed=2)
    found = decide(Sides(**vars(sides(0.02, 0.02, 0.00)) | noisy), options=QUICK)
    assert found.shuffled_against_rival.relation == "open"
    assert "; that VBPR (both) beats VBPR (shuffled_untuned) is not shown (lift " in found.sentence


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


@pytest.mark.parametrize(
    ("over", "in_the_way"),
    [
        ((0.02, -0.02, 0.02), ""),
        ((0.00, 0.00, 0.02), "yet VBPR (both) beats VBPR (shuffled_untuned) (lift +"),
        ((0.02, 0.02, -0.02), "yet VBPR (both) is worse than VBPR (shuffled_untuned) (lift -"),
        ((-0.02, 0.02, -0.01), "yet VBPR (both) is worse than VBPR (shuffled_untuned) (lift -"),
        ((-0.02, 0.02, 0.00), "yet VBPR (both) equals VBPR (shuffled_untuned) (lift "),
        ((0.02, 0.02, -0.02, 0.00), "yet VBPR (both) is worse than VBPR (shuffled_untuned) (lift -"),
    ],
)
def test_what_stands_in_the_way_of_every_verdict_is_named(over, in_the_way):
    said = verdict(*over).sentence
    assert said.endswith("no verdict fits these.")
    assert in_the_way in said


def test_a_comparison_that_could_not_change_the_verdict_is_not_waited_for():
    """Whatever came of the rival: content equals its control at its own settings, and beats the one tuned anew."""
    given = vars(sides(0.02, 0.02, 0.00)) | {"popularity": scored("VBPR", "popularity", -0.005, 0.2, seed=4)}
    found = decide(Sides(**given), options=QUICK)
    assert found.against_popularity.relation == "open"
    assert what_would_decide(found.against_popularity) not in found.sentence


def test_of_several_open_comparisons_the_one_that_decides_alone_is_waited_for():
    """Shuffled content beats the rival: if real content equals it, that is capacity, whatever its lift."""
    given = vars(sides(0.02, 0.0)) | {"rival": scored("EASE", "interactions_only", -0.02, 0.25, seed=2)}
    given |= {"shuffled": scored("VBPR", "shuffled", 0.0, 0.25, seed=2)}
    found = decide(Sides(**given), options=QUICK)
    assert {found.against_rival.relation, found.against_shuffled.relation} == {"open"}
    assert found.shuffled_against_rival.a_better
    assert found.sentence.endswith(f"; {what_would_decide(found.against_shuffled)}.")


def test_validation_alone_chooses():
    poor = Scores("A", "text", np.arange(3), np.full((1, 3), 0.9), valid=0.1)
    good = Scores("B", "text", np.arange(3), np.full((1, 3), 0.1), valid=0.2)
    equal = Scores("C", "text", np.arange(3), np.full((1, 3), 0.5), valid=0.2)
    assert best_on_validation([poor, good, equal]) is good
    with pytest.raises(ValueError, match="no candidate"):
        best_on_validation([])
