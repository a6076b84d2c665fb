"""`lineage` and `export` on a made-up home: who was made from what, in which version."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pandas as pd
import pytest

from orchestration.cli.console import out
from orchestration.home import Home
from orchestration.lineage import Event, computing_events
from orchestration.settings import Settings
from recsys.study.record import AssetRecord
from recsys.study.study import Study
from tests.orchestration.command_line import call, complaint, parsed, printed


def make(home: Home, asset: str, value: int, *inputs: str) -> Event:
    def build(out: Path, _: Home) -> AssetRecord:
        pd.DataFrame({"item_id": ["a"], "n": [value], "share": [0.5], "here": [True]}).to_parquet(out / "t.parquet")
        return AssetRecord(rows=1)

    return home.produce(asset, run="r", code_version=str(value), inputs=inputs, build=build)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A dataset that changed after an embedding set and a model were made from it."""
    home = Home(Settings(home=tmp_path / "home", studies=tmp_path))
    make(home, "d/dataset", 1)
    make(home, "d/embeddings/text", 2, "d/dataset")
    make(home, "d/models/M", 3, "d/dataset", "d/embeddings/text")
    make(home, "d/dataset", 4)
    return home


def test_lineage_tells_old_versions_from_new(home: Home) -> None:
    said = parsed(home.settings, "lineage", "d/models/M")
    assert [row["asset"] for row in said["upstream"]] == ["d/dataset", "d/embeddings/text"]
    read = {row["asset"]: row["newest"] for row in said["inputs"]}
    assert read == {"d/dataset": False, "d/embeddings/text": True}
    assert said["upstream"][0]["newest"] is False and said["downstream"] == []
    below = parsed(home.settings, "lineage", "d/dataset")["downstream"]
    assert {row["asset"] for row in below} == {"d/embeddings/text", "d/models/M"}


def test_the_tree_has_each_version_once(home: Home) -> None:
    shown = printed(home.settings, "lineage", "d/models/M")
    assert shown.count("not the newest version") == 1
    assert "newer: d/dataset" in shown and "d/dataset (above)" in shown


def test_on_a_narrow_terminal_the_state_comes_first_and_nothing_is_cut(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = printed(home.settings, "lineage", "d/models/M")
    monkeypatch.setattr(out, "width", 60)
    shown = call(home.settings, "lineage", "d/models/M").stdout
    assert max(map(len, shown.splitlines())) <= 60
    assert re.sub(r"[\s│├└─]+", "", shown) == re.sub(r"[\s│├└─]+", "", wide)
    assert shown.startswith("d/models/M: newer: d/dataset (version ")
    monkeypatch.setattr(out, "width", 80)
    states = re.findall(r"^│ (\S+).* │ (none|the newest|newer:) +│$", call(home.settings, "lineage").stdout, re.M)
    assert states == [("d/dataset", "none"), ("d/embeddings/text", "newer:"), ("d/models/M", "newer:")]


def test_without_an_asset_all_are_listed(home: Home) -> None:
    assert {row["asset"] for row in parsed(home.settings, "lineage")} == set(home.lineage.assets())
    assert "d/embeddings/text" in printed(home.settings, "lineage")


def test_of_a_version_that_was_made_again_the_later_content_counts() -> None:
    def event(content: str, minute: int, *, reused: bool = False) -> Event:
        at = datetime(2026, 1, 1, 12, minute)
        return Event(
            asset="d/models/M",
            run="r",
            started=at,
            ended=at,
            code_version="1",
            fingerprint="f",
            path="",
            content_hash=content,
            reused=reused,
        )

    events = [event("first", 1), event("first", 2, reused=True), event("again", 3), event("again", 4, reused=True)]
    assert computing_events(events) == {("d/models/M", "f"): events[2]}
    assert computing_events(events[1:2]) == {("d/models/M", "f"): events[1]}


def test_a_version_that_is_found_again_is_as_old_as_before(home: Home) -> None:
    before = parsed(home.settings, "lineage")
    made = home.current("d/dataset")
    again = make(home, "d/dataset", 4)
    assert again.reused and again.ended > made.ended
    assert parsed(home.settings, "lineage") == before
    alone = parsed(home.settings, "lineage", "d/dataset")
    assert alone["ended"] == made.ended.isoformat()
    (listed,) = (row for row in before if row["asset"] == "d/dataset")
    assert listed.items() <= alone.items()


def test_an_unknown_asset_and_an_empty_home_are_one_line(home: Home, tmp_path: Path) -> None:
    line = complaint(home.settings, "lineage", "d/model/M")
    assert line == "there is no materialised asset 'd/model/M'; did you mean 'd/models/M'?"
    empty = Settings(home=tmp_path / "empty")
    assert complaint(empty, "lineage") == f"{empty.home}: nothing has been materialised yet; `modalift run STUDY` does"


def test_openlineage_has_exact_inputs_and_versions(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert printed(home.settings, "lineage", "--openlineage", file).endswith("4 OpenLineage events")
    events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {event["eventType"] for event in events} == {"COMPLETE"}
    assert len({UUID(event["run"]["runId"]) for event in events}) == 4
    assert [datetime.fromisoformat(e["eventTime"]) for e in events] == sorted(e.ended for e in home.lineage.events())
    (model,) = (event for event in events if event["job"]["name"] == "d/models/M")
    event = home.current("d/models/M")
    versions = {i["name"]: i["facets"]["version"]["datasetVersion"] for i in model["inputs"]}
    assert versions == {read.asset: read.content_hash for read in event.inputs}
    (output,) = model["outputs"]
    assert output["facets"]["version"]["datasetVersion"] == event.content_hash
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 1


def test_openlineage_of_one_asset_leaves_out_what_has_no_part_in_it(home: Home, tmp_path: Path) -> None:
    make(home, "e/dataset", 1)
    file = tmp_path / "events.jsonl"
    printed(home.settings, "lineage", "d/embeddings/text", "--openlineage", file)
    jobs = [json.loads(line)["job"]["name"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert jobs == ["d/dataset", "d/embeddings/text", "d/models/M"]


def test_croissant_names_files_hashes_and_columns(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "croissant.json"
    printed(home.settings, "export", "d/dataset", "--croissant", file)
    said = json.loads(file.read_text(encoding="utf-8"))
    assert said["@type"] == "sc:Dataset" and said["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    (stored,) = said["distribution"]
    path = home.folder(home.current("d/dataset")) / "t.parquet"
    assert stored["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    (records,) = said["recordSet"]
    kinds = {field["name"]: field["dataType"] for field in records["field"]}
    assert kinds == {"item_id": "sc:Text", "n": "sc:Integer", "share": "sc:Float", "here": "sc:Boolean"}
    assert {field["source"]["fileObject"]["@id"] for field in records["field"]} == {stored["@id"]}


def test_where_vectors_come_from_stands_in_store_lineage_report_and_export(
    finished: tuple[Settings, Study], tmp_path: Path
) -> None:
    settings, asset = finished[0], "tiny/embeddings/text"
    said = printed(settings, "lineage", asset)
    assert "encoder: tfidf_svd" in said and "dim: 8" in said and "scikit-learn" in said
    assert parsed(settings, "lineage", asset)["provenance"]["encoder"] == "tfidf_svd"
    folder = Home(settings).folder(Home(settings).current(asset))
    assert json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["dim"] == 8
    printed(settings, "export", asset, "--croissant", tmp_path / "croissant.json")
    exported = json.loads((tmp_path / "croissant.json").read_text(encoding="utf-8"))
    assert "encoder: tfidf_svd" in exported["measurementTechnique"]
    page = (settings.reports / "tiny.html").read_text(encoding="utf-8")
    assert "Where the vectors of text come from" in page


def test_croissant_of_a_model_is_refused(home: Home, tmp_path: Path) -> None:
    line = complaint(home.settings, "export", "d/models/M", "--croissant", tmp_path / "x.json")
    assert line == "d/models/M: Croissant describes datasets, embeddings and descriptions; name one of these"
