"""Where a list of the primary metric's length holds all that is ranked for a user, every model does alike."""

import pandas as pd
import pytest

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.whole_lists import whole_lists

N_ITEMS = 20


def dataset(n_train: list[int], n_valid: int = 2, n_test: int = 1) -> Dataset:
    """Users with so many training, validation and test items each."""
    rows = []
    for user, n in enumerate(n_train):
        parts = ["train"] * n + ["valid"] * n_valid + ["test"] * n_test
        rows += [(user, item, part) for item, part in enumerate(parts)]
    return Dataset(
        interactions=pd.DataFrame(rows, columns=["user", "item", "part"]),
        users=pd.DataFrame({"user_id": range(len(n_train))}),
        items=pd.DataFrame({"item_id": range(N_ITEMS)}),
        quarantine=pd.DataFrame(),
    )


def test_lists_that_are_a_choice_for_all_users_are_passed_over() -> None:
    # 20 items less 10 of training and 2 of validation.
    assert whole_lists(dataset([10, 10]), Protocol(primary="recall_at_7")) == []
    assert whole_lists(dataset([10, 10]), Protocol(primary="ndcg_at_20")) == []


@pytest.mark.parametrize(("mask", "n_ranked"), [("seen", 8), ("train", 10)])
def test_lists_of_everything_are_refused_by_what_is_masked(mask: str, n_ranked: int) -> None:
    data = dataset([10, 12])
    assert len(whole_lists(data, Protocol(primary=f"recall_at_{n_ranked - 1}", mask=mask))) == 1
    with pytest.raises(
        UserError,
        match=f"recall_at_{n_ranked} is the same for every model at test, .* of the {n_ranked} items at most that are",
    ):
        whole_lists(data, Protocol(primary=f"recall_at_{n_ranked}", mask=mask))


def test_the_share_of_users_is_said_from_a_tenth_on() -> None:
    (line,) = whole_lists(dataset([1] * 9 + [12]), Protocol(primary="hit_rate_at_6"))
    assert line.startswith(
        "hit_rate_at_6 is the same for every model at test for 10 % of the users, whose lists of 6 hold all"
    )
    assert whole_lists(dataset([1] * 10 + [12]), Protocol(primary="hit_rate_at_6")) == []


def test_lists_longer_than_the_catalogue_are_said() -> None:
    said = "evaluation: lists of 1,000 are longer than the catalogue of 20 items"
    assert whole_lists(dataset([10, 10]), Protocol(primary="ndcg_at_1000")) == [said]
    assert whole_lists(dataset([10, 10]), Protocol(ks=(20, 1000))) == [said]
    assert whole_lists(dataset([10, 10]), Protocol()) == []  # nobody wrote that there be lists of 50


def test_of_sampled_items_the_held_out_ones_are_ranked_too() -> None:
    assert whole_lists(dataset([1, 1]), Protocol(primary="recall_at_5", n_negatives=5)) == []
    with pytest.raises(UserError, match="recall_at_6 is the same for every model"):
        whole_lists(dataset([1, 1]), Protocol(primary="recall_at_6", n_negatives=5))
    with pytest.raises(UserError, match="holds all of the 6 items at most"):  # fewer are left than were asked for
        whole_lists(dataset([12, 13]), Protocol(primary="recall_at_6", n_negatives=10))
    with pytest.raises(UserError, match="is the same for every model at validation, where settings are chosen, "):
        whole_lists(dataset([1, 1], n_valid=1, n_test=3), Protocol(primary="recall_at_6", n_negatives=5))
    with pytest.raises(
        UserError, match=r"evaluation\.n_negatives: 20 items cannot be drawn from the 20 that there are"
    ):
        whole_lists(dataset([1, 1]), Protocol(primary="recall_at_5", n_negatives=20))
