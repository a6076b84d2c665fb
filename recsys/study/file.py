"""From a file to a study; a mistake in it is one line.

YAML reads an unquoted `no` as false, `12` as a number, `010` as eight and `2024-01-31` as a date, and keeps the last
of two equal keys without a word. All are looked for before the content is read, so that the line of the file can be
named.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from recsys.errors import UserError
from recsys.mistakes import first_mistake
from recsys.paths import STUDY_ENDINGS
from recsys.study.study import Study

HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
FILE_NAME = re.compile(r"[A-Za-z0-9_]{1,60}")
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
STRING, MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
OTHER_BASE = re.compile(r"[-+]?(0[0-9_]+|[0-9_]+(:[0-9_.]+)+)")
"""Numbers that YAML reads to the base of eight or sixty."""
REMEDIES = {
    r"'\t'": "indent with blanks, not with a tab",
    "another document": "a file holds one study: remove the line '---' and what is not part of it",
    "constructor for the tag": "tags are not allowed: remove it, and write the value alone",
}
"""What to do, by part of what the parser says."""
READ_AS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "empty", "timestamp": "a date"}
"""What YAML makes of a value without quotes, by the last part of its tag."""


def load_study(path: str | Path) -> Study:
    """Read and check a study file.

    Raises:
        UserError: the file is missing, is no YAML, or a key in it is wrong; one line that names it.
    """
    path = Path(path)
    _check_name(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = _parsed(path, text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give the path of a study file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file in UTF-8; save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = _problem(getattr(error, "problem", None) or "cannot be parsed")
        raise UserError(f"{path}:{place} is not YAML: {problem}") from None
    except RecursionError:
        raise UserError(f"{path}: is nested too deeply to be a study") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no study; a study is a mapping with title, datasets and models")
    if "name" in content:
        raise UserError(f"{path}: name: a study has the name of its file; remove this key")
    try:
        return Study(name=path.stem, **content)
    except ValidationError as error:
        raise UserError(f"{path}: {first_mistake(error, Study, no_keys=('name',))}") from None
    except UserError as error:
        raise UserError(f"{path}: models: {error}") from None


def _problem(said: str) -> str:
    """What the parser says, with the remedy where there is a usual one."""
    return next((f"{said}; {remedy}" for part, remedy in REMEDIES.items() if part in said), said)


def _check_name(path: Path) -> None:
    """UserError where a file cannot be a study by its name, which is the study's."""
    if path.suffix not in STUDY_ENDINGS:
        raise UserError(f"{path}: is no study file, which ends in .yaml; give the path or the name of a study")
    if not FILE_NAME.fullmatch(path.stem):
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", path.stem).strip("_")[:60] or "study"
        raise UserError(
            f"{path}: the file gives the study its name, and that has letters, digits and _ only, 60 at most: "
            f"rename it to {plain}{path.suffix}"
        )


def _parsed(path: Path, text: str) -> Any:
    for node in _nodes(yaml.compose(text, Loader=yaml.SafeLoader)):
        if isinstance(node, yaml.MappingNode):
            _check_keys(path, node)
        elif isinstance(node, yaml.ScalarNode):
            _check_value(path, node)
    try:
        return yaml.safe_load(text)
    except ValueError as error:  # such as the date 2024-13-45
        raise UserError(f"{path}: a value cannot be read: {error}; put it in quotes if it is text") from None


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Every node from a root on, each once, although aliases may name one several times."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in reversed(node.value) for part in reversed(pair)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)


def _check_value(path: Path, node: yaml.ScalarNode) -> None:
    line = node.start_mark.line + 1
    if HALF_A_CHARACTER.search(node.value):
        raise UserError(
            f"{path}: line {line}: an escape stands for half a character (a surrogate); write the character itself"
        )
    if node.tag in NUMBERS and OTHER_BASE.fullmatch(node.value):
        raise UserError(
            f"{path}: line {line}: YAML reads {node.value} as {yaml.safe_load(node.value)}; write the number without "
            "leading zeros and colons, or put it in quotes if it is text"
        )


def _check_keys(path: Path, mapping: yaml.MappingNode) -> None:
    lines: dict[str, int] = {}
    for key, _ in mapping.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise UserError(f"{path}: line {line}: a key must be a word; put it in quotes if it is text")
        if key.tag == MERGE:
            continue
        if key.tag != STRING:
            read_as = READ_AS.get(key.tag.rpartition(":")[2], "something else")
            raise UserError(
                f"{path}: line {line}: YAML reads the key {key.value or 'that is empty'} as {read_as}; "
                f"put it in quotes: '{key.value}'"
            )
        if key.value in lines:
            raise UserError(
                f"{path}: line {line}: the key '{key.value}' stands in line {lines[key.value]} already; "
                "remove or rename one of the two"
            )
        lines[key.value] = line
