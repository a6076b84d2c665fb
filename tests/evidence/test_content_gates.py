"""Each gate on content by hand."""

import numpy as np

from recsys.content.features import Features
from recsys.content.integrity import inspect
from recsys.evidence.content_gates import content_rows, leak, near_duplicates, provenance
from recsys.evidence.probes import LeakProbe
from tests.content.conftest import item_table

HONEST = LeakProbe(
    auc_train=0.81,
    auc_test=0.8,
    gap=0.01,
    gap_error=0.005,
    ceiling=0.6,
    ceiling_z=-9.0,
    error_ratio=1.1,
    data_ratio=1.25,
    random_split=True,
)


def rows(matrix, present=None):
    matrix = np.asarray(matrix, dtype=np.float32)
    present = np.ones(len(matrix), dtype=bool) if present is None else present
    return inspect(Features.where(present, matrix), item_table(len(matrix)))


def test_content_that_no_item_has_is_red():
    gate = content_rows("image", rows(np.eye(8), np.zeros(8, dtype=bool)))
    assert gate.colour == "red"
    assert gate.message == "None of 8 items has image."
    assert "'image'" in gate.remedy


def test_content_in_which_most_items_share_a_row_is_red():
    matrix = np.random.default_rng(0).standard_normal((20, 6))
    matrix[:11] = 1
    gate = content_rows("image", rows(matrix))
    assert gate.colour == "red"
    assert gate.message == "The 20 items with image have 10 distinct rows, and 11 share one."
    matrix[10] = 2
    assert content_rows("image", rows(matrix)).colour == "green"


def test_content_of_four_rows_is_red_and_a_genre_is_not():
    assert content_rows("kind", rows(np.eye(4)[np.arange(100) % 4])).colour == "red"
    assert content_rows("genre", rows(np.eye(8)[np.arange(100) % 8])).colour == "amber"
    assert content_rows("genre", rows(np.eye(20)[np.arange(100) % 20])).colour == "green"


def test_too_few_items_are_not_called_alike():
    gate = content_rows("image", rows(np.eye(4)))
    assert (gate.colour, gate.message) == (
        "red",
        "The 4 items with image have 4 distinct rows; at least 5 are needed.",
    )
    assert gate.remedy == "Give more items 'image', or leave it out of the study."


def test_near_duplicates_are_amber():
    assert near_duplicates("text", 0.05).colour == "green"
    assert near_duplicates("text", 0.2).message == (
        "20.0 % of the items have nearly the same text as an item with another id."
    )
    assert near_duplicates("text", 0.2).colour == "amber"


def test_leaks_are_amber_and_say_what_was_found():
    assert leak("text", HONEST).colour == "green"
    assert leak("text", None).colour == "amber"
    made = LeakProbe(0.99, 0.8, 0.19, 0.005, 1.4, 9.0, 0.5, 1.25, True)
    gate = leak("text", made)
    assert gate.colour == "amber"
    assert "made from the training interactions" in gate.message
    assert "0.990 in the training part and 0.800 in the test part" in gate.message
    assert "predicts them worse (100.0 %)" in gate.message
    seen = LeakProbe(0.96, 0.96, 0.0, 0.005, 1.4, 9.0, 1.9, 1.25, True)
    gate = leak("text", seen)
    assert gate.remedy == "Find out whether whoever made these vectors saw the test part."
    assert "1.90 times better" in gate.message
    assert "1.4 times as much" in gate.message


def test_what_came_from_files_is_amber():
    assert provenance([]).colour == "green"
    assert provenance(["text"]).colour == "amber"
    assert provenance(["text"]).message.startswith("text came from files")
