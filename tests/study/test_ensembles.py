"""Lists of several models added up."""

import numpy as np
import pytest

from recsys.evaluation.ranking import Ranking
from recsys.study.ensembles import combine, weightings

INF = np.inf


def ranking(items: list[list[int]], scores: list[list[float]]) -> Ranking:
    users = np.arange(len(items), dtype=np.int32)
    return Ranking(users, np.array(items, dtype=np.int32), np.array(scores, dtype=np.float32))


FIRST = ranking([[0, 1, 2], [3, -1, -1]], [[9, 8, 1], [5, -INF, -INF]])
SECOND = ranking([[2, 3, 0], [1, 0, -1]], [[0.3, 0.2, 0.1], [0.4, 0.1, -INF]])


def test_scores_are_brought_to_one_range() -> None:
    lists = combine([FIRST, SECOND], (0.5, 0.5), "scores", 4)
    # User 0: item 0 gets 1 and 0, item 1 7/8, item 2 0 and 1, item 3 1/2, each by half.
    np.testing.assert_array_equal(lists.items[0], [0, 2, 1])
    np.testing.assert_allclose(lists.scores[0], [0.5, 0.5, 7 / 16])
    # An item that is listed alone is worth as much as the first of a list.
    np.testing.assert_array_equal(lists.items[1], [1, 3, 0])


def test_ranks_are_added() -> None:
    lists = combine([FIRST, SECOND], (0.75, 0.25), "ranks", 4)
    assert lists.scores[0, 0] == pytest.approx(0.75 / 61 + 0.25 / 63)
    np.testing.assert_array_equal(lists.items, [[0, 2, 1], [3, 1, 0]])


def test_one_model_alone_keeps_its_order() -> None:
    for scale in ("scores", "ranks"):
        np.testing.assert_array_equal(combine([FIRST, SECOND], (1.0, 0.0), scale, 4).items[0], FIRST.items[0])


def test_weights_add_up_to_one() -> None:
    assert list(weightings(2)) == [(0, 1), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1, 0)]
    assert all(sum(each) == pytest.approx(1) for n in (3, 4) for each in weightings(n))
