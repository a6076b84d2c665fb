import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation import evaluate as evaluate_module
from recsys.evaluation.evaluate import Evaluator, evaluate, sample_users, validator
from recsys.evaluation.protocol import Protocol
from recsys.models.baselines.random import Random
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


def drawn_market(seed: int, density: float) -> Dataset:
    """Forty users and sixty items; a third of what was taken is held out."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((40, 60)) < density)
    parts = rng.choice(["train", "valid", "test"], len(pairs), p=[0.6, 0.2, 0.2])
    return dataset_of([(user, item, part) for (user, item), part in zip(pairs, parts, strict=True)], 40, 60)


def random_model(market: Dataset, seed: int) -> Random:
    model = Random()
    model.fit(TrainingData(market.train, seed=seed))
    return model


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), density=st.sampled_from([0.1, 0.5, 0.9]), mask=st.sampled_from(["seen", "train"]))
def test_kept_lists_measure_as_lists_ranked_under_the_mask(seed: int, density: float, mask: str) -> None:
    market = drawn_market(seed, density)
    evaluator = Evaluator(market, "test", Protocol(ks=(5, 20), mask=mask))
    model = random_model(market, seed)
    kept, ranked = evaluator.rank_for_store(model), evaluator.rank(model)
    pd.testing.assert_frame_equal(evaluator.measure(kept).per_user, evaluator.measure(ranked).per_user)
    assert evaluator.measure(kept).lists == evaluator.measure(ranked).lists


def test_kept_lists_hold_what_either_mask_needs(market: Dataset) -> None:
    kept = Evaluator(market, "test", Protocol(ks=(3,), mask="seen")).rank_for_store(popular(market))
    np.testing.assert_array_equal(kept.items[0], [2, 3, 4, 5, -1, -1])  # item 2 is in validation
    again = Evaluator(market, "test", Protocol(ks=(3,), mask="train")).rank_for_store(popular(market))
    np.testing.assert_array_equal(kept.items, again.items)


def test_kept_lists_are_longer_by_the_most_that_validation_takes_away() -> None:
    market = dataset_of([(0, 0, "train"), (0, 1, "valid"), (0, 2, "valid"), (0, 3, "test")], 1, 150)
    lengths = {part: Evaluator(market, part, Protocol()).rank_for_store(popular(market)) for part in ("valid", "test")}
    assert {part: lists.items.shape[1] for part, lists in lengths.items()} == {"valid": 100, "test": 102}


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


@pytest.mark.parametrize(
    ("n_users", "n_items", "n_interactions", "ranked"),
    [
        (19_445, 7_050, 118_551, 19_445),  # Amazon Baby
        (24_000, 7_050, 118_551, 24_000),
        (24_001, 7_050, 118_551, 6_000),
        (100_000, 50_000, 800_000, 6_000),
        (500_000, 100_000, 8_000_000, 16_000),
    ],
)
def test_training_ranks_a_sample_of_many_users(n_users: int, n_items: int, n_interactions: int, ranked: int) -> None:
    users = np.arange(7, n_users + 7, dtype=np.int32)
    sample, again = (sample_users(users, n_items, n_interactions) for _ in range(2))
    np.testing.assert_array_equal(sample, again)
    assert len(np.unique(sample)) == len(sample) == ranked
    assert set(sample) <= set(users)
    assert abs(sample.mean() - users.mean()) < 0.02 * n_users


def test_a_sample_validates_and_all_users_choose(market: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_module, "sample_users", lambda users, n_items, n_interactions: users[1:])
    protocol, model = Protocol(ks=(2,), primary="recall_at_2"), popular(market)
    model.popularity = np.array([9, 0, 3, 3, 2, 2], dtype=np.float32)
    assert validator(market, protocol)(model) == 0
    assert evaluate(model, market, "valid", protocol).per_user["recall_at_2"].tolist() == [1, 0]


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
