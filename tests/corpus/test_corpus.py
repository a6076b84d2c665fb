"""Each folder of the corpus goes through `new`, `check` and, some of them here, a short `run`.

It ends in a verdict, or in one line with exit code 2 and nothing left behind; never in a traceback, nor with the title
of another item. `MODALIFT_CORPUS=all` runs all of them to the end.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from orchestration.cli.verdicts import judgements
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.data.images import pictures_of
from recsys.data.raw import RawData
from recsys.data.readers import read
from recsys.study.file import load_study
from tests.corpus.corpus import FOLDERS, Truth
from tests.orchestration.command_line import call

READ = [name for name, each in FOLDERS.items() if not each.is_refused]
REFUSED = [name for name, each in FOLDERS.items() if each.is_refused]
SAMPLE = [
    "parquet_nested",
    "in_thai",
    "broken_photos",
    "a_folder_of_photos_an_item",
    "mmrec",
    "amazon_2014",
    "elliot",
]
TO_THE_END = READ if os.environ.get("MODALIFT_CORPUS") == "all" else SAMPLE


def settings_in(place: Path) -> Settings:
    (place / "studies").mkdir()
    return Settings(home=place / "home", studies=place / "studies", workers=1)


def written(name: str, place: Path) -> tuple[Truth, list[str]]:
    """The folder, and the arguments of `new` with the paths of its files."""
    source = place / "source"
    source.mkdir()
    truth = FOLDERS[name].write(source)
    files = {"--interactions", "--items", "--images", "--folder"}
    said = list(truth.arguments)
    paths = {n + 1 for n, argument in enumerate(said) if argument in files}
    return truth, [str(source / argument) if n in paths else argument for n, argument in enumerate(said)]


def source_of(settings: Settings) -> RawData:
    """What the study that was written reads."""
    source = load_study(settings.studies / "mine.yaml").datasets["mine"].source
    return read(source.reader, source.options, Path(source.folder or ""), settings.studies)


@pytest.mark.parametrize("name", READ)
def test_a_folder_is_read_as_it_is_meant(name: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    truth, arguments = written(name, tmp_path)
    made = call(settings, "new", "mine", "--yes", *arguments)
    assert made.exit_code == 0, made.output
    said = " ".join(made.stdout.split())
    for part in truth.says:
        assert part in said, said
    raw = source_of(settings)
    assert_titles(raw, truth)
    assert_rows(raw.interactions, truth)
    shown = dict(zip(raw.items["item_id"], map(len, pictures_of(raw.items)), strict=True))
    assert {item: n for item, n in shown.items() if n} == dict.fromkeys(truth.pictures, 1) | dict(truth.several)
    checked = call(settings, "check", "mine")
    assert checked.exit_code == 0 and "✗" not in checked.output, checked.output


def assert_titles(raw: RawData, truth: Truth) -> None:
    """Each item has its own title, or a text that begins with it, and no other item is there."""
    if not truth.titles:
        assert raw.items["title"].isna().all()
        return
    words = raw.items["title"].where(raw.items["title"].notna(), raw.items["text"].str.split("\n").str[0])
    assert dict(zip(raw.items["item_id"], words, strict=True)) == dict(truth.titles)


def assert_rows(found: pd.DataFrame, truth: Truth) -> None:
    """Person, item, rating and time of each row."""
    assert list(found[["user_id", "item_id"]].itertuples(index=False, name=None)) == list(truth.pairs)
    assert ("rating" in found) == (truth.ratings is not None)
    assert ("timestamp" in found) == (truth.times is not None)
    if truth.ratings is not None:
        np.testing.assert_allclose(found["rating"], truth.ratings)
    if truth.times is not None:
        seconds = (found["timestamp"] - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
        np.testing.assert_allclose(seconds, truth.times, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_is_refused_in_one_line_and_nothing_is_left(name: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    _, arguments = written(name, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    made = call(settings, "new", "mine", "--yes", *arguments)
    (line,) = made.stderr.splitlines()
    assert made.exit_code == 2, made.output
    assert FOLDERS[name].ends in line and "unexpected" not in line
    assert sorted(tmp_path.rglob("*")) == before


def shortened(file: Path) -> None:
    """The study that was written, with two models in closed form, one trial and two repeats."""
    study = yaml.safe_load(file.read_text(encoding="utf-8"))
    content = bool(study["datasets"]["mine"].get("content"))
    study["models"] = ["TopPop", "ItemKNN", "AttributeItemKNN"] if content else ["TopPop", "ItemKNN"]
    study |= {"tuning": {"trials": 1}, "repeats": 2, "statistics": {"resamples": 200}}
    file.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize("name", TO_THE_END)
def test_a_short_run_ends_in_a_verdict(name: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    _, arguments = written(name, tmp_path)
    assert call(settings, "new", "mine", "--yes", *arguments).exit_code == 0
    shortened(settings.studies / "mine.yaml")
    ran = call(settings, "run", "mine")
    assert ran.exit_code == 0, ran.output
    judged = judgements(load_study(settings.studies / "mine.yaml"), Home(settings))
    assert list(judged) == (["mine"] if FOLDERS[name].ends == "verdict" else [])
    assert (settings.reports / "mine.html").is_file()
