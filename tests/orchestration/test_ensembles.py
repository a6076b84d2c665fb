"""Ensembles of a study as assets, in MLflow, in the report and on the command line."""

import pytest

from orchestration import keys
from orchestration.home import Home
from orchestration.settings import Settings
from orchestration.tracked import run_id
from orchestration.tracking import Tracker
from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.study.results import ModelResult
from recsys.study.study import Study
from tests.orchestration.command_line import call, printed
from tests.orchestration.conftest import TINY, cells, run, write_study

ENSEMBLES = (
    "ensembles:\n  Both: {of: [HybridItemKNN, ItemKNN]}\n  BySource: {of: [HybridItemKNN], each_source: true}\n"
)
TEXT = TINY.replace("controls:", f"{ENSEMBLES}controls:")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Study]:
    folder = tmp_path_factory.mktemp("ensembles")
    settings = Settings(home=folder / "home", studies=folder, workers=1)
    study = write_study(folder, TEXT)
    run(study, settings)
    return Home(settings), study


def test_an_ensemble_is_made_of_its_members_cells(home: tuple[Home, Study]) -> None:
    made, _ = home
    event = made.current(keys.model("tiny", "Both"))
    members = [made.current(keys.model("tiny", model)) for model in ("HybridItemKNN", "ItemKNN")]
    assert {each.asset for each in event.inputs} == {"tiny/dataset", *(each.asset for each in members)}
    found = ModelResult.load(made.folder(event)).arm(("Both", "both"))
    theirs = [ModelResult.load(made.folder(each)) for each in members]
    cell = StoredCell.load(made.settings.store / "tiny" / "cells" / found.finals[0])
    assert cell.record["members"] == {
        "HybridItemKNN": theirs[0].arm(("HybridItemKNN", "both")).finals[0],
        "ItemKNN": theirs[1].arm(("ItemKNN", "interactions_only")).finals[0],
    }
    # One cell an arm and repeat, none of which was trained.
    assert event.facts["cells"] == 5 * 2 == len(event.mlflow_runs)


def test_its_runs_in_mlflow_have_weights_and_metrics(home: tuple[Home, Study]) -> None:
    made, _ = home
    # What is measured comes after related models have tried each other's settings, so that members may have changed.
    found = ModelResult.load(made.folder(made.current(keys.metrics("tiny")))).arm(("BySource", "both"))
    tracked = Tracker(made.settings).client.get_run(run_id("tiny", found.finals[0]))
    assert tracked.data.tags["model"] == "BySource"
    assert "HybridItemKNN image" in tracked.data.params["weights"]
    assert {"valid/ndcg_at_20", "test/ndcg_at_20"} <= set(tracked.data.metrics)
    assert "nothing was trained" in tracked.data.tags["mlflow.note.content"]


def test_it_is_found_again(home: tuple[Home, Study]) -> None:
    made, study = home
    before = cells(made.settings)
    run(study, made.settings)
    assert cells(made.settings) == before


def test_it_stands_where_models_stand(home: tuple[Home, Study]) -> None:
    made, _ = home
    results = printed(made.settings, "results", "tiny")
    user = Dataset.load(made.folder(made.current("tiny/dataset"))).users["user_id"].iloc[0]
    assert "BySource" in results and "Both" in results
    assert "Both (both) for user" in printed(
        made.settings, "recommend", "tiny", "both", "--user", user, "--arm", "both"
    )
    assert "ensemble BySource: The scores or ranks of HybridItemKNN added" in printed(made.settings, "check", "tiny")
    lines = call(made.settings, "results", "tiny", "--markdown").stdout.splitlines()
    heading, row = (next(line for line in lines if line.startswith(f"| {name} ")) for name in ("model", "Both"))
    cells = {name.strip(): cell.strip() for name, cell in zip(heading.split("|"), row.split("|"), strict=True)}
    assert (cells["trials"], cells["won"]) == ("0", "") and int(cells["combinations of weights"]) > 1
    page = (made.settings.reports / "tiny.html").read_text(encoding="utf-8")
    assert "Both (both)" in page and "HybridItemKNN text" in page
    assert "Ensemble Selection from Libraries of Models" in page
