"""The way from contents to vectors, with a model that counts what it is shown."""

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.content.pretrained import running
from recsys.content.pretrained.contents import Contents
from recsys.content.pretrained.running import Inputs, Prepared, Tower, vectors
from recsys.errors import UserError
from recsys.runtime import Runtime

CPU = Runtime(torch.device("cpu"), torch.float32)


class Model:
    """A text's vector is its length and its first letter; texts that begin with `!` cannot be read."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.seen: list[int] = []

    def forward(self, inputs: Inputs) -> torch.Tensor:
        if self.most is not None and len(inputs["x"]) > self.most:
            raise torch.OutOfMemoryError("too many at once")
        self.seen.append(len(inputs["x"]))
        return inputs["x"] * inputs["scale"]

    def tower(self, *identity: str) -> Tower:
        return Tower(prepare, self.forward, identity)


def prepare(texts: list[str]) -> Prepared:
    readable = [not text.startswith("!") for text in texts]
    rows = [[len(text), ord(text[0])] for text, good in zip(texts, readable, strict=True) if good]
    return Prepared(readable, {"x": torch.tensor(rows, dtype=torch.float32), "scale": 2.0} if rows else {})


def expected(texts: list[str]) -> np.ndarray:
    absent = [not text or text.startswith("!") for text in texts]
    rows = [[0, 0] if gone else [2 * len(text), 2 * ord(text[0])] for text, gone in zip(texts, absent, strict=True)]
    return np.array(rows, dtype=np.float32).reshape(-1, 2)


def contents(texts: list[str]) -> Contents:
    return Contents.texts(pd.Series(texts, dtype="object"))


@settings(max_examples=60)
@given(texts=st.lists(st.text("!abc", max_size=3), max_size=12), size=st.integers(1, 5))
def test_each_content_is_seen_once_and_every_item_gets_its_row(texts, size):
    model = Model()
    found = vectors(contents(texts), model.tower("m"), CPU, batch_size=size)
    assert sum(model.seen) == len({text for text in texts if text and not text.startswith("!")})
    rows = expected(texts)
    np.testing.assert_array_equal(found.present, rows.any(axis=1))
    assert len(found.matrix) == len(texts)
    if rows.any():
        np.testing.assert_array_equal(found.matrix, rows)


def test_longest_texts_first_so_that_a_batch_is_of_one_length():
    shown: list[list[str]] = []

    def look(texts: list[str]) -> Prepared:
        shown.append(texts)
        return prepare(texts)

    vectors(contents(["a", "bbb", "cc", "dddd"]), Tower(look, Model().forward, ()), CPU, batch_size=2)
    assert shown == [["dddd", "bbb"], ["cc", "a"]]


def test_the_unreadable_are_named_in_one_line(caplog):
    texts = [f"!{number}" for number in range(7)] + ["fine"]
    with caplog.at_level(logging.WARNING):
        assert vectors(contents(texts), Model().tower(), CPU).present.tolist() == [False] * 7 + [True]
    (line,) = caplog.messages
    assert line.startswith("7 of 8 texts could not be read and are absent: !0, !1, ") and line.endswith(", ...")


def test_progress_counts_distinct_contents(tmp_path):
    told: list[tuple[int, int]] = []

    def run(texts: list[str]) -> None:
        vectors(
            contents(texts), Model().tower(), CPU, batch_size=2, work=tmp_path, progress=lambda *now: told.append(now)
        )

    run(["a", "b", "a", "", "!"])
    assert told == [(2, 3), (3, 3)]
    told.clear()
    run(["a", "b", "c", "d"])
    assert told == [(4, 4)]


def test_memory_that_does_not_suffice_halves_the_batch():
    texts = [chr(97 + number) * (number + 1) for number in range(10)]
    model = Model(most=2)
    found = vectors(contents(texts), model.tower(), CPU, batch_size=8)
    np.testing.assert_array_equal(found.matrix, expected(texts))
    assert model.seen == [2] * 5
    with pytest.raises(UserError, match=r"^device memory does not suffice for a single item: set `device: cpu`"):
        vectors(contents(texts), Model(most=0).tower(), CPU)


def test_inputs_of_different_sizes_come_as_a_list_and_are_halved_with_the_batch():
    seen: list[list[int]] = []

    def prepare_list(texts: list[str]) -> Prepared:
        return Prepared([True] * len(texts), {"x": [torch.ones(len(text), 2) for text in texts]})

    def forward(inputs: Inputs) -> torch.Tensor:
        if len(inputs["x"]) > 2:
            raise torch.OutOfMemoryError("too many at once")
        seen.append([len(part) for part in inputs["x"]])
        return torch.stack([part.sum(dim=0) for part in inputs["x"]])

    found = vectors(contents(["a", "bbb", "cc", "dddd"]), Tower(prepare_list, forward, ()), CPU, batch_size=4)
    assert found.matrix.tolist() == [[1, 1], [3, 3], [2, 2], [4, 4]]
    assert seen == [[4, 3], [2, 1]]


def test_finished_work_is_not_done_again_unless_the_model_is_another(tmp_path):
    texts = ["a", "bb", "ccc"]

    def calls(*identity: str, runtime: Runtime = CPU) -> int:
        model = Model()
        found = vectors(contents(texts), model.tower(*identity), runtime, work=tmp_path)
        np.testing.assert_array_equal(found.matrix, expected(texts))
        return sum(model.seen)

    assert [calls("vit", "cls"), calls("vit", "cls"), calls("vit", "mean")] == [3, 0, 3]
    assert calls("vit", "cls", runtime=Runtime(torch.device("cpu"), torch.bfloat16)) == 3


def test_what_was_unreadable_is_tried_again(tmp_path):
    texts, fixed = ["a", "!b"], {"!b": "b!"}
    vectors(contents(texts), Model().tower(), CPU, work=tmp_path)
    later: Callable[[list[str]], Prepared] = lambda batch: prepare([fixed.get(text, text) for text in batch])  # noqa: E731
    found = vectors(contents(texts), Tower(later, Model().forward, ()), CPU, work=tmp_path)
    np.testing.assert_array_equal(found.matrix, expected(["a", "b!"]))


def test_vectors_are_kept_many_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "KEEP", 4)
    texts = [chr(97 + number) for number in range(10)]
    vectors(contents(texts), Model().tower(), CPU, batch_size=2, work=tmp_path)
    assert len(list(tmp_path.glob("*/*.parquet"))) == 3


def test_a_killed_worker_is_one_line_and_what_is_finished_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "KEEP", 1)

    def forward(batch):
        if batch["x"][0, 1] == ord("b"):
            raise RuntimeError("DataLoader worker (pid 4711) is killed by signal: Killed.")
        return Model().forward(batch)

    with pytest.raises(UserError, match=r"^a process that prepared contents was killed, most often"):
        vectors(contents(["aaaa", "ccc", "b"]), Tower(prepare, forward, ()), CPU, batch_size=1, work=tmp_path)
    (place,) = tmp_path.iterdir()
    assert len(running.BatchStore(place).keys()) == 2


def test_device_and_precision():
    assert Runtime.choose("cpu", "auto") == CPU
    assert Runtime.choose("cpu", "bfloat16").dtype == torch.bfloat16
    if torch.cuda.is_available():
        assert Runtime.choose("auto", "auto").dtype in (torch.bfloat16, torch.float16)
    else:
        assert Runtime.choose("auto", "auto") == CPU
        with pytest.raises(UserError, match=r"^device 'cuda': there is no CUDA device here; set `device` to auto"):
            Runtime.choose("cuda", "auto")


@pytest.mark.parametrize(
    ("cores", "threads", "of", "n_batches", "workers"),
    [(1, 1, "pictures", 9, 0), (2, 2, "pictures", 9, 0), (8, 2, "pictures", 9, 6), (8, 2, "pictures", 3, 2),
     (64, 1, "pictures", 99, 16), (8, 2, "texts", 9, 0), (8, 2, "pictures", 1, 0), (8, 2, "pictures", 0, 0)],
)  # fmt: skip
def test_processes_that_prepare_take_the_cores_that_the_model_leaves(
    monkeypatch, cores, threads, of, n_batches, workers
):
    monkeypatch.setattr(running.joblib, "cpu_count", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert running._workers(Contents(of, []), CPU, n_batches) == workers
