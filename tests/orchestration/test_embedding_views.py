"""What is drawn of vectors, and that nothing is drawn of those that show nothing."""

import numpy as np
import pytest

from assets.embedding_views import FIGURES, shown
from recsys.content.features import Features
from tests.content.conftest import item_table

N_ITEMS = 12


def drawn(rows: np.ndarray) -> set[str]:
    features = Features.where(np.ones(N_ITEMS, dtype=bool), rows)
    facts = dict.fromkeys(FIGURES, 0)
    return set(shown(facts, item_table(N_ITEMS, title=["x"] * N_ITEMS), features)) - set(FIGURES)


@pytest.mark.filterwarnings("error")
def test_vectors_that_are_all_alike_have_no_map() -> None:
    assert drawn(np.ones((N_ITEMS, 3))) == set()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1, 1e-14])
def test_vectors_that_differ_have_a_map_however_small_they_are(scale: float) -> None:
    rows = scale * (1 + 1e-6 * np.arange(3 * N_ITEMS).reshape(N_ITEMS, 3) ** 2)
    assert drawn(rows) == {"space", "neighbours"}
