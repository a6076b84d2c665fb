from collections.abc import Sequence

import numba
import numpy as np
import pandas as pd
import pytest

from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import Evaluator, Measured
from recsys.evaluation.metrics.catalogue import gini_coefficient
from recsys.evaluation.metrics.registry import metrics, primary_metrics
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking


def ranking_of(items: list[list[int]]) -> Ranking:
    table = np.array(items, dtype=np.int32)
    return Ranking(np.arange(len(table), dtype=np.int32), table, np.zeros(table.shape, dtype=np.float32))


def measured(
    ranking: Ranking,
    held_out: list[list[int]],
    n_items: int,
    ks: list[int],
    ndcg: str = "truncated",
    train: Sequence[int] = (),
) -> Measured:
    """What lists are worth on a test part; `train` are the items of training interactions, of the first user."""
    test = [(user, item, "test") for user, items in enumerate(held_out) for item in items]
    rows = [*test, *((user, item, "train") for user, item in enumerate(train))]
    data = Dataset(
        interactions=pd.DataFrame(rows, columns=["user", "item", "part"]),
        users=pd.DataFrame({"user_id": range(max(len(held_out), len(train)))}),
        items=pd.DataFrame({"item_id": range(n_items)}),
        quarantine=pd.DataFrame(),
    )
    protocol = Protocol(ks=ks, primary=f"ndcg_at_{max(ks)}", ndcg=ndcg)
    return Evaluator(data, "test", protocol).measure(ranking)


def test_metrics_by_hand() -> None:
    # User 0 holds out 3 items, of which ranks 2 and 4 are two; user 1 none; user 2 one that the list misses.
    ranking = ranking_of([[9, 1, 8, 2], [1, 2, 3, 4], [1, 2, -1, -1]])
    frame = measured(ranking, [[1, 2, 3], [], [7]], 10, [2, 4]).per_user
    assert list(frame["user"]) == [0, 2]
    first = frame.iloc[0]
    assert first["recall_at_2"] == pytest.approx(1 / 3, abs=1e-15)
    assert first["recall_at_4"] == pytest.approx(2 / 3, abs=1e-15)
    assert first["precision_at_4"] == 0.5
    assert first["hit_rate_at_2"] == 1
    assert first["mrr_at_4"] == 0.5
    assert first["map_at_4"] == pytest.approx((1 / 2 + 2 / 4) / 3, abs=1e-15)
    assert first["map_at_2"] == pytest.approx((1 / 2) / 2, abs=1e-15)
    discounts = 1 / np.log2([2, 3, 4, 5])
    assert first["ndcg_at_4"] == pytest.approx((discounts[1] + discounts[3]) / discounts[:3].sum(), abs=1e-15)
    assert first["ndcg_at_2"] == pytest.approx(discounts[1] / discounts[:2].sum(), abs=1e-15)
    accuracy = [f"{name}_at_{k}" for name in primary_metrics() for k in (2, 4)]
    assert (frame.iloc[1][accuracy] == 0).all()
    assert (frame.drop(columns="user").dtypes == np.float64).all()


def test_a_metric_ignores_order_where_it_says_so_and_nowhere_else() -> None:
    hits_first, hits_last = measured(ranking_of([[1, 2, 3], [3, 2, 1]]), [[1], [1]], 5, [3]).per_user.iloc
    for name in primary_metrics():
        same = hits_first[f"{name}_at_3"] == hits_last[f"{name}_at_3"]
        assert same == metrics()[name].ignores_order, name


def test_retrieved_ndcg_divides_by_the_hits_of_the_longest_list() -> None:
    ranking = ranking_of([[9, 1, 8, 2], [5, 6, 7, 8]])
    # The lists are as long as the protocol's largest cut-off.
    frame = measured(ranking, [[1, 2, 3], [1]], 10, [2, 3, 4], ndcg="retrieved").per_user
    discounts = 1 / np.log2([2, 3, 4, 5])
    assert frame["ndcg_at_2"][0] == pytest.approx(discounts[1] / discounts[:2].sum(), abs=1e-15)
    # The hit at rank 4 counts in the ideal although the cut-off is 3.
    assert frame["ndcg_at_3"][0] == pytest.approx(discounts[1] / discounts[:2].sum(), abs=1e-15)
    assert frame["ndcg_at_3"][1] == 0


def test_lists_shorter_than_the_cut_off() -> None:
    frame = measured(ranking_of([[1, 0]]), [[0]], 2, [5]).per_user
    assert frame["precision_at_5"][0] == pytest.approx(1 / 5)
    assert frame["mrr_at_5"][0] == 0.5


def test_equal_to_ranx_on_random_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    # Compiling ranx takes minutes; as plain Python it takes no time on lists this few.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    from ranx import Qrels, Run, evaluate

    rng = np.random.default_rng(0)
    n_users, n_items, k = 80, 60, 10
    items = np.stack([rng.permutation(n_items)[:20] for _ in range(n_users)])
    truth = [rng.permutation(n_items)[: rng.integers(1, 25)].tolist() for _ in range(n_users)]
    frame = measured(ranking_of(items.tolist()), truth, n_items, [20, k]).per_user
    qrels = Qrels({str(u): {str(i): 1 for i in held_out} for u, held_out in enumerate(truth)})
    run = Run({str(u): {str(i): float(20 - r) for r, i in enumerate(row)} for u, row in enumerate(items)})
    theirs = ["recall", "ndcg", "hit_rate", "precision", "mrr", "map"]
    scores = evaluate(qrels, run, [f"{name}@{k}" for name in theirs], return_mean=False)
    users = [int(user) for user in run.run]
    for name in theirs:
        expected = np.empty(n_users)
        expected[users] = scores[f"{name}@{k}"]
        if name == "map":  # ranx divides by all held-out items, not by min(m, k)
            m = np.array([len(held_out) for held_out in truth])
            expected *= m / np.minimum(m, k)
        np.testing.assert_allclose(frame[f"{name}_at_{k}"], expected, rtol=0, atol=1e-12, err_msg=name)
    assert set(theirs) == set(primary_metrics())


def test_list_metrics_by_hand() -> None:
    # Items 0 to 3 have 4, 2, 1 and 1 training interactions, item 4 none.
    train = [0, 0, 0, 0, 1, 1, 2, 3]
    metrics = measured(ranking_of([[0, 1], [0, -1]]), [[4], [4]], 5, [1, 2], train=train).lists
    assert metrics["coverage_at_1"] == 0.2
    assert metrics["coverage_at_2"] == 0.4
    assert metrics["gini_at_1"] == pytest.approx(0.8)
    assert metrics["popularity_at_2"] == pytest.approx((4 + 4 + 2) / 3)


def test_novelty_and_popularity_lift_by_hand() -> None:
    # Items 0 to 3 have 4, 2, 1 and 1 training interactions, item 4 none; each of eight users took one item.
    train = [0, 0, 0, 0, 1, 1, 2, 3]
    held_out = [[4]] * 9
    lists = ranking_of([[1, 2], *[[1, -1]] * 7, [0, 4]])
    frame = measured(lists, held_out, 5, [2], train=train).per_user
    # Item 4 counts as having one interaction: 9 in all.
    assert frame["novelty_at_2"][0] == pytest.approx((np.log2(9 / 2) + np.log2(9)) / 2)
    assert frame["novelty_at_2"][1] == pytest.approx(np.log2(9 / 2))
    assert frame["popularity_lift_at_2"][0] == pytest.approx(1.5 / 4 - 1)
    assert frame["popularity_lift_at_2"][6] == pytest.approx(2 / 1 - 1)
    # The last user took nothing: beside the mean interaction, of popularity (4 * 4 + 2 * 2 + 1 + 1) / 8.
    assert frame["popularity_lift_at_2"][8] == pytest.approx(2 / (22 / 8) - 1)


def test_what_is_neither_good_nor_bad_cannot_judge() -> None:
    with pytest.raises(ValueError, match="unknown metric 'popularity_lift_at_20'"):
        Protocol(primary="popularity_lift_at_20")


def test_gini_at_its_ends() -> None:
    assert gini_coefficient(np.full(7, 3)) == pytest.approx(0)
    assert gini_coefficient(np.array([0, 0, 0, 5])) == pytest.approx(3 / 4)
    assert gini_coefficient(np.zeros(4, dtype=int)) == 0
