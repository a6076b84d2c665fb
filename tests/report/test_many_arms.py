"""A study of many arms, from lists to page: what is held in memory, and what a reader sees first."""

import sys
import weakref
from pathlib import Path
from unittest.mock import Mock

import pytest

from assets import metrics
from recsys.evidence.scores import Pair, Scores
from recsys.study.judgement import judge, rank_without_content
from recsys.study.measuring import SUMMARY, UserScores
from recsys.study.readiness import Readiness
from recsys.study.results import ModelResult
from recsys.study.study import Study
from tests.report.page import Page

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import many_arms
import pandas as pd
from _drawn_study import NAME, Size, results, selection, study

SIZE = Size(models=8, repeats=2, users=300, items=400, interactions=3000, resamples=200)
N_ARMS = 7 * SIZE.models
MOST_HELD = 9
"""The sides of the verdict, five of them different here, and what one comparison or sum beside them takes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("many")


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return many_arms.measured(SIZE, folder)[0]


@pytest.fixture(scope="module")
def planned(html: str) -> Study:
    return study(SIZE)


class Counted(UserScores):
    """Knows how many scores were alive at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[weakref.ref[Scores]] = []
        self.most = 0

    def __getitem__(self, pair: Pair) -> Scores:
        scores = super().__getitem__(pair)
        self.read.append(weakref.ref(scores))
        self.most = max(self.most, sum(each() is not None for each in self.read))
        return scores


def test_a_verdict_holds_few_arms_at_a_time(planned: Study, folder: Path) -> None:
    scores = Counted(folder)
    chosen = selection(results(planned)[0])
    judged = judge(planned, NAME, chosen, scores, Readiness([], unchanged=False))
    assert len(judged.comparisons) == N_ARMS - 1 and len(judged.questions) == 1
    assert len(scores.read) > N_ARMS
    assert scores.most <= MOST_HELD


def test_so_does_a_ranking_without_content(planned: Study, folder: Path) -> None:
    scores = Counted(folder)
    board = rank_without_content(planned, scores, pd.read_parquet(folder / SUMMARY))
    assert len(board.comparisons) == N_ARMS - 1
    assert scores.most <= MOST_HELD
    assert "others" in board.sentence and len(board.sentence) < 1500


def test_the_drawing_of_the_metrics_shows_each_model_on_the_arm_that_validation_chose(
    planned: Study, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        metrics, "plot", lambda figure: [label.get_text() for label in figure.axes[0].get_yticklabels()]
    )
    shown = metrics.show(planned.evaluation, Mock(folder=lambda _: folder), Mock())["intervals"]
    arms = ModelResult.load(folder).arms
    chosen = {
        model: max((arm for arm in arms if arm.model == model and arm.control is None), key=lambda arm: arm.valid)
        for model in {arm.model for arm in arms}
    }
    assert set(shown) == {" ".join(arm.pair) for arm in chosen.values()}
    by_test = pd.read_parquet(folder / SUMMARY).query("metric == @planned.evaluation.primary").sort_values("mean")
    assert {" ".join(pair) for pair in by_test.groupby("model").tail(1)[["model", "arm"]].to_numpy()} != set(shown)


def test_the_page_shows_the_best_arm_of_each_model_and_folds_the_rest(html: str) -> None:
    page = Page(html)
    assert page.open == [] and len(page.ids) == len(set(page.ids))
    for said in (f"The other {N_ARMS - SIZE.models} arms", f"The other {N_ARMS - SIZE.models - 1} comparisons"):
        assert said in page.text
    assert page.tags.count("details") >= 5
    assert "BM3 left out (text, both): out of memory: 4.1 GiB asked for." in page.text
    start = html.index("<summary>Results on the test part")
    shown = html[html.index("<table", start) : html.index("<details", html.index("<table", start))]
    assert shown.count("<th scope") == SIZE.models
    assert "(shuffled)" not in shown and "(noise)" not in shown
