"""The report of a dataset without content says which model is best, and by how much."""

import pytest
from pydantic import ValidationError

from recsys.report.limits import limits
from recsys.report.model import StudyReport
from recsys.report.render import kinds, render, typeset
from tests.evidence.studies import study, without_content
from tests.report.page import Page


@pytest.fixture(scope="module")
def ranked():
    return without_content("Taobao")


@pytest.fixture(scope="module")
def ranked_page(ranked):
    return Page(render(study(ranked)))


def test_without_content_it_opens_with_the_best_model(ranked, ranked_page):
    assert ranked_page.open == []
    assert ranked_page.text.index("No content compared") < ranked_page.text.index(str(typeset(ranked.sentence)))
    assert "Every other model and arm against EASE" in ranked_page.text
    assert "The two comparisons that decide" not in ranked_page.text
    assert "shuffled" not in ranked_page.text


def test_without_content_every_drawing_is_there(ranked, ranked_page):
    assert ranked_page.tags.count("svg") == 3
    assert kinds(ranked.comparisons) == {"interactions": "interactions only", "baseline": "baseline"}


def test_without_content_the_nearest_rival_says_what_could_be_shown(ranked):
    assert ranked.deciding[0].a == "LightGCN"
    assert any(line.startswith("The smallest lift of LightGCN over EASE that could") for line in limits(ranked))


def test_a_report_has_one_answer(baby, ranked):
    for update in ({"verdict": None}, {"leaderboard": ranked.leaderboard}):
        with pytest.raises(ValidationError, match="a verdict, or a leaderboard where it has none"):
            type(baby)(**dict(baby) | update)


def test_a_report_without_content_survives_storing(ranked):
    report = study(ranked)
    assert StudyReport.model_validate_json(report.model_dump_json()) == report
