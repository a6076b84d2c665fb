"""What a report says of its own limits."""

import math
from dataclasses import replace

import pytest

from recsys.report.limits import limits
from recsys.report.rows import CheckRow, TuningCurve
from recsys.wording import DASH


def test_limits_say_what_is_not_shown(baby):
    said = limits(baby)
    assert said[0] == "The check “Images can be told apart” failed: 178 of 7,050 rows repeat another."
    assert any(
        line.startswith("The smallest lift of FREEDOM (both) over EASE that could have been shown is ")
        for line in said
    )
    assert (
        "Each model was tuned with 20 trials on each arm; no rival was tuned longer. "
        "Nothing to tune: TopPop and Random."
    ) in said
    assert said[-1] == "Items without a photograph were shown a row of zeros."


@pytest.mark.parametrize(
    ("of_ease", "said"),
    [
        (
            {"n_trials": 30},
            "Each model was tuned with 20 trials on each arm, extended to at most 30 while the search was still "
            "improving. "
            "Nothing to tune: TopPop and Random.",
        ),
        ({"n_trials": 5}, "Tuning was not equal: EASE had fewer than the 20 trials of the others."),
        (
            {"n_trials": 1, "exhausted": True},
            "Each model was tuned with 20 trials on each arm; no rival was tuned longer. Nothing to tune: EASE.",
        ),
        (
            {"n_trials": 7, "exhausted": True},
            "Each model was tuned with 20 trials on each arm; no rival was tuned longer. "
            "Fewer settings than trials, all of them tried: EASE (7).",
        ),
    ],
)
def test_limits_tell_a_short_budget_from_a_small_space(baby, of_ease, said):
    tuned = [row for row in baby.results if row.kind != "baseline" or "TopPop" in said]
    results = [row.model_copy(update=of_ease) if row.model == "EASE" else row for row in tuned]
    assert said in limits(baby.model_copy(update={"results": results}))


@pytest.mark.parametrize(
    ("n_of_freedom", "said"),
    [
        (
            {"FREEDOM": (10, 20)},
            "Models were tuned with different budgets on each arm: 30 trials for EASE; 10 trials for FREEDOM, "
            "extended to at most 20 while the search was still improving. Nothing to tune: TopPop and Random.",
        ),
        (
            {"FREEDOM": (10, 10)},
            "Models were tuned with different budgets on each arm: 30 trials for EASE; 10 trials for FREEDOM. Nothing "
            "to tune: TopPop and Random.",
        ),
        (
            {"FREEDOM": (10, 10), "EASE": (30, 16)},
            "Models were tuned with different budgets on each arm: 30 trials for EASE; 10 trials for FREEDOM. Not all "
            "of it was spent by EASE (16 of 30). Nothing to tune: TopPop and Random.",
        ),
    ],
)
def test_limits_say_each_models_own_budget(baby, n_of_freedom, said):
    given = {"EASE": (30, 30)} | n_of_freedom
    kept = [row for row in baby.results if row.kind == "baseline" or row.model in given]
    results = [
        row.model_copy(update=dict(zip(("budget", "n_trials"), given[row.model], strict=True)))
        if row.model in given
        else row
        for row in kept
    ]
    assert said in limits(baby.model_copy(update={"results": results}))


def test_limits_name_failed_trials_and_do_not_call_them_tuning(baby):
    results = [row.model_copy(update={"n_failed": 19} if row.model == "EASE" else {}) for row in baby.results]
    said = limits(baby.model_copy(update={"results": results}))
    assert "Trials that failed, and found nothing: EASE (19 of 20)." in said
    assert any(
        line.startswith("Each model was tuned with 20 trials on each arm, some of which failed.") for line in said
    )


def test_limits_do_not_call_a_control_at_its_contents_settings_untuned(baby):
    results = [
        row.model_copy(update={"n_trials": 0}) if row.arm == "both_shuffled_untuned" else row for row in baby.results
    ]
    said = limits(baby.model_copy(update={"results": results}))
    assert any(line.startswith("Each model was tuned with 20 trials on each arm") for line in said)


def test_limits_count_apart_what_was_tried_beyond_trials_or_in_their_place(baby):
    changes = {
        "FREEDOM": {"n_nested": 1},
        "EASE": {"n_trials": 0, "n_weightings": 26, "exhausted": True},
    }
    results = [row.model_copy(update=changes.get(row.model, {})) for row in baby.results]
    assert (
        "Each model was tuned with 20 trials on each arm; no rival was tuned longer. Nothing to tune: TopPop and "
        "Random. Beyond its trials, an arm tried at most 1 setting chosen elsewhere, on other arms or by related "
        "models. Ensembles have no trials; combinations of weights tried on an arm, at most: EASE (26)."
    ) in limits(baby.model_copy(update={"results": results}))


def test_limits_say_that_one_trial_is_no_tuning(baby):
    results = [row.model_copy(update={"n_trials": 1, "exhausted": False}) for row in baby.results]
    assert "No model was tuned: each ran with its default or fixed hyper-parameters." in limits(
        baby.model_copy(update={"results": results})
    )


@pytest.mark.parametrize(("best", "rising"), [([0.1] * 5 + [0.2] * 5, False), ([0.1] * 9 + [0.2], True)])
def test_limits_name_curves_that_still_rise(baby, best, rising):
    curve = TuningCurve(model="EASE", arm="interactions_only", kind="interactions", best=best)
    said = limits(baby.model_copy(update={"tuning": [curve]}))
    assert any(line.startswith("Still rising in the last fifth of its trials: EASE;") for line in said) == rising


def test_limits_end_what_a_check_found_with_one_full_stop(baby):
    check = CheckRow(name="ready", passed=False, found="Too few to show a plateau.")
    assert limits(baby.model_copy(update={"checks": [check]}))[0].endswith("failed: Too few to show a plateau.")


@pytest.mark.parametrize(
    ("change", "opening"),
    [
        ({"n_moved": 0, "detectable_lift": math.nan}, "FREEDOM (both) and EASE have the same score for all "),
        ({"n_repeats": 1}, "One repeat cannot show a lift of any size of FREEDOM (both) over EASE; "),
        ({"mean_b": 0.0, "detectable_lift": math.nan}, "The lift over EASE is undefined, since it has no hit; "),
    ],
)
def test_limits_say_why_no_smallest_lift_is_known(baby, change, opening):
    rival = replace(baby.verdict.against_rival, **change)
    rival = replace(rival, error=replace(rival.error, n_repeats=rival.n_repeats, seeded=True))
    said = limits(baby.model_copy(update={"verdict": replace(baby.verdict, against_rival=rival)}))
    assert any(line.startswith(opening) for line in said)
    assert not any(f"is {DASH}" in line for line in said)
