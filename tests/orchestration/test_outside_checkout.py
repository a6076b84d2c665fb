"""An installed modalift in an empty folder: what the wheel carries, and where things are looked for and written."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from orchestration.cli.studies import find_study
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.fingerprints import CHECKOUT
from tests.orchestration.command_line import call, complaint

PACKAGES = ("assets", "orchestration", "recsys")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("MODALIFT_HOME", "MODALIFT_STUDIES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_wheel_carries_every_file_of_the_packages(tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(CHECKOUT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(built) as wheel:
        carried = set(wheel.namelist())
        assert wheel.read("orchestration/shipped_studies/demo.yaml") == (CHECKOUT / "studies/demo.yaml").read_bytes()
    files = (file for package in PACKAGES for file in (CHECKOUT / package).rglob("*") if file.is_file())
    wanted = {str(file.relative_to(CHECKOUT)) for file in files if "__pycache__" not in file.parts}
    assert wanted <= carried
    outside = {name.split("/")[0] for name in carried} - {*PACKAGES}
    assert len(outside) == 1 and outside.pop().endswith(".dist-info")
    assert {name.rsplit("/", 1)[1] for name in carried if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_home_and_studies_are_in_the_working_folder(empty: Path) -> None:
    assert (Settings().home, Settings().studies) == (empty / ".modalift", empty / "studies")


def test_the_demo_is_copied_to_where_it_can_be_changed(empty: Path) -> None:
    both = {"image_market", "indifferent_market"}
    assert set(find_study("demo", Settings(), to_run=True).datasets) == both
    file = empty / "studies" / "demo.yaml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\nrepeats: 7\n", encoding="utf-8")
    assert find_study("demo", Settings()).repeats == 7
    with pytest.raises(UserError, match=r"there is no study 'dema'; did you mean 'demo'\?"):
        find_study("dema", Settings())


@pytest.mark.parametrize("command", ["results", "check", "run --dry-run", "report", "lineage", "describe"])
def test_only_a_run_writes_the_study(empty: Path, command: str) -> None:
    name, *more = command.split()
    assert call(Settings(), name, "demo", *more).exit_code in (0, 2)
    assert not (empty / "studies").exists()


def test_a_folder_that_cannot_be_written_is_named(empty: Path) -> None:
    (empty / "studies").write_text("a file where the folder should be", encoding="utf-8")
    line = complaint(Settings(), "run", "demo")
    assert line.startswith(f"{empty / 'studies' / 'demo.yaml'}: cannot be written (") and "MODALIFT_STUDIES" in line
