"""Files of the store that lost their end, or are gone: commands name them and the remedy, a run computes them anew."""

import shutil
from pathlib import Path

import pytest

from orchestration.cli.changes import outdated
from orchestration.cli.plan import plan
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.intact import damaged
from recsys.study.file import load_study
from recsys.study.results import ModelResult
from recsys.study.study import Study
from tests.orchestration.command_line import call, complaint
from tests.orchestration.conftest import TINY

Finished = tuple[Settings, Study]


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Settings:
    """A copy of the finished home, whose files may be damaged."""
    shutil.copytree(finished[0].home, tmp_path / "home")
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return Settings(home=tmp_path / "home", studies=tmp_path, workers=1)


def cut(file: Path, kept: int = 20) -> Path:
    with file.open("r+b") as stream:
        stream.truncate(kept)
    return file


def final_cell(settings: Settings, model: str) -> Path:
    home = Home(settings)
    result = ModelResult.load(home.folder(home.current(f"tiny/models/{model}")))
    return settings.store / "tiny/cells" / result.arms[0].finals[0]


def test_what_only_reads_names_the_file_and_the_remedy(copied: Settings) -> None:
    home, user = Home(copied), ("--user", "0")
    summary = cut(home.folder(home.current("tiny/metrics")) / "summary.parquet")
    assert complaint(copied, "results", "tiny") == f"{summary}: is damaged or gone; `modalift run` computes it anew"
    cell = cut(final_cell(copied, "TopPop") / "model.safetensors")
    line = complaint(copied, "recommend", "tiny", "TopPop", *user)
    assert line == f"{cell}: is damaged or gone; `modalift run` computes it anew"
    users = cut(home.folder(home.current("tiny/dataset")) / "users.parquet")
    line = complaint(copied, "recommend", "tiny", "ItemKNN", *user)
    assert line == f"{users}: is damaged or gone; `modalift run` computes it anew"


def test_a_file_that_is_gone_is_named_and_computed_anew(copied: Settings, finished: Finished) -> None:
    home, study = Home(copied), finished[1]
    summary = home.folder(home.current("tiny/metrics")) / "summary.parquet"
    summary.unlink()
    final = final_cell(copied, "ItemKNN") / "test.safetensors"
    final.unlink()
    for command in ("results", "report"):
        line = complaint(copied, command, "tiny")
        assert line == f"{summary}: is damaged or gone; `modalift run` computes it anew"
    to_do = {step.asset for step in plan(study, home) if step.state != "up to date"}
    assert {"tiny/models/ItemKNN", "tiny/metrics"} <= to_do
    assert call(copied, "run", "tiny").exit_code == 0
    assert final.is_file()
    assert {step.state for step in plan(study, home)} == {"up to date"}


def test_results_are_not_said_to_be_of_an_earlier_study_where_a_file_is_damaged(copied: Settings) -> None:
    cut(final_cell(copied, "TopPop") / "model.safetensors")
    assert outdated(load_study(copied.studies / "tiny.yaml"), Home(copied)) == (
        "These results were made before files of tiny/models/TopPop were damaged or removed; `modalift run tiny` "
        "brings them up to date"
    )


def test_a_run_computes_what_is_damaged_and_finds_the_rest(copied: Settings, finished: Finished) -> None:
    home, study = Home(copied), finished[1]
    folders = [home.folder(home.current(f"tiny/{asset}")) for asset in ("metrics", "embeddings/text", "dataset")]
    names = ("summary.parquet", "features.safetensors", "interactions.parquet")
    for folder, name in zip(folders, names, strict=True):
        cut(folder / name)
    cells = [final_cell(copied, "TopPop"), final_cell(copied, "ItemKNN")]
    cut(cells[0] / "cell.json", 0), cut(cells[1] / "test.safetensors")
    before = {file: file.stat().st_mtime_ns for file in copied.store.glob("tiny/cells/*/cell.json")}
    to_do = {step.asset for step in plan(study, home) if step.state != "up to date"}
    assert {"tiny/dataset", "tiny/embeddings/text", "tiny/models/TopPop", "tiny/metrics"} <= to_do
    done = call(copied, "run", "tiny")
    assert done.exit_code == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.endswith("is damaged or gone, and is computed anew")]
    assert len(said) >= 4 and said[0].startswith(f"tiny/dataset: {folders[2] / names[2]} ")
    # Trained again, a model has taken other seconds: its metrics are another version.
    assert all(damaged(folder) is None for folder in [*folders[1:], home.folder(home.current("tiny/metrics")), *cells])
    after = {file: file.stat().st_mtime_ns for file in copied.store.glob("tiny/cells/*/cell.json")}
    assert {file.parent for file in after if after[file] != before.get(file)} == set(cells)
    assert {step.state for step in plan(study, home)} == {"up to date"}
