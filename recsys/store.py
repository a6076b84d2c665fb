"""The store: immutable versions of what assets and cells produce, written whole or not at all.

A version is a folder named by the fingerprint of everything it depends on. It is written under another name,
flushed, and renamed, so that a reader never sees half of it and a killed writer leaves only a folder that the
next writer removes. A version that is replaced is renamed too, and goes once the new one has its name; where a
kill came between the two renames, the next writer gives the old one its name back. A lock beside a folder says that
its writer is at work: in containers all processes may have one number, and none sees those of the others.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
from filelock import FileLock, Timeout

from recsys.intact import list_files

PENDING = ".pending"
LOCK = ".lock"
NOT_CONTENT = {"provenance.json"}


class Store:
    """Versions under `<root>/<place>/<fingerprint>/`."""

    def __init__(self, root: Path, locks: Path | None = None) -> None:
        """A store in a folder, made when first written to; its `locks` are in a folder beside it unless given."""
        self.root = root
        self._locks = locks or root.parent / "locks"
        self._swept: set[str] = set()

    def find(self, place: str, fingerprint: str) -> Path | None:
        """The folder of a version, None if it was never written."""
        folder = self.root / place / fingerprint
        return folder if folder.is_dir() else None

    def write(self, place: str, fingerprint: str, fill: Callable[[Path], None], *, replace: bool = False) -> Path:
        """Write a version by filling a folder; the first of two equal writers wins.

        Args:
            place: where its versions are.
            fingerprint: its name.
            fill: writes its files into a folder.
            replace: put it in the place of one that is there, once it is whole. For a writer that holds the place's
                lock: between the two renames a version is not there, and another writer of it would get in between.
        """
        parent = self.root / place
        if place not in self._swept:  # a look at every version would cost more than writing a small one
            _sweep(parent)
            self._swept.add(place)
        final = parent / fingerprint
        with self.scratch(place) as pending:
            fill(pending)
            list_files(pending)
            _flush(pending)
            if replace:
                _replace(pending, final)
            else:
                _put(pending, final)
        return final

    def remove(self, place: str, fingerprint: str) -> None:
        """Remove a version: its name first, so that no reader sees half of it. One that is gone is no error."""
        _remove(self.root / place / fingerprint)

    @contextmanager
    def scratch(self, place: str) -> Iterator[Path]:
        """A folder beside a place's versions, gone when the context is left; a killed process's goes later."""
        parent = self.root / place
        parent.mkdir(parents=True, exist_ok=True)
        with _pending(parent) as folder:
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lock(self, place: str) -> Iterator[None]:
        """Let one process at a time produce a place; the lock goes with its process, however that ends."""
        file = self._locks / f"{place.replace('/', '.')}.lock"
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file):
            yield

    @contextmanager
    def lock_all(self, group: str) -> Iterator[bool]:
        """Lock all places under a group, as long as the context lasts; gives False where one of them is locked."""
        with ExitStack() as held:
            try:
                for file in sorted(self._locks.glob(f"{group}.*.lock")):
                    held.enter_context(FileLock(file, timeout=0))
                locked = True
            except Timeout:
                held.close()
                locked = False
            yield locked


def content_hash(folder: Path) -> str:
    """Hash of all files under a folder, by name and bytes; a record of how they came about is not what they are."""
    state = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_CONTENT):
        state.update(str(file.relative_to(folder)).encode() + b"\0")
        with file.open("rb") as stream:
            state.update(hashlib.file_digest(stream, "sha256").digest())
    return state.hexdigest()[:20]


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(file: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pending = file.with_name(_pending_name())
    with pending.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    pending.replace(file)


@contextmanager
def _pending(parent: Path) -> Iterator[Path]:
    """A new path in a folder, and a lock that says so as long as its process is at work on it."""
    path = parent / _pending_name()
    lock = _lock_of(path)
    with FileLock(lock):
        try:
            yield path
        finally:
            lock.unlink(missing_ok=True)


def _pending_name() -> str:
    return f"{PENDING}-{os.getpid()}-{uuid4().hex[:8]}"


def _lock_of(pending: Path) -> Path:
    """The lock of what is being written, and of the version that it replaces, whose name begins like its own."""
    beginning = "-".join(pending.name.removesuffix(LOCK).split("-")[:3])
    return pending.with_name(f"{beginning}{LOCK}")


def _put(pending: Path, final: Path) -> None:
    """Give a folder its name, unless another writer of the same version was quicker."""
    try:
        pending.rename(final)
    except OSError:
        if not final.is_dir():
            raise
    else:
        _flush_folder(final.parent)


def _replace(pending: Path, final: Path) -> None:
    """Give a folder the name of a version, and remove that version once the new name is on disk."""
    aside = final.with_name(f"{pending.name}-{final.name}")
    try:
        with suppress(FileNotFoundError):
            final.rename(aside)
        _put(pending, final)
    except BaseException:
        _put_back(aside)
        raise
    _remove(aside)


def _put_back(aside: Path) -> None:
    """Give a version that was to be replaced its name back, unless another has it."""
    with suppress(OSError):
        aside.rename(aside.with_name(_replaced_version(aside)))


def _replaced_version(folder: Path) -> str:
    """The version that a folder holds which was renamed so that another could take its place; empty for others."""
    return "".join(folder.name.split("-", 3)[3:])


def _remove(folder: Path) -> None:
    # Without a lock, which a full disk may not take: this is what frees it.
    gone = folder.with_name(_pending_name())
    with suppress(FileNotFoundError):
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def is_abandoned(pending: Path) -> bool:
    """Whether the process that wrote a file or folder has ended: its lock is free or, without one, its number is."""
    lock = _lock_of(pending)
    if lock.exists():
        try:
            with FileLock(lock, timeout=0):
                return True
        except Timeout:
            return False
    pid = pending.name.removeprefix(f"{PENDING}-").split("-")[0].split(".")[0]
    return pid.isdigit() and not psutil.pid_exists(int(pid))


def remove_abandoned(folder: Path) -> None:
    """Remove what a killed writer left; the only copy of a version gets its name back instead."""
    if folder.is_file():
        folder.unlink(missing_ok=True)
        return
    version = _replaced_version(folder)
    if version:
        _put_back(folder)
    if not version or folder.with_name(version).is_dir():
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    # In this order a lock goes after what it is of.
    for left in filter(is_abandoned, sorted(parent.glob(f"{PENDING}-*"))):
        remove_abandoned(left)


def _flush(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
