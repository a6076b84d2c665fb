"""What an open verdict says would decide it, why nothing would, and what to do meanwhile."""

import re
from collections import Counter

import numpy as np
import pytest

from recsys.evidence.decision import Sides, decide
from recsys.evidence.planning import what_would_decide
from recsys.evidence.scores import Scores
from recsys.evidence.verdict_wording import ADVICE, DOES_NOT_PAY, NO_VERDICT_FITS, NOTHING_PAYS
from tests.evidence.options import QUICK
from tests.evidence.sides import N_USERS, noisy_sides, scored, sides, verdict


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ((0.00, 0.02, 0.00), NOTHING_PAYS),
        ((-0.02, 0.02, -0.02), NOTHING_PAYS),
        ((0.00, 0.00, 0.02), NOTHING_PAYS),
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
    """Worse than the rival, and nobody knows whether it is better than its shuffled controls."""
    found = decide(noisy_sides((-0.02, 0.01, 0.01, 0.0), (0.02, 0.2, 0.2, 0.02)), options=QUICK)
    assert found.name == "inconclusive" and found.against_rival.b_better
    assert found.advice == DOES_NOT_PAY
    assert "that VBPR (both) beats VBPR (shuffled) by 2.0 % and beats VBPR (shuffled_untuned) by 2.0 %" in (
        found.sentence
    )


@pytest.mark.parametrize("over", [(0.02, 0.02), (0.0, 0.02), (0.0, 0.0), (-0.02, -0.02)])
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
    assert found.sentence.endswith("one repeat cannot be distinguished from chance: run at least 3.")


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


@pytest.mark.parametrize(
    ("over", "noise", "said"),
    [
        ((0.001, -0.02, -0.02, 0.0), (0.2, 0.02, 0.02, 0.02), "p < 0.001); "),
        ((0.03, -0.02, -0.02, 0.0), (0.4, 0.02, 0.02, 0.02), "p < 0.001); "),
        ((-0.02, 0.03, 0.0, 0.0), (0.02, 0.4, 0.02, 0.02), "p = 0.138); "),
        ((0.0, 0.0, 0.02, 0.0), (0.02, 0.02, 0.4, 0.02), "; yet VBPR (both) is not shown to differ from VBPR (shuf"),
    ],
)
def test_where_what_was_measured_would_fit_no_verdict_no_number_is_named(over, noise, said):
    found = decide(noisy_sides(over, noise), options=QUICK)
    assert found.name == "inconclusive"
    assert found.sentence.endswith(" were the lifts what was measured, no verdict would fit.")
    assert said in found.sentence and " would be shown by " not in found.sentence
    assert found.advice == (NOTHING_PAYS if over[0] <= 0 else NO_VERDICT_FITS)


def test_a_lift_that_can_be_shown_either_way_is_planned_for_the_way_that_leads_to_a_verdict():
    """That C beats S1 by 1.2 % is the easiest to show, and fits no verdict; that it equals S1 within 2 % does."""
    found = decide(noisy_sides((0.0, 0.006, 0.0, 0.0), (0.02, 0.1, 0.02, 0.02)), options=QUICK)
    assert found.name == "inconclusive"
    assert "; that VBPR (both) equals VBPR (shuffled) within 2.0 % would be shown by about " in found.sentence


def test_the_number_that_is_named_leads_to_a_verdict_and_where_none_is_no_number_does():
    """Over all kinds of lifts and noises, with the same users so many times over."""
    rng = np.random.default_rng(0)
    outcomes = Counter()
    for _ in range(150):
        over = rng.choice([-0.02, -0.007, -0.003, 0.0, 0.003, 0.007, 0.02], 4)
        noise = rng.choice([0.02, 0.08, 0.2], 4)
        found = decide(noisy_sides(over, noise), options=QUICK)
        if found.name != "inconclusive":
            continue
        named = re.search(r" would be shown by about (\S+) users", found.sentence)
        users = int(named[1].replace(",", "")) if named else 100 * N_USERS
        then = decide(noisy_sides(over, noise, times=users // N_USERS), options=QUICK)
        assert (then.name != "inconclusive") == bool(named), (over, noise, found.sentence, then.sentence)
        outcomes[bool(named)] += 1
    assert min(outcomes[True], outcomes[False]) > 20


def test_content_that_is_used_and_may_still_pay_is_open_even_where_it_equals_the_rival():
    """The 90 % interval lies within the margin and that of 95 % does not."""
    given = vars(sides(0.005, 0.06)) | {"rival": scored("EASE", "interactions_only", -0.0046, 0.06)}
    found = decide(Sides(**given), options=QUICK)
    rival = found.against_rival
    assert rival.relation == "equivalent" and rival.lift_high_90 < rival.margin <= rival.lift_high
    assert found.name == "inconclusive"
    assert "contradict" not in found.sentence
    assert re.search(r"that VBPR \(both\) does not beat EASE by 2\.0 % would be shown by about \S+ us", found.sentence)


def test_what_decides_nothing_is_not_said_to_be_what_is_open():
    """Whether shuffled content beats the rival does not matter where real content beats both."""
    noisy = {"rival": scored("EASE", "interactions_only", -0.02, 0.1, seed=1)}
    noisy["shuffled"] = scored("VBPR", "shuffled", -0.02, 0.1, seed=2)
    found = decide(Sides(**vars(sides(0.02, 0.02, 0.00)) | noisy), options=QUICK)
    assert found.shuffled_against_rival.relation == "open"
    assert "; that VBPR (both) beats VBPR (shuffled_untuned) is not shown (lift " in found.sentence


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
