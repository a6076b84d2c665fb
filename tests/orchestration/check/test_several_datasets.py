"""Studies of which some datasets are on this machine and some are not."""

from pathlib import Path

from orchestration.settings import Settings
from tests.orchestration.command_line import call
from tests.orchestration.conftest import TINY, write_study

ABSENT = """
  far:
    source: {reader: table, folder: nowhere, interactions: r.csv}
models:"""
HOW = "`modalift run tiny --select 'group:tiny'` runs what is there"


def test_where_a_dataset_is_missing_the_others_are_offered(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    write_study(tmp_path, TINY.replace("models:", ABSENT.lstrip("\n"), 1))
    for command in (("check",), ("run", "--dry-run"), ("run",)):
        result = call(settings, command[0], "tiny", *command[1:])
        assert result.exit_code == 2
        assert result.stderr.splitlines()[-2] == HOW
    assert call(settings, "run", "tiny", "--dry-run", "--select", "group:tiny").exit_code == 0


def test_nothing_is_offered_where_nothing_would_run(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    text = TINY.replace("models:", ABSENT.lstrip("\n"), 1)
    write_study(tmp_path, text.replace("dim: 8", "dim: x"))
    assert "runs what is there" not in call(settings, "check", "tiny").stderr
    write_study(tmp_path, text.replace("n_neighbours: 20", "n_neighbours: many"))
    assert "runs what is there" not in call(settings, "check", "tiny").stderr
