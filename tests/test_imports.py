"""Imports run one way: recsys < orchestration's shell < assets < definitions and the command line."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTER = {"definitions", "materialise", "cli"}
"""Modules of orchestration that may know the assets."""


def imported(file: Path) -> set[str]:
    """Dotted names that a file imports anywhere, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def roots(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)}


@pytest.mark.parametrize("file", sorted((ROOT / "recsys").rglob("*.py")), ids=str)
def test_the_library_knows_nothing_of_its_shell(file: Path) -> None:
    assert not roots(file) & {"dagster", "mlflow", "orchestration", "assets"}


def test_the_shell_does_not_know_the_assets() -> None:
    files = [
        f
        for f in (ROOT / "orchestration").rglob("*.py")
        if f.relative_to(ROOT / "orchestration").parts[0].removesuffix(".py") not in OUTER
    ]
    assert len(files) > 5
    assert [f.name for f in files if "assets" in roots(f)] == []


def test_assets_do_not_know_what_uses_them() -> None:
    outer = {f"orchestration.{name}" for name in OUTER}
    assert [f.name for f in (ROOT / "assets").glob("*.py") if imported(f) & outer] == []


def test_a_code_location_loads_without_the_heavy_packages() -> None:
    code = (
        "import sys; from orchestration.definitions import build_definitions; "
        "build_definitions().resolve_asset_graph(); "
        "heavy = {'torch', 'transformers', 'mlflow', 'sklearn', 'skimage', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert told.stdout.strip() == "[]"
