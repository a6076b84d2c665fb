import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.evaluate import Evaluator, evaluate, validator
from recsys.evaluation.protocol import Protocol
from recsys.models.baselines.toppop import TopPop
from recsys.recommender import TrainingData


def dataset_of(rows: list[tuple[int, int, str]], n_users: int = 3, n_items: int = 6) -> Dataset:
    return Dataset(
        interactions=pd.DataFrame(rows, columns=["user", "item", "part"]).astype({"user": "int32", "item": "int32"}),
        users=pd.DataFrame({"user_id": [f"u{user}" for user in range(n_users)]}),
        items=pd.DataFrame({"item_id": [f"i{item}" for item in range(n_items)]}),
        quarantine=pd.DataFrame(),
    )


@pytest.fixture
def market() -> Dataset:
    # Popularity in train: item 0 three times, items 1 and 2 once.
    train = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 2)]
    parts = {"valid": [(0, 2), (2, 1)], "test": [(0, 3), (1, 1)]}
    rows = [(user, item, "train") for user, item in train]
    return dataset_of(rows + [(user, item, part) for part, pairs in parts.items() for user, item in pairs])


def popular(market: Dataset) -> TopPop:
    model = TopPop()
    model.fit(TrainingData(market.train))
    return model


def test_what_is_masked_at_each_part(market: Dataset) -> None:
    model = popular(market)
    valid = Evaluator(market, "valid", Protocol(ks=(3,))).rank(model)
    np.testing.assert_array_equal(valid.users, [0, 2])
    np.testing.assert_array_equal(valid.items[:, :3], [[2, 3, 4], [1, 2, 3]])
    seen = Evaluator(market, "test", Protocol(ks=(3,))).rank(model)
    np.testing.assert_array_equal(seen.items[:, :3], [[3, 4, 5], [1, 3, 4]])
    train = Evaluator(market, "test", Protocol(ks=(3,), mask="train")).rank(model)
    np.testing.assert_array_equal(train.items[:, :3], [[2, 3, 4], [1, 3, 4]])


def test_summary_holds_means_and_list_metrics(market: Dataset) -> None:
    evaluation = evaluate(popular(market), market, "test", Protocol(ks=(1,), primary="mrr_at_3", mask="train"))
    assert evaluation.summary["recall_at_1"] == 0.5
    assert evaluation.summary["mrr_at_3"] == 0.75
    assert evaluation.summary["coverage_at_1"] == pytest.approx(2 / 6)


def test_validator_gives_the_mean_primary_metric(market: Dataset) -> None:
    protocol = Protocol(ks=(3,), primary="ndcg_at_2")
    validate = validator(market, protocol)
    model = popular(market)
    assert validate(model) == evaluate(model, market, "valid", protocol).per_user["ndcg_at_2"].mean() == 1.0
    assert validate(model) == validate(model)


def test_negatives_are_the_same_for_all_models(market: Dataset) -> None:
    protocol = Protocol(ks=(3,), n_negatives=1)
    one, two = (Evaluator(market, "test", protocol).rank(popular(market)).items for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal((one >= 0).sum(axis=1), [2, 2])
    assert {3} < set(one[0]) - {-1} <= {3, 4, 5}


def test_an_empty_part_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^the valid part of the split is empty: .*hold out a larger share$"):
        validator(dataset_of([(0, 0, "train")]), Protocol())


def test_protocol_names_an_unknown_metric() -> None:
    with pytest.raises(
        ValidationError, match="unknown metric 'accuracy_at_5'; write METRIC_at_K with METRIC one of recall"
    ):
        Protocol(primary="accuracy_at_5")
