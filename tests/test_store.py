"""A version is written whole or not at all, whatever happens to its writer."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recsys import store as store_module
from recsys.store import Store, write_text

SLOW_WRITER = """
import sys, time
from pathlib import Path
from recsys.store import Store

def fill(folder):
    (folder / "half").write_text("half")
    print("writing", flush=True)
    time.sleep(60)

with Store(Path(sys.argv[1])).lock("a/b"):
    Store(Path(sys.argv[1])).write("a/b", "v1", fill)
"""

KILLED_REPLACING = """
import os, signal, sys
from pathlib import Path
from recsys import store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def fill(folder):
    (folder / "x").write_text("second")

setattr(store, sys.argv[2], die)
store.Store(Path(sys.argv[1])).write("a", "v1", fill, replace=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def start_writer(store: Store) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", SLOW_WRITER, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    return process


def test_a_version_is_found_once_it_is_whole(store: Store) -> None:
    assert store.find("a/b", "v1") is None
    folder = store.write("a/b", "v1", lambda f: write_text(f / "x", "1"))
    assert store.find("a/b", "v1") == folder
    assert (folder / "x").read_text() == "1"


def test_a_writer_that_fails_leaves_nothing(store: Store) -> None:
    def fill(folder: Path) -> None:
        write_text(folder / "x", "1")
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        store.write("a", "v1", fill)
    assert list((store.root / "a").iterdir()) == []


def test_the_first_of_two_equal_writers_wins(store: Store) -> None:
    store.write("a", "v1", lambda f: write_text(f / "x", "first"))
    folder = store.write("a", "v1", lambda f: write_text(f / "x", "second"))
    assert (folder / "x").read_text() == "first"
    assert [path.name for path in folder.parent.iterdir()] == ["v1"]


def test_a_version_is_replaced_once_the_new_one_is_whole(store: Store) -> None:
    folder = store.write("a", "v1", lambda f: write_text(f / "x", "first"))

    def fill(pending: Path) -> None:
        assert (folder / "x").read_text() == "first"
        write_text(pending / "x", "second")

    assert store.write("a", "v1", fill, replace=True) == folder
    assert (folder / "x").read_text() == "second"
    assert [path.name for path in folder.parent.iterdir()] == ["v1"]


class Stopped(BaseException):
    """What no `except Exception` sees, like Ctrl-C."""


@pytest.mark.parametrize("error", [OSError("disk on fire"), Stopped()])
def test_a_version_whose_replacement_fails_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    folder = store.write("a", "v1", lambda f: write_text(f / "x", "first"))

    def fail(pending: Path, final: Path) -> None:
        raise error

    monkeypatch.setattr(store_module, "_put", fail)
    with pytest.raises(type(error)):
        store.write("a", "v1", lambda f: write_text(f / "x", "second"), replace=True)
    assert (folder / "x").read_text() == "first"
    assert [path.name for path in folder.parent.iterdir()] == ["v1"]


def test_an_interrupt_while_the_replaced_version_is_removed_leaves_the_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store.write("a", "v1", lambda f: write_text(f / "x", "first"))

    def stop(folder: Path, ignore_errors: bool) -> None:
        raise Stopped

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(shutil, "rmtree", stop)
        store.write("a", "v1", lambda f: write_text(f / "x", "second"), replace=True)
    assert (folder / "x").read_text() == "second"


@pytest.mark.parametrize(
    ("killed_at", "there", "after"),
    [("_put", None, "first"), ("_remove", "second", "second"), ("_flush_folder", "second", "second")],
)
def test_a_writer_that_is_killed_while_it_replaces_a_version_loses_nothing(
    store: Store, killed_at: str, there: str | None, after: str
) -> None:
    store.write("a", "v1", lambda f: write_text(f / "x", "first"))
    subprocess.run([sys.executable, "-c", KILLED_REPLACING, str(store.root), killed_at], check=False)
    found = store.find("a", "v1")
    assert (found and (found / "x").read_text()) == there
    Store(store.root).write("a", "v2", lambda f: write_text(f / "x", "1"))
    assert (store.root / "a/v1/x").read_text() == after
    assert sorted(path.name for path in (store.root / "a").iterdir()) == ["v1", "v2"]


def test_a_version_that_is_gone_can_be_replaced_and_removed(store: Store) -> None:
    folder = store.write("a", "v1", lambda f: write_text(f / "x", "1"), replace=True)
    assert (folder / "x").read_text() == "1"
    for _ in range(2):
        store.remove("a", "v1")
        assert list(folder.parent.iterdir()) == []


def test_two_that_remove_a_version_at_once_both_succeed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("a", "v1", lambda f: write_text(f / "x", "1"))
    name = store_module._pending_name

    def remove_first() -> str:
        monkeypatch.setattr(store_module, "_pending_name", name)
        store.remove("a", "v1")
        return name()

    monkeypatch.setattr(store_module, "_pending_name", remove_first)
    store.remove("a", "v1")
    assert store.find("a", "v1") is None


def test_a_killed_writer_leaves_no_version_and_its_rest_is_removed(store: Store) -> None:
    process = start_writer(store)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert store.find("a/b", "v1") is None
    store.write("a/b", "v2", lambda f: write_text(f / "x", "1"))
    assert [path.name for path in (store.root / "a/b").iterdir()] == ["v2"]


def test_a_killed_writer_gives_its_lock_back(store: Store) -> None:
    process = start_writer(store)
    process.kill()
    process.wait()
    started = time.monotonic()
    with store.lock("a/b"):
        assert time.monotonic() - started < 5


def test_the_rest_of_a_living_writer_is_left_alone(store: Store) -> None:
    pending = store.root / "a" / f".pending-{os.getpid()}-12345678"
    pending.mkdir(parents=True)
    store.write("a", "v1", lambda f: write_text(f / "x", "1"))
    assert pending.is_dir()


@pytest.mark.parametrize("killed_at", ["_flush", "_put", "_remove", "_flush_folder"])
def test_what_a_killed_process_of_this_ones_number_left_is_removed(store: Store, killed_at: str) -> None:
    """As in containers, where each run may have the same number."""
    store.write("a", "v1", lambda f: write_text(f / "x", "first"))
    killed = subprocess.Popen([sys.executable, "-c", KILLED_REPLACING, str(store.root), killed_at])
    killed.wait()
    left = list((store.root / "a").glob(".pending-*"))
    assert left
    for path in left:
        path.rename(path.with_name(path.name.replace(f"-{killed.pid}-", f"-{os.getpid()}-")))
    Store(store.root).write("a", "v2", lambda f: write_text(f / "x", "1"))
    assert sorted(path.name for path in (store.root / "a").iterdir()) == ["v1", "v2"]


def test_a_living_writer_whose_number_is_not_known_here_is_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from one container to another."""
    process = start_writer(store)
    monkeypatch.setattr("psutil.pid_exists", lambda pid: False)
    store.write("a/b", "v2", lambda f: write_text(f / "x", "1"))
    (half,) = (store.root / "a/b").glob(".pending-*/half")
    assert half.read_text() == "half"
    process.kill()
    process.wait()


def test_a_text_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "x.json"
    write_text(file, "1")
    write_text(file, "2")
    assert file.read_text() == "2"
    assert [path.name for path in file.parent.iterdir()] == ["x.json"]
