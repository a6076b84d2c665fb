"""`results` and `recommend`: figures and lists, for people and for programs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestration.cli import results
from orchestration.home import Home
from orchestration.materialise import materialise
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.study.study import Study
from tests.orchestration.command_line import call, complaint, parsed, printed
from tests.orchestration.conftest import write_study

Finished = tuple[Settings, Study]


def test_results_as_json_have_the_agreed_form(finished: Finished) -> None:
    settings, study = finished
    said = parsed(settings, "results", "tiny")
    assert list(said) == ["study", "datasets"] and said["study"] == "tiny"
    tiny = said["datasets"]["tiny"]
    assert list(tiny) == ["counts", "models", "left_out", "inapplicable", "verdict"]
    assert tiny["left_out"] == tiny["inapplicable"] == []
    assert tiny["counts"]["users"] == 120
    assert list(tiny["models"]["ItemKNN"]) == ["interactions_only"]
    assert {"both", "text", "image", "interactions_only", "shuffled"} <= set(tiny["models"]["HybridItemKNN"])
    recall = tiny["models"]["HybridItemKNN"]["both"]["recall_at_20"]
    assert list(recall) == ["mean", "ci_low", "ci_high", "per_repeat"]
    assert recall["mean"] == pytest.approx(np.mean(recall["per_repeat"])) and len(recall["per_repeat"]) == 2
    overall = tiny["verdict"]["overall"]
    assert list(overall) == ["verdict", "lift", "ci_low", "ci_high", "p_value"]
    assert overall["ci_low"] <= overall["lift"] <= overall["ci_high"]
    assert set(tiny["verdict"]["by_source"]) == set(study.datasets["tiny"].content)
    for source in tiny["verdict"]["by_source"].values():
        assert list(source) == ["named", "lift", "ci_low", "ci_high", "p_value", "p_holm"]


def test_results_as_markdown_have_intervals_and_trials(finished: Finished) -> None:
    settings, _ = finished
    said = call(settings, "results", "tiny", "--markdown").stdout
    known = parsed(settings, "results", "tiny", "--json")["datasets"]["tiny"]["models"]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line.startswith("|")]
    tables = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}
    recall = known["HybridItemKNN"]["both"]["recall_at_20"]
    row = tables["HybridItemKNN (both)"]
    assert row["Recall@20"] == f"{recall['mean']:.4f} ({recall['ci_low']:.4f} to {recall['ci_high']:.4f})"
    # Three of its own search; what its other arms chose is no trial.
    assert row["trials"] == "3" and row["won"] in ("1", "2", "3", "chosen elsewhere")
    assert any(int(row["chosen elsewhere"] or 0) for row in tables.values())
    assert "combinations of weights" not in row
    assert float(row["minutes"]) >= 0
    assert {"ItemKNN", "TopPop", "HybridItemKNN (shuffled)"} <= set(tables)
    means = [float(row["nDCG@20"].split()[0]) for row in tables.values()]
    assert means == sorted(means, reverse=True)


def test_results_as_tables_begin_with_the_best(finished: Finished) -> None:
    settings, _ = finished
    shown = printed(settings, "results", "tiny")
    metrics = Home(settings).current("tiny/metrics")
    summary = pd.read_parquet(Home(settings).folder(metrics) / "summary.parquet")
    best = summary[summary["metric"] == "ndcg_at_20"].sort_values("mean", ascending=False)["mean"].round(4)
    places = [shown.index(f"{value:.4f}") for value in best.drop_duplicates()]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [80, 140])
def test_results_as_tables_have_whole_names(finished: Finished, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Where there is no room, metrics go: two arms whose names were cut short looked like one."""
    settings, _ = finished
    monkeypatch.setattr(results.out, "width", width)
    lines = call(settings, "results", "tiny", "--all").stdout.splitlines()
    table = lines[: next(n for n, line in enumerate(lines) if line.startswith("└")) + 1]
    shown = {tuple(cell.strip() for cell in line.split("│")[1:3]) for line in table if line.startswith("│")}
    known = parsed(settings, "results", "tiny", "--json")["datasets"]["tiny"]["models"]
    assert shown == {(model, arm) for model, arms in known.items() for arm in arms}
    assert max(map(len, table)) <= width


def test_results_of_many_arms_begin_with_one_of_each_model(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = finished
    everything = call(settings, "results", "tiny")
    monkeypatch.setattr("recsys.report.folding.FEW", 3)
    short, full = call(settings, "results", "tiny"), call(settings, "results", "tiny", "--all")
    rows = [line.split()[1] for line in short.stdout.splitlines() if line.startswith("│")]
    assert sorted(rows) == ["HybridItemKNN", "ItemKNN", "TopPop"]
    assert "of each model the arm that validation chose; `modalift results tiny --all` prints " in short.stderr
    assert (everything.stdout, everything.stderr) == (full.stdout, "")


def test_results_of_a_study_that_was_not_run(tmp_path: Path) -> None:
    write_study(tmp_path)
    line = complaint(Settings(home=tmp_path / "home", studies=tmp_path), "results", "tiny")
    assert line == "study tiny has no results yet: `modalift run tiny` computes them"


def test_results_of_a_study_whose_last_run_failed_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UserError("tiny: no model could be trained: no memory")

    study, settings = write_study(tmp_path), Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    monkeypatch.setattr("recsys.study.preparing.prepare_dataset", refuse)
    assert materialise(study, settings, LogProgress(lambda line: None)).failures
    why = "its last run failed (tiny: no model could be trained: no memory); `modalift run tiny`"
    assert complaint(settings, "results", "tiny") == f"study tiny has no results yet: {why} tries again"
    assert why in complaint(settings, "report", "tiny")


def test_recommended_items_are_titled_and_not_seen(finished: Finished) -> None:
    settings, _ = finished
    home = Home(settings)
    data = Dataset.load(home.folder(home.current("tiny/dataset")))
    user = int(data.test.nonzero()[0][0])
    name = data.users["user_id"][user]
    said = parsed(settings, "recommend", "tiny", "itemknn", "--user", name, "-k", "4")
    assert (said["dataset"], said["model"], said["arm"]) == ("tiny", "ItemKNN", "interactions_only")
    assert [row["rank"] for row in said["items"]] == [1, 2, 3, 4]
    scores = [row["score"] for row in said["items"]]
    assert scores == sorted(scores, reverse=True)
    seen = set(data.items["item_id"].to_numpy()[data.train[[user]].nonzero()[1]])
    assert not seen & {row["item_id"] for row in said["items"]}
    titles = dict(zip(data.items["item_id"], data.items["title"], strict=True))
    assert all(row["title"] == titles[row["item_id"]] for row in said["items"])
    assert said["items"][0]["title"] in printed(settings, "recommend", "tiny", "ItemKNN", "--user", name)


def test_the_arm_is_the_best_on_validation_unless_named(finished: Finished) -> None:
    settings, _ = finished
    user = ("--user", "0")
    assert parsed(settings, "recommend", "tiny", "HybridItemKNN", *user)["arm"] in ("both", "text", "image")
    named = parsed(settings, "recommend", "tiny", "HybridItemKNN", *user, "--arm", "shuffled")
    assert named["arm"] == "shuffled"


def test_slips_in_recommend_are_one_line(finished: Finished) -> None:
    settings, _ = finished
    ask = ("recommend", "tiny")
    assert complaint(settings, *ask, "ItemKNN", "--user", "nobody").startswith(
        "user 'nobody' is not in the dataset; try --user "
    )
    assert complaint(settings, *ask, "ItemKN", "--user", "0").endswith("called 'ItemKN'; did you mean 'ItemKNN'?")
    line = complaint(settings, *ask, "HybridItemKNN", "--user", "0", "--arm", "shufled")
    assert line == "there is no arm of HybridItemKNN called 'shufled'; did you mean 'shuffled'?"
    line = complaint(settings, *ask, "ItemKNN", "--user", "0", "--dataset", "tinny")
    assert line == "there is no dataset of study tiny called 'tinny'; did you mean 'tiny'?"
