"""Which encoders there are: found by their files, so that no list is edited to add one.

Looking a name up (`names`, `check`) imports no encoder, and so neither scikit-learn nor scikit-image: a code
location of many studies loads in moments. Only `load` imports the encoder's module.
"""

from functools import cache
from pathlib import Path

from recsys import plugins
from recsys.content.encoder import Encoder
from recsys.errors import UserError, hint
from recsys.plugins import PluginFile

ROOT = Path(__file__).parent
_registered: dict[str, type[Encoder]] = {}


def register(cls: type[Encoder]) -> type[Encoder]:
    """Class decorator: make the encoder known under the name of its file."""
    _registered[cls.__module__.rsplit(".", 1)[1]] = cls
    return cls


@cache
def _files() -> dict[str, PluginFile]:
    assert __package__
    return plugins.find(__package__, ROOT, "*/*.py")


def names() -> list[str]:
    """Names of all encoders, by the folder they stand in."""
    return list(_files())


def check(name: str) -> None:
    """Raise a UserError that proposes the nearest name where there is no such encoder."""
    if name not in _files():
        raise UserError(f"there is no encoder '{name}'{hint(name, _files(), 'modalift encoders')}")


def file(name: str) -> Path:
    """The source file of an encoder."""
    check(name)
    return _files()[name].path


def module(name: str) -> str:
    """The dotted module of an encoder."""
    check(name)
    return _files()[name].module


def load(name: str) -> type[Encoder]:
    """The class of an encoder; UserError where its file cannot be used."""
    check(name)
    plugins.load(_files()[name])
    if name not in _registered:
        raise UserError(f"{file(name)}: registers no encoder; write @register above its class")
    return _registered[name]


def load_all() -> dict[str, type[Encoder]]:
    """Every encoder's class by name; files that cannot be used are passed over (see `recsys.plugins.unusable`)."""
    return plugins.load_usable(_files(), load)
