"""What Dagster's pages show of figures, and of tables of any kind."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from orchestration.dagster_metadata import materialised, preview, table
from orchestration.lineage import Event
from recsys.wording import DASH


def test_a_preview_shows_any_cell() -> None:
    cells = [["a", "b"], np.array(["c"]), None, float("nan"), pd.NA, pd.NaT, 12, "long " * 40]
    shown = preview(pd.DataFrame({"x": pd.Series(cells, dtype="object")}), rows=8, width=10).value
    assert isinstance(shown, str)
    lines = [line.strip("| ") for line in shown.splitlines()[2:]]
    assert lines == ["a, b", "c", "", "", "", "", "12", "long long"]


def test_figures_have_the_digits_that_a_person_reads() -> None:
    versions = {"code_version": "c", "fingerprint": "f", "content_hash": "h"}
    event = Event(asset="x/embeddings/image", run="r", started=datetime.now(UTC), path="p", **versions)
    shown = materialised(
        event, {"mean_cosine": -0.00059811488983, "rank": 53.65646514, "dim": 64, "of": True}
    ).metadata
    assert shown is not None
    assert [shown[name] for name in ("mean_cosine", "rank", "dim", "of")] == [-0.0005981, 53.66, 64, True]


def test_a_figure_that_there_is_not_is_a_dash() -> None:
    shown = table(pd.DataFrame({"against": ["rival", "shuffled"], "n": [3, 4], "p": [0.01, float("nan")]})).value
    assert isinstance(shown, str)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()[2:]]
    assert rows == [["rival", "3", "0.0100"], ["shuffled", "4", DASH]]
