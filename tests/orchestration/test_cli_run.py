"""`run`, `report` and `check` on a study that is finished, one that is stale, and one that fails."""

import io
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.console import Console

from assets.study_nodes import study_nodes
from orchestration import materialise
from orchestration.cli.plan import plan
from orchestration.cli.progress import RichProgress
from orchestration.cli.run import note_other_runs
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.study import preparing
from recsys.study.file import load_study
from recsys.study.judgement import Judgement
from recsys.study.study import Study
from tests.orchestration.command_line import call, complaint, printed
from tests.orchestration.conftest import TINY, write_study

Finished = tuple[Settings, Study]


def test_a_finished_study_is_up_to_date(finished: Finished) -> None:
    settings, study = finished
    steps = plan(study, Home(settings), None)
    assert {(step.state, step.why, step.cells) for step in steps} == {("up to date", "", 0)}
    assert f"0 of {len(steps)} assets to do, 0 cells at most" in printed(settings, "run", "tiny", "--dry-run")


def cells_of(settings: Settings, asset: str) -> list[str]:
    """The runs in MLflow of an asset's cells."""
    return Home(settings).current(asset).mlflow_runs


def test_a_new_study_is_missing_with_its_most_cells(finished: Finished, tmp_path: Path) -> None:
    steps = {step.asset: step for step in plan(finished[1], Home(Settings(home=tmp_path)), None)}
    assert {step.state for step in steps.values()} == {"missing"}
    # Three trials, three settings that the second repeat chooses among, and a final cell in each of the two repeats.
    assert steps["tiny/models/ItemKNN"].cells == 3 + 3 + 2
    # TopPop has nothing to tune or to choose: what is counted is what is run.
    assert steps["tiny/models/TopPop"].cells == 1 + 2 == len(cells_of(finished[0], "tiny/models/TopPop"))
    # For both, text, image, interactions_only and shuffled, and at most three settings that other arms chose.
    assert steps["tiny/models/HybridItemKNN"].cells == 5 * (3 + 3 + 3 + 2)
    assert steps["tiny/controls"].cells >= len(cells_of(finished[0], "tiny/controls"))


def test_a_model_as_published_is_planned_beside_others_once_the_data_are_read(
    finished: Finished, tmp_path: Path
) -> None:
    changed = write_study(tmp_path, TINY.replace("  TopPop:", "  TopPop:\n  BM3@published/baby:"))
    steps = {step.asset: step for step in plan(changed, Home(finished[0]), None)}
    assert steps["tiny/models/BM3_published_baby"].state == "missing"
    assert steps["tiny/models/BM3_published_baby"].cells > 0
    assert steps["tiny/models/ItemKNN"].state == "up to date"


def test_a_changed_setting_makes_stale_what_follows_and_nothing_else(finished: Finished, tmp_path: Path) -> None:
    changed = write_study(tmp_path, TINY.replace("dim: 8", "dim: 9"))
    steps = {step.asset: step for step in plan(changed, Home(finished[0]), None)}
    assert steps["tiny/embeddings/text"].why == "its code or settings have changed"
    assert steps["tiny/models/HybridItemKNN"].why == "tiny/embeddings/text comes first"
    fresh = {asset for asset, step in steps.items() if step.state == "up to date"}
    assert fresh == {"tiny/dataset", "tiny/embeddings/image", "tiny/models/TopPop", "tiny/models/ItemKNN"}


def test_a_changed_file_makes_the_dataset_stale(tmp_path: Path) -> None:
    rows = "".join(f"u{u},i{i}\n" for u in range(8) for i in range(u % 3, 12))
    (tmp_path / "rows.csv").write_text(f"user_id,item_id\n{rows}", encoding="utf-8")
    text = "title: t\ndatasets: {d: {source: {reader: table, folder: ., interactions: rows.csv}}}\nmodels: [TopPop]\n"
    settings = Settings(home=tmp_path / "home", studies=tmp_path, data=tmp_path, workers=1)
    (tmp_path / "d_study.yaml").write_text(text.replace("folder: .", f"folder: {tmp_path / 'in'}"), encoding="utf-8")
    (tmp_path / "in").mkdir()
    shutil.move(tmp_path / "rows.csv", tmp_path / "in" / "rows.csv")
    assert call(settings, "run", "d_study", "--select", 'key:"d/dataset"').exit_code == 0
    study = load_study(tmp_path / "d_study.yaml")
    (step,) = plan(study, Home(settings), 'key:"d/dataset"')
    assert step.state == "up to date"
    with (tmp_path / "in" / "rows.csv").open("a", encoding="utf-8") as file:
        file.write("u9,i1\n")
    (step,) = plan(study, Home(settings), 'key:"d/dataset"')
    assert (step.state, step.why) == ("stale", "its files have changed or moved")


def test_a_run_ends_with_verdict_truth_sentence_and_report(finished: Finished) -> None:
    settings, study = finished
    shown = printed(settings, "run", "tiny")
    assert f"Materialised 0 assets of study tiny; {len(study_nodes(study))} assets were up to date" in shown
    judgement = Judgement.load(Home(settings).folder(Home(settings).current("tiny/verdict")))
    assert "planted truth" in shown and judgement.overall.sentence in shown
    report = settings.reports / "tiny.html"
    assert shown.endswith(f"Report: {report}") and report.is_file()
    assert printed(settings, "report", "tiny") == str(report)


def test_a_selection_runs_only_that(finished: Finished) -> None:
    shown = printed(finished[0], "run", "tiny", "--select", 'key:"tiny/dataset"')
    assert shown == "Materialised 0 assets of study tiny; 1 asset was up to date"


def test_a_failed_step_is_one_line_and_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UserError("the disk is full; free some space")

    monkeypatch.setattr(preparing, "encode_source", fail)
    write_study(tmp_path)
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    result = call(settings, "run", "tiny", "--select", 'key:"tiny/dataset" or key:"tiny/embeddings/text"')
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "the disk is full; free some space"
    assert "Materialised 1 asset of study tiny" in result.stdout


def test_what_content_would_stop_at_is_said_before_anything_is_made(tmp_path: Path) -> None:
    write_study(tmp_path, TINY.replace("{encoder: tfidf_svd, dim: 8}", "{encoder: tfidf_svd, dim: x}"))
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    line = complaint(settings, "run", "tiny", "--select", 'key:"tiny/dataset" or key:"tiny/embeddings/text"')
    assert line.startswith("content tiny/text: encoder 'tfidf_svd': dim: must be a")
    assert not settings.home.exists() or not list(settings.store.glob("*"))


def test_a_report_without_results_says_what_to_run(tmp_path: Path) -> None:
    write_study(tmp_path)
    settings = Settings(home=tmp_path / "home", studies=tmp_path)
    line = complaint(settings, "report", "tiny")
    assert line == "study tiny has no tiny/dataset yet: `modalift run tiny` computes it, and the report"
    assert not settings.home.exists()  # nor is there a failed run in Dagster


def test_a_run_says_at_once_that_another_is_at_work_on_the_same(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(finished[0])
    note_other_runs(finished[1], home)
    assert capsys.readouterr().err == ""
    with home.store.lock("tiny/models/EASE"):
        note_other_runs(finished[1], home)
    said = capsys.readouterr().err
    assert said.startswith("waiting for another command that is at work on tiny; ") and said.count("waiting") == 1


def test_a_plan_of_nothing_to_do_has_no_column_of_reasons(finished: Finished) -> None:
    shown = printed(finished[0], "run", "tiny", "--dry-run")
    assert "┃ asset ┃ state ┃ ┡" in shown and "why" not in shown


def test_ctrl_c_is_one_line_and_exit_code_130(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(materialise, "materialise", interrupted)
    result = call(finished[0], "run", "tiny")
    assert (result.exit_code, result.stderr) == (130, "stopped; run the same command again to go on\n")


def test_workers_override_the_settings(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int | None] = []

    def look(study: Study, settings: Settings, *_: object) -> materialise.Materialised:
        seen.append(settings.workers)
        return materialise.Materialised("run", (), ())

    monkeypatch.setattr(materialise, "materialise", look)
    assert call(finished[0], "run", "tiny", "--workers", "3").exit_code == 0
    assert seen == [3]


def test_a_study_passes_its_check(finished: Finished) -> None:
    shown = printed(finished[0], "check", "tiny")
    assert "✓ study tiny: 1 dataset, 3 models, 7 arms of 3 trials and 2 repeats" in shown
    assert "✓ model ItemKNN: n_neighbours=20" in shown
    assert "✓ dataset tiny: 120 users, 80 items" in shown and "✗" not in shown


def test_a_check_names_everything_that_is_wrong(tmp_path: Path) -> None:
    text = TINY.replace("n_neighbours: 20", "n_neighbours: [20, many]").replace("dim: 16", "dims: 16")
    write_study(tmp_path, text.replace("n_users: 120", "users: 120"))
    result = call(Settings(home=tmp_path / "home", studies=tmp_path), "check", "tiny")
    assert result.exit_code == 2
    expected = "study tiny cannot be run as it is: fix model ItemKNN, dataset tiny, content tiny/image\n"
    assert result.stderr == expected
    assert "✗ model ItemKNN: n_neighbours: must be" in result.stdout
    assert "✗ dataset tiny: reader 'market': users: there is no such key; did you mean 'n_users'?" in result.stdout
    assert "✗ content tiny/image: encoder 'visual_descriptors': dims: " in result.stdout


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_counts_with_and_without_a_terminal(terminal: bool) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100)
    with RichProgress(console, every=0.0) as progress, progress.track("fits", 2, "cells") as advance:
        advance(1)
        advance(1)
    assert "fits: 2" in text.getvalue()
    assert ("fits: 1 of 2" in text.getvalue()) is not terminal
    with (
        pytest.raises(RuntimeError),
        RichProgress(console) as progress,
        progress.track("fits", 1, "cells"),
        nullcontext(),
    ):
        raise RuntimeError


def test_hidden_folders_beside_the_data_do_not_make_it_stale(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a", encoding="utf-8")
    kept = tmp_path / ".modalift" / "digests.sqlite"
    before = signature(kept, tmp_path)
    (tmp_path / ".modalift" / "event.json").write_text("{}", encoding="utf-8")
    assert signature(kept, tmp_path) == before
    (tmp_path / "more.csv").write_text("b", encoding="utf-8")
    assert signature(kept, tmp_path) != before
