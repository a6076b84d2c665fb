"""The rows that a batch needs, each once, in few shapes."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.training.distinct import distinct_rows


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=1500))
def test_the_places_give_back_the_rows_and_the_number_is_a_multiple_of_256(given_rows):
    rows = torch.tensor(given_rows)
    distinct, places = distinct_rows(rows)
    assert distinct[places].equal(rows)
    assert len(distinct) % 256 == 0
    assert set(distinct.tolist()) == set(given_rows)


def test_they_ascend_so_that_users_stay_before_items():
    distinct, _ = distinct_rows(torch.tensor([7, 3, 900, 3]))
    assert distinct.sort(stable=True).values.equal(distinct)
