"""Which readers there are: found by their files, so that no list is edited to add one.

A reader is a file of this folder, or of a user's own `plugins/readers/`, with a class of options and
`read(options, folder, workdir)`; it may say by `recognise(folder)` whether a folder is in its layout. Looking a name
up imports no reader.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from recsys import plugins
from recsys.data.options import SourceOptions
from recsys.data.raw import RawData
from recsys.errors import UserError, hint
from recsys.plugins import PluginFile

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Reader:
    """A reader: its options, its function (options, source folder, dataset folder), and the module that holds both."""

    options: type[SourceOptions]
    function: Callable[[Any, Path, Path], RawData]
    module: ModuleType


@cache
def _files() -> dict[str, PluginFile]:
    assert __package__
    found = plugins.find(__package__, ROOT, "*.py")
    return {name: file for name, file in found.items() if file.path.parent != ROOT or _reads(file.path)}


def _reads(path: Path) -> bool:
    """Whether a file of this folder is a reader, and not one of those that readers share."""
    return "\ndef read(" in path.read_text(encoding="utf-8")


def names() -> list[str]:
    """Names of all readers, the library's first."""
    return list(_files())


def check(name: str) -> None:
    """Raise a UserError that proposes the nearest name where there is no such reader."""
    if name not in _files():
        raise UserError(f"there is no reader '{name}'{hint(name, _files())}")


def module(name: str) -> str:
    """The dotted module of a reader."""
    check(name)
    return _files()[name].module


def load(name: str) -> Reader:
    """A reader; UserError where its file cannot be used."""
    check(name)
    file = _files()[name]
    loaded = plugins.load(file)
    function = getattr(loaded, "read", None)
    if not callable(function):
        raise UserError(f"{file.path}: holds no reader; write `read(options, folder, workdir) -> RawData`")
    return Reader(_options(function, file), function, loaded)


def load_all() -> dict[str, Reader]:
    """Every reader by name; files that cannot be used are passed over (see `recsys.plugins.unusable`)."""
    return plugins.load_usable(_files(), load)


def _options(function: Callable[..., RawData], file: PluginFile) -> type[SourceOptions]:
    """The class of a reader's options: the type of the first argument of its `read`."""
    arguments = list(inspect.signature(function, eval_str=True).parameters.values())
    if len(arguments) == 3:
        options = arguments[0].annotation
        if isinstance(options, type) and issubclass(options, SourceOptions):
            return options
    raise UserError(
        f"{file.path}: `read` takes (options, folder, workdir), the first of them annotated with a subclass of "
        "SourceOptions; write it so"
    )
