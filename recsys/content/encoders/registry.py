"""Which encoders there are: found by their files, so that no list is edited to add one.

Looking a name up (`names`, `check`) imports no encoder, and so neither scikit-learn nor scikit-image: a code
location of many studies loads in moments. Only `load` imports the encoder's module.
"""

import importlib
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from recsys.content.encoder import Encoder
from recsys.errors import UserError

ROOT = Path(__file__).parent
_registered: dict[str, type[Encoder]] = {}


def register(cls: type[Encoder]) -> type[Encoder]:
    """Class decorator: make the encoder known under the name of its file."""
    _registered[cls.__module__.rsplit(".", 1)[1]] = cls
    return cls


@cache
def _files() -> dict[str, Path]:
    return {path.stem: path for path in sorted(ROOT.glob("*/*.py")) if not path.stem.startswith("_")}


def names() -> list[str]:
    """Names of all encoders, by the folder they stand in."""
    return list(_files())


def check(name: str) -> None:
    """Raise a UserError that proposes the nearest name where there is no such encoder."""
    if name in _files():
        return
    near = get_close_matches(name.lower(), _files(), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise UserError(f"there is no encoder '{name}'{hint} (`modalift encoders` lists them)")


def file(name: str) -> Path:
    """The source file of an encoder."""
    check(name)
    return _files()[name]


def module(name: str) -> str:
    """The dotted module of an encoder."""
    return f"{__package__}.{file(name).parent.name}.{name}"


def load(name: str) -> type[Encoder]:
    """The class of an encoder."""
    importlib.import_module(module(name))
    return _registered[name]
