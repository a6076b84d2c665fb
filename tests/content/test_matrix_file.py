"""Rows of a matrix find their items, and a file that cannot be right is refused in one line."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from recsys.content.encoders import encode, remarks
from recsys.content.features import Features
from recsys.errors import UserError
from tests.content.conftest import item_table

MATRIX = np.array([[1, 2], [0, 0], [np.nan, 1], [3, 4], [5, 6]])


def by(folder, items, **options):
    return encode("matrix_file", options, items, folder=folder)


def named(*ids):
    return item_table(len(ids), title=["x"] * len(ids)).assign(item_id=list(ids))


def test_without_ids_the_item_id_is_the_row(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX.astype(np.float16))
    features = by(tmp_path, named("4", "1", "2", "0"), file="a.npy")
    assert features.matrix.dtype == np.float32
    np.testing.assert_array_equal(features.matrix, [[5, 6], [0, 0], [0, 0], [1, 2]])
    assert features.present.tolist() == [True, False, False, True]


def test_ids_of_a_text_file(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX)
    (tmp_path / "ids.txt").write_text("item_id\nv\nw\nx\ny\nz\n", encoding="utf-8")
    features = by(tmp_path, named("z", "unknown", "y", "w"), file="a.npy", ids_file="ids.txt")
    np.testing.assert_array_equal(features.matrix, [[5, 6], [0, 0], [3, 4], [0, 0]])
    assert features.present.tolist() == [True, False, True, False]


def test_ids_of_a_npy_file(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX)
    np.save(tmp_path / "ids.npy", np.array([50, 40, 30, 20, 10]))
    np.testing.assert_array_equal(by(tmp_path, named("20"), file="a.npy", ids_file="ids.npy").matrix, [[3, 4]])


def test_npz_and_safetensors_hold_their_own_ids(tmp_path):
    ids = np.array(list("vwxyz"))
    np.savez(tmp_path / "a.npz", features=MATRIX, ids=ids, other=np.zeros(3))
    save_file({"rows": MATRIX, "ids": np.arange(10, 15)}, tmp_path / "b.safetensors")
    np.testing.assert_array_equal(by(tmp_path, named("z", "y"), file="a.npz").matrix, [[5, 6], [3, 4]])
    np.testing.assert_array_equal(by(tmp_path, named("14"), file="b.safetensors").matrix, [[5, 6]])


def test_what_features_saved_can_be_brought_to_another_catalogue(tmp_path):
    Features.where(np.array([True, True]), np.array([[1, 2], [3, 4]])).save(tmp_path / "f.safetensors", ["p", "q"])
    np.testing.assert_array_equal(by(tmp_path, named("q", "r"), file="f.safetensors").matrix, [[3, 4], [0, 0]])


def test_key_chooses_among_several_matrices(tmp_path):
    np.savez(tmp_path / "a.npz", text=MATRIX, image=2 * MATRIX)
    np.testing.assert_array_equal(by(tmp_path, named("0"), file="a.npz", key="image").matrix, [[2, 4]])
    with pytest.raises(UserError, match=r"cannot tell which array is the matrix .*; set `key` to one of them$"):
        by(tmp_path, named("0"), file="a.npz")
    with pytest.raises(UserError, match=r"has no array 'audio' \(known: text, image\)$"):
        by(tmp_path, named("0"), file="a.npz", key="audio")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 3.4e38, -1.1e15, 0.9e-15, 1e-300])
def test_a_row_that_float32_cannot_compute_with_makes_its_item_absent(tmp_path, value):
    np.save(tmp_path / "a.npy", np.array([[1.0, 1], [0, 0], [value, 0]]))
    features = by(tmp_path, named("0", "1", "2"), file="a.npy")
    assert features.present.tolist() == [True, False, False]
    assert features.dropped == (2,)


@pytest.mark.parametrize("scale", [1e14, 1e-14])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_at_the_edge_stay(tmp_path, scale, dtype):
    np.save(tmp_path / "a.npy", np.array([[1, 2], [-1, 0]], dtype=dtype) * dtype(scale))
    assert by(tmp_path, named("0", "1"), file="a.npy").present.all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16])
def test_every_kind_of_number_can_be_content(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.array([[1, 0], [0, 0], [1, 1]], dtype=dtype))
    features = by(tmp_path, named("0", "1", "2"), file="a.npy")
    np.testing.assert_array_equal(features.matrix, [[1, 0], [0, 0], [1, 1]])
    assert (features.present.tolist(), features.dropped) == ([True, False, True], ())


@pytest.mark.parametrize("scale", [1e30, 1e-30, np.nan])
def test_a_matrix_of_which_no_row_is_left_is_refused(tmp_path, scale):
    np.save(tmp_path / "a.npy", np.array([[1, 2], [0, 0], [3, 4]]) * scale)
    with pytest.raises(UserError, match=r"a\.npy: no row can be used: \d hold NaN, .*; scale the matrix, or fix what"):
        by(tmp_path, named("0", "1", "2"), file="a.npy")


PADDED = np.vstack([np.zeros((1, 2)), np.ones((4, 2))])


@pytest.mark.parametrize(
    ("matrix", "ids", "said"),
    [
        (MATRIX, ["0", "1", "2", "3", "4"], ""),
        (MATRIX, ["4", "0"], ""),  # items between were left out by cleaning
        (MATRIX, ["2", "4"], ""),
        (MATRIX, ["0", "1", "2", "3"], "5 rows for 4 items of ids 0 to 3; is row 0 item 0? If not, or"),
        (PADDED, ["0", "1", "2", "3"], "5 rows for 4 items of ids 0 to 3; is row 0 item 0? If not, or"),
        (PADDED, ["1", "2", "3", "4"], ""),
        (MATRIX, ["1", "2", "3", "4"], "5 rows for 4 items of ids 1 to 4; is row 0 item 0? If not, or"),
    ],
)
def test_rows_that_no_item_has_are_asked_about(tmp_path, matrix, ids, said):
    np.save(tmp_path / "a.npy", matrix)
    lines = remarks("matrix_file", {"file": "a.npy"}, named(*ids), folder=tmp_path)
    assert [line.startswith(f"{tmp_path}/a.npy: {said}") and "\n" not in line for line in lines] == [True] * bool(said)


def test_rows_are_asked_about_where_the_item_table_has_another_order(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX)
    ids = ["0", "1", "2", "3", "4"]
    (line,) = remarks("matrix_file", {"file": "a.npy"}, named(*ids), folder=tmp_path, listed_by_id=False)
    assert line == (
        f"{tmp_path}/a.npy: row 0 is taken for item 0, row 1 for item 1, and so on, but the item table lists them in "
        "another order; if the rows are in the order of the table, name them in an `ids_file`"
    )


@pytest.mark.parametrize("ids", [("7", "007"), ("1", "01")])
def test_two_items_of_one_row_number_are_refused(tmp_path, ids):
    np.save(tmp_path / "a.npy", np.ones((9, 2)))
    with pytest.raises(
        UserError, match=f"items '{ids[0]}' and '{ids[1]}' are the same row number; name the rows in an"
    ):
        by(tmp_path, named(*ids), file="a.npy")


def test_ids_that_the_file_names_in_two_ways_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", rows=MATRIX, ids=np.arange(5), item_ids=np.arange(5))
    assert by(tmp_path, named("0"), file="a.npz").present.all()
    np.savez(tmp_path / "a.npz", rows=MATRIX, ids=np.arange(5), item_ids=np.arange(5)[::-1])
    with pytest.raises(UserError, match=r"a\.npz: ids and item_ids name the rows differently; keep one of them"):
        by(tmp_path, named("0"), file="a.npz")


def test_blank_lines_at_the_end_of_ids_name_no_row(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX)
    (tmp_path / "ids.txt").write_text("item_id\na\nb\nc\nd\ne\n\n \n", encoding="utf-8")
    assert by(tmp_path, named("e"), file="a.npy", ids_file="ids.txt").matrix.tolist() == [MATRIX[4].tolist()]


def test_rows_that_are_named_are_not_asked_about(tmp_path):
    np.savez(tmp_path / "a.npz", rows=MATRIX, ids=np.arange(5))
    assert remarks("matrix_file", {"file": "a.npz"}, named("0"), folder=tmp_path, listed_by_id=False) == []


@pytest.mark.parametrize(
    ("items", "options", "message"),
    [
        (
            named("0", "5", "2"),
            {},
            "a.npy: has 5 rows, and item '5' needs row 5, counted from 0; give a row for each id",
        ),
        (named("0", "B00X"), {}, "a.npy: item 'B00X' is no row number; name the rows in an `ids_file`"),
        (named("0"), {"ids_file": "short.txt"}, "short.txt: 2 ids for the 5 rows of a.npy; give one id per row"),
        (named("0"), {"ids_file": "twice.txt"}, "twice.txt: the id 'a' of row 0 stands in row 2 too; keep one"),
        (named("q"), {"ids_file": "other.txt"}, "other.txt: holds none of the items; its first id is 'a', an item's"),
        (
            named("0"),
            {"ids_file": "none.txt"},
            "none.txt: there is no such file; give a file that exists, relative to",
        ),
        (
            named("0"),
            {"file": "flat.npy"},
            "flat.npy: cannot tell which array is the matrix (one: float64 (4,)); give",
        ),
        (named("0"), {"file": "empty.npy"}, "empty.npy: is empty; write it anew as an array of numbers"),
        (named("0"), {"file": "objects.npy"}, "objects.npy: damaged, or made of Python objects; write it anew as an"),
        (named("0"), {"file": "broken.npz"}, "broken.npz: damaged, or made of Python"),
        (named("0"), {"file": "broken.safetensors"}, "broken.safetensors: damaged, or made of Python objects"),
        (named("0"), {"file": "short.txt"}, "short.txt: not a kind of file that can be read; give .npy, .npz, .safet"),
    ],
)
def test_mistakes_are_one_line(tmp_path, items, options, message):
    np.save(tmp_path / "a.npy", MATRIX)
    np.save(tmp_path / "flat.npy", np.zeros(4))
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    (tmp_path / "broken.npz").write_bytes(b"PK no")
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    (tmp_path / "empty.npy").write_bytes(b"")
    for name, ids in {"short": "ab", "twice": "abacd", "other": "abcde"}.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(ids), encoding="utf-8")
    with pytest.raises(UserError) as error:
        by(tmp_path, items, **{"file": "a.npy", **options})
    assert str(error.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(error.value)
