"""Features refuse what cannot be content, and come back from a file as they were."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from scipy import sparse

from recsys.content.features import Features, mean_of_each, of_one_width
from recsys.errors import UserError
from recsys.recommender import TrainingData

HERE = np.array([True, False])


def test_where_casts_and_clears_absent_rows():
    features = Features.where(HERE, np.array([[1.5, 2], [np.nan, 7]], dtype=np.float16))
    assert features.matrix.dtype == np.float32
    np.testing.assert_array_equal(features.matrix, [[1.5, 2], [0, 0]])
    assert features.dim == 2


def test_where_drops_rows_that_cannot_be_computed_with_and_names_them():
    matrix = np.array([[1.0, 2], [3.4e38, 0], [np.nan, 1], [1e-20, 0], [0, 0], [np.inf, 1]])
    features = Features.where(np.array([True, True, True, True, True, False]), matrix)
    assert features.present.tolist() == [True, False, False, False, True, False]
    assert features.dropped == (1, 2, 3)
    assert not features.matrix[1:].any()
    assert features.checked() is features
    assert Features(np.float32([[1e20], [1]]), np.ones(2, bool)).checked().dropped == (0,)


@pytest.mark.parametrize(
    ("matrix", "present", "message"),
    [
        (np.zeros((2, 3)), HERE, "features of type float64 with a mask of type bool: expected float32 and bool"),
        (np.zeros((3, 2), np.float32), HERE, "expected (n_items, dim) and (n_items,)"),
        (np.array([[0], [np.inf]], np.float32), HERE, "a value that is not finite, first in row 1"),
        (np.ones((2, 1), np.float32), HERE, "an item marked absent, first in row 1: set them to zero"),
    ],
)
def test_refuses(matrix, present, message):
    with pytest.raises(UserError) as error:
        Features(matrix, present)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_of_an_item_are_averaged_and_a_row_alone_stays_as_it_is():
    rows = np.array([[3, 4], [0, 2], [0.1, 0.3], [0, 0], [6, 8]], dtype=np.float32)
    np.testing.assert_allclose(mean_of_each(rows, [2, 1, 2]), [[1.5, 3], [0.1, 0.3], [3, 4]])
    units = mean_of_each(rows, [2, 1, 2], unit=True)
    np.testing.assert_allclose(units, [[0.1**0.5, 0.9**0.5], [0.1, 0.3], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_array_equal(units[1], rows[2])
    np.testing.assert_array_equal(mean_of_each(rows, [1] * 5, unit=True), rows)
    assert mean_of_each(rows[:0], []).shape == (0, 2)


def test_features_that_no_item_has_are_as_wide_as_those_beside_them():
    nobody = Features(np.zeros((2, 1), np.float32), np.zeros(2, bool))
    left, right = of_one_width(nobody, Features(np.float32([[1, 2], [3, 4]]), np.ones(2, bool)))
    np.testing.assert_array_equal(left, [[0, 0], [0, 0]])
    np.testing.assert_array_equal(right, [[1, 2], [3, 4]])


def test_content_that_is_alike_wherever_it_is_tells_no_items_apart():
    present = np.array([True, True, False])
    same = Features(np.array([[1, 2], [1, 2], [0, 0]], dtype=np.float32), present)
    other = Features(np.array([[1, 2], [1, 3], [0, 0]], dtype=np.float32), present)
    nobody_s = Features(np.zeros((3, 2), dtype=np.float32), np.zeros(3, dtype=bool))
    content = {"same": same, "other": other, "nobody_s": nobody_s}
    assert set(TrainingData(sparse.csr_array((4, 3), dtype=np.float32), content).content) == {"other"}


def test_digest_tells_values_masks_and_shapes_apart():
    zeros = Features(np.zeros((2, 2), np.float32), HERE)
    assert zeros.digest == Features(np.zeros((2, 2), np.float32), HERE).digest
    assert zeros.digest != Features(np.zeros((2, 2), np.float32), ~HERE).digest
    assert zeros.digest != Features(np.zeros((2, 4), np.float32), HERE).digest
    assert zeros.digest != Features.where(HERE, np.ones((2, 2))).digest


def test_a_file_gives_back_what_was_saved_and_names_its_items(tmp_path):
    features = Features.where(HERE, np.arange(6).reshape(3, 2).T)  # not contiguous
    features.save(tmp_path / "text.safetensors", ["a", "b"])
    again = Features.load(tmp_path / "text.safetensors")
    assert again.digest == features.digest
    with safe_open(tmp_path / "text.safetensors", framework="numpy") as file:
        assert json.loads(file.metadata()["item_ids"]) == ["a", "b"]
