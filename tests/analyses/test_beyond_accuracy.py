"""What lists are like beside their accuracy, from a small trained study."""

import numpy as np
import pytest

from recsys.analyses.base import Inputs
from recsys.analyses.beyond_accuracy import BeyondAccuracy
from tests.analyses.conftest import CONTENT, FEATURES


def test_one_row_a_real_arm_the_best_first(measured: Inputs) -> None:
    analysis = BeyondAccuracy()
    tables = analysis.compute(measured)
    lists = tables["lists"]
    assert len(lists) == 4
    assert "shuffled" not in set(lists["arm"])
    (table,) = analysis.show(tables)
    assert table.columns == ["Model and arm", "Coverage", "Gini", "Novelty (bits)", "Popularity lift", "Diversity"]
    assert all("±" in cell for row in table.rows for cell in row[3:])
    assert not any("±" in cell for row in table.rows for cell in row[1:3])


def test_diversity_by_hand(measured: Inputs) -> None:
    row = BeyondAccuracy().compute(measured)["lists"].set_index(["model", "arm"]).loc[CONTENT]
    distances = []
    lists = measured.lists(CONTENT)
    for ranking in lists.masked("seen"):
        for items in ranking.items[np.isin(ranking.users, lists.scores.users), :10]:
            of_sources = []
            for features in FEATURES.values():
                rows = features.matrix[items[features.present[items]]].astype(np.float64)
                unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
                cosines = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
                of_sources.append(cosines.mean())
            distances.append(1 - np.mean(of_sources))
    assert row["diversity"] == pytest.approx(np.mean(distances), abs=1e-4)
    assert row["diversity_low"] < row["diversity"] < row["diversity_high"]
