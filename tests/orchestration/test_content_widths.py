"""Check, dry run and costs count the content's columns in the memory of models, as the run does."""

import json
from pathlib import Path

import numpy as np
import pytest

from orchestration.cli.costs import costs, total
from orchestration.cli.plan import plan
from orchestration.content_widths import content_widths
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.study.study import Study
from tests.orchestration.command_line import printed
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
models: [TopPop, ItemKNN, FREEDOM]
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


def test_check_and_dry_run_leave_out_what_the_run_leaves_out(wide: tuple[Settings, Study]) -> None:
    settings, study = wide
    assert printed(settings, "check", "wide").count(LINE) == 1
    run(study, settings, 'key:"wide/dataset" or key:"wide/embeddings/image"')
    steps = {step.asset: step for step in plan(study, Home(settings), None)}
    assert steps["wide/models/FREEDOM"].why.startswith(LINE) and steps["wide/models/FREEDOM"].cells == 0
    assert "│ wide │ FREEDOM │ 0 │ left out │" in printed(settings, "run", "wide", "--dry-run")
    run(study, settings, 'key:"wide/models/FREEDOM"')
    assert Home(settings).current("wide/models/FREEDOM").facts["left_out"].startswith(LINE)
    assert cells(settings) == {}


def test_widths_are_those_of_stored_vectors_where_they_were_made_with_the_same_settings(
    finished: tuple[Settings, Study], tmp_path: Path
) -> None:
    settings, study = finished
    home = Home(settings)
    stored = {source: home.current(f"tiny/embeddings/{source}").facts["dim"] for source in ("text", "image")}
    assert content_widths(study, home, "tiny") == stored
    other = write_study(tmp_path, TINY.replace("dim: 8", "dim: 4480"))
    assert content_widths(other, home, "tiny") == stored | {"text": 4480}


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
    found = content_widths(study, Home(Settings(home=tmp_path / "home", studies=tmp_path)), "tiny")
    assert found.get("text") == width and found["image"] == 16


def test_vectors_of_unknown_length_are_named_beside_the_memory(tmp_path: Path) -> None:
    unknown = "{encoder: torchvision_backbone, model: resnet18}"
    study = write_study(tmp_path, TINY.replace("{encoder: visual_descriptors, dim: 16}", unknown))
    home, facts = Home(Settings(home=tmp_path / "home", studies=tmp_path)), {"counts": {"users": 9, "items": 9}}
    facts["counts"]["train"] = 60
    found = costs(study, home, {"tiny": facts}, [("tiny", model) for model in study.models])
    assert [cost.unknown for cost in found] == [(), (), ("image",)]
    said = "GB of memory, not counting the vectors of tiny/image, whose length is known once they are encoded"
    assert said in total(found, workers=1) and said not in total(found[:2], workers=1)
