"""Producing an asset: what is there is found again, what changed is made anew, and each time is recorded."""

import json
from pathlib import Path

import pytest

from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.study.record import AssetRecord, Check


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Settings(home=tmp_path))


class Producer:
    """An asset of one number, which counts how often it was built."""

    def __init__(self, home: Home, asset: str, *inputs: str) -> None:
        self.home, self.asset, self.inputs, self.built = home, asset, inputs, 0

    def __call__(self, value: int, code: str = "1", outside: str = "") -> Event:
        def build(out: Path, read: Home) -> AssetRecord:
            self.built += 1
            total = value + sum(
                int((read.folder(event) / "value").read_text()) for event in read.lineage.pinned.values()
            )
            (out / "value").write_text(str(total))
            return AssetRecord(
                facts={"value": total}, rows=1, checks=(Check(name="small", passed=True, message="yes"),)
            )

        return self.home.produce(
            self.asset, run="r", code_version=code, inputs=self.inputs, build=build, also_depends_on=outside
        )


def test_the_same_twice_is_built_once_and_recorded_twice(home: Home) -> None:
    a = Producer(home, "d/a")
    first, second = a(1), a(1)
    assert (a.built, first.reused, second.reused) == (1, False, True)
    assert first.fingerprint == second.fingerprint and second.facts == {"value": 1}
    assert [event.reused for event in home.lineage.events()] == [False, True]
    assert second.checks[0].message == "yes"


def test_a_new_code_version_or_outside_file_builds_anew(home: Home) -> None:
    a = Producer(home, "d/a")
    marks = {a(1, code="1").fingerprint, a(1, code="2").fingerprint, a(1, code="2", outside="x").fingerprint}
    assert (a.built, len(marks)) == (3, 3)


def test_what_follows_is_built_anew_only_where_content_changed(home: Home) -> None:
    a, b = Producer(home, "d/a"), Producer(home, "d/b", "d/a")
    a(1, code="1"), b(10)
    a(1, code="2"), b(10)
    assert (a.built, b.built) == (2, 1)
    a(2, code="3")
    assert b(10).facts == {"value": 12}
    assert b.built == 2


def test_an_event_names_its_inputs_exactly(home: Home) -> None:
    a, b = Producer(home, "d/a"), Producer(home, "d/b", "d/a")
    made, after = a(1), b(1)
    assert [(i.asset, i.fingerprint, i.content_hash) for i in after.inputs] == [
        ("d/a", made.fingerprint, made.content_hash)
    ]


def test_going_back_finds_the_old_version(home: Home) -> None:
    a = Producer(home, "d/a")
    a(1, code="1"), a(2, code="2")
    assert a(1, code="1").facts == {"value": 1}
    assert a.built == 2
    assert home.current("d/a").facts == {"value": 1}


def test_a_missing_input_is_one_line(home: Home) -> None:
    with pytest.raises(UserError, match="^d/a has not been computed yet: `modalift run` computes it"):
        Producer(home, "d/b", "d/a")(1)


def test_work_ends_on_the_inputs_that_it_began_with(home: Home) -> None:
    """Another run makes a newer version of an input while an asset is being made of the older one."""
    source = Producer(home, "d/a")
    first = source(1)

    def build(out: Path, as_read: Home) -> AssetRecord:
        second = source(2, code="2")
        assert home.current("d/a").fingerprint == second.fingerprint != first.fingerprint
        assert as_read.current("d/a").fingerprint == first.fingerprint
        assert as_read.tracker is home.tracker
        return AssetRecord(rows=1)

    event = home.produce("d/b", run="r", code_version="1", inputs=["d/a"], build=build)
    assert [read.fingerprint for read in event.inputs] == [first.fingerprint]
    assert home.current("d/a").fingerprint != first.fingerprint


def test_an_input_that_is_made_again_under_its_own_name_meanwhile_is_said(home: Home) -> None:
    first = Producer(home, "d/a")(1)

    def again(folder: Path) -> None:
        record = json.loads((home.folder(first) / "outcome.json").read_text())
        (folder / "outcome.json").write_text(json.dumps(record | {"content_hash": "another"}))

    def build(out: Path, _: Home) -> AssetRecord:
        home.store.write("d/a", first.fingerprint, again, replace=True)
        return AssetRecord(rows=1)

    with pytest.raises(UserError, match="^d/a was made anew meanwhile; run the same command again$"):
        home.produce("d/b", run="r", code_version="1", inputs=["d/a"], build=build)
    assert home.lineage.latest("d/b") is None


@pytest.mark.parametrize("reads_it", [True, False])
def test_an_input_that_vanishes_meanwhile_is_said(home: Home, reads_it: bool) -> None:
    first = Producer(home, "d/a")(1)

    def build(out: Path, as_read: Home) -> AssetRecord:
        home.store.remove("d/a", first.fingerprint)
        if reads_it:
            (as_read.folder(first) / "value").read_text()
        return AssetRecord(rows=1)

    with pytest.raises(UserError, match="^d/a was made anew meanwhile; run the same command again$"):
        home.produce("d/b", run="r", code_version="1", inputs=["d/a"], build=build)


def test_a_file_of_a_builds_own_that_is_missing_is_its_error(home: Home) -> None:
    Producer(home, "d/a")(1)

    def build(out: Path, _: Home) -> AssetRecord:
        raise FileNotFoundError("words.txt")

    with pytest.raises(FileNotFoundError, match=r"words\.txt"):
        home.produce("d/b", run="r", code_version="1", inputs=["d/a"], build=build)


def test_a_build_that_fails_leaves_no_event(home: Home) -> None:
    def build(out: Path, _: Home) -> AssetRecord:
        raise UserError("no")

    with pytest.raises(UserError):
        home.produce("d/a", run="r", code_version="1", inputs=[], build=build)
    assert list(home.lineage.events()) == []


def test_a_damaged_version_is_made_anew_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    home = Home(Settings(home=tmp_path), LogProgress(said.append))
    a = Producer(home, "d/a")
    file = home.folder(a(1)) / "outcome.json"
    file.write_text("{")
    assert not home.has("d/a")
    assert a(1).facts == {"value": 1} and a.built == 2 and home.has("d/a")
    assert said == [f"d/a: {file} is damaged or gone, and is computed anew"]
    file.unlink()
    assert a(1).facts == {"value": 1} and a.built == 3


def test_a_damaged_input_is_one_line_with_its_path(home: Home) -> None:
    file = home.folder(Producer(home, "d/a")(1)) / "outcome.json"
    file.write_text("")
    with pytest.raises(UserError, match=f"^{file}: is damaged or gone; `modalift run` computes it anew$"):
        Producer(home, "d/b", "d/a")(1)


def test_a_damaged_event_counts_as_not_recorded(home: Home) -> None:
    a = Producer(home, "d/a")
    a(1), a(2)
    first, second = sorted(home.lineage.root.rglob("*.json"))
    second.write_bytes(b"")
    assert home.current("d/a").facts == {"value": 1} and len(list(home.lineage.events())) == 1
    first.write_bytes(bytes(300))
    assert home.lineage.latest("d/a") is None


def test_events_are_plain_json(home: Home) -> None:
    Producer(home, "d/a")(1)
    (file,) = home.lineage.root.rglob("*.json")
    assert json.loads(file.read_text())["asset"] == "d/a"
