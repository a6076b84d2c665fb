"""What can be said of vectors before a model sees them, by hand-computed cases."""

import numpy as np
import pytest

from recsys.content.features import Features
from recsys.content.integrity import inspect, oddities, problems
from recsys.content.neighbours import nearest, share_with_twin
from recsys.errors import UserError
from tests.content.conftest import item_table


def features(rows, present=None):
    rows = np.asarray(rows, dtype=np.float32)
    return Features.where(np.ones(len(rows), dtype=bool) if present is None else np.asarray(present), rows)


def inspect_rows(rows, present=None, **columns):
    return inspect(features(rows, present), item_table(len(rows), **columns))


def test_a_small_table_by_hand():
    found = inspect_rows([[3, 4], [-3, -4], [3, 4], [0, 5], [9, 9]], [True] * 4 + [False], title=list("abcde"))
    assert (found.n_items, found.dim, found.coverage, found.finite) == (5, 2, 0.8, True)
    assert found.distinct == 0.75
    assert (found.largest_group, found.examples) == (2, ("a", "c"))
    assert (found.norm_median, found.norm_spread) == (5.0, 1.0)
    # Cosines of the six pairs: -1, 1, .8, -1, -.8, .8
    assert found.mean_cosine == pytest.approx(-0.2 / 6)


@pytest.mark.parametrize("n_directions", [1, 2, 5])
def test_effective_rank_counts_directions_of_equal_weight(n_directions):
    corners = np.vstack([np.eye(6)[:n_directions], -np.eye(6)[:n_directions]])
    assert inspect_rows(corners + 10).effective_rank == pytest.approx(n_directions, rel=1e-3)


def test_effective_rank_weighs_singular_values_by_their_entropy():
    rows = np.array([[3, 0], [-3, 0], [0, 1], [0, -1]])  # singular values 3 and 1, times root of two
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert inspect_rows(rows).effective_rank == pytest.approx(np.exp(entropy))


def test_good_vectors_have_no_problems():
    assert problems(inspect_rows(np.random.default_rng(0).normal(size=(300, 8)))) == []


def test_equal_rows_are_called_alike():
    rows = np.tile([[250.0, 5.0]], (40, 1))  # the row that published code gave to every item
    rows[0] = [1, 0]
    (sentence,) = problems(inspect_rows(rows))
    assert (
        sentence == "All items look alike: only 2 distinct rows among 40 items, and 39 share one row ('1', '2', '3')."
    )


def test_rows_that_differ_by_rounding_only_are_called_alike():
    rows = 1 + 1e-3 * np.random.default_rng(0).normal(size=(50, 4))
    (sentence,) = problems(inspect_rows(rows))
    assert sentence == "All items look alike: two of them have a cosine of 1.000 on average."


def test_other_problems():
    random = np.random.default_rng(0)
    line = np.outer(random.normal(size=50), [1, 2, 3])
    assert problems(inspect_rows(line)) == ["The vectors vary along 1.0 of 3 directions only."]
    rows = random.normal(size=(50, 3))
    few = problems(inspect_rows(rows, np.arange(50) < 20))
    assert few == ["Only 20 of 50 items have a vector."]
    rows[:3] *= 1e4
    few, long = problems(inspect_rows(rows))[-2:]
    assert "a few dominate" in few
    assert long == "3 vectors are more than 100 times as long as the median one ('0', '1', '2')."
    assert problems(inspect_rows(np.zeros((3, 2)), np.zeros(3, dtype=bool))) == ["No item has a vector."]


def test_a_placeholder_is_named_among_many_rows():
    rows = np.random.default_rng(0).normal(size=(5000, 6))
    rows[7] = -999
    assert problems(inspect_rows(rows))[-1] == "1 vector is more than 100 times as long as the median one ('7')."
    assert oddities(features(rows), item_table(5000)) == [
        "rows more than 100 times as long as the median one, such as a placeholder -999: 1 ('7')"
    ]


def test_lengths_that_differ_as_real_ones_do_are_no_oddity():
    rows = np.random.default_rng(0).normal(size=(500, 6)) * np.random.default_rng(1).lognormal(size=(500, 1))
    assert oddities(features(rows), item_table(500)) == []
    assert oddities(features(np.zeros((3, 2))), item_table(3)) == []
    assert oddities(features(np.ones((3, 2)), [False] * 3), item_table(3)) == []


def test_one_column_is_not_a_collapse():
    assert problems(inspect_rows(np.random.default_rng(0).normal(size=(50, 1)))) == []


def test_vectors_of_another_catalogue_are_refused():
    with pytest.raises(UserError, match=r"^3 vectors for 2 items; encode the items anew$"):
        inspect(features(np.eye(3)), item_table(2))


def test_nearest_by_hand():
    rows = features([[1, 0], [5, 5], [9, 9], [0, 2], [1, 0.1]], [True, True, False, True, True])
    found = nearest(rows, [0, 2, 3], k=2)
    assert found["item"].tolist() == [0, 0, 3, 3]  # item 2 is absent
    assert found["neighbour"].tolist() == [4, 1, 1, 4]
    assert found["rank"].tolist() == [1, 2, 1, 2]
    expected = [1 / np.hypot(1, 0.1), np.sqrt(0.5), np.sqrt(0.5), 0.1 / np.hypot(1, 0.1)]
    np.testing.assert_allclose(found["cosine"], expected, rtol=1e-6)


def test_nearest_never_gives_the_item_itself_nor_more_than_there_are():
    found = nearest(features(np.ones((3, 2))), [0, 1, 2], k=10)
    assert len(found) == 6
    assert (found["item"] != found["neighbour"]).all()
    assert nearest(features([[1.0]]), [0]).empty


def test_share_with_twin_by_hand():
    rows = [[1, 0], [0, 1], [-1, 0], [0, -1], [0, -1.001], [9, 9]]
    present = [True] * 5 + [False]
    assert share_with_twin(features(rows, present)) == pytest.approx(2 / 5)
    assert share_with_twin(features([[1.0]])) == 0.0


def test_a_direction_that_all_vectors_share_makes_no_twins():
    rows = np.random.default_rng(0).standard_normal((300, 8))
    assert share_with_twin(features(rows + 1000)) == 0.0
    assert share_with_twin(features(np.vstack([rows, rows]) + 1000), n_sampled=100) == 1.0
