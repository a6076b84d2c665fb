"""Check, dry run and costs count the content's columns in the memory of models, as the run does."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from orchestration.cli.costs import costs, known_datasets, total
from orchestration.cli.plan import Step, plan, without_left_out
from orchestration.content_widths import KnownDataset, content_widths
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.study.study import Study
from tests.orchestration.command_line import call, printed
from tests.orchestration.conftest import TINY, cells, run, write_study

N_ITEMS, WIDTH = 300, 4480
WIDE = """
title: Content that does not fit
datasets:
  wide:
    source: {reader: table, folder: rows, interactions: rows.csv, items: items.csv}
    split: {protocol: ratio, seed: 1}
    content:
      image: {encoder: matrix_file, file: image.npy}
models: [TopPop, ItemKNN, FREEDOM, HybridItemKNN]
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 300}
"""
LINE = "FREEDOM left out of wide: it needs about 0.2 GB of memory for 60 users and 300 items, more than is free"


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Study]:
    """A dataset on which FREEDOM fits without its content, and not with it."""
    (tmp_path / "rows").mkdir()
    rows = "".join(f"u{user},{(7 * user + 5 * n) % N_ITEMS}\n" for user in range(60) for n in range(60))
    (tmp_path / "rows" / "rows.csv").write_text(f"user_id,item_id\n{rows}", encoding="utf-8")
    items = "".join(f"{item},film {item}\n" for item in range(N_ITEMS))
    (tmp_path / "rows" / "items.csv").write_text(f"item_id,title\n{items}", encoding="utf-8")
    matrix = np.random.default_rng(0).standard_normal((N_ITEMS, WIDTH), dtype=np.float32)
    np.save(tmp_path / "rows" / "image.npy", matrix)
    monkeypatch.setenv("MODALIFT_MEMORY", "0.18")
    settings = Settings(home=tmp_path / "home", studies=tmp_path, data=tmp_path, workers=1)
    return settings, write_study(tmp_path, WIDE, "wide")


def planned(study: Study, home: Home) -> dict[str, Step]:
    return {step.asset: step for step in without_left_out(study, plan(study, home), known_datasets(study, home))}


def test_check_and_dry_run_leave_out_what_the_run_leaves_out(wide: tuple[Settings, Study]) -> None:
    settings, study = wide
    assert printed(settings, "check", "wide").count(LINE) == 1
    run(study, settings, 'key:"wide/dataset" or key:"wide/embeddings/image"')
    steps = planned(study, Home(settings))
    assert steps["wide/models/FREEDOM"].why.startswith(LINE) and steps["wide/models/FREEDOM"].cells == 0
    assert "│ wide │ FREEDOM │ 0 │ left out │" in printed(settings, "run", "wide", "--dry-run")
    run(study, settings, 'key:"wide/models/FREEDOM"')
    assert Home(settings).current("wide/models/FREEDOM").facts["left_out"].startswith(LINE)
    assert cells(settings) == {}


def test_a_dry_run_says_the_same_in_its_plan_and_its_costs_before_anything_is_stored(
    wide: tuple[Settings, Study],
) -> None:
    shown = printed(wide[0], "run", "wide", "--dry-run")
    assert re.search(r"│ wide/models/FREEDOM │ missing │ FREEDOM left out of wide: [^│]+ │ │", shown)
    assert "│ wide │ FREEDOM │ 0 │ left out │" in shown


def test_no_model_is_left_out_for_columns_that_a_decomposition_cannot_have(wide: tuple[Settings, Study]) -> None:
    settings, _ = wide
    text = WIDE.replace("{encoder: matrix_file, file: image.npy}", "{encoder: tfidf_svd, dim: 4480}")
    study = write_study(settings.studies, text, "wide")
    assert "left out" not in printed(settings, "check", "wide") + printed(settings, "run", "wide", "--dry-run")
    run(study, settings, 'key:"wide/dataset" or key:"wide/embeddings/image"')
    assert planned(study, Home(settings))["wide/models/FREEDOM"].cells == 15


def test_where_every_model_with_content_is_left_out_a_study_cannot_be_run(wide: tuple[Settings, Study]) -> None:
    settings, _ = wide
    write_study(settings.studies, WIDE.replace(", HybridItemKNN", ""), "wide")
    line = f"dataset wide: no model that takes content is left, so that there is no verdict: {LINE}"
    for command in (("check", "wide"), ("run", "wide"), ("run", "wide", "--dry-run")):
        result = call(settings, *command)
        assert result.exit_code == 2 and line in f"{result.stdout}{result.stderr}"
    assert call(settings, "run", "wide", "--dry-run", "--select", 'key:"wide/metrics"').exit_code == 0


def test_widths_are_those_of_stored_vectors_where_they_were_made_with_the_same_settings(
    finished: tuple[Settings, Study], tmp_path: Path
) -> None:
    settings, study = finished
    home = Home(settings)
    stored = {source: home.current(f"tiny/embeddings/{source}").facts["dim"] for source in ("text", "image")}
    assert content_widths(study, home, "tiny", {}) == stored
    other = write_study(tmp_path, TINY.replace("dim: 8", "dim: 4480"))
    assert content_widths(other, home, "tiny", {}) == stored | {"text": 4480}


def test_a_decomposition_has_no_more_columns_than_there_are_contents(tmp_path: Path) -> None:
    text = TINY.replace("dim: 8", "dim: 4480").replace("dim: 16", "dim: 4480")
    study, home = write_study(tmp_path, text), Home(Settings(home=tmp_path / "home", studies=tmp_path))
    assert content_widths(study, home, "tiny", {"items": 9}) == {"text": 9, "image": 9}
    assert content_widths(study, home, "tiny", {"items": 9, "pictures": 20}) == {"text": 20, "image": 20}


@pytest.mark.parametrize(
    ("content", "width"),
    [
        ({"encoder": "tfidf_svd"}, 128),  # its default
        ({"encoder": "torchvision_backbone", "model": "resnet50"}, 2048),
        ({"encoder": "torchvision_backbone", "model": "resnet50", "layer": ["layer1", "layer2"]}, None),
        ({"encoder": "torchvision_backbone", "model": "resnet18"}, None),
        (
            {
                "encoder": "embeddings_endpoint",
                "model": "m",
                "endpoint": {"address": "http://h/v1"},
                "dimensions": 256,
            },
            256,
        ),
        ({"encoder": "matrix_file", "file": "is-not-there.npy"}, None),
        ({"encoder": "attributes"}, None),
    ],
)
def test_before_anything_is_encoded_widths_are_those_of_options_and_known_weights(
    tmp_path: Path, content: dict[str, object], width: int | None
) -> None:
    study = write_study(tmp_path, TINY.replace("{encoder: tfidf_svd, dim: 8}", json.dumps(content)))
    found = content_widths(study, Home(Settings(home=tmp_path / "home", studies=tmp_path)), "tiny", {"items": 5000})
    assert found.get("text") == width and found["image"] == 16


def test_vectors_of_unknown_length_are_named_beside_the_memory(tmp_path: Path) -> None:
    unknown = "{encoder: torchvision_backbone, model: resnet18}"
    study = write_study(tmp_path, TINY.replace("{encoder: visual_descriptors, dim: 16}", unknown))
    home, facts = Home(Settings(home=tmp_path / "home", studies=tmp_path)), {"counts": {"users": 9, "items": 9}}
    facts["counts"]["train"] = 60
    known = {"tiny": KnownDataset.of(study, home, "tiny", facts)}
    found = costs(study, home, known, [("tiny", model) for model in study.models])
    assert [cost.unknown for cost in found] == [(), (), ("image",)]
    said = "GB of memory, not counting the vectors of tiny/image, whose length is known once they are encoded"
    assert said in total(found, workers=1) and said not in total(found[:2], workers=1)
