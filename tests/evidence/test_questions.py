"""Questions that a study asks beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.evidence.questions import QuestionInput, answer
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK

N_USERS = 400
BASE = np.random.default_rng(0).random(N_USERS)


def scored(arm, shift, seed, model="EASE", valid=0.0):
    deviation = np.random.default_rng(seed).normal(0, 0.02, N_USERS)
    return Scores(
        model, arm, np.arange(N_USERS), (BASE + shift + deviation - deviation.mean())[None], valid, seeded=False
    )


def asked(ask, better, than):
    """A question, and the scores of its sides."""
    return QuestionInput(ask, [each.pair for each in better], [each.pair for each in than]), [*better, *than]


def answered(*questions):
    scores = {each.pair: each for _, sides in questions for each in sides}
    return answer([question for question, _ in questions], scores, options=QUICK)


@pytest.mark.parametrize(("shift", "expected"), [(0.02, "yes"), (-0.02, "no"), (0.0, "equal")])
def test_the_answer_follows_the_side_that_is_better(shift, expected):
    (said,) = answered(asked("A or B?", [scored("a", shift, 1)], [scored("b", 0.0, 2)]))
    assert said.answer == expected
    assert said.best.difference == pytest.approx(shift, abs=1e-9)


def test_too_few_users_to_tell_is_said_with_what_could_have_been_shown():
    few = np.random.default_rng(3).random((2, 1, 40))
    a, b = (Scores("EASE", arm, np.arange(40), few[side], 0.0, seeded=False) for side, arm in enumerate("ab"))
    (said,) = answered(asked("A or B?", [a], [b]))
    assert said.answer == "not shown"
    assert "smallest lift" in said.sentence


def test_one_repeat_of_a_seeded_model_answers_nothing():
    once = np.random.default_rng(3).random((1, 40))
    a, b = (Scores("BPRMF", arm, np.arange(40), once + gain, 0.0) for arm, gain in (("a", 0.5), ("b", 0.0)))
    (said,) = answered(asked("A or B?", [a], [b]))
    assert said.answer == "not shown"
    assert said.sentence.endswith(" % in the only repeat; one repeat cannot show a lift of any size).")


def test_each_side_is_its_best_model_on_validation_and_not_on_test():
    a = [scored("a", 0.05, 1, "Lucky", valid=0.1), scored("a", 0.02, 2, "Chosen", valid=0.2)]
    b = [scored("b", 0.0, 3, "Lucky", valid=0.1), scored("b", 0.0, 4, "Chosen", valid=0.0)]
    (said,) = answered(asked("A or B?", a, b))
    assert (said.best.model_a, said.best.model_b) == ("Chosen", "Lucky")
    assert [(each.model_a, each.model_b) for each in said.by_model] == [("Lucky", "Lucky"), ("Chosen", "Chosen")]


def test_a_model_that_ran_on_one_side_only_answers_nothing():
    a = [scored("a", 0.0, 1, "Weak"), scored("a", 0.2, 2, "Strong", valid=0.9)]
    (said,) = answered(asked("A or B?", a, [scored("b", 0.0, 3, "Weak")]))
    assert (said.best.model_a, said.best.model_b, said.answer) == ("Weak", "Weak", "equal")
    assert answered(asked("A or B?", a[1:], [scored("b", 0.0, 3, "Weak")])) == []


@pytest.mark.parametrize(("used", "expected"), [((False, False), "not used"), ((True, False), "equal")])
def test_content_that_neither_side_uses_is_no_sameness_of_content(used, expected):
    sides = [replace(scored(arm, 0.0, 1), content_used=each) for arm, each in zip("ab", used, strict=True)]
    (said,) = answered(asked("A or B?", sides[:1], sides[1:]))
    assert said.answer == expected
    if expected == "not used":
        assert said.sentence == "Not answered: tuning gave content no weight, neither in EASE (a) nor in EASE (b)."


def test_p_values_are_corrected_over_the_questions():
    several = [asked(str(n), [scored("a", 0.001, n, str(n))], [scored("b", 0.0, n + 10, str(n))]) for n in range(3)]
    said = answered(*several)
    smallest = min(said, key=lambda each: each.best.p_value)
    assert smallest.best.p_holm == pytest.approx(min(3 * smallest.best.p_value, 1))
    assert f"Holm p = {smallest.best.p_holm:.3f} over the questions" in smallest.sentence


def test_a_question_of_which_a_side_was_not_run_is_left_out():
    assert answered(asked("A or B?", [scored("a", 0.0, 1)], [])) == []
