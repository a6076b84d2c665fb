"""Strata of users and items, from scores that are made up: what is found in each, and whether they differ."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.evidence.comparison import compare
from recsys.evidence.scores import Scores
from recsys.evidence.strata import (
    COLD,
    StratumResult,
    compare_strata,
    compare_weighted,
    families_that_differ,
    losers,
)
from recsys.evidence.stratum import Stratum
from tests.evidence.options import QUICK

R, U = 5, 600


def scored(values: np.ndarray, model: str = "A", arm: str = "both", held_out: float = 0.125) -> Scores:
    return Scores(model, arm, np.arange(values.shape[1]), values, valid=0.0, held_out=held_out)


def sparse_scores(gain: np.ndarray | float, rng: np.random.Generator, mean: float = 0.25) -> tuple[Scores, Scores]:
    """Content and rival: most users have no hit, and content lifts the chance of one by `gain`."""
    ease = rng.beta(0.8, 0.8 / mean - 0.8, U)

    def hits(chance: np.ndarray) -> np.ndarray:
        return (rng.random((R, U)) < np.clip(chance, 0, 1)) / np.log2(rng.integers(1, 21, (R, U)) + 1)

    return scored(hits(ease * (1 + gain))), scored(hits(ease), "I", "interactions_only")


def said(results: list[StratumResult]) -> list[str]:
    """Who loses, where content and rival are equal over all users."""
    alike = scored(np.eye(R, U))
    return losers(results, compare(alike, alike, options=QUICK), "ndcg_at_20")


def halves(content: Scores, rival: Scores, n_rows: np.ndarray | None = None) -> list[StratumResult]:
    rows = np.ones((R, U), dtype=int) if n_rows is None else n_rows
    first = np.arange(U) < U // 2
    strata = [
        Stratum("activity", name, content, rival, rows * members)
        for name, members in (("users with few", first), ("users with many", ~first))
    ]
    return compare_strata(strata, rows, options=QUICK)


def test_a_stratum_whose_users_never_change_is_a_comparison_of_these_users() -> None:
    content, rival = sparse_scores(0.3, np.random.default_rng(0))
    few, _ = halves(content, rival)
    plain = compare(content.restricted(np.arange(U // 2)), rival.restricted(np.arange(U // 2)), options=QUICK)
    assert few.by_user.lift == pytest.approx(plain.lift)
    assert few.by_user.lift_low == pytest.approx(plain.lift_low)
    assert (few.by_user.n_users, few.by_user.n_moved) == (plain.n_users, plain.n_moved)
    assert few.share_of_users == 0.5


def test_weights_by_hand() -> None:
    # Two repeats of three users: the second has no test row in the second repeat, the third none at all.
    weights = np.array([[1, 3, 0], [1, 0, 0]])
    a = scored(np.array([[0.5, 1.0, 9.0], [0.0, 9.0, 9.0]]))
    b = scored(np.array([[0.5, 0.5, 9.0], [0.5, 0.0, 0.0]]), "I")
    found = compare_weighted(a, b, weights)
    assert (found.mean_a, found.mean_b) == (pytest.approx(3.5 / 5), pytest.approx(2.5 / 5))
    assert (found.n_users, found.n_moved) == (2, 2)


def test_the_interval_of_a_ratio_covers_where_membership_is_drawn() -> None:
    rng, covered = np.random.default_rng(1), 0
    for _ in range(100):
        content, rival = sparse_scores(0.0, rng)
        # Who has a row of the stratum hangs on the draw, and has better scores on both sides.
        weights = rng.random((R, U)) < 0.2 + 0.5 * (rival.values + content.values > 0)
        found = compare_weighted(content, rival, weights, options=QUICK)
        covered += found.ci_low <= 0 <= found.ci_high
    assert covered >= 93


def test_equal_lifts_seldom_differ_and_opposite_ones_do() -> None:
    rng = np.random.default_rng(2)
    smallest = [families_that_differ(halves(*sparse_scores(0.2, rng)))["activity"] for _ in range(60)]
    assert np.mean(np.array(smallest) <= 0.05) <= 0.08
    opposite = np.where(np.arange(U) < U // 2, -0.7, 0.7)
    assert families_that_differ(halves(*sparse_scores(opposite, rng)))["activity"] < 0.01


def test_who_loses_is_named() -> None:
    opposite = np.where(np.arange(U) < U // 2, -0.8, 1.0)
    found = halves(*sparse_scores(opposite, np.random.default_rng(3)))
    (sentence,) = said(found)
    assert sentence.startswith("Content costs users with few (50 % of the users): -")
    assert said(halves(*sparse_scores(0.2, np.random.default_rng(3)))) == []


def test_where_everybody_loses_the_headline_says_so_itself() -> None:
    content, rival = sparse_scores(-0.8, np.random.default_rng(3), mean=0.5)
    found, everybody = halves(content, rival), compare(content, rival, options=QUICK)
    assert all(each.by_user.b_better for each in found)
    assert losers(found, everybody, "ndcg_at_20") == []


def test_items_that_are_served_worse_are_named_by_the_users_who_have_them() -> None:
    content, rival = sparse_scores(-0.8, np.random.default_rng(6))
    rows = np.ones((R, U), dtype=int)
    found = compare_strata([Stratum("popularity", "head items", content, rival, rows, of_items=True)], rows)
    (sentence,) = said(found)
    assert sentence.startswith("On head items, which 100 % of the users have in the test part, content costs: -")


def test_a_small_stratum_is_left_out_and_one_of_less_than_a_tenth_not_named() -> None:
    gain = np.where(np.arange(U) < 50, -1.0, 0.5)
    content, rival = sparse_scores(gain, np.random.default_rng(4), mean=0.5)
    rows = np.ones((R, U), dtype=int)
    strata = [Stratum("f", str(n), content, rival, rows * (np.arange(U) < n)) for n in (20, 50)]
    (found,) = compare_strata(strata, rows, options=QUICK)
    assert found.by_user.b_better
    assert said([found]) == []


def test_cold_items_that_gain_nothing_are_named_where_a_tenth_of_the_users_have_them() -> None:
    nothing = np.zeros((R, U))
    rows = np.ones((R, U), dtype=int)
    stratum = Stratum("items", COLD, scored(nothing), scored(nothing, "I"), rows)
    found = compare_strata([stratum], rows, options=QUICK)
    (sentence,) = said(found)
    assert sentence.startswith("Cold items, which 100 % of the users have in the test part, are not shown to gain: ")
    assert said([replace(each, share_of_users=0.09) for each in found]) == []


def test_cold_items_that_are_served_worse_are_named_once() -> None:
    rows = np.ones((R, U), dtype=int)
    (sentence,) = said(
        compare_strata([Stratum("items", COLD, *sparse_scores(-0.8, np.random.default_rng(6)), rows)], rows)
    )
    assert sentence.startswith("Content costs cold items")


def test_interactions_count_as_often_as_there_are_rows() -> None:
    rows = np.ones((R, U), dtype=int)
    rows[:, ::2] = 3
    gain = np.where(np.arange(U) % 2 == 0, 1.0, -0.5)
    few, _ = halves(*sparse_scores(gain, np.random.default_rng(5)), n_rows=rows)
    assert few.by_interaction.lift > few.by_user.lift + 0.2
