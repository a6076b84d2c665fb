"""Each gate by hand, and the order in which they are read."""

import numpy as np
import pytest

from recsys.evidence.comparison import compare
from recsys.evidence.gates import (
    beats_baselines,
    finals_agree,
    in_reading_order,
    repeated,
    rival_plateaued,
    scenario_stated,
    too_good,
    users_differ,
)
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK

ONLY = "interactions_only"


def means(**values):
    return {(model, "both" if model == "VBPR" else ONLY): value for model, value in values.items()}


@pytest.mark.parametrize(
    ("values", "colour", "opening"),
    [
        ({"Random": 0.2, "TopPop": 0.1, "EASE": 0.15}, "red", "Nothing beats Random"),
        ({"Random": 0.01, "TopPop": 0.2, "EASE": 0.19, "VBPR": 0.2}, "red", "Nothing personal beats TopPop"),
        (
            {"Random": 0.01, "TopPop": 0.2},
            "red",
            "Nothing personal beats TopPop: there is no personalised model, TopPop 0.2000.",
        ),
        (
            {"Random": 0.01, "TopPop": 0.2, "EASE": 0.19, "VBPR": 0.21},
            "green",
            "Best personalised nDCG@20 0.2100 (VBPR (both))",
        ),
        ({"EASE": 0.19}, "green", "Best personalised nDCG@20 0.1900 (EASE), no baseline"),
    ],
)
def test_baselines(values, colour, opening):
    gate = beats_baselines(means(**values), "ndcg_at_20")
    assert gate.colour == colour
    assert gate.message.startswith(opening)


@pytest.mark.parametrize(("gain", "colour"), [(0.1, "green"), (0.001, "red")])
def test_a_better_mean_than_top_pop_must_be_shown(gain, colour):
    rng = np.random.default_rng(0)
    base = rng.random((3, 200))
    noise = rng.normal(0, 0.1, base.shape)
    users = np.arange(200)
    top_pop = Scores("TopPop", ONLY, users, base, 0.0)
    best = Scores("EASE", ONLY, users, base + gain + noise - noise.mean(), 0.0)
    values = means(EASE=float(best.values.mean()), TopPop=float(base.mean()))
    assert beats_baselines(values, "ndcg_at_20").colour == "green"
    assert beats_baselines(values, "ndcg_at_20", compare(best, top_pop, options=QUICK)).colour == colour


def test_a_large_gain_that_too_few_repeats_leave_open_asks_for_repeats():
    rng = np.random.default_rng(0)
    base = rng.random((2, 200))
    top_pop = Scores("TopPop", ONLY, np.arange(200), base, 1.0)
    best = Scores("EASE", ONLY, np.arange(200), base + np.array([[0.1], [0.4]]) + rng.normal(0, 0.1, base.shape), 1.0)
    compared = compare(best, top_pop, options=QUICK)
    gate = beats_baselines(means(EASE=float(best.values.mean()), TopPop=float(base.mean())), "ndcg_at_20", compared)
    assert gate.colour == "red" and compared.lift > 0.3
    assert gate.remedy.startswith("That EASE beats TopPop by ") and gate.remedy.endswith(" repeats (instead of 2).")


def test_too_few_users_that_differ_are_red():
    differences = np.zeros(100)
    differences[:19] = np.linspace(-1, 1, 19) + 0.01
    gate = users_differ(differences)
    assert gate.colour == "red"
    assert gate.message.startswith("The score of 19 of 100 users differs")
    differences[19] = 0.5
    assert users_differ(differences).colour == "green"


def test_differences_without_spread_are_red():
    gate = users_differ(np.full(100, 0.1))
    assert gate.colour == "red"
    assert "by the same amount for all of them" in gate.message


@pytest.mark.parametrize(
    ("values", "colour"),
    [
        ([0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.302], "green"),
        ([0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.304], "red"),
        ([0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], "green"),  # found early: nothing is left to gain
        ([0.3, None, float("nan"), 0.1, 0.1, 0.1, None, None, None], "green"),
        ([None, None, None, None, None, None, 0.1, 0.1, 0.1], "red"),
        ([None] * 9, "red"),
        ([0.3] * 8, "red"),
    ],
)
def test_plateau_of_the_rival(values, colour):
    assert rival_plateaued(values, exhausted=False).colour == colour


def test_a_setting_taken_over_from_another_model_shows_what_the_search_missed():
    own = [0.3] * 30
    assert rival_plateaued(own, exhausted=False).colour == "green"
    gate = rival_plateaued([*own, 0.31], exhausted=False, n_taken_over=1)
    assert gate.message == "In the last third of 30 trials and 1 setting chosen elsewhere, the rival gained 3.2 %."
    assert gate.remedy.startswith("Raise `tuning.trials` to 60: ")


def test_settings_that_were_taken_over_are_not_called_trials():
    gate = rival_plateaued([0.3] * 7, exhausted=False, n_taken_over=1)
    assert gate.message == (
        "The rival was tuned with 6 trials and 1 setting chosen elsewhere, of which 7 gave a value: "
        "too few to show a plateau."
    )
    assert gate.remedy == "Set `tuning.trials` to 9 at least."


def test_of_an_ensemble_the_member_that_was_searched_is_named():
    whose = "EASE, a member of the rival Both,"
    opening = "EASE, a member of the rival Both, was tuned with 3 trials, of which 3 gave a value: "
    assert rival_plateaued([0.3] * 3, exhausted=False, whose=whose).message.startswith(opening)
    rising = rival_plateaued([0.3] * 8 + [0.4], exhausted=False, whose=whose).message
    assert rising == "In the last third of 9 trials, EASE, a member of the rival Both, gained 25.0 %."
    timed = rival_plateaued([0.3] * 8 + [0.4], exhausted=False, minutes=2.5)
    assert timed.remedy.startswith("Raise `tuning.minutes` from 2.5 to 5: a rival that is still improving")
    assert rival_plateaued([0.3] * 3, exhausted=False, minutes=2.5).remedy == (
        "Raise `tuning.minutes` (from 2.5) until there are 9 trials at least."
    )
    whole = rival_plateaued([0.3] * 4, exhausted=True, whose="EASE and ItemKNN, members of the rival Both,").message
    assert whole == "All 4 settings of EASE and ItemKNN, members of the rival Both, were tried."


def test_a_space_that_was_tried_whole_has_no_more_to_give():
    assert rival_plateaued([0.1, 0.3], exhausted=True).colour == "green"


@pytest.mark.parametrize(
    ("values", "colour"),
    [
        ([0.30, 0.31, 0.32], "green"),
        ([0.30, 0.30, 0.33], "green"),  # no spread in two of three is luck: the floor holds
        ([0.30, 0.31, 0.05], "red"),
        ([0.30, 0.31, 0.32, 0.29, 0.60], "red"),
        ([0.10, 0.20, 0.30, 0.40], "green"),  # all differ: none stands apart
        ([0.30, 0.05], "green"),
    ],
)
def test_final_trainings_against_those_of_other_repeats(values, colour):
    assert finals_agree({("VBPR", "both"): values, ("EASE", ONLY): [0.3] * 3}).colour == colour


def test_a_final_training_that_stands_apart_is_named():
    gate = finals_agree({("VBPR", "both"): [0.3, 0.31, 0.05]})
    assert "VBPR (both) in repeat 3 (0.0500, the median being 0.3000)" in gate.message


def test_what_must_be_known_before_a_verdict_is_read():
    assert [too_good(lift).colour for lift in (0.5, 0.51, float("nan"))] == ["green", "amber", "green"]
    assert [repeated(n).colour for n in (1, 2)] == ["amber", "green"]
    nothing = {"domain": "not stated", "seen_before_choosing": ()}
    assert scenario_stated(nothing).colour == "amber"
    assert scenario_stated(nothing | {"domain": "books"}).message == "Stated: domain."


def test_red_is_read_first_and_only_what_is_not_green_has_a_remedy():
    gates = in_reading_order(
        [
            beats_baselines(means(TopPop=0.1, EASE=0.2, VBPR=0.3), "ndcg_at_20"),
            too_good(0.6),
            users_differ(np.zeros(50)),
            scenario_stated({}),
            finals_agree({("VBPR", "both"): [0.3]}),
            rival_plateaued([0.2] * 12, exhausted=False),
        ]
    )
    assert [gate.colour for gate in gates] == ["red", "amber", "amber", "green", "green", "green"]
    assert [gate.name for gate in gates][:4] == ["users that differ", "size of the lift", "scenario", "baselines"]
    assert all(bool(gate.remedy) == (gate.colour != "green") for gate in gates)
    assert all(gate.message.endswith(".") for gate in gates)


def test_of_one_trial_the_noun_agrees():
    gate = rival_plateaued([0.3], exhausted=False)
    assert gate.message == "The rival was tuned with 1 trial, of which 1 gave a value: too few to show a plateau."
    assert rival_plateaued([0.3], exhausted=True).message == "The rival has nothing to tune."


def test_trainings_without_other_repeats_are_not_said_to_agree_with_them():
    assert "agree" not in finals_agree({("EASE", ONLY): [0.3]}).message
    assert "agree" in finals_agree({("EASE", ONLY): [0.3, 0.3, 0.31]}).message
