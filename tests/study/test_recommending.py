"""A person's list from stored lists and from a kept model: unseen items under the protocol's mask, with titles."""

from pathlib import Path

import pandas as pd
import pytest

from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.errors import UserError
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.protocol import Protocol
from recsys.models.baselines.toppop import TopPop
from recsys.recommender import Recommender, TrainingData
from recsys.study.recommending import recommend

# Popularity in training: items 0 and 1 three times, 2 twice, 3 once.
TRAIN = [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 3)]
HELD_OUT = [(0, 1, "valid"), (0, 4, "test"), (3, 2, "valid")]


@pytest.fixture
def data() -> Dataset:
    rows = [(*pair, "train") for pair in TRAIN] + HELD_OUT
    titles = pd.DataFrame({"title": ["A", None, "C", None, "E"]}, dtype=object)
    return Dataset(
        interactions=pd.DataFrame(rows, columns=["user", "item", "part"]),
        users=pd.DataFrame({"user_id": ["ann", "ben", "cleo", "dan"]}),
        items=titles.assign(item_id=[f"i{number}" for number in range(5)]),
        quarantine=pd.DataFrame(),
    )


def cell(data: Dataset, folder: Path, *, kept: bool) -> StoredCell:
    """A final cell of the most popular items, with or without its model."""
    model = TopPop()
    model.fit(TrainingData(data.train))
    Evaluator(data, "test", Protocol()).rank_for_store(model).save(folder / "test.safetensors")

    class Stored(StoredCell):
        def model(self) -> Recommender | None:
            return model if kept else None

    return Stored("f", folder, {})


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("mask", "expected"), [("seen", ["i2", "i3", "i4"]), ("train", ["i1", "i2", "i3", "i4"])])
def test_what_is_masked_at_test_is_not_recommended(
    data: Dataset, tmp_path: Path, mask: str, expected: list[str], kept: bool
) -> None:
    protocol = Protocol(mask=mask)  # type: ignore[arg-type]
    found = recommend(data, cell(data, tmp_path, kept=kept), protocol, "ann", 9)
    assert found.items["item_id"].tolist() == expected
    assert found.items["rank"].tolist() == list(range(1, len(expected) + 1))
    assert found.history == "A"


def test_a_title_that_is_not_known_is_none(data: Dataset, tmp_path: Path) -> None:
    found = recommend(data, cell(data, tmp_path, kept=False), Protocol(), "ann", 3)
    assert [row["title"] for row in found.items.to_dict("records")] == ["C", None, "E"]


def test_a_user_without_held_out_items_needs_the_model(data: Dataset, tmp_path: Path) -> None:
    assert recommend(data, cell(data, tmp_path, kept=True), Protocol(), "dan", 1).items["item_id"].tolist() == ["i0"]
    with pytest.raises(UserError, match="^user 'dan' has no stored list, .* was not kept; try --user ann$"):
        recommend(data, cell(data, tmp_path, kept=False), Protocol(), "dan", 1)
    with pytest.raises(UserError, match="^user 'eve' is not in the dataset; try --user ann$"):
        recommend(data, cell(data, tmp_path, kept=True), Protocol(), "eve", 1)


def test_a_list_among_sampled_items_is_no_recommendation(data: Dataset, tmp_path: Path) -> None:
    sampled = Protocol(n_negatives=2)
    with pytest.raises(UserError, match="among sampled ones, which is no recommendation.*keep_states: all"):
        recommend(data, cell(data, tmp_path, kept=False), sampled, "ann", 3)
    assert recommend(data, cell(data, tmp_path, kept=True), sampled, "ann", 9).items["item_id"].tolist() == [
        "i2",
        "i3",
        "i4",
    ]
