"""A study without content has no verdict; its report says which model is best, beside what others published."""

from pathlib import Path

import duckdb
import pytest

from orchestration.dagster_metadata import key
from orchestration.definitions import build_definitions
from orchestration.home import Home
from orchestration.settings import Settings
from tests.orchestration.conftest import run, write_study

PLAIN = """
title: A plain market
datasets:
  plain:
    source: {reader: market, n_users: 120, n_items: 80, seed: 5}
    split: {protocol: ratio, seed: 1}
    published: {source: Somebody 2025, rows: {ItemKNN: {recall_at_20: 0.1234}}}
models:
  TopPop:
  ItemKNN: {n_neighbours: [10, 20], shrink: 0}
  EASE: {l2: 100}
tuning: {trials: 3}
repeats: 1
statistics: {resamples: 300}
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("plain")
    settings = Settings(home=folder / "home", studies=folder, workers=1)
    run(write_study(folder, PLAIN, "plain"), settings)
    return Home(settings)


def test_there_is_no_verdict_and_metrics_say_which_model_is_best(plain: Home) -> None:
    assert not {"plain/verdict", "plain/controls"} & set(plain.lineage.assets())
    event = plain.current("plain/metrics")
    assert event.facts["sentence"].startswith("No content was compared: ")
    assert [check.name for check in event.checks] == ["beats_baselines"]


def test_the_report_opens_with_it(plain: Home) -> None:
    page = (plain.settings.reports / "plain.html").read_text(encoding="utf-8")
    assert "No content compared" in page
    assert "Nothing to tune: TopPop and EASE." in page
    assert "Published: Somebody 2025." in page
    assert "0.1234" in page
    assert plain.current("plain/report").facts["answers"] == {
        "plain": plain.current("plain/metrics").facts["sentence"]
    }


def test_the_catalogue_holds_the_comparisons(plain: Home) -> None:
    with duckdb.connect(str(plain.settings.catalog), read_only=True) as catalog:
        rows = catalog.execute("SELECT model_a, model_b, p_holm FROM comparison").fetchall()
    assert len(rows) == 2
    assert len({best for _, best, _ in rows}) == 1


def test_the_report_depends_on_the_published_figures(tmp_path: Path) -> None:
    versions = []
    for figure in ("0.1234", "0.1235"):
        study = write_study(tmp_path, PLAIN.replace("0.1234", figure), "plain")
        specs = build_definitions(Settings(home=tmp_path), [study]).resolve_all_asset_specs()
        versions.append({spec.key: spec.code_version for spec in specs})
    changed = {asset for asset, version in versions[0].items() if versions[1][asset] != version}
    assert changed == {key("plain/analyses/published_figures"), key("plain/report")}
