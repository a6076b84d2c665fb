"""The list of models is read from their source, and says what the classes say."""

import subprocess
import sys
from pathlib import Path

import pytest

from recsys import plugins
from recsys.class_facts import ClassReader, attributes_of
from recsys.errors import UserError
from recsys.models import registry

LISTED = {info.name: info for info in registry.model_infos()}


def test_listing_imports_no_model() -> None:
    program = (
        "import sys; from recsys.models import registry; assert registry.model_infos();"
        "print([name for name in ('torch', 'sklearn', 'scipy', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_model_is_listed_as_its_class_says() -> None:
    classes = registry.load_all()
    assert LISTED.keys() == classes.keys()
    for name, cls in classes.items():
        fields = cls.Config.model_fields
        searched = [each for each, field in fields.items() if "search" in (field.json_schema_extra or {})]
        assert (name, list(LISTED[name].tuned), LISTED[name].source) == (name, searched, cls.source)
        assert LISTED[name].without_content == cls.without_content


def test_a_model_with_content_names_one_of_interactions() -> None:
    for info in LISTED.values():
        assert info.file.takes_content == (info.without_content is not None)
        if info.without_content:
            assert not registry.find(info.without_content).takes_content


@pytest.mark.parametrize(
    ("name", "related"),
    [
        ("ItemKNN", {"HybridItemKNN", "AttributeItemKNN"}),
        ("hybriditemknn", {"ItemKNN", "AttributeItemKNN"}),
        ("AttributeUserKNN", {"UserKNN"}),
        ("EASE", {"CEASE", "AddEASE"}),
        ("GFCF", {"MMGF"}),
        ("RP3beta", set()),
    ],
)
def test_models_are_related_through_the_one_that_is_left_without_content(name: str, related: set[str]) -> None:
    assert registry.related(name) == related


def forget() -> None:
    """Have the model files looked for anew."""
    registry._files.cache_clear()
    registry._families.cache_clear()


@pytest.mark.parametrize("code", [b"def (:\n", b"# caf\xe9\n", b"a = '\0'\n", b"", b"x = 1\n"])
def test_a_file_that_cannot_be_read_costs_no_other_model_its_relatives(
    code: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "broken.py").write_bytes(code)
    monkeypatch.setenv("MODALIFT_PLUGINS", str(tmp_path))
    monkeypatch.setattr(plugins, "_unusable", {})  # which names it to every later test otherwise
    forget()
    try:
        assert registry.related("EASE") == {"CEASE", "AddEASE"}
        assert any("broken.py" in line for line in plugins.unusable())
    finally:
        forget()


MINE = """
from recsys.models.{module} import {base}
from recsys.models.registry import register
from recsys.training.losses import unit


@register
class Mine({base}):
    source = "nobody"
"""


@pytest.mark.parametrize(
    ("module", "base", "is_trained"), [("graph.lightgcn", "LightGCN", True), ("linear.ease", "EASE", False)]
)
def test_a_model_is_trained_by_gradient_if_what_it_extends_is(
    module: str, base: str, is_trained: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "own").mkdir(parents=True)
    (tmp_path / "models" / "own" / "mine.py").write_text(MINE.format(module=module, base=base))
    monkeypatch.setenv("MODALIFT_PLUGINS", str(tmp_path))
    forget()
    try:
        assert registry.find("Mine").is_trained == is_trained
    finally:
        forget()


def test_graph_models_with_content_are_related_through_lightgcn() -> None:
    assert {"LightGCN", "MGCN", "LATTICE", "DRAGON"} <= registry.related("FREEDOM")
    assert not {"FREEDOM", "VBPR", "BPRMF", "EASE"} & registry.related("FREEDOM")


def test_a_row_with_a_preset_is_its_model_and_related_to_none() -> None:
    assert registry.load("BM3@published/baby") is registry.load("BM3")
    assert registry.preset("BM3@published/sports")["norm_weight"] == 0.01
    assert registry.preset("BM3@published/sports").keys() == registry.load("BM3").Config.model_fields.keys()
    assert registry.related("MGCN@published/amazon") == set()
    assert "BM3" in registry.related("MGCN")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("BM3@published/moon", r"BM3 has no preset 'published/moon' \(known: published/baby, .*\)"),
        ("EASE@published/baby", r"EASE has no preset 'published/baby' \(known: none\)"),
    ],
)
def test_a_preset_that_a_model_lacks(row: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        registry.preset(row)


@pytest.fixture
def reader(tmp_path: Path) -> ClassReader:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "base.py").write_text(
        "class Top:\n    a: int = 1\n    b = searched(2)\n"
        "class Left(Top):\n    c = 3\n"
        "class Right(Top):\n    d = 4\n    a = 5\n"
    )
    (tmp_path / "pack" / "user.py").write_text(
        "from pack.base import Left, Right as Other\nfrom elsewhere import Foreign\n"
        "class Both(Left, Other, Foreign):\n    kind = Left\n    e: int\n    b = 6\n"
    )
    return ClassReader(tmp_path)


def test_attributes_are_inherited_as_python_does(reader: ClassReader) -> None:
    cls = reader.find("pack.user", "Both")
    assert cls is not None
    assert attributes_of(cls) == {"a": 5, "b": 6, "d": 4, "c": 3, "kind": reader.find("pack.base", "Left")}
    assert cls.a == 5


def test_what_is_not_of_the_packages_is_no_class(reader: ClassReader) -> None:
    assert reader.find("pack.user", "Foreign") is None
    assert reader.find("pack.missing", "Any") is None
