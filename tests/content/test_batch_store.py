"""What is kept comes back as it was, by key and in the order asked for; half a batch is never seen."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.content.batch_store import BatchStore

BATCHES = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(sizes=BATCHES, data=st.data())
def test_batches_come_back_by_key_in_any_order(sizes, data):
    n = sum(sizes)
    keys = [f"key {number}" for number in range(n)]
    rows = data.draw(arrays(np.float32, (n, 3), elements=st.floats(-1e6, 1e6, width=32)))
    texts = data.draw(st.lists(st.text(st.characters(codec="utf-8")), min_size=n, max_size=n))
    asked = data.draw(st.lists(st.integers(0, n - 1), min_size=1))
    with TemporaryDirectory() as folder:
        batches, start = BatchStore(Path(folder)), 0
        for size in sizes:
            part = slice(start, start + size)
            batches.add(keys[part], {"vector": rows[part], "answer": texts[part]})
            start += size
        again = BatchStore(Path(folder))
        assert again.keys() == set(keys)
        found = again.column("vector", [keys[position] for position in asked])
        np.testing.assert_array_equal(found, rows[asked])
        assert found.dtype == np.float32
        words = again.column("answer", [keys[position] for position in asked])
        assert words.tolist() == [texts[position] for position in asked]


def test_a_batch_that_was_not_finished_is_not_there(tmp_path, monkeypatch):
    batches = BatchStore(tmp_path / "work")
    batches.add(["a"], {"vector": np.ones((1, 2))})

    def half(table, stream):
        stream.write(b"PAR1 and then the power went")
        raise OSError("no space left on device")

    monkeypatch.setattr(pq, "write_table", half)
    with pytest.raises(OSError, match="no space"):
        batches.add(["b"], {"vector": np.ones((1, 2))})
    assert BatchStore(tmp_path / "work").keys() == {"a"}


def test_what_is_not_done_is_a_key_error(tmp_path):
    batches = BatchStore(tmp_path)
    assert batches.keys() == set()
    with pytest.raises(KeyError):
        batches.column("vector", ["a"])
    batches.add(["a"], {"vector": np.ones((1, 2))})
    with pytest.raises(KeyError, match="b"):
        batches.column("vector", ["b"])


def test_two_programs_at_the_same_work_do_no_harm(tmp_path):
    for offset in (0, 2):
        BatchStore(tmp_path).add(["a", "b"], {"vector": np.array([[1.0, offset], [2.0, offset]])})
        BatchStore(tmp_path).add([f"c{offset}"], {"vector": np.array([[3.0, offset]])})
    found = BatchStore(tmp_path).column("vector", ["c2", "b", "c0", "a"])
    assert found[:, 0].tolist() == [3, 2, 3, 1] and found[[0, 2], 1].tolist() == [2, 0]


def test_what_is_forgotten_is_not_done_and_the_rest_is(tmp_path):
    batches = BatchStore(tmp_path)
    batches.add(["a", "b"], {"answer": ["1", "2"]})
    batches.add(["c"], {"answer": ["3"]})
    batches.forget({"a", "c"})
    assert batches.keys() == {"b"} and batches.column("answer", ["b"]).tolist() == ["2"]
    batches.forget(set())
    assert batches.keys() == {"b"}
