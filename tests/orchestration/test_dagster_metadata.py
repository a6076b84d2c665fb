"""What Dagster's pages show of tables of any kind."""

import numpy as np
import pandas as pd

from orchestration.dagster_metadata import preview


def test_a_preview_shows_any_cell() -> None:
    cells = [["a", "b"], np.array(["c"]), None, float("nan"), pd.NA, pd.NaT, 12, "long " * 40]
    shown = preview(pd.DataFrame({"x": pd.Series(cells, dtype="object")}), rows=8, width=10).value
    assert isinstance(shown, str)
    lines = [line.strip("| ") for line in shown.splitlines()[2:]]
    assert lines == ["a, b", "c", "", "", "", "", "12", "long long"]
