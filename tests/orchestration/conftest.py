"""A study small enough to run in seconds, with everything a study has."""

from pathlib import Path

import pytest

from orchestration.materialise import Materialised, materialise
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from recsys.engine.stored import cell_folders
from recsys.study.file import load_study
from recsys.study.study import Study

TINY = """
title: A tiny market
datasets:
  tiny:
    source: {reader: market, n_users: 120, n_items: 80, image_weight: 2.5, text_weight: 0, hidden_weight: 1, seed: 5}
    split: {protocol: ratio, seed: 1}
    content:
      text: {encoder: tfidf_svd, dim: 8}
      image: {encoder: visual_descriptors, dim: 16}
models:
  TopPop:
  ItemKNN: {n_neighbours: 20}
  HybridItemKNN:
controls: [shuffled]
tuning: {trials: 3}
repeats: 2
statistics: {resamples: 500}
"""


def write_study(folder: Path, text: str = TINY, name: str = "tiny") -> Study:
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return load_study(file)


def run(study: Study, settings: Settings, select: str | None = None) -> Materialised:
    done = materialise(study, settings, LogProgress(lambda line: None), select)
    assert done.failures == ()
    return done


def cells(settings: Settings) -> dict[str, int]:
    """By fingerprint when each cell was written."""
    return {folder.name: (folder / "cell.json").stat().st_mtime_ns for folder in cell_folders(settings.store)}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Study]:
    """A home in which the tiny study was run; tests read it and do not run more in it."""
    folder = tmp_path_factory.mktemp("finished")
    settings = Settings(home=folder / "home", studies=folder, workers=1)
    study = write_study(folder)
    run(study, settings)
    return settings, study
