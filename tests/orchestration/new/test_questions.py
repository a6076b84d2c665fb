"""What no file says: asked on a terminal, given by flags, else a default that is said."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.cli.own_data import questions
from orchestration.settings import Settings
from recsys.study.file import load_study
from tests.orchestration.new.tables import goods, of_frames, taken, write


def test_without_a_terminal_the_defaults_are_taken_and_said(settings: Settings) -> None:
    rows = taken(rating=[1, 2, 3, 4, 5], created_at=["2019-01-01", "2024-02-02"])
    study, said = of_frames(settings, rows, goods(), "--domain", "clothes")
    scenario = study.datasets["mine"].scenario
    assert scenario.model_dump() == {
        "domain": "clothes",
        "feedback": "a rating of 4 or more",
        "seen_before_choosing": ("title",),
        "item_kinds": "not stated",
        "date_of_data": "2019 to 2024",
    }
    assert "! seen: taken to be 'title'; --seen says what is true" in said and "! domain" not in said


def test_flags(settings: Settings) -> None:
    flags = ("--seen", "title, image", "--feedback", "purchases", "--domain", "clothes", "--date", "2023", "--yes")
    study, said = of_frames(settings, taken(), goods(), *flags)
    scenario = study.datasets["mine"].scenario
    assert scenario.seen_before_choosing == ("title", "image") and scenario.feedback == "purchases"
    assert "taken to be" not in said


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "is_terminal", lambda: True)


def answered(settings: Settings, folder: Path, typed: str, *more: str) -> str:
    files = ["--interactions", str(write(taken(), folder / "r.csv")), "--items", str(write(goods(), folder / "i.csv"))]
    environment = {"MODALIFT_HOME": str(settings.home), "MODALIFT_STUDIES": str(settings.studies)}
    result = CliRunner().invoke(app, ["new", "mine", *files, *more], input=typed, env=environment)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.usefixtures("terminal")
def test_a_person_is_asked_with_defaults(settings: Settings, tmp_path: Path) -> None:
    shown = answered(settings, tmp_path, "title, price\npurchases\n\n2024\n")
    scenario = load_study(settings.studies / "mine.yaml").datasets["mine"].scenario
    assert scenario.seen_before_choosing == ("title", "price") and scenario.feedback == "purchases"
    assert (scenario.domain, scenario.date_of_data) == ("not stated", "2024")
    assert "What do people see of an item before they choose it" in shown and "[every row]" in shown


@pytest.mark.usefixtures("terminal")
def test_yes_asks_nothing(settings: Settings, tmp_path: Path) -> None:
    shown = answered(settings, tmp_path, "", "--yes")
    assert "What do people see" not in shown and "! seen: taken to be 'title'" in shown
