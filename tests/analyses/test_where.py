"""Stages and integration, from the stored lists of a small trained study."""

import numpy as np
import pytest

from recsys.analyses.base import Inputs
from recsys.analyses.integration import Integration
from recsys.analyses.stages import Stages, rerank
from recsys.evaluation.ranking import Ranking, rank
from tests.analyses.conftest import CONTENT, DATASETS, RIVAL


def lists(items: list[list[int]]) -> Ranking:
    table = np.array(items, dtype=np.int32)
    return Ranking(np.arange(len(table), dtype=np.int32), table, np.zeros(table.shape, dtype=np.float32))


def test_candidates_take_the_order_of_the_other_model() -> None:
    found, n_listed = rerank(lists([[4, 2, 7, 1], [3, 5, -1, -1]]), lists([[1, 9, 2], [5, -1, -1]]))
    np.testing.assert_array_equal(found.items, [[1, 2, 4, 7], [5, 3, -1, -1]])
    np.testing.assert_array_equal(n_listed, [2, 1])


def test_the_end_of_a_list_is_no_item_of_the_user_before() -> None:
    _, n_listed = rerank(lists([[9, 1], [5, 2]]), lists([[1, 2], [5, -1]]))
    np.testing.assert_array_equal(n_listed, [1, 1])


def test_the_first_ranks_are_those_of_scoring_the_candidates(trained: Inputs) -> None:
    model = trained.cell(trained.arm(CONTENT).finals[0]).model()
    content, rival = trained.lists(CONTENT).masked("train")[0], trained.lists(RIVAL).masked("train")[0]
    assert model is not None
    n = len(rival.users)
    candidates = Ranking(rival.users, rival.items[:, :40], rival.scores[:, :40])
    matrix = np.zeros((DATASETS[0].n_users, DATASETS[0].n_items), dtype=np.float32)
    matrix[np.repeat(rival.users, 40), candidates.items.ravel()] = 1
    scored = rank(model, rival.users, DATASETS[0].train, 10, type(DATASETS[0].train)(matrix))
    found, n_listed = rerank(candidates, content)
    exact = n_listed >= 10
    assert exact.sum() > n / 2
    np.testing.assert_array_equal(found.items[exact, :10], scored.items[exact])


def test_a_row_a_stage(trained: Inputs) -> None:
    analysis = Stages()
    tables = analysis.compute(trained)
    assert tables["stages"]["stage"].tolist() == ["recall", "recall", "re-ranking"]
    assert tables["stages"]["mean_b"].iloc[2] == pytest.approx(trained.scores[RIVAL].values.mean())
    (table,) = analysis.show(tables)
    assert "candidates of ItemKNN" in table.caption


def test_fusion_against_an_ensemble_weighted_on_validation(trained: Inputs) -> None:
    analysis = Integration()
    tables = analysis.compute(trained)
    assert tables["weights"][["text", "image"]].sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    (table,) = analysis.show(tables)
    assert table.rows[0][:2] == ["HybridItemKNN (both)", "HybridItemKNN (text) + HybridItemKNN (image)"]
    assert tables["integration"]["mean_a"].iloc[0] == pytest.approx(trained.scores[CONTENT].values.mean())
