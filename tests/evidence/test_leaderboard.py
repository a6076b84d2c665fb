"""Where no content was compared: the best model by validation, and what the test part says of it."""

import numpy as np

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.evidence.interval import Interval
from recsys.evidence.leaderboard import Leaderboard, rank_models
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK

N_USERS = 400
RNG = np.random.default_rng(0)
BASE = RNG.random(N_USERS)


def scored(model: str, values: np.ndarray, valid: float) -> Scores:
    return Scores(model, INTERACTIONS_ONLY, np.arange(N_USERS), values[None, :], valid, seeded=False)


def standing(*candidates: Scores) -> Leaderboard:
    intervals = {each.pair: Interval(each.values.mean(), 0.41, 0.59) for each in candidates}
    return rank_models({each.pair: each for each in candidates}, intervals, metric="ndcg_at_20", options=QUICK)


BEST = scored("Best", BASE, 0.9)
EQUAL = scored("Equal", BASE + RNG.normal(0, 0.001, N_USERS), 0.8)
WORSE = scored("Worse", BASE - 0.2 + RNG.normal(0, 0.01, N_USERS), 0.7)
WORST = scored("Worst", BASE - 0.3 + RNG.normal(0, 0.01, N_USERS), 0.6)
NOISE = RNG.normal(0, 1, N_USERS)
UNSURE = scored("Unsure", BASE + NOISE - NOISE.mean(), 0.5)
UNSURER = scored("Unsurer", BASE - 0.001 + 3 * (NOISE - NOISE.mean()), 0.5)
LUCKY = scored("Lucky", BASE + 0.2 + RNG.normal(0, 0.01, N_USERS), 0.4)


def test_the_best_is_chosen_on_validation_and_compared_with_all_others() -> None:
    found = standing(WORSE, BEST, LUCKY, EQUAL)
    assert (found.best, found.test) == ("Best", Interval(BEST.values.mean(), 0.41, 0.59))
    assert [each.b for each in found.comparisons] == ["Best"] * 3
    assert [each.a for each in found.comparisons][::2] == ["Lucky", "Worse"]
    assert all(each.p_holm is not None for each in found.comparisons)


def test_the_sentence_tells_beaten_equal_and_open_apart() -> None:
    found = standing(BEST, EQUAL, WORSE, WORST)
    assert found.sentence == (
        "No content was compared: Best is the best model on validation, "
        f"with nDCG@20 {BEST.values.mean():.4f} on test (95 % interval 0.4100 to 0.5900); "
        "there, with p corrected by Holm, it equals Equal within a margin of 2.0 %; it beats Worse and Worst."
    )
    assert "is not shown to differ from Unsure (the smallest lift that could have" in standing(BEST, UNSURE).sentence


def test_what_several_open_comparisons_could_have_shown_is_said_once() -> None:
    found = standing(BEST, UNSURE, UNSURER)
    low, high = sorted(each.detectable_lift for each in found.comparisons)
    assert found.sentence.endswith(
        "is not shown to differ from Unsure and Unsurer "
        f"(the smallest lift that could have been shown is {100 * low:.1f} % to {100 * high:.1f} %)."
    )


def test_a_choice_that_another_beats_on_test_is_not_hidden() -> None:
    assert standing(BEST, LUCKY).sentence.endswith("it is beaten by Lucky.")


def test_a_model_alone_is_the_best_of_one() -> None:
    found = standing(BEST)
    assert found.comparisons == []
    assert found.sentence.endswith("on test (95 % interval 0.4100 to 0.5900).")


def test_one_model_alone_beats_nobody() -> None:
    assert standing(BEST).sentence.startswith("No content was compared: Best is the only model, with nDCG@20 ")
