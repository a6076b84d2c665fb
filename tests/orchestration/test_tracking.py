"""Trainings in MLflow: what is written past its client is read back through it."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from orchestration.settings import Settings
from orchestration.tracking import Tracker, Training, run_id

TRAINING = Training(
    experiment="market",
    name="both, BPRMF, seed 1",
    tags={
        "model": "BPRMF",
        "stage": "final",
        "fingerprint": "f1",
        "asset": "market/models/BPRMF",
        "dagster_run": "r1",
    },
    params={"n_factors": 64, "learning_rate": 0.01, "layers": [8, 4]},
    metrics={"test/ndcg_at_20": 0.25, "test/recall_at_20": math.nan, "seconds/fit": math.inf},
    curve=[{"epoch": 2, "loss": 0.7, "valid": 0.1}, {"epoch": 4, "loss": 0.5, "valid": 0.2}],
    started=1_000.0,
    ended=1_010.0,
)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    """A database that the tests share, each on experiments of its own."""
    return Tracker(Settings(home=tmp_path_factory.mktemp("tracking")))


def trained(experiment: str, fingerprint: str, ndcg: float = 0.0, failed: str = "") -> Training:
    tags = TRAINING.tags | {"fingerprint": fingerprint}
    return replace(
        TRAINING, experiment=experiment, tags=tags, metrics={"test/ndcg_at_20": ndcg}, curve=(), failed=failed
    )


def runs_of(tracker: Tracker, experiment: str, query: str = "", order: list[str] | None = None) -> list[Run]:
    return list(tracker.client.search_runs([tracker.experiment(experiment)], query, order_by=order))


def test_a_run_reads_back_as_it_was_written(tracker: Tracker) -> None:
    (written,) = tracker.log_all([TRAINING])
    assert written == run_id("market", "f1") and len(written) == 32
    run = tracker.client.get_run(written)
    assert (run.info.run_name, run.info.status, run.info.lifecycle_stage) == (TRAINING.name, "FINISHED", "active")
    assert (run.info.start_time, run.info.end_time) == (1_000_000, 1_010_000)
    assert run.info.artifact_uri.endswith(f"/mlartifacts/market/{written}/artifacts")
    assert run.data.params == {"n_factors": "64", "learning_rate": "0.01", "layers": "[8, 4]"}
    assert TRAINING.tags.items() <= run.data.tags.items()
    assert "http://127.0.0.1:3000/assets/market/models/BPRMF" in run.data.tags["mlflow.note.content"]
    assert "http://127.0.0.1:3000/runs/r1" in run.data.tags["mlflow.note.content"]
    assert math.isnan(run.data.metrics.pop("test/recall_at_20"))
    assert run.data.metrics.pop("seconds/fit") > 1e308  # what MLflow keeps of infinity
    assert run.data.metrics == {"test/ndcg_at_20": 0.25, "curve/loss": 0.5, "curve/valid": 0.2}
    history = tracker.client.get_metric_history(written, "curve/loss")
    assert [(point.step, point.timestamp, point.value) for point in history] == [
        (2, 1_005_000, 0.7),
        (4, 1_010_000, 0.5),
    ]


def test_the_client_can_add_to_a_run_that_was_written_past_it(tracker: Tracker, tmp_path: Path) -> None:
    (written,) = tracker.log_all([trained("added", "a1")])
    tracker.client.log_metric(written, "curve/loss", 0.25, step=8)
    tracker.client.set_tag(written, "opinion", "good")
    tracker.client.log_text(written, "text", "file.txt")
    run = tracker.client.get_run(written)
    assert (run.data.metrics["curve/loss"], run.data.tags["opinion"]) == (0.25, "good")
    assert [file.path for file in tracker.client.list_artifacts(written)] == ["file.txt"]


def test_runs_are_found_by_tag_and_ordered_by_metric(tracker: Tracker) -> None:
    ids = tracker.log_all([trained("ordered", f"o{number}", number / 10) for number in range(5)])
    found = runs_of(tracker, "ordered", "tags.stage = 'final'", ["metrics.`test/ndcg_at_20` DESC"])
    assert [run.info.run_id for run in found] == ids[::-1]
    assert runs_of(tracker, "ordered", "tags.stage = 'tuning'") == []


def test_a_training_written_twice_is_one_run(tracker: Tracker) -> None:
    first = trained("twice", "t1", 0.1)
    assert tracker.log_all([first, first]) == [first.run_id] * 2
    later = replace(trained("twice", "t1", 0.9), started=2_000.0, ended=2_001.0)
    tracker.log_all([later, trained("twice", "t2", 0.2)])
    assert {run.data.metrics["test/ndcg_at_20"] for run in runs_of(tracker, "twice")} == {0.1, 0.2}
    assert len(tracker.client.get_metric_history(first.run_id, "test/ndcg_at_20")) == 1
    assert tracker.log_all([]) == []


def test_a_failed_training_is_replaced_when_it_ends_well_and_not_the_other_way(tracker: Tracker) -> None:
    tracker.log_all([trained("failing", "x1", failed="out of memory " * 1000)])
    (run,) = runs_of(tracker, "failing")
    assert run.info.status == "FAILED" and run.data.tags["failure"].startswith("out of memory")
    tracker.log_all([trained("failing", "x1", 0.3)])
    tracker.log_all([trained("failing", "x1", failed="again")])
    (run,) = runs_of(tracker, "failing")
    assert run.info.status == "FINISHED" and "failure" not in run.data.tags
    assert run.data.metrics == {"test/ndcg_at_20": 0.3}


def test_a_round_that_cannot_be_written_leaves_nothing(tracker: Tracker) -> None:
    wrong = replace(trained("wrong", "w2"), metrics={"recall@20": 0.1})
    with pytest.raises(MlflowException, match="recall@20"):
        tracker.log_all([trained("wrong", "w1"), wrong])
    assert runs_of(tracker, "wrong") == []


def test_the_same_training_on_two_datasets_is_two_runs(tracker: Tracker) -> None:
    assert len(set(tracker.log_all([trained("one", "s1"), trained("other", "s1")]))) == 2


def test_a_deleted_experiment_is_restored(tracker: Tracker) -> None:
    tracker.log_all([trained("deleted", "d1")])
    before = tracker.experiment("deleted")
    tracker.client.delete_experiment(before)
    tracker.log_all([trained("deleted", "d2")])
    assert tracker.experiment("deleted") == before
    assert len(runs_of(tracker, "deleted")) == 2


def test_a_renamed_experiment_stays_the_datasets(tracker: Tracker) -> None:
    tracker.log_all([trained("renamed", "n1")])
    before = tracker.experiment("renamed")
    tracker.client.rename_experiment(before, "my own name")
    tracker.log_all([trained("renamed", "n2")])
    assert tracker.experiment("renamed") == before
    assert len(runs_of(tracker, "renamed")) == 2
    assert tracker.client.get_experiment(before).name == "my own name"


def test_an_experiment_made_before_they_had_tags_is_found_by_name(tracker: Tracker) -> None:
    before = tracker.client.create_experiment("old")
    assert tracker.experiment("old") == before
    names = [one.name for one in tracker.client.search_experiments(ViewType.ALL)]
    assert names.count("old") == 1


@pytest.mark.parametrize("name", ["half?price", "50%20off", "100%", "a#b", "an ordinary folder", "größe"])
def test_a_home_of_any_name_has_its_own_database(name: str, tracker: Tracker, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / name)
    settings.home.mkdir()
    # A copy spares the migrations.
    (settings.home / "mlflow.db").write_bytes((tracker.settings.home / "mlflow.db").read_bytes())
    before = (settings.home / "mlflow.db").stat().st_mtime_ns
    (written,) = Tracker(settings).log_all([trained("home", "h1")])
    assert (settings.home / "mlflow.db").stat().st_mtime_ns > before
    assert Tracker(settings).client.get_run(written).info.status == "FINISHED"
    assert written not in {run.info.run_id for run in runs_of(tracker, "home")}


def test_a_link_opens_the_charts_of_machine_learning(tracker: Tracker) -> None:
    address = tracker.search_url("market", "tags.stage = 'final'", "ndcg_at_20")
    assert address.startswith(f"http://127.0.0.1:5000/#/experiments/{tracker.experiment('market')}/runs?")
    assert "workflowType=machine_learning" in address and "test%2Fndcg_at_20" in address
