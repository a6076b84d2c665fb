"""Users whom content costs without a label: found where there are such users, and only there."""

import numpy as np
import pytest
from scipy import stats

from recsys.evidence.hidden_losers import HiddenLosers, find_hidden_losers
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK

R, U, N_ITEMS = 5, 1000, 8


def drawn(gain: np.ndarray | float, rng: np.random.Generator) -> tuple[Scores, Scores, np.ndarray]:
    """Content, rival and overlaps: each user has 8 interactions, of which each repeat tests one.

    Half of what becomes of an interaction is the same in every repeat, so that one that is tested twice is lost twice.
    """
    shape = (R, U, N_ITEMS)
    ease = rng.beta(0.8, 2.4, U)[:, None]
    tested = rng.integers(N_ITEMS, size=(R, U))

    def luck() -> np.ndarray:
        return np.where(rng.random(shape) < 0.5, rng.random((U, N_ITEMS)), rng.random(shape))

    def values(chance: np.ndarray) -> np.ndarray:
        gains = 1 / np.log2(rng.integers(1, 21, (U, N_ITEMS)) + 1)
        return np.take_along_axis((luck() < chance) * gains, tested[:, :, None], axis=2)[:, :, 0]

    gain = np.broadcast_to(gain, U)[:, None]
    content, rival = values(np.clip(ease * (1 + gain), 0, 1)), values(ease)
    overlaps = tested[:, None] == tested[None, :]
    return scored("C", content), scored("I", rival), overlaps


def scored(model: str, values: np.ndarray, held_out: float = 0.125) -> Scores:
    return Scores(model, "both", np.arange(values.shape[1]), values, valid=0.0, held_out=held_out)


def found(content: Scores, rival: Scores, overlaps: np.ndarray) -> HiddenLosers | None:
    return find_hidden_losers(content, rival, content.values - rival.values, overlaps, options=QUICK)


@pytest.mark.parametrize("gain", [0.0, 0.2])
def test_users_who_are_alike_hold_no_losers(gain: float) -> None:
    rng = np.random.default_rng(0)
    n = 100
    fired = sum(each.shown for each in (found(*drawn(gain, rng)) for _ in range(n)) if each)
    assert stats.binomtest(fired, n, 0.05, alternative="greater").pvalue > 0.05


def test_rows_that_come_up_again_would_make_losers_of_users_who_are_alike() -> None:
    rng = np.random.default_rng(0)
    draws = [drawn(0.0, rng) for _ in range(20)]
    naive = [found(content, rival, np.zeros_like(overlaps)) for content, rival, overlaps in draws]
    assert np.mean([each.comparison.lift for each in naive if each]) < -0.05
    guarded = [found(*each) for each in draws]
    assert abs(np.mean([each.comparison.lift for each in guarded if each])) < 0.05


def test_half_of_the_users_lose() -> None:
    rng = np.random.default_rng(1)
    gain = np.where(np.arange(U) % 2 == 0, 0.8, -0.8)
    results = [found(*drawn(gain, rng)) for _ in range(20)]
    assert sum(each.shown for each in results if each) >= 18
    assert results[0] and results[0].sentence.startswith("For about ")


def test_nothing_is_said_where_the_split_is_a_fact_or_there_is_one_repeat() -> None:
    content, rival, overlaps = drawn(-0.5, np.random.default_rng(2))
    fixed = [scored(each.model, each.values, held_out=0.0) for each in (content, rival)]
    assert found(*fixed, overlaps) is None
    once = [scored(each.model, each.values[:1]) for each in (content, rival)]
    assert found(*once, overlaps[:1, :1]) is None
