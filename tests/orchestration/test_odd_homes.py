"""Homes of odd names and kinds: each command works there, or says in one line what is wrong with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.home import Home
from orchestration.settings import Settings
from recsys.fingerprints import CHECKOUT
from tests.orchestration.command_line import call
from tests.orchestration.conftest import TINY

GOOD = [
    "a#b",
    "a b",
    "a'b\"c",
    "größe日本",
    "a\nb",
    "\u202eabc",
    "[red]x[/y]",
    "a;b&c=d",
    "a:b",
    "a*[b]",
    "100%",
    "d" * 200,
]
REFUSED_BY_DAGSTER = ["half?price", "50%20off"]
ONE = ("run", "tiny", "--select", 'key:"tiny/dataset"')
COMMANDS = [
    ONE,
    ("run", "tiny", "--dry-run"),
    ("results", "tiny"),
    ("report", "tiny"),
    ("recommend", "tiny", "ItemKNN", "--user", "1"),
    ("lineage",),
    ("lineage", "tiny"),
    ("export", "tiny/dataset", "--croissant", "croissant.json"),
    ("clean", "--yes"),
    ("doctor",),
]


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    return tmp_path


@pytest.mark.parametrize("name", GOOD)
def test_a_home_of_any_name_works(name: str, studies: Path) -> None:
    settings = Settings(home=studies / name, studies=studies, workers=1)
    for command in (ONE, ("lineage", "tiny"), ("clean", "--yes")):
        done = call(settings, *command)
        assert done.exit_code == 0, done.stderr
    assert Home(settings).has("tiny/dataset")


def check_refusal(home: Path, studies: Path, *commands: tuple[str, ...]) -> str:
    """The one line of commands on a home that cannot be used."""
    lines = []
    for command in commands:
        done = call(Settings(home=home, studies=studies, workers=1), *command)
        assert done.exit_code == 2, command
        (line,) = done.stderr.splitlines()
        assert "unexpected" not in line
        lines.append(line)
    return lines[0]


@pytest.mark.parametrize("name", REFUSED_BY_DAGSTER)
def test_what_dagster_cannot_open_is_one_line_and_leaves_nothing(name: str, studies: Path) -> None:
    before = sorted(studies.iterdir())
    assert "set MODALIFT_HOME to another folder" in check_refusal(studies / name, studies, ONE)
    assert sorted(studies.iterdir()) == before


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("file", "is a file, not a folder"),
        ("file/home", "cannot be made, since"),
        ("link", "is a link that leads nowhere"),
        ("h" * 300, "cannot be the home folder (File name too long)"),
        (os.fsdecode(b"a\xffb"), "has a name that is not UTF-8"),
    ],
)
def test_what_can_be_no_home_is_one_line_for_every_command(home: str, said: str, studies: Path) -> None:
    line = check_refusal(studies / home, studies, *(each for each in COMMANDS if each != ("doctor",)))
    assert said in line and line.endswith("; set MODALIFT_HOME to a folder of yours")
    done = call(Settings(home=studies / home, studies=studies, workers=1), "doctor")
    assert done.exit_code == 2 and done.stderr.endswith("each says what to do\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_others_is_one_line(studies: Path) -> None:
    (studies / "closed").mkdir(mode=0o555)
    assert "closed: cannot be written to" in check_refusal(studies / "closed", studies, ONE)


def test_a_tilde_that_the_shell_left_is_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODALIFT_HOME", "~/results")
    assert Settings().home == Path.home() / "results"


def test_runs_side_by_side_on_a_new_home_all_end_well(tmp_path: Path) -> None:
    """Three processes make the same databases, two of them the same assets."""
    for name in ("one", "two"):
        text = (
            f"title: x\ndatasets: {{{name}: {{source: {{reader: market, n_users: 60, n_items: 40}}}}}}\n"
            "models: {TopPop: , ItemKNN: {n_neighbours: 20}}\ntuning: {trials: 1}\nrepeats: 1\n"
            "statistics: {resamples: 100}\n"
        )
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    own = {"MODALIFT_HOME": str(tmp_path / "home"), "MODALIFT_STUDIES": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", "from orchestration.cli import app; app()", "run"]
    started = [
        subprocess.Popen([*command, name], cwd=tmp_path, env=os.environ | own, stderr=subprocess.PIPE, text=True)
        for name in ("one", "two", "one")
    ]
    for process in started:
        said = process.communicate()[1]
        assert process.returncode == 0, said
        assert "MLflow" not in said
    home = Home(Settings(home=tmp_path / "home", studies=tmp_path))
    assert home.has("one/report") and home.has("two/report")
    direct = home.tracker.direct
    for name in ("one", "two"):
        assert len(direct.client.search_runs([direct.experiment(name)])) == 4
