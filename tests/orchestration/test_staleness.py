"""Dagster marks as unsynced exactly what the dry run names, whatever was changed: the study, its files, or a part."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import yaml
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from PIL import Image
from playwright.sync_api import Page, expect

from orchestration import fingerprints
from orchestration.cli.plan import REUSED, plan
from orchestration.definitions import build_definitions
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.instance import prepare
from orchestration.settings import Settings
from recsys.analyses.registry import applicable
from recsys.study.file import load_study
from recsys.study.study import Study
from tests.orchestration.conftest import run
from tests.orchestration.pages import CHROMIUM, Served, browsed, modalift, serve

SHOP = """
title: A shop
datasets:
  shop:
    source: {reader: table, folder: shop, interactions: rows.csv, items: items.csv, title_column: title,
             text_columns: [text], images: pictures}
    content:
      text: {encoder: tfidf_svd, dim: 8}
      image: {encoder: visual_descriptors, dim: 8}
models:
  TopPop:
  BPRMF: {n_factors: 8, max_epochs: 2}
  HybridItemKNN: {arms: [image, text, shuffled]}
controls: [shuffled]
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 100}
"""
N_USERS, N_ITEMS = 40, 24
ANALYSES = {f"analyses/{called}" for called in applicable(Study(name="shop", **yaml.safe_load(SHOP)), "shop")}
AFTER_MODELS = {"controls", "metrics", "verdict", "report", *ANALYSES}
AFTER_TEXT = {"embeddings/text", "models/HybridItemKNN", *AFTER_MODELS}
EVERYTHING = {"dataset", "embeddings/image", "models/TopPop", "models/BPRMF", *AFTER_TEXT}


def write_shop(folder: Path) -> None:
    rng = np.random.default_rng(3)
    shop = folder / "shop"
    (shop / "pictures").mkdir(parents=True)
    pairs = [f"u{user},i{item}\n" for user in range(N_USERS) for item in rng.permutation(N_ITEMS)[:8]]
    (shop / "rows.csv").write_text("user_id,item_id\n" + "".join(pairs), encoding="utf-8")
    items = [f"i{item},Chair {item},{('oak', 'blue steel')[item % 2]} chair {item}\n" for item in range(N_ITEMS)]
    (shop / "items.csv").write_text("item_id,title,text\n" + "".join(items), encoding="utf-8")
    for item in range(N_ITEMS):
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(shop / f"pictures/i{item}.png")
    (folder / "shop.yaml").write_text(SHOP, encoding="utf-8")


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which the study of the shop was run."""
    folder = tmp_path_factory.mktemp("sold")
    write_shop(folder / "studies")
    settings = Settings(home=folder / "home", studies=folder / "studies", workers=1)
    run(study_of(settings), settings)
    return settings


@pytest.fixture
def shop(sold: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A copy of the finished home; the study and its files, whose paths count, are put back afterwards."""
    shutil.copytree(sold.home, tmp_path / "home")
    shutil.copytree(sold.studies, tmp_path / "studies")
    yield sold.model_copy(update={"home": tmp_path / "home"})
    shutil.rmtree(sold.studies)
    shutil.copytree(tmp_path / "studies", sold.studies)


def study_of(settings: Settings) -> Study:
    return load_study(settings.studies / "shop.yaml")


def change_study(settings: Settings, old: str, new: str) -> None:
    file = settings.studies / "shop.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def append_row(settings: Settings) -> None:
    with (settings.studies / "shop/rows.csv").open("a", encoding="utf-8") as file:
        file.write("u0,i5\nu0,i6\nu0,i7\n")


def dry_run(settings: Settings) -> set[str]:
    steps = plan(study_of(settings), Home(settings), None)
    return {step.asset.removeprefix("shop/") for step in steps if step.state != "up to date"}


def unsynced(settings: Settings) -> set[str]:
    """What Dagster would mark after a reload, asked without its pages."""
    graph = build_definitions(settings, [study_of(settings)]).resolve_asset_graph()
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        keys = [key for key in graph.get_all_asset_keys() if resolver.get_status(key) != StaleStatus.FRESH]
    return {key.to_user_string().removeprefix("shop/") for key in keys}


def test_after_a_run_all_is_in_sync(shop: Settings) -> None:
    assert unsynced(shop) == dry_run(shop) == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda shop: change_study(shop, "max_epochs: 2", "max_epochs: 3"), {"models/BPRMF", *AFTER_MODELS}),
        (lambda shop: change_study(shop, "tfidf_svd, dim: 8", "tfidf_svd, dim: 7"), AFTER_TEXT),
        (lambda shop: change_study(shop, "A shop", "Our shop"), {"report"}),
        (lambda shop: change_study(shop, "resamples: 100", "resamples: 100, margin: 0.03"), AFTER_MODELS),
        (append_row, EVERYTHING),
        (lambda shop: (shop.studies / "shop/pictures/i3.png").unlink(), EVERYTHING),
    ],
    ids=["hyper-parameter", "encoder", "title", "margin", "row", "picture"],
)
def test_a_change_marks_what_the_dry_run_names(
    shop: Settings, change: Callable[[Settings], None], expected: set[str]
) -> None:
    change(shop)
    assert unsynced(shop) == dry_run(shop) == expected


def test_an_asset_made_of_stale_inputs_stays_unsynced(shop: Settings) -> None:
    change_study(shop, "tfidf_svd, dim: 8", "tfidf_svd, dim: 7")
    run(study_of(shop), shop, 'key:"shop/models/HybridItemKNN"')
    assert unsynced(shop) == dry_run(shop) == AFTER_TEXT
    run(study_of(shop), shop, 'key:"shop/embeddings/text"')
    assert unsynced(shop) == dry_run(shop) == AFTER_TEXT - {"embeddings/text"}


def test_an_input_made_anew_with_the_same_content_costs_nothing(shop: Settings) -> None:
    items = shop.studies / "shop/items.csv"
    items.write_text(items.read_text(encoding="utf-8").replace(",Chair 3,", ',"Chair 3",'), encoding="utf-8")
    run(study_of(shop), shop, 'key:"shop/dataset"')
    assert unsynced(shop) == dry_run(shop) == EVERYTHING - {"dataset"}
    steps = {step.asset: step for step in plan(study_of(shop), Home(shop), 'key:"shop/models/BPRMF"')}
    assert (steps["shop/models/BPRMF"].why, steps["shop/models/BPRMF"].cells) == (REUSED, 0)


def test_a_change_that_is_taken_back_is_named_too(shop: Settings) -> None:
    change_study(shop, "tfidf_svd, dim: 8", "tfidf_svd, dim: 7")
    run(study_of(shop), shop)
    change_study(shop, "tfidf_svd, dim: 7", "tfidf_svd, dim: 8")
    assert unsynced(shop) == dry_run(shop) == AFTER_TEXT


def test_a_touched_or_copied_file_is_the_same(shop: Settings) -> None:
    for file in (shop.studies / "shop").rglob("*"):
        os.utime(file, (1, 1))
    assert unsynced(shop) == dry_run(shop) == set()


def test_files_are_read_once_and_again_when_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    digest = fingerprints.sha256_of
    monkeypatch.setattr(fingerprints, "sha256_of", lambda file: (read.append(file.name), digest(file))[1])
    folder, kept = tmp_path / "files", tmp_path / "home/digests.sqlite"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name)
    before = signature(kept, folder)
    assert (read, signature(kept, folder), read) == (["a", "b", "c"], before, ["a", "b", "c"])
    (folder / "b").write_text("longer")
    after = signature(kept, folder)
    assert after != before and read == ["a", "b", "c", "b"]
    times = (folder / "a").stat()
    (tmp_path / "other").write_text("A")
    os.utime(tmp_path / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "other").replace(folder / "a")
    assert signature(kept, folder) != after and read[-1] == "a"
    (folder / "a").write_text("a")
    (moved := tmp_path / "moved").mkdir()
    for name in "abc":
        (moved / name).write_bytes((folder / name).read_bytes())
    assert signature(kept, moved) == after
    assert signature(kept, moved / "a") != signature(kept, moved / "c")
    (folder / "dangling").symlink_to(folder / "nowhere")
    assert signature(kept, folder) != after
    (tmp_path / "no").write_text("a file where the folder of the digests should be")
    (folder / "dangling").unlink()
    assert signature(tmp_path / "no/digests.sqlite", folder) == after


def test_no_asset_fails_for_missing_pictures(shop: Settings) -> None:
    shutil.rmtree(shop.studies / "shop/pictures")
    run(study_of(shop), shop, 'key:"shop/embeddings/image"')
    with dg.DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["shop", "embeddings", "image"]))
    assert event and event.asset_materialization
    shown = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    # The version was there already, with what had been drawn of it while the pictures were.
    assert shown["computed"].startswith("reused")
    assert "Chair" in shown["neighbours"] and shown["effective_rank"] > 1


def test_one_picture_less_is_a_study_as_before(shop: Settings) -> None:
    (shop.studies / "shop/pictures/i3.png").unlink()
    run(study_of(shop), shop, '+key:"shop/embeddings/image"')
    assert Home(shop).current("shop/embeddings/image").facts["coverage"] == pytest.approx(1 - 1 / N_ITEMS)


def marked(served: Served) -> set[str]:
    """What the page's own query says is unsynced."""
    query = json.dumps({"query": "{assetNodes {assetKey {path} staleStatus}}"}).encode()
    request = urllib.request.Request(f"{served.dagster}/graphql", query, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        nodes = json.load(answer)["data"]["assetNodes"]
    return {"/".join(node["assetKey"]["path"][1:]) for node in nodes if node["staleStatus"] != "FRESH"}


def seen(page: Page, served: Served, n_expected: int) -> set[str]:
    """Assets that the catalogue's page calls unsynced, in the words of Dagster."""
    page.goto(f"{served.dagster}/assets")
    rows = page.locator("[class*=VirtualizedTable_row_]")
    expect(rows).to_have_count(len(EVERYTHING), timeout=60_000)
    expect(rows.get_by_text("Materialized")).to_have_count(len(EVERYTHING))
    changed = rows.filter(has_text="Code version")
    expect(changed).to_have_count(n_expected)
    links = [row.locator("a[href^='/assets/']").first.get_attribute("href") or "" for row in changed.all()]
    return {link.removeprefix("/assets/shop/") for link in links}


def reload_definitions(page: Page, served: Served, expected: set[str]) -> None:
    """Press the button, and wait until Dagster says what is expected, or for a minute."""
    page.goto(f"{served.dagster}/assets")
    with page.expect_response(lambda answer: "ReloadWorkspaceMutation" in (answer.request.post_data or "")):
        page.get_by_role("button", name="Reload definitions").click(timeout=60_000)
    deadline = time.monotonic() + 60
    while marked(served) != expected and time.monotonic() < deadline:
        page.wait_for_timeout(500)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_shows_what_the_dry_run_names(shop: Settings) -> None:
    with serve(shop) as served, browsed() as page:
        for change in (lambda: change_study(shop, "max_epochs: 2", "max_epochs: 3"), lambda: append_row(shop)):
            change()
            expected = dry_run(shop)
            assert expected
            reload_definitions(page, served, expected)
            assert marked(served) == expected
            assert seen(page, served, len(expected)) == expected
            command, env = modalift(shop, "run", "shop")
            subprocess.run(command, env=env, check=True, capture_output=True)
            reload_definitions(page, served, set())
            assert marked(served) == dry_run(shop) == seen(page, served, 0) == set()
