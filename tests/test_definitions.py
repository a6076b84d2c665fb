"""What a definition reaches, on a tiny package."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.fingerprints import Codebase, code_of, files_of, fingerprint, names_in

TINY = {
    "__init__.py": "",
    "main.py": '''"""The root's module."""

import numpy as np
from typing import TYPE_CHECKING

import pkg.tools.scale as scaling
from pkg import tools
from pkg.tools import double as twice
from . import near
from .base import Base, Fields, register

if TYPE_CHECKING:
    from pkg.kinds import Kind

FACTOR: int = 3
DEFAULT = 5
NAMES = {}
NAMES["a"] = FACTOR
SPARE = 1


@register
def run(x: "Kind", shift=DEFAULT) -> "Kind":
    """Run."""
    from pkg.late import late

    y: Kind = x  # a comment
    shadowed = [near for near in scaling.by(y)]
    return Own().go(late(twice(shadowed))) + NAMES["a"] + tools.scale.LIMIT + shift + np.sum(x)


def beside():
    return near.near(Fields())


class Own(Base):
    size = 4

    def go(self, x):
        return back(x)

    def seldom(self):
        return 1


def back(x):
    return Own if x else run(x)
''',
    "tools/__init__.py": "from pkg.tools.scale import double\n",
    "tools/scale.py": """LIMIT = 9

def by(x):
    return [x]

def double(x):
    return 2 * x

def spare():
    return 0
""",
    "near.py": "def near(x):\n    return x\n",
    "late.py": "def late(x):\n    return x + 1\n",
    "kinds.py": "class Kind:\n    pass\n",
    "base.py": """from pkg.kinds import Kind
REGISTERED = {}

def register(f):
    REGISTERED[f.__name__] = f
    return f

class Base:
    offset = 0

class Fields:
    kind: Kind
    other: "Kind | None" = None

@register
def another():
    return 1
""",
}


ROOT = "pkg.main:run"
Edited = Callable[..., Codebase]


@pytest.fixture
def tiny(tmp_path: Path) -> Edited:
    """The tiny package with one text replaced in one of its files."""

    def edited(file: str = "main.py", old: str = "", new: str = "") -> Codebase:
        for name, text in TINY.items():
            place = tmp_path / "pkg" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            assert name != file or old in text
            place.write_text(text.replace(old, new, 1) if name == file else text)
        return Codebase(tmp_path, ["pkg"])

    return edited


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("main.py", "FACTOR: int = 3", "FACTOR: int = 4", id="a constant behind another"),
        pytest.param(
            "main.py", 'NAMES["a"] = FACTOR', 'NAMES["b"] = FACTOR', id="a constant changed after its making"
        ),
        pytest.param("main.py", "DEFAULT = 5", "DEFAULT = 6", id="a default argument"),
        pytest.param("main.py", "size = 4", "size = 5", id="a class attribute"),
        pytest.param("main.py", "return 1", "return 2", id="a method that nobody names"),
        pytest.param("main.py", "if x else", "if not x else", id="a function in a circle of calls"),
        pytest.param("main.py", "(Base)", "", id="the list of base classes"),
        pytest.param("base.py", "offset = 0", "offset = 1", id="a base class"),
        pytest.param("base.py", "return f\n", "return None\n", id="a decorator"),
        pytest.param("main.py", "@register\n", "", id="that there is a decorator"),
        pytest.param("late.py", "x + 1", "x + 2", id="an import inside a function"),
        pytest.param("tools/scale.py", "2 * x", "3 * x", id="a re-export under another name"),
        pytest.param("tools/scale.py", "[x]", "(x,)", id="an attribute of a module under another name"),
        pytest.param("tools/scale.py", "LIMIT = 9", "LIMIT = 8", id="a constant through a package"),
        pytest.param("tools/__init__.py", "import double", "import by as double", id="what is re-exported"),
        pytest.param(
            "main.py", "import numpy as np", "import math as np", id="what another package's name stands for"
        ),
        pytest.param("main.py", "FACTOR: int", "np.seterr()\nFACTOR: int", id="a loose statement"),
    ],
)
def test_what_a_definition_reaches_counts(tiny: Edited, file: str, old: str, new: str) -> None:
    before = tiny().code_of(ROOT)
    assert tiny(file, old, new).code_of(ROOT) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("main.py", "SPARE = 1", "SPARE = 2", id="a constant beside"),
        pytest.param("main.py", "near.near(Fields())", "None", id="a function beside"),
        pytest.param("tools/scale.py", "return 0", "return 1", id="a function of a module that is read"),
        pytest.param("near.py", "return x", "return 0", id="a name that a comprehension hides"),
        pytest.param("base.py", "return 1", "return 2", id="what else a decorator registers"),
        pytest.param("base.py", "kind: Kind", "kind: int", id="a class beside"),
        pytest.param("kinds.py", "pass", "x = 1", id="annotations of functions"),
        pytest.param("main.py", "from pkg.kinds import Kind", "from pkg.base import Kind", id="imports for types"),
        pytest.param("main.py", 'x: "Kind"', "x: int", id="an annotation taken away"),
        pytest.param("main.py", "FACTOR: int", "FACTOR", id="a constant's annotation"),
        pytest.param("main.py", '    """Run."""\n', "", id="a docstring"),
        pytest.param("main.py", "  # a comment", "", id="a comment"),
        pytest.param("main.py", "return Own().go", "\n\n    return Own().go", id="layout"),
        pytest.param("main.py", "SPARE = 1", "SPARE = 1\nif __name__ == '__main__':\n    run(1)", id="a script"),
    ],
)
def test_what_it_does_not_reach_does_not_count(tiny: Edited, file: str, old: str, new: str) -> None:
    before = tiny().code_of(ROOT)
    assert tiny(file, old, new).code_of(ROOT) == before


def test_annotations_of_class_bodies_count(tiny: Edited) -> None:
    fields = "pkg.base:Fields"
    before = tiny().code_of(fields)
    assert tiny("base.py", "kind: Kind", "kind: int").code_of(fields) != before
    assert tiny("kinds.py", "pass", "x = 1").code_of(fields) != before
    assert "pkg.kinds:Kind" in tiny("base.py", "    kind: Kind\n").reached(fields)  # the other one is in quotes


def test_a_module_as_root_is_all_of_its_definitions(tiny: Edited) -> None:
    before = tiny().code_of("pkg.main")
    assert tiny("main.py", "SPARE = 1", "SPARE = 2").code_of("pkg.main") != before
    assert tiny("near.py", "return x", "return 0").code_of("pkg.main") != before


def test_a_root_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"^recsys\.errors:NoSuchError: there is no such definition"):
        code_of("recsys.errors:NoSuchError")
    with pytest.raises(LookupError, match=r"^recsys\.no_such_module: there is no such module"):
        names_in("recsys.no_such_module")
    with pytest.raises(LookupError, match="^recsys/no_such_folder: there is no such file or folder"):
        files_of("recsys/no_such_folder")


def test_files_that_are_not_python_count_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.fingerprints.CHECKOUT", tmp_path)
    (tmp_path / "page.css").write_text("a")
    (tmp_path / "code.py").write_text("x = 1")
    before = files_of("")
    (tmp_path / "code.py").write_text("x = 2")
    assert files_of("") == before
    (tmp_path / "page.css").write_text("b")
    assert files_of("") != before


def test_fingerprints_do_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1}) != fingerprint({"a": 1, "b": [3]})
