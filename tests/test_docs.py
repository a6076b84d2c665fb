"""The documentation: it builds without a warning, its links lead somewhere, and its examples run as they stand."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.orchestration.plugins import modalift

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(DOCS) for page in DOCS.rglob("*.md"))
FRONT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SMALL = """
title: A small market in the place of the demo
datasets:
  small:
    source: {reader: market, n_users: 120, n_items: 80, image_weight: 2.5, text_weight: 0, hidden_weight: 1, seed: 5}
    split: {protocol: ratio, seed: 1}
    content: {image: {encoder: visual_descriptors, dim: 16}}
models: {TopPop: , ItemKNN: {n_neighbours: 20}, HybridItemKNN: }
controls: [shuffled]
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 100}
"""
FILE = re.compile(r"^`(?P<path>[^`]+)`:\n\n```python\n(?P<code>.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; a page that is not in the navigation, or a broken link within it, fails the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    navigation = home[home.index('<nav class="md-nav md-nav--primary') : home.index("<article")]
    addresses = set(re.findall(r'href="([^"#]+\.html)"', navigation))
    assert addresses == {page.with_suffix(".html").as_posix() for page in PAGES}


def test_the_site_takes_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|img|iframe)[^>]* src="(?:https?:)?//[^"]*"', text) == [], page
        assert re.findall(r'<link[^>]* href="(?:https?:)?//[^"]*"', text) == [], page


@pytest.mark.parametrize("name", FRONT)
def test_links_of_the_front_pages_lead_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    inside = [target.split("#")[0] for target in targets if "://" not in target]
    assert [target for target in inside if not (ROOT / target).exists()] == []


def test_every_guide_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [str(page) for page in PAGES if f"docs/{page.as_posix()}" not in readme and page.stem != "index"] == []


def test_the_citation_agrees_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]


def test_versions_of_python_are_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    named = [line.rpartition("3.")[2] for line in project["classifiers"] if ":: 3." in line]
    assert named == [str(minor) for minor in range(int(first), int(beyond))]
    for name in ("README.md", "CONTRIBUTING.md"):
        assert f"Python 3.{named[0]} to 3.{named[-1]}, make and git" in (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files that extending.md adds, at the places that it names, in a copy of the library."""
    root = tmp_path_factory.mktemp("extended")
    for package in ("recsys", "tests"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "conftest.py"))
    paths = []
    for example in FILE.finditer((DOCS / "extending.md").read_text(encoding="utf-8")):
        path = root / example["path"]
        assert path.parent.is_dir() and not path.exists(), example["path"]
        path.write_text(example["code"], encoding="utf-8")
        paths.append(path.relative_to(root))
    return [root, *paths]


def test_every_example_of_extending_has_a_test_that_passes(extended: list[Path]) -> None:
    root, *paths = extended
    tests = [str(path) for path in paths if path.name.startswith("test_")]
    assert len(tests) == len(paths) / 2
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(root), *tests],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_examples_of_extending_pass_lint(extended: list[Path], tmp_path: Path) -> None:
    """Whoever copies them finds nothing in `make lint` that they have to change."""
    root, *paths = extended
    settings = ["--config", str(ROOT / "pyproject.toml")]
    commands = [["ruff", "check", "--no-cache", *settings], ["ruff", "format", "--check", "--no-cache", *settings]]
    runs = [(root, [*command, *map(str, paths)]) for command in commands]
    # In a folder that is no package, so that mypy reads the library here, and what it has kept of it.
    files = [shutil.copy(root / path, tmp_path) for path in paths if path.parts[0] == "recsys"]
    runs.append((ROOT, ["mypy", *map(str, files)]))
    for folder, command in runs:
        done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


PLUGINS = {
    "recsys/models/": "plugins/models/",
    "recsys/content/encoders/": "plugins/encoders/",
    "recsys/evaluation/metrics/": "plugins/metrics/",
    "recsys/analyses/": "plugins/analyses/",
    "recsys/data/readers/": "plugins/readers/",
}
OWN = """
title: A study of what extending.md adds
datasets:
  small:
    source: {reader: market, n_users: 120, n_items: 80, image_weight: 2.5, text_weight: 0, hidden_weight: 1, seed: 5}
    split: {protocol: ratio, seed: 1}
    content: {letters: {encoder: letter_counts}}
models: {ItemKNN: {n_neighbours: 20}, BlendedNeighbours: , ContentGraph: {max_epochs: 5}}
controls: [shuffled]
evaluation: {primary: first_is_right_at_20}
tuning: {trials: 2}
repeats: 2
statistics: {resamples: 500}
"""


def test_the_examples_of_extending_work_as_plug_ins(tmp_path: Path) -> None:
    """Copied to a folder of a user's own; a model, an encoder, a metric and an analysis in one study, and a reader."""
    for example in FILE.finditer((DOCS / "extending.md").read_text(encoding="utf-8")):
        for library, own in PLUGINS.items():
            if example["path"].startswith(library):
                file = tmp_path / own / example["path"].removeprefix(library)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(example["code"], encoding="utf-8")
    assert all(any((tmp_path / own).rglob("*.py")) for own in PLUGINS.values())
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    done = modalift(tmp_path, "run", "own")
    assert done.returncode == 0, done.stderr
    assert "passed over" not in done.stderr
    shown = modalift(tmp_path, "results", "own", "--json").stdout
    assert all(name in shown for name in ("first_is_right_at_20", "BlendedNeighbours", "ContentGraph"))
    assert "Held-out items of a user" in (tmp_path / "home/reports/own.html").read_text(encoding="utf-8")
    encoders = modalift(tmp_path, "encoders").stdout
    assert "letter_counts" in encoders and "mean_colour" in encoders
    assert modalift(tmp_path, "models", "BlendedNeighbours").returncode == 0
    (tmp_path / "liked").mkdir()
    (tmp_path / "liked/names.txt").write_text("".join(f"{n}|Chair {n}\n" for n in range(20)), encoding="utf-8")
    likes = [f"p{person}|{(person + n) % 20}\n" for person in range(30) for n in range(8)]
    (tmp_path / "liked/likes.txt").write_text("".join(likes), encoding="utf-8")
    found = modalift(tmp_path, "new", "liked", "--folder", str(tmp_path / "liked"), "--yes")
    assert "layout: likes, since likes.txt and names.txt are there" in found.stdout + found.stderr


def test_the_examples_of_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    """In a folder whose demo is a smaller study, so that it takes seconds."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "demo.yaml").write_text(SMALL, encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert examples
    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("small: ")
