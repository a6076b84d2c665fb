"""Descriptions that a study asks a model for: what they leave behind, and what a change of the asking makes stale."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from orchestration.cli.plan import plan
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.analyses.registry import applicable
from recsys.content.features import Features
from recsys.content.vlm import prompts
from recsys.study.study import Study
from tests.content.vlm.tiny import FAMILIES
from tests.orchestration.conftest import run, write_study

STUDY = """
title: A tiny market, described
datasets:
  seen:
    source: {{reader: market, n_users: 60, n_items: 40, image_weight: 2.5, seed: 5}}
    descriptions:
      asked: {{model: {folder}/model, revision: one, prompt: {folder}/prompt.yaml, max_new_tokens: 8,
               min_compliance: 0, poolings: [prompt_end, image_mean], truth: {{Colour: image_colour}}}}
      other: {{model: {folder}/model, prompt: movies_fields, max_new_tokens: 4, poolings: [], min_compliance: 0}}
    content:
      image: {{encoder: visual_descriptors, dim: 8}}
      lvlm: {{encoder: hidden_states, corpus: asked, pooling: prompt_end}}
models:
  TopPop:
  HybridItemKNN: {{arms: [image, lvlm, shuffled]}}
controls: [shuffled]
tuning: {{trials: 1}}
repeats: 1
statistics: {{resamples: 100}}
"""
PROMPT = "name: mine\nversion: 1\ndomain: market\nfields: [Colour]\ntext: 'Fill in: [Colour] {}'\n"
READ = yaml.safe_load(STUDY.format(folder="."))
ANALYSES = {f"analyses/{called}" for called in applicable(Study(name="described", **READ), "seen")}
AFTER_MODELS = {"controls", "metrics", "verdict", *(ANALYSES - {"analyses/comprehension"})}
AFTER_LVLM = {"embeddings/lvlm", "models/HybridItemKNN", *AFTER_MODELS}
AFTER_IMAGE = AFTER_LVLM - {"embeddings/lvlm"} | {"embeddings/image"}
AFTER_ASKED = {"descriptions/asked", "analyses/comprehension", *AFTER_LVLM}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """A home in which the study was run, and the folder of its model and its prompt."""
    folder = tmp_path_factory.mktemp("described")
    FAMILIES["idefics3"](folder / "model")
    (folder / "prompt.yaml").write_text(PROMPT)
    settings = Settings(home=folder / "home", studies=folder, workers=1)
    run(study(folder), settings)
    return settings, folder


def study(folder: Path, old: str = "", new: str = "") -> Study:
    text = STUDY.format(folder=folder)
    assert old in text
    return write_study(folder, text.replace(old, new, 1), name="described")


def stale(settings: Settings, wanted: Study) -> set[str]:
    steps = plan(wanted, Home(settings), None)
    return {step.asset.removeprefix("seen/") for step in steps if step.state != "up to date"}


def test_answers_hidden_states_and_their_worth_are_assets(described: tuple[Settings, Path]) -> None:
    home = Home(described[0])
    folder = home.folder(home.current("seen/descriptions/asked"))
    answers = pd.read_parquet(folder / "corpus.parquet")
    pooled = Features.load(folder / "prompt_end.safetensors")
    assert list(answers) == ["item_id", "answer", "Colour"]
    assert pooled.present.sum() == len(answers) == home.current("seen/descriptions/asked").facts["answered"]
    shown = Features.load(home.folder(home.current("seen/embeddings/lvlm")) / "features.safetensors")
    assert shown.digest == pooled.digest
    fields = pd.read_parquet(home.folder(home.current("seen/analyses/comprehension")) / "fields.parquet")
    assert set(fields["corpus"]) == {"asked", "other"}


def test_nothing_is_stale_after_a_run(described: tuple[Settings, Path]) -> None:
    settings, folder = described
    assert stale(settings, study(folder)) == set()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("revision: one", "revision: two", AFTER_ASKED),
        ("poolings: [prompt_end, image_mean]", "poolings: [prompt_end, answer_mean]", AFTER_ASKED),
        ("pooling: prompt_end", "pooling: image_mean", AFTER_LVLM),
        ("truth: {Colour: image_colour}", "truth: {}", {"analyses/comprehension"}),
        ("visual_descriptors, dim: 8", "visual_descriptors, dim: 4", AFTER_IMAGE),
    ],
)
def test_a_change_makes_exactly_what_comes_after_it_stale(
    described: tuple[Settings, Path], old: str, new: str, expected: set[str]
) -> None:
    settings, folder = described
    assert stale(settings, study(folder, old, new)) == expected | {"described/report"}


def test_another_wording_of_the_prompt_does_too(described: tuple[Settings, Path], tmp_path: Path) -> None:
    settings, folder = described
    kept = tmp_path / "prompt.yaml"
    shutil.copy2(folder / "prompt.yaml", kept)
    (folder / "prompt.yaml").write_text(PROMPT.replace("Fill in", "Please fill in"))
    assert stale(settings, study(folder)) == AFTER_ASKED | {"described/report"}
    shutil.copy2(kept, folder / "prompt.yaml")
    assert stale(settings, study(folder)) == set()


@pytest.mark.parametrize("shipped", ["market_fields", "movies_fields"])
def test_another_wording_of_a_prompt_that_comes_with_the_program_does_too(
    described: tuple[Settings, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shipped: str
) -> None:
    """Whatever file it lies in: corpora of other prompts stay as they are."""
    settings, folder = described
    copied = Path(shutil.copytree(prompts.SHIPPED, tmp_path / "prompts"))
    monkeypatch.setattr(prompts, "SHIPPED", copied)
    assert stale(settings, study(folder)) == set()
    file = copied / f"{shipped}.yaml"
    file.write_text(file.read_text().replace("Fill in", "Please fill in"))
    read_by_other = {"descriptions/other", "analyses/comprehension", "described/report"}
    assert stale(settings, study(folder)) == (read_by_other if shipped == "movies_fields" else set())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_new_tokens: 8,", "max_new_tokens: 8, batch_size: 3,"),
        ("min_compliance: 0,", "min_compliance: 0.0,"),
        ("prompt: movies_fields,", "prompt: movies_fields, batch_size: 2,"),
    ],
)
def test_how_fast_it_is_asked_makes_nothing_stale(described: tuple[Settings, Path], old: str, new: str) -> None:
    settings, folder = described
    assert stale(settings, study(folder, old, new)) == set()


def test_a_touched_model_makes_nothing_stale(described: tuple[Settings, Path]) -> None:
    settings, folder = described
    for file in (folder / "model").iterdir():
        os.utime(file)
    assert stale(settings, study(folder)) == set()
