"""A model that needs ratings runs where there are some, and is left out aloud where there are none."""

from pathlib import Path

import numpy as np
import pytest

from orchestration.cli.costs import known_datasets
from orchestration.cli.plan import plan, without_left_out
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.study.results import ModelResult
from recsys.study.study import Study
from tests.orchestration.command_line import call, complaint, printed
from tests.orchestration.conftest import write_study

TWO = """
title: Films and orders
datasets:
  films:
    source: {reader: table, folder: films, interactions: ratings.csv, rating_column: stars}
  orders:
    source: {reader: market, n_users: 60, n_items: 40, seed: 5}
    published: {source: Somebody 2025, rows: {SlopeOne: {recall_at_20: 0.1234}, TopPop: {recall_at_20: 0.2}}}
models: [TopPop, ItemKNN, SlopeOne]
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 300}
"""
LINE = "SlopeOne is not applicable to orders: it needs ratings, and here there are none, or all are the same"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Study]:
    folder = tmp_path_factory.mktemp("rated")
    rng = np.random.default_rng(1)
    rows = [f"u{u},i{i},{rng.integers(1, 11) / 2}" for u in range(40) for i in rng.permutation(30)[:12]]
    (folder / "films").mkdir()
    (folder / "films" / "ratings.csv").write_text("user_id,item_id,stars\n" + "\n".join(rows), encoding="utf-8")
    return Settings(home=folder / "home", studies=folder, data=folder, workers=1), write_study(folder, TWO, "two")


@pytest.fixture(scope="module")
def said(films: tuple[Settings, Study]) -> str:
    """What the run of the study prints at its end."""
    return printed(films[0], "run", "two")


def test_the_check_and_the_end_of_the_run_say_so(films: tuple[Settings, Study], said: str) -> None:
    assert said.count(LINE) == 1
    checked = printed(films[0], "check", "two")
    assert checked.count(LINE) == 1 and "✗" not in checked


def test_it_runs_where_there_are_ratings_and_nowhere_else(films: tuple[Settings, Study], said: str) -> None:
    home = Home(films[0])
    arms = {name: ModelResult.load(home.folder(home.current(f"{name}/metrics"))).arms for name in films[1].datasets}
    assert [arm.model for arm in arms["films"]] == ["TopPop", "ItemKNN", "SlopeOne"]
    assert [arm.model for arm in arms["orders"]] == ["TopPop", "ItemKNN"]
    assert home.current("orders/models/SlopeOne").facts == {"left_out": LINE}


def test_the_plan_says_so_once_the_data_are_read(films: tuple[Settings, Study], said: str, tmp_path: Path) -> None:
    settings, study = films
    home = Home(settings)
    found = without_left_out(study, plan(study, home), known_datasets(study, home))
    steps = {step.asset: step for step in found}
    assert (steps["orders/models/SlopeOne"].why, steps["orders/models/SlopeOne"].cells) == (LINE, 0)
    assert steps["films/models/SlopeOne"].why == ""
    assert known_datasets(study, Home(Settings(home=tmp_path, data=settings.data))) == {}


def test_the_report_names_it_and_its_published_figures_have_no_row(films: tuple[Settings, Study], said: str) -> None:
    page = (films[0].reports / "two.html").read_text(encoding="utf-8")
    assert page.count(f"{LINE}.") == 1
    assert "0.1234" not in page and "0.2000" in page


def test_asking_it_for_a_list_is_one_line(films: tuple[Settings, Study], said: str) -> None:
    line = complaint(films[0], "recommend", "two", "SlopeOne", "--user", "0", "--dataset", "orders")
    assert line == f"{LINE}: ask another model"


def test_a_dataset_without_any_applicable_model_is_one_line(films: tuple[Settings, Study], tmp_path: Path) -> None:
    write_study(
        tmp_path, TWO.replace("[TopPop, ItemKNN, SlopeOne]", "[SlopeOne]").replace("TopPop: {recall_at_20: 0.2}", "")
    )
    settings = Settings(home=tmp_path / "home", studies=tmp_path, data=films[0].data, workers=1)
    result = call(settings, "run", "tiny", "--select", '+key:"orders/metrics"')
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"dataset orders: none of the study's models could be trained: {LINE}"
