"""What Dagster shows of an asset that a run found again: as before, and drawn by nobody."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.instance import prepare
from orchestration.settings import Settings
from recsys.study.study import Study
from tests.orchestration.conftest import TINY, run, write_study

MODEL = "tiny/models/HybridItemKNN"


def shown(settings: Settings) -> dict[str, dg.MetadataValue]:
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        record = instance.get_latest_materialization_event(dg.AssetKey(MODEL.split("/")))
    assert record is not None and record.asset_materialization is not None
    return dict(record.asset_materialization.metadata)


def test_a_reused_asset_keeps_its_pictures(finished: tuple[Settings, Study], monkeypatch: pytest.MonkeyPatch) -> None:
    settings, study = finished
    before = shown(settings)

    def draw(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", draw)
    run(study, settings, f'key:"{MODEL}"')
    after = shown(settings)
    assert "tuning" in after and "not_drawn" not in after
    assert after["computed"].value == "reused: nothing it depends on has changed"
    # How many cells a run has computed says nothing of a run that found them all.
    assert "computed_now" not in after
    for metadata in (before, after):
        metadata.pop("computed"), metadata.pop("computed_now", None)
    assert after == before


def test_no_drawing_fails_an_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("'xerr' must not contain negative values")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    monkeypatch.setattr("matplotlib.figure.Figure.subplots", fail)
    monkeypatch.setattr("matplotlib.axes.Axes.errorbar", fail)
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    text = TINY.replace("trials: 3", "trials: 1").replace("repeats: 2", "repeats: 1")
    run(write_study(tmp_path, text), settings)  # which asserts that nothing fails
    assert "not_drawn" in shown(settings)
    assert "This drawing failed (ValueError" in (settings.reports / "tiny.html").read_text(encoding="utf-8")
