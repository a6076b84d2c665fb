import numpy as np
import pytest

from recsys.content.arms import Arm
from recsys.content.features import Features
from recsys.training import item_graph as module
from recsys.training.item_graph import item_graph

NOBODY = np.zeros(0)
"""Popularity that these controls do not look at."""


def features(n_items: int = 30, dim: int = 5, absent: tuple[int, ...] = ()) -> Features:
    matrix = np.random.default_rng(4).standard_normal((n_items, dim)).astype(np.float32)
    present = np.ones(n_items, dtype=bool)
    present[list(absent)] = False
    matrix[~present] = 0
    return Features(matrix, present)


def nearest_by_hand(shown: Features, k: int) -> np.ndarray:
    unit = shown.matrix / np.linalg.norm(shown.matrix, axis=1, keepdims=True)
    cosine = unit @ unit.T
    kept = np.zeros_like(cosine)
    for row, order in enumerate(np.argsort(-cosine, axis=1)[:, :k]):
        kept[row, order] = cosine[row, order]
    return kept


def test_binary_graph_has_one_kth_on_each_neighbour_itself_included() -> None:
    graph = item_graph(features(), 4).toarray()
    np.testing.assert_array_equal(graph, np.where(nearest_by_hand(features(), 4) != 0, np.float32(0.25), 0))
    assert (np.diag(graph) == np.float32(0.25)).all()


def test_cosine_graph_is_normalised_by_row_sums_on_both_sides() -> None:
    kept = nearest_by_hand(features(), 4).clip(min=0)
    row_sums = kept.sum(axis=1)
    expected = kept / np.sqrt(row_sums[:, None] * row_sums[None, :])
    np.testing.assert_allclose(item_graph(features(), 4, "cosine").toarray(), expected, rtol=1e-5, atol=1e-7)


def test_similarity_graph_has_a_kth_of_the_cosines() -> None:
    expected = nearest_by_hand(features(), 4).clip(min=0) / 4
    np.testing.assert_allclose(item_graph(features(), 4, "similarity").toarray(), expected, rtol=1e-5, atol=1e-7)


def test_blocks_do_not_change_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = item_graph(features(), 4).toarray()
    monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr(module, "_graphs", type(module._graphs)())
    np.testing.assert_array_equal(item_graph(features(), 4).toarray(), whole)


def test_absent_items_have_no_edges() -> None:
    graph = item_graph(features(absent=(0, 11)), 4).toarray()
    assert not graph[[0, 11]].any()
    assert not graph[:, [0, 11]].any()
    assert ((graph > 0).sum(axis=1) == np.where(np.isin(np.arange(30), (0, 11)), 0, 4)).all()


def test_a_present_row_of_zeros_has_no_direction() -> None:
    shown = features()
    shown.matrix[3] = 0
    graph = item_graph(shown, 4).toarray()
    assert np.isfinite(graph).all()
    assert not graph[3].any()


def test_constant_rows_make_an_empty_graph() -> None:
    constant = Arm("constant", ("text",), "constant", ("text",)).show({"text": features(absent=(2,))}, 0, NOBODY)[
        "text"
    ]
    assert item_graph(constant, 4).nnz == 0
    assert item_graph(features(absent=tuple(range(30))), 4).nnz == 0


def test_twins_keep_themselves_and_fewer_items_than_k_are_all_neighbours() -> None:
    shown = features(6)
    shown.matrix[:4] = shown.matrix[0]
    assert (np.diag(item_graph(shown, 2).toarray()) == 0.5).all()
    np.testing.assert_allclose(item_graph(shown, 10).toarray(), np.full((6, 6), 1 / 6), rtol=1e-6)


def test_a_control_never_meets_the_graph_of_the_real_content() -> None:
    shown = features()
    shuffled = Arm("shuffled", ("text",), "shuffled", ("text",)).show({"text": shown}, 0, NOBODY)["text"]
    real, control = item_graph(shown, 4), item_graph(shuffled, 4)
    assert (real != control).nnz > 0
    assert item_graph(features(), 4) is real
