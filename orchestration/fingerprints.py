"""Fingerprints: what a result depends on, as one short hash."""

import ast
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from orchestration.settings import CHECKOUT
from recsys.models import registry

SOURCES = (".py", ".j2", ".css")


def fingerprint(*parts: Any) -> str:
    """Hash of values that JSON can write (or that can say themselves as a string), whatever the order of keys."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@cache
def code_version(*places: str) -> str:
    """Hash of the code in files and folders of the checkout; docstrings, comments and layout do not count."""
    files = sorted(file for place in places for file in _sources(CHECKOUT / place))
    return fingerprint([[str(file.relative_to(CHECKOUT)), _meaning(file)] for file in files])


def _meaning(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return ast.dump(_WithoutDocstrings().visit(ast.parse(text))) if file.suffix == ".py" else text


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


@cache
def library_code(*files: str) -> str:
    """Hash of files of the checkout and of all of the library that they import, directly or not."""
    pending, found = [CHECKOUT / file for file in files], set[Path]()
    while pending:
        file = pending.pop()
        if file not in found:
            found.add(file)
            pending += _imported(file)
    return code_version(*(str(file.relative_to(CHECKOUT)) for file in found))


def _imported(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            place = CHECKOUT.joinpath(*name.split("."))
            if name.startswith("recsys."):
                yield from (each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file())


def cell_code(model: str) -> str:
    """Hash of the code that a model's cells run: its own file, how a cell is run, and all that these import."""
    return library_code(_file(model), "recsys/engine/cell.py")


def model_code(model: str) -> str:
    """Hash of the code of a model's cells and of the search that says which cells there are."""
    return library_code(_file(model), "recsys/tuning/search.py")


def _file(model: str) -> str:
    return str(registry.find(model).path.relative_to(CHECKOUT))


def _sources(place: Path) -> Iterable[Path]:
    return (file for file in place.rglob("*") if file.suffix in SOURCES) if place.is_dir() else [place]


def content_hash(folder: Path) -> str:
    """Hash of all files under a folder, by name and bytes."""
    state = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        state.update(str(file.relative_to(folder)).encode() + b"\0")
        with file.open("rb") as stream:
            state.update(hashlib.file_digest(stream, "sha256").digest())
    return state.hexdigest()[:20]


def _visible(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names)


def signature(*places: Path) -> str:
    """Hash of files' and folders' names, sizes and times of change: cheap, and enough to see that data moved on.

    Hidden folders do not count: data kept in a checkout would change with every write to the home folder beside it.
    """
    files = [file for place in places for file in ([place] if place.is_file() else sorted(_visible(place)))]
    return fingerprint([[str(file), (stat := file.stat()).st_size, stat.st_mtime_ns] for file in files])
