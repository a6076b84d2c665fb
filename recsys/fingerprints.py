"""Fingerprints: what a result depends on, as one short hash.

Code counts by definition, not by file. `code_of` follows the names that a function or class reads to the definitions
behind them, and on from there, so that a loss beside the old ones moves nothing and a changed loss moves its users.
It reads source files and imports none of them.

Two things cannot be seen in the source, and the caller passes them as roots of their own: what is looked up by name
at run time (the model's class, the encoder's module, the metric's function), and the classes of a root function's
arguments, since their methods are called without being named. Files that are not Python are given to `files_of`.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from recsys import plugins
from recsys.definitions import EFFECTS, Import, Module, Read

PACKAGES = ("recsys", "assets", "orchestration")
"""Packages whose definitions are followed; of all others only the names count."""
WORDING = ("recsys.errors", "recsys.mistakes")
"""Modules of which only the names count, too: how a user's mistake is worded changes no result."""
CHECKOUT = Path(__file__).resolve().parents[1]
"""The folder that holds the packages: a checkout, or the site-packages of an environment."""


def fingerprint(*parts: Any) -> str:
    """Hash of values that JSON can write (or that have a string form), whatever the order of keys."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@cache
def code_of(*roots: str) -> str:
    """Hash of the installed packages' definitions that roots reach; computed once in a process.

    Args:
        roots: `package.module:Name`, or `package.module` for all of its definitions.

    Raises:
        LookupError: there is no such module or definition.
    """
    return _installed().code_of(*roots)


def reaches(root: str, definition: str) -> bool:
    """Whether a definition of the installed packages leads to another, both as for `code_of`."""
    return definition in _installed().reached(root)


def names_in(module: str) -> list[str]:
    """What a module of the installed packages defines; LookupError where there is no such module."""
    return _installed().names(module)


def files_of(*places: str) -> str:
    """Hash of files, and of all files in folders that are not Python; `places` are relative to the packages' folder.

    Raises:
        LookupError: there is no such file or folder.
    """
    if missing := [place for place in places if not (CHECKOUT / place).exists()]:
        raise LookupError(f"{missing[0]}: there is no such file or folder in {CHECKOUT}")
    files = sorted({file for place in places for file in _resources(CHECKOUT / place)})
    return fingerprint([[str(f.relative_to(CHECKOUT)), hashlib.sha256(f.read_bytes()).hexdigest()] for f in files])


def _resources(place: Path) -> Iterable[Path]:
    if place.is_file():
        return [place]
    return (file for file in place.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"})


@cache
def _installed() -> "Codebase":
    return Codebase(CHECKOUT, elsewhere={plugins.PACKAGE: plugins.folder()})


class _Definition(NamedTuple):
    """`digest` is of its code and of what its names stand for, `reads` the definitions these lead to."""

    digest: str
    reads: frozenset[str]


class Codebase:
    """The definitions of some packages and the way from one to the next; every file is parsed at most once."""

    def __init__(self, root: Path, packages: Iterable[str] = PACKAGES, elsewhere: Mapping[str, Path] = {}) -> None:
        """`root` is the folder that holds the packages; `elsewhere` are further ones, each by its own folder."""
        self._root = root
        self._folders = {package: root / package for package in packages} | dict(elsewhere)
        self._modules: dict[str, Module | None] = {}
        self._definitions: dict[str, _Definition] = {}

    def code_of(self, *roots: str) -> str:
        """Hash of all definitions that roots reach; LookupError where a root does not exist."""
        return fingerprint([[each, self._definition(each).digest] for each in sorted(self.reached(*roots))])

    def reached(self, *roots: str) -> set[str]:
        """All definitions that roots reach, as `package.module:Name`.

        Statements of a module that bind no name stand as `package.module:<effects>`.
        """
        pending = {each for root in roots for each in self._start(root)}
        found: set[str] = set()
        while pending:
            each = pending.pop()
            found.add(each)
            pending |= self._definition(each).reads - found
        return found

    def names(self, module: str) -> list[str]:
        """What a module itself defines, in the order of the file; LookupError where there is no such module."""
        return [name for name in self._existing(module).definitions if name != EFFECTS]

    def _start(self, root: str) -> list[str]:
        name, _, definition = root.partition(":")
        module = self._existing(name)
        if definition and definition not in module.definitions:
            raise LookupError(f"{root}: there is no such definition")
        return [root] if definition else [f"{name}:{each}" for each in module.definitions]

    def _definition(self, full: str) -> _Definition:
        if full not in self._definitions:
            name, _, definition = full.partition(":")
            module = self._existing(name)
            code = [ast.dump(node) for node in module.definitions[definition]]
            meant = {read: sorted(self._targets(name, read)) for read in module.reads(definition)}
            digest = fingerprint(code, sorted([".".join(read.names), targets] for read, targets in meant.items()))
            reads = {target for targets in meant.values() for target in targets if ":" in target}
            self._definitions[full] = _Definition(digest, frozenset(reads | set(self._effects(name))))
        return self._definitions[full]

    def _effects(self, name: str) -> Iterator[str]:
        """What runs whenever something of a module is imported: its own loose statements and its packages'."""
        parts = name.split(".")
        for n in range(1, len(parts) + 1):
            module = self._module(".".join(parts[:n]))
            if module is not None and EFFECTS in module.definitions:
                yield f"{module.name}:{EFFECTS}"

    def _targets(self, module: str, read: Read) -> Iterator[str]:
        """What dotted names in a module stand for: definitions of the packages, or a bare name of another package."""
        return self._imported(read.local, read.names[1:]) if read.local else self._found(module, read.names)

    def _imported(self, target: Import, rest: tuple[str, ...]) -> Iterator[str]:
        return self._found(target.module, (target.name, *rest) if target.name else rest)

    def _found(self, name: str, names: tuple[str, ...]) -> Iterator[str]:
        if name.split(".")[0] not in self._folders or name in WORDING:
            yield ".".join((name, *names[:1]))
            return
        module = self._module(name)
        if module is None:
            return
        if not names:  # the module itself is handed on: anything of it may be read
            yield from (f"{name}:{each}" for each in module.definitions)
            return
        first, *rest = names
        if first in module.definitions:
            yield f"{name}:{first}"
        imports = [each for each in module.imports.get(first, ()) if each != Import(name, first)]
        for each in imports:
            yield from self._imported(each, tuple(rest))
        if first not in module.definitions and not imports:
            if self._module(f"{name}.{first}") is not None:
                yield from self._found(f"{name}.{first}", tuple(rest))
            for each in module.imports.get("*", ()):
                yield from self._found(each.module, names)

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            package, *parts = name.split(".")
            place = self._folders.get(package, self._root / package).joinpath(*parts)
            files = [file for file in (place / "__init__.py", place.with_name(f"{place.name}.py")) if file.is_file()]
            if files:
                self._modules[name] = Module.read(name, files[0])
            else:
                self._modules[name] = Module(name, name) if place.is_dir() else None
        return self._modules[name]

    def _existing(self, name: str) -> Module:
        if (module := self._module(name)) is None:
            raise LookupError(f"{name}: there is no such module in {self._root}")
        return module
