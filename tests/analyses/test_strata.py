"""For whom: what is computed from the stored lists of a small trained study."""

import numpy as np
import pytest

from recsys.analyses.base import Inputs
from recsys.analyses.strata import Strata
from tests.analyses.conftest import CONTENT, DATASETS, RIVAL


def test_a_row_for_everybody_and_one_a_stratum(trained: Inputs) -> None:
    tables = Strata().compute(trained)
    rows = tables["strata"].set_index("name")
    everybody = rows.loc["all users"]
    a, b = (trained.scores[pair].values.mean() for pair in (CONTENT, RIVAL))
    assert everybody["lift"] == pytest.approx(a / b - 1)
    assert {"cold items", "tail items", "head items", "items without image", "items with image"} <= set(rows.index)
    assert rows.loc["head items", "share_of_rows"] + rows.loc["tail items", "share_of_rows"] < 1
    assert set(tables["differences"]["family"]) >= {"training interactions", "popularity", "image"}


def test_only_the_rows_of_a_stratum_count(trained: Inputs) -> None:
    rows = Strata().compute(trained)["strata"].set_index("name")
    # A neighbourhood of interactions ranks cold items last, and content finds them.
    cold = rows.loc["cold items"]
    assert cold["mean_b"] < 0.02
    assert cold["mean_a"] > cold["mean_b"]
    tested = np.mean([np.isin(data.test.indices, np.arange(72, 80)).mean() for data in DATASETS])
    assert cold["share_of_rows"] == pytest.approx(tested, abs=0.03)


def test_the_table_is_printed(trained: Inputs) -> None:
    analysis = Strata()
    (table,) = analysis.show(analysis.compute(trained))
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert "That lifts differ between strata: by training interactions, p" in table.caption
