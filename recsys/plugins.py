"""Plug-in files: models, metrics, analyses, encoders and readers are found by their place, so that no list is edited.

Beside the files that come with the library, those of a user's own count: `plugins/` in the working folder, or the
folder that MODALIFT_PLUGINS names, is laid out like the library's folders:

    plugins/models/<family>/<model>.py      plugins/encoders/<kind>/<encoder>.py
    plugins/metrics/<file>.py               plugins/analyses/<analysis>.py
    plugins/readers/<reader>.py

A user's files are imported as `modalift_plugins.<folder>...`, in workers too. One that cannot be used is named in a
line, and all others still work.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from recsys.errors import UserError

T = TypeVar("T")
PACKAGE = "modalift_plugins"
PLACES = {
    "models": "models/<family>/",
    "encoders": "encoders/<kind>/",
    "metrics": "metrics/",
    "analyses": "analyses/",
    "readers": "readers/",
}
"""Where files of each kind stand, by the registry that called `find`."""
_NOT_PLUGINS = ("base", "registry")
_unusable: dict[Path, str] = {}


@dataclass(frozen=True)
class PluginFile:
    """A file that is found by its place.

    Attributes:
        path: where it is.
        module: dotted name to import.
    """

    path: Path
    module: str


def folder() -> Path:
    """The user's own plug-ins, whether or not there are any; UserError where MODALIFT_PLUGINS names no folder."""
    given = os.environ.get("MODALIFT_PLUGINS")
    if given and not Path(given).is_dir():
        raise UserError(f"MODALIFT_PLUGINS: there is no folder {given}; fix or unset it")
    return Path(given or "plugins").resolve()


def find(package: str, root: Path, pattern: str) -> dict[str, PluginFile]:
    """The files of one kind by stem, the library's first.

    Args:
        package: dotted name of the library's package of that kind; its last part names the user's folder.
        root: the folder of that package.
        pattern: which files in it, `*.py` or `*/*.py`. Those that begin with `_` do not count.
    """
    kind = package.rpartition(".")[2]
    found: dict[str, PluginFile] = {}
    for place, prefix in ((root, package), (folder() / kind, f"{PACKAGE}.{kind}")):
        for path in sorted(place.glob(pattern)):
            if path.stem.startswith("_") or path.stem in _NOT_PLUGINS:
                continue
            if path.stem in found:
                _unusable[path] = f"{_shown(path)}: the name is taken by {_shown(found[path.stem].path)}; rename it"
                continue
            module = ".".join((prefix, *path.relative_to(place).with_suffix("").parts))
            found[path.stem] = PluginFile(path, module)
    return found


def load(file: PluginFile) -> ModuleType:
    """Import a file; UserError that names it, whatever it raises."""
    _make_importable()
    try:
        return importlib.import_module(file.module)
    except Exception as error:  # it is named, and neither blamed on the study nor on the program
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file.path)
        ]
        line = f", line {lines[-1]}" if lines else ""
        said = " ".join(str(error).split())
        raise UserError(f"{_shown(file.path)}{line}: cannot be imported: {type(error).__name__}: {said}") from error


def load_usable(files: Mapping[str, PluginFile], load: Callable[[str], T]) -> dict[str, T]:
    """What `load` makes of each name; files for which it raises UserError are passed over."""
    found = {}
    for name, file in files.items():
        try:
            found[name] = load(name)
        except UserError as error:
            pass_over(file, error)
    return found


def pass_over(file: PluginFile, error: UserError) -> None:
    """Go on without a file; `unusable` names it."""
    _unusable[file.path] = str(error)


def unusable() -> list[str]:
    """One line for each file that was passed over so far, and for each that stands where none is looked for."""
    return [*_unusable.values(), *_misplaced()]


def _misplaced() -> list[str]:
    try:
        root = folder()
    except UserError:  # whoever looks for plug-ins says so
        return []
    found = []
    for kind, place in PLACES.items():
        for path in sorted((root / kind).rglob("*.py")):
            parts = path.relative_to(root).parts
            if len(parts) != len(Path(place).parts) + 1 and not any(part.startswith("_") for part in parts):
                found.append(f"{_shown(path)}: nothing is looked for there; move it to {root.name}/{place}")
    return found


def _make_importable() -> None:
    if PACKAGE not in sys.modules:
        package = ModuleType(PACKAGE)
        package.__path__ = [str(folder())]
        sys.modules[PACKAGE] = package


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
