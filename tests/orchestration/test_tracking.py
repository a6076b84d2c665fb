"""Trainings in MLflow: what is written past its client is read back through it."""

import json
import math
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import mlflow.data
import pytest
from mlflow.entities import Dataset, DatasetInput, Run, ViewType
from mlflow.exceptions import MlflowException

from orchestration.home import Home
from orchestration.mlflow_views import N_RUNS, View
from orchestration.notes import experiment_note
from orchestration.settings import Settings
from orchestration.tracked import TrackedDataset, TrackedTraining, logged_metrics, run_id
from orchestration.tracking import Tracker
from recsys.evaluation.protocol import Protocol
from recsys.study.study import Study

MARKET = TrackedDataset("market", "d1", "/store/market/dataset/f0", {"users": 3, "items": 2}, "What a market is.")
TRAINING = TrackedTraining(
    dataset=MARKET,
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
    note="What a run is.",
)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    """A database that the tests share, each on experiments of its own."""
    return Tracker(Settings(home=tmp_path_factory.mktemp("tracking")))


def trained(experiment: str, fingerprint: str, ndcg: float = 0.0, failed: str = "") -> TrackedTraining:
    tags, dataset = TRAINING.tags | {"fingerprint": fingerprint}, replace(MARKET, name=experiment)
    return replace(TRAINING, dataset=dataset, tags=tags, metrics={"test/ndcg_at_20": ndcg}, curve=(), failed=failed)


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
    assert run.data.tags["mlflow.note.content"] == "What a run is."
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


def test_metrics_that_are_added_come_first_and_replace_those_of_their_name(tracker: Tracker) -> None:
    (written,) = tracker.log_all([replace(trained("late", "l1", 0.1), metrics={"valid/b": 0.5, "test/c": 0.1})])
    for value in (0.2, 0.3):
        tracker.add_metrics({written: {"test/z": value, "test/c": value}, "deleted": {"test/z": 1.0}})
    metrics = tracker.client.get_run(written).data.metrics
    assert list(metrics.items()) == [("test/z", 0.3), ("test/c", 0.3), ("valid/b", 0.5)]
    assert [point.value for point in tracker.client.get_metric_history(written, "test/z")] == [0.3]


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


def test_a_run_has_its_dataset_as_input(tracker: Tracker, tmp_path: Path) -> None:
    first, second = (replace(MARKET, name="inputs", digest=digest, folder=str(tmp_path)) for digest in ("d1", "d2"))
    trainings = [replace(trained("inputs", mark), dataset=data) for mark, data in (("i1", first), ("i2", second))]
    tracker.log_all(trainings)
    ids = tracker.log_all([*trainings, replace(trained("inputs", "i3"), dataset=first)])
    inputs = [tracker.client.get_run(run).inputs.dataset_inputs for run in ids]
    assert [[one.dataset.digest for one in each] for each in inputs] == [["d1"], ["d2"], ["d1"]]
    ((logged,), *_) = inputs
    assert {tag.key: tag.value for tag in logged.tags} == {"mlflow.data.context": "training"}
    assert (logged.dataset.name, json.loads(logged.dataset.profile)) == ("inputs", {"users": 3, "items": 2})
    assert Path(mlflow.data.get_source(logged.dataset).load()) == tmp_path
    assert len(runs_of(tracker, "inputs", "datasets.digest = 'd1'")) == 2


def test_a_dataset_that_somebody_logged_before_is_the_same_input(tracker: Tracker) -> None:
    (own,) = tracker.log_all([replace(trained("same", "s0"), dataset=replace(MARKET, name="same", digest="other"))])
    by_hand = DatasetInput(Dataset("same", "d1", "local", json.dumps({"uri": "/elsewhere"})), [])
    tracker.client.log_inputs(own, [by_hand])
    (written,) = tracker.log_all([trained("same", "s1")])
    (found,) = tracker.client.get_run(written).inputs.dataset_inputs
    assert (found.dataset.digest, found.dataset.source) == ("d1", json.dumps({"uri": "/elsewhere"}))


def test_a_failed_training_that_ends_well_has_its_dataset_once(tracker: Tracker) -> None:
    tracker.log_all([trained("again", "a1", failed="out of memory")])
    (written,) = tracker.log_all([trained("again", "a1", 0.3)])
    assert len(tracker.client.get_run(written).inputs.dataset_inputs) == 1


def note_of(tracker: Tracker, dataset: str) -> str:
    return str(tracker.client.get_experiment(tracker.experiment(dataset)).tags["mlflow.note.content"])


def test_an_experiment_says_what_its_dataset_is_until_a_person_writes_something_else(tracker: Tracker) -> None:
    for mark, note in (("n1", "As it was."), ("n2", "As it is.")):
        tracker.log_all([replace(trained("noted", mark), dataset=replace(MARKET, name="noted", note=note))])
        assert note_of(tracker, "noted") == note
    tracker.client.set_experiment_tag(tracker.experiment("noted"), "mlflow.note.content", "My own words.")
    tracker.log_all([trained("noted", "n3")])
    assert note_of(tracker, "noted") == "My own words."


def test_an_experiment_that_was_renamed_and_deleted_is_restored_beside_another_of_its_name(tracker: Tracker) -> None:
    tracker.log_all([trained("both", "b1")])
    before = tracker.experiment("both")
    tracker.client.rename_experiment(before, "was both")
    tracker.client.delete_experiment(before)
    other = tracker.client.create_experiment("both")
    tracker.log_all([trained("both", "b2")])
    assert tracker.experiment("both") == before != other
    assert tracker.client.get_experiment(before).lifecycle_stage == "active"
    assert len(runs_of(tracker, "both")) == 2
    assert list(tracker.client.search_runs([other])) == []


def saved(tracker: Tracker, dataset: str, key: str) -> tuple[str, dict[str, object]]:
    tags = tracker.client.get_experiment(tracker.experiment(dataset)).tags
    view = json.loads(tags[f"mlflow.sharedViewState.{key}"])
    return view["name"], json.loads(view["state"])


def test_a_view_is_saved_in_the_experiment_and_its_address_opens_classic_pages(tracker: Tracker) -> None:
    view = View("arms-A", "A", "arm", {"both": ["r1", "r2"], "text": ["r3"]}, "ndcg_at_20", ["ndcg_at_20"])
    address = urlparse(tracker.save_view("viewed", view))
    path, asked = address.fragment.split("?")
    assert (address.netloc, path) == ("127.0.0.1:5000", f"/experiments/{tracker.experiment('viewed')}/runs")
    assert parse_qs(asked) == {
        "viewStateShareKey": ["arms-A"],
        "compareRunsMode": ["CHART"],
        "workflowType": ["machine_learning"],
    }
    title, state = saved(tracker, "viewed", "arms-A")
    assert (title, state["searchFilter"]) == ("A", "attributes.run_id IN ('r1', 'r2', 'r3')")


def test_a_view_has_whole_repeats_where_mlflow_does_not_load_all_runs(tracker: Tracker) -> None:
    runs = {f"arm{arm}": [f"{arm}-{repeat}" for repeat in range(5)] for arm in range(30)}
    view = View("arms-B", "B", "arm", runs, "ndcg_at_20", ["ndcg_at_20"])
    assert len(view.shown) == 90 <= N_RUNS and not any(run.endswith("-3") for run in view.shown)
    tracker.save_view("viewed", view)
    assert saved(tracker, "viewed", "arms-B")[0] == "B (repeats 1 to 3)"


def test_links_lead_to_the_ports_in_the_settings(tracker: Tracker) -> None:
    elsewhere = Tracker(tracker.settings.model_copy(update={"mlflow_port": 5555}))
    view = View("arms-C", "C", "arm", {"both": ["r1"]}, "ndcg_at_20", ["ndcg_at_20"])
    assert urlparse(elsewhere.save_view("viewed", view)).port == 5555


@pytest.mark.parametrize("primary", ["ndcg_at_20", "mrr_at_7"])
def test_few_metrics_are_logged_and_the_primary_first(primary: str) -> None:
    names = logged_metrics(Protocol(ks=(1, 5, 10, 20, 50, 100), primary=primary))
    assert len(names) == len(set(names)) == 8
    assert names[0] == primary and "recall_at_10" in names


def test_a_title_of_any_kind_does_a_description_no_harm(finished: tuple[Settings, Study]) -> None:
    settings, study = finished
    event = Home(settings).current("tiny/dataset")
    for title in ("<script>alert(1)</script>", "[x](javascript:y)", "a\n\n# b", "word " * 2000, "w" * 10_000):
        note = experiment_note(settings, study.model_copy(update={"title": title}), "tiny", event)
        first_line = note.splitlines()[0]
        assert "<script>" not in note and "[x](" not in note and "\n# b" not in note
        assert first_line.startswith("**tiny**, a dataset of the study *") and len(first_line) < 500


def test_a_study_is_described_with_links(finished: tuple[Settings, Study]) -> None:
    tracker = Home(finished[0]).tracker.direct
    note = note_of(tracker, "tiny")
    assert "A tiny market" in note and "120 users, 80 items" in note and "`ratio`" in note
    for address in ("3000/assets/tiny/dataset", "3000/asset-groups/tiny", "5001/tiny.html"):
        assert f"(http://127.0.0.1:{address})" in note
    (run, *_) = runs_of(tracker, "tiny", "tags.model = 'HybridItemKNN' and tags.arm = 'both' and tags.stage = 'final'")
    tags = run.data.tags
    assert run.info.run_name == f"both, HybridItemKNN, repeat {tags['repeat']}, seed {tags['seed']}, final"
    assert f"`{tags['fingerprint']}`" in tags["mlflow.note.content"]
    for address in (
        f"3000/assets/{tags['asset']}",
        f"3000/runs/{tags['dagster_run']}",
        "3000/assets/tiny/metrics",
        "5001/tiny.html",
    ):
        assert f"(http://127.0.0.1:{address})" in tags["mlflow.note.content"]
    assert [name for name in run.data.metrics if name.startswith("test/")] and len(run.data.metrics) <= 12
    (data,) = run.inputs.dataset_inputs
    dataset = Home(finished[0]).current("tiny/dataset")
    assert data.dataset.digest == dataset.content_hash
    assert tags["data_version"] == dataset.facts["versions"][int(tags["repeat"]) - 1]
