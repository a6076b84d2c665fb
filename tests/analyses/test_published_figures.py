"""Our figures beside published ones, from a summary that is written by hand."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from recsys.analyses.base import Inputs
from recsys.analyses.published_figures import PublishedFigures
from recsys.study.results import ArmResult, ModelResult

ROWS = [
    ("EASE", "interactions_only", "recall_at_20", 0.22, 0.20, 0.24),
    ("EASE", "interactions_only", "ndcg_at_20", 0.11, 0.10, 0.12),
    ("FREEDOM", "both", "ndcg_at_20", 0.15, 0.14, 0.16),
    ("FREEDOM", "text", "ndcg_at_20", 0.13, 0.12, 0.14),
    ("FREEDOM", "shuffled", "ndcg_at_20", 0.09, 0.08, 0.10),
]


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    published = SimpleNamespace(
        source="Somebody 2025",
        rows={
            "EASE": {"recall_at_20": 0.2},
            "FREEDOM": {"ndcg_at_20": 0.1},
            "FREEDOM (text)": {"ndcg_at_20": 0.13},
            "GhostModel": {"ndcg_at_20": 0.1},
        },
        doubts={"FREEDOM (text)": "trained on the validation part"},
    )
    study = SimpleNamespace(datasets={"d": SimpleNamespace(published=published)})
    summary = pd.DataFrame(ROWS, columns=["model", "arm", "metric", "mean", "ci_low", "ci_high"])
    summary.to_parquet(tmp_path / "summary.parquet")
    arms = [
        ArmResult(
            model=model,
            arm=arm,
            sources=(),
            control="shuffled" if arm == "shuffled" else None,
            altered=(),
            settings=[{}],
            valid=0.1,
            valid_by_repeat=[0.1],
            content_used=True,
            seeded=False,
            trials=[],
            n_nested=0,
            exhausted=False,
            finals=[],
            seconds=1,
        )
        for model, arm in dict.fromkeys((row[0], row[1]) for row in reversed(ROWS))
    ]
    ModelResult(arms=arms[::-1]).save(tmp_path)
    return Inputs(study, "d", {"metrics": tmp_path}, cell=None)  # type: ignore[arg-type]


def test_ours_the_published_figure_and_the_gap(inputs: Inputs) -> None:
    (table,) = PublishedFigures().show(PublishedFigures().compute(inputs))
    assert table.rows[0] == ["EASE", "Recall@20", "0.2200", "0.2000 to 0.2400", "0.2000", "+10.0 %", ""]
    assert "Somebody 2025" in table.caption


def test_a_model_stands_for_itself_by_its_first_arm_and_one_that_did_not_run_has_no_row(inputs: Inputs) -> None:
    (table,) = PublishedFigures().show(PublishedFigures().compute(inputs))
    assert [row[0] for row in table.rows] == ["EASE", "FREEDOM (both)", "FREEDOM (text)"]


def test_a_figure_of_an_arm_stands_beside_that_arm_with_the_reason_why_it_is_no_target(inputs: Inputs) -> None:
    (table,) = PublishedFigures().show(PublishedFigures().compute(inputs))
    assert table.rows[2][4:] == ["0.1300", "0.0 %", "trained on the validation part"]


def test_where_none_of_the_published_models_ran_there_is_a_table_without_rows(inputs: Inputs) -> None:
    published = inputs.study.datasets["d"].published
    assert published is not None
    published.rows = {"GhostModel": {"ndcg_at_20": 0.1}}  # type: ignore[misc]
    tables = PublishedFigures().compute(inputs)
    assert list(tables["figures"])[:3] == ["model", "arm", "metric"]
    assert PublishedFigures().show(tables) == []
