"""A study run end to end: what it leaves behind, what a second run computes, what a change recomputes."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import pandas as pd
import pytest

from orchestration.catalog import _analysis_tables, refresh
from orchestration.comparisons import compare_arms
from orchestration.definitions import build_definitions
from orchestration.home import Home
from orchestration.instance import prepare
from orchestration.settings import Settings
from recsys.analyses.registry import applicable
from recsys.data.dataset import Dataset
from recsys.models import registry
from recsys.study.results import ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Study
from tests.orchestration.conftest import TINY, cells, run, write_study

Finished = tuple[Settings, Study]


@pytest.fixture
def again(finished: Finished, tmp_path: Path) -> Settings:
    """A copy of the finished home, to run more in."""
    settings = finished[0].model_copy(update={"home": tmp_path / "home", "studies": tmp_path})
    shutil.copytree(finished[0].home, settings.home)
    return settings


def versions(settings: Settings) -> dict[str, str]:
    lineage = Home(settings).lineage
    return {asset: lineage.latest(asset).fingerprint for asset in lineage.assets()}  # type: ignore[union-attr]


def test_every_asset_of_the_study_has_a_version(finished: Finished) -> None:
    settings, study = finished
    graph = build_definitions(settings, [study]).resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert keys == set(versions(settings))
    assert {
        "tiny/dataset",
        "tiny/embeddings/image",
        "tiny/models/HybridItemKNN",
        "tiny/verdict",
        "tiny/report",
    } <= keys


def results_of(settings: Settings, *assets: str) -> ModelResult:
    home = Home(settings)
    return ModelResult.load_all([home.folder(home.current(f"tiny/{asset}")) for asset in assets])


def test_the_budget_is_the_same_for_every_arm(finished: Finished) -> None:
    result = results_of(finished[0], "models/HybridItemKNN")
    assert {arm.arm: len(arm.trials) - arm.n_nested for arm in result.arms} == dict.fromkeys(
        ["both", "text", "image", "interactions_only", "shuffled"], 3
    )
    assert {len(arm.settings) for arm in result.arms} == {len(arm.finals) for arm in result.arms} == {2}


def test_choices_are_made_on_validation(finished: Finished) -> None:
    settings, study = finished
    home = Home(settings)
    selection = Selection.load(home.folder(home.current("tiny/controls")))
    models = [f"models/{model}" for model in study.models]
    own = {arm.pair for arm in results_of(settings, *models).arms}
    # What a model's relatives chose may have made an arm better since.
    newest = results_of(settings, *models, "controls")
    arms = [arm for arm in newest.arms if arm.pair in own and arm.control is None]
    content = max((arm for arm in arms if arm.arm != "interactions_only"), key=lambda arm: arm.valid)
    rival = max((arm for arm in arms if arm.arm == "interactions_only"), key=lambda arm: arm.valid)
    assert (selection.content, selection.rival) == (content.pair, rival.pair)


def test_every_repeat_is_of_its_own_split_and_of_all_users(finished: Finished) -> None:
    home = Home(finished[0])
    data = Dataset.load(home.folder(home.current("tiny/dataset")))
    assert home.current("tiny/dataset").facts["versions"] == [data.repeat(1).version, data.repeat(2).version]
    for arm in results_of(finished[0], "metrics").arms:
        cells = [home.cell("tiny")(each) for each in arm.finals]
        assert [cell.record["repeat"] for cell in cells] == [1, 2]
        assert [cell.record["data_version"] for cell in cells] == home.current("tiny/dataset").facts["versions"]
        assert [cell.record["params"] for cell in cells] == arm.settings
        for cell, repeat in zip(cells, (data, data.repeat(2)), strict=True):
            assert set(cell.lists("test").users) == set(repeat.test.nonzero()[0])


def test_every_cell_is_an_mlflow_run_that_has_ended(finished: Finished) -> None:
    settings, _ = finished
    home = Home(settings)
    runs = home.tracker.direct.client.search_runs([home.tracker.direct.experiment("tiny")], max_results=1000)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert sorted(run.data.tags["fingerprint"] for run in runs) == sorted(cells(settings))
    assert {"model", "arm", "repeat", "seed", "stage", "asset", "dagster_run"} <= set(runs[0].data.tags)
    final = next(run for run in runs if run.data.tags["stage"] == "final")
    assert {"test/recall_at_20", "test/ndcg_at_20", "valid/ndcg_at_20", "seconds/fit"} <= set(final.data.metrics)


def test_a_table_without_columns_is_left_out_of_the_catalogue(tmp_path: Path) -> None:
    pd.DataFrame([]).to_parquet(tmp_path / "nothing.parquet")
    pd.DataFrame({"user": [1]}).to_parquet(tmp_path / "users.parquet")
    home, event = SimpleNamespace(folder=lambda _: tmp_path), SimpleNamespace(asset="d/analyses/mine")
    assert list(_analysis_tables(home, [event])) == ["mine_users"]  # type: ignore[arg-type, list-item]


def test_the_catalogue_answers_questions(finished: Finished) -> None:
    settings, _ = finished
    with duckdb.connect(str(refresh(Home(settings))), read_only=True) as catalog:
        lists = catalog.execute("SELECT count(*) FROM cell WHERE stage = 'final'").fetchone()
        assert lists is not None and lists[0] > 0
        upstream = catalog.execute(
            "WITH RECURSIVE up(asset) AS (SELECT 'tiny/verdict' UNION "
            "SELECT input_asset FROM run_input JOIN up USING (asset)) SELECT asset FROM up ORDER BY 1"
        ).fetchall()
        assert ("tiny/dataset",) in upstream and ("tiny/embeddings/image",) in upstream
        best = catalog.execute(
            "SELECT model FROM metric WHERE metric = 'ndcg_at_20' AND arm <> 'shuffled' ORDER BY mean DESC LIMIT 1"
        ).fetchone()
        assert best != ("TopPop",)
        compared = catalog.execute("SELECT count(*) FROM comparison WHERE p_holm >= p_value").fetchone()
        assert compared is not None and compared[0] > 0


def test_the_report_stands_in_its_place(finished: Finished) -> None:
    settings, _ = finished
    page = (settings.reports / "tiny.html").read_text(encoding="utf-8")
    assert "A tiny market" in page and "HybridItemKNN" in page


def test_a_second_run_computes_nothing(again: Settings, finished: Finished) -> None:
    before, old = cells(again), versions(again)
    run(finished[1], again)
    assert cells(again) == before
    assert versions(again) == old
    home = Home(again)
    assert all(home.current(asset).reused for asset in old)


def test_a_model_that_is_shown_again_leaves_the_comparison_of_all_its_arms(
    again: Settings, finished: Finished
) -> None:
    """Its own arms alone lack the controls, and those that were trained anew by a related model's choice."""
    home, study = Home(again), finished[1]
    before = views(home)
    compare_arms(home, "tiny", "HybridItemKNN", [], study.evaluation)
    assert views(home) != before
    run(study, again)
    assert views(home) == before


def views(home: Home) -> dict[str, str]:
    """What each saved view of the experiment shows."""
    tags = home.tracker.direct.client.get_experiment(home.tracker.direct.experiment("tiny")).tags
    return {name: json.loads(saved)["state"] for name, saved in tags.items() if "ViewState" in name}


def test_a_changed_model_recomputes_itself_and_what_follows(again: Settings) -> None:
    before, old = cells(again), versions(again)
    study = write_study(again.studies, TINY.replace("n_neighbours: 20", "n_neighbours: 7"))
    analyses = {f"analyses/{name}" for name in applicable(study, "tiny")}
    assert {"analyses/strata", "analyses/beyond_accuracy"} <= analyses
    after = {"controls", "metrics", "verdict", "report", *analyses}
    assert stale(again, study) == {f"tiny/{asset}" for asset in ("models/ItemKNN", *after)}
    run(study, again)
    changed = {asset for asset, version in versions(again).items() if old[asset] != version}
    assert {"tiny/models/ItemKNN", "tiny/controls", "tiny/metrics"} <= changed
    assert not changed & {"tiny/dataset", "tiny/embeddings/text", "tiny/models/TopPop", "tiny/models/HybridItemKNN"}
    new = set(cells(again)) - set(before)
    # Its relative is tried with what it chose.
    trained = {Home(again).cell("tiny")(mark).record["model"] for mark in new}
    assert "ItemKNN" in trained and trained <= {"ItemKNN", *registry.related("ItemKNN")}
    assert before.items() <= cells(again).items()
    assert stale(again, study) == set()


def test_another_repeat_computes_its_own_cells_alone(again: Settings) -> None:
    before = cells(again)
    study = write_study(again.studies, TINY.replace("repeats: 2", "repeats: 3"))
    run(study, again, '+key:"tiny/verdict"')
    assert before.items() <= cells(again).items()
    new = set(cells(again)) - set(before)
    records = [Home(again).cell("tiny")(each).record for each in new]
    assert {record["repeat"] for record in records} == {3}
    data = Home(again).current("tiny/dataset").facts["versions"]
    assert {record["data_version"] for record in records} == {data[2]}
    for arm in results_of(again, "metrics").arms:
        assert set(arm.finals[:2]) <= set(before) and set(arm.finals[2:]) <= new


def stale(settings: Settings, study: Study) -> set[str]:
    """Assets whose settings or code changed, as Dagster's page sees it."""
    prepare(settings)
    definitions = build_definitions(settings, [study])
    with dg.DagsterInstance.get() as instance:
        found = set()
        for spec in definitions.resolve_all_asset_specs():
            event = instance.get_latest_materialization_event(spec.key)
            assert event is not None and event.asset_materialization is not None
            tags = event.asset_materialization.tags or {}
            if tags["dagster/code_version"] != spec.code_version:
                found.add(spec.key.to_user_string())
        return found


def test_per_user_figures_average_to_the_table(finished: Finished) -> None:
    home = Home(finished[0])
    folder = home.folder(home.current("tiny/metrics"))
    scores = pd.read_parquet(folder / "scores.parquet")
    means = scores.groupby(["model", "arm"], observed=True)["value"].mean()
    table = pd.read_parquet(folder / "summary.parquet").query("metric == 'ndcg_at_20'").set_index(["model", "arm"])
    assert len(means) == len(table)
    for pair, mean in means.items():
        assert table.loc[pair, "mean"] == pytest.approx(mean, abs=1e-12)
