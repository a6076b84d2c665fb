"""`recsys.run`: a study in one call gives what the assets give, is resumable, and survives a model that raises."""

from pathlib import Path
from threading import Thread

import pandas as pd
import pytest

from orchestration.home import Home
from orchestration.settings import Settings
from recsys.engine.stored import cell_folders
from recsys.models.neighbours.itemknn import ItemKNN
from recsys.run import run
from recsys.store import Store
from recsys.study.judgement import Judgement
from recsys.study.study import Study
from tests.orchestration.conftest import TINY, finished, write_study

__all__ = ["finished"]
Finished = tuple[Settings, Study]


def written(folder: Path) -> dict[str, int]:
    """By fingerprint when each cell was written."""
    return {cell.name: (cell / "cell.json").stat().st_mtime_ns for cell in cell_folders(folder)}


def test_it_gives_what_the_assets_give_and_goes_on_where_it_was(finished: Finished, tmp_path: Path) -> None:
    settings, study = finished
    home = Home(settings)
    result = run(study, tmp_path, workers=1)["tiny"]
    assert result.judgement == Judgement.load(home.folder(home.current("tiny/verdict")))
    theirs = pd.read_parquet(home.folder(home.current("tiny/metrics")) / "summary.parquet")
    pd.testing.assert_frame_equal(result.metrics, theirs, check_exact=True)
    before = written(tmp_path)
    assert set(before) == set(written(settings.store))
    again = run(study, str(tmp_path), workers=1)["tiny"]
    assert written(tmp_path) == before
    assert (again.sentence, again.truth) == (result.sentence, result.truth)


def test_a_second_run_into_a_folder_waits_for_the_first(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, TINY), tmp_path / "out"
    second = Thread(target=run, args=(study, out), kwargs={"workers": 1})
    with Store(out, locks=out / "locks").lock("tiny"):
        second.start()
        second.join(0.5)
        assert not (out / "tiny").exists()
    second.join()
    assert (out / "tiny" / "dataset").is_dir()


def test_a_model_as_published_stands_beside_the_tuned_one(tmp_path: Path) -> None:
    models = "  BM3: {arms: [both], max_epochs: 2}\n  BM3@published/sports: {arms: [both], max_epochs: 2}\n"
    text = TINY.replace("  ItemKNN: {n_neighbours: 20}\n", models).replace("repeats: 2", "repeats: 1")
    study = write_study(tmp_path, text.replace("resamples: 500", "resamples: 100"))
    results = run(study, tmp_path / "out", workers=1)["tiny"].results
    tuned, published = (results.arm((row, "both")) for row in ("BM3", "BM3@published/sports"))
    assert (tmp_path / "out/locks").is_dir() and not (tmp_path / "locks").exists()
    assert (len(tuned.trials), len(published.trials)) == (3, 1)
    assert published.params["norm_weight"] == 0.01
    assert published.params["feature_scaling"] == "raw"


def test_where_no_source_was_shown_alone_the_model_of_all_is_shown_each(tmp_path: Path) -> None:
    text = TINY.replace("  HybridItemKNN:", "  HybridItemKNN: {arms: [both]}")
    judgement = run(write_study(tmp_path, text), tmp_path / "out", workers=1)["tiny"].judgement
    assert judgement is not None and judgement.sources.shares is not None
    judged = {each.source: each.own for each in judgement.sources.by_source}
    assert {source: own.a for source, own in judged.items()} == {
        source: f"HybridItemKNN ({source})" for source in ("text", "image")
    }
    assert [share.source for share in judgement.sources.shares.by_source] == ["text", "image"]


def test_a_model_that_raises_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(self: ItemKNN, data: object) -> None:
        raise RuntimeError("the matrix is singular")

    monkeypatch.setattr(ItemKNN, "fit", fit)
    study = write_study(tmp_path, TINY.replace("[shuffled]", "[shuffled, noise]"))
    result = run(study, tmp_path / "out", workers=1)["tiny"]
    assert result.judgement is not None
    (line,) = result.results.failures
    assert line.startswith("ItemKNN left out (interactions_only): every trial failed, the last with: RuntimeError")
    assert {arm.model for arm in result.results.arms} == {"TopPop", "HybridItemKNN"}
