"""The report holds the figures, escapes what it is given, and needs nothing but itself."""

import re
from datetime import date
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from recsys.evidence.wording import interval, metric_name, probability
from recsys.report.model import StudyReport
from recsys.report.opening import BADGES
from recsys.report.render import controls, policy, render
from recsys.report.rows import Link
from recsys.report.text import breakable, typeset
from recsys.wording import DASH, percent
from tests.evidence.studies import dataset, study, truth
from tests.report.page import Page

HOSTILE = '<script>alert("1")</script> & $x$'


@pytest.fixture(scope="module")
def market():
    return dataset("Synthetic", n_users=300, seed=3).model_copy(update={"truth": truth()})


@pytest.fixture(scope="module")
def html(baby, market):
    return render(study(baby, market))


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_what_stands_between_backticks_is_code_as_it_was_written():
    said = typeset("raise `layer: -2` by 2 %, `<b>`; one ` alone, -0.5 %")
    assert said == "raise <code>layer: -2</code> by 2\u00a0%, <code>&lt;b&gt;</code>; one ` alone, \u22120.5\u00a0%"


def test_the_page_is_well_formed_with_unique_ids(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_it_opens_with_one_sentence_a_dataset(page, baby, market):
    first, second = (page.text.index(typeset(each.sentence).unescape()) for each in (baby, market))
    assert first < second < page.text.index("The ladder")
    assert BADGES[baby.verdict.name] in page.text


def test_it_holds_the_figures(page, baby):
    rival = baby.verdict.against_rival
    for figure in (percent(rival.lift, signed=True), percent(rival.detectable_lift), percent(rival.lift_low)):
        assert typeset(figure) in page.text
    for row in baby.results:
        assert f"{row.metrics['ndcg_at_20'].mean:.4f}" in page.text
    assert "118,551" in page.text
    assert "repeats an earlier row" in page.text
    assert "uv run modalift run studies/demo.yaml" in page.text
    assert all(row.version[:8] in page.text and row.content[:8] in page.text for row in baby.assets)
    assert all(cell[:8] in page.text for row in baby.results for cell in row.cells)
    assert "2.3 h" in page.text and "4.2 h" in page.text
    assert "21 November 2026" in page.text


def test_sources_checks_and_truth_say_what_failed(page):
    assert "not shown" in page.text
    assert "failed" in page.text
    assert "not as planted" in page.text


def test_it_fetches_nothing(html, page):
    assert {urlsplit(each).netloc for each in re.findall(r"\w+://[^\"'<\s]+", html)} == {
        "127.0.0.1:5000",
        "127.0.0.1:3000",
    }
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))


def test_its_policy_allows_its_own_script_alone(html, page):
    assert page.tags.count("script") == 1
    script = re.search("<script>(.*)</script>", html, flags=re.DOTALL)
    assert ("content", policy(script[1])) in page.attributes
    assert "script-src 'sha256-" in policy(script[1]) and "default-src 'none'" in policy(script[1])


def test_links_say_where_they_open(page, html):
    local = re.findall(r'<a href="http://127[^>]*>', html)
    assert local and all('class="local"' in each for each in local)
    assert "while modalift ui runs on the machine that made this page" in page.text


def test_what_the_study_says_is_escaped(baby):
    comparison = baby.comparisons[0]
    hostile = baby.model_copy(
        update={
            "name": HOSTILE,
            "limits": [HOSTILE],
            "comparisons": [
                comparison.model_copy(
                    update={
                        "comparison": type(comparison.comparison)(**vars(comparison.comparison) | {"model_a": HOSTILE})
                    }
                )
            ],
        }
    )
    html = render(study(hostile).model_copy(update={"title": HOSTILE, "question": HOSTILE}))
    page = Page(html)
    assert page.tags.count("script") == 1
    assert page.open == []
    assert page.text.count(HOSTILE) >= 5


def test_drawings_take_their_colours_from_the_page(html):
    drawings = "".join(re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL))
    assert drawings.count("<svg") == 6
    assert "currentColor" in drawings
    assert "var(--content)" in drawings
    assert not re.search(r"#[0-9a-f]{6}\b", drawings)


def test_two_renderings_are_the_same(baby, market, html):
    assert render(study(baby, market)) == html


def test_a_report_survives_storing(baby):
    undefined = type(baby.verdict.against_rival)(**vars(baby.verdict.against_rival) | {"lift": float("nan")})
    row = baby.comparisons[0].model_copy(update={"comparison": undefined})
    report = study(baby.model_copy(update={"comparisons": [row, *baby.comparisons[1:]]}))
    again = StudyReport.model_validate_json(report.model_dump_json())
    assert again.model_dump_json() == report.model_dump_json()
    assert DASH in Page(render(again)).text


def test_a_bare_report_renders(baby):
    bare = baby.model_copy(
        update={
            "sources": None,
            "gates": [],
            "tried": {},
            "comparisons": [],
            "tuning": [],
            "sections": [],
            "checks": [],
            "links": [],
        }
    )
    page = Page(render(study(bare)))
    assert "Tuning" not in page.text
    assert "Which source" not in page.text


def test_controls_stand_beside_their_content(baby):
    pairs = {content.a: own for content, own in controls(baby)}
    assert set(pairs["FREEDOM (both)"]) == {"shuffled", "noise", "constant"}
    assert set(pairs["VBPR (both)"]) == {"shuffled"}
    assert "FREEDOM (text)" not in pairs


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "JavaScript:x", "file:///etc/passwd", "runs.html", "http:x"]
)
def test_links_cannot_run_anything(address):
    with pytest.raises(ValidationError, match="no address a report may point to"):
        Link(text="runs", address=address)


def test_typography():
    assert typeset("lift -3.1 %, p = 0.020, 2024-05") == "lift \u22123.1\u00a0%, p\u00a0=\u00a00.020, 2024-05"
    assert typeset("p < 0.001") == "p\u00a0&lt;\u00a00.001"
    assert typeset("<b>") == "&lt;b&gt;"


def test_no_interval_of_a_lift_says_that_more_than_all_is_lost():
    assert interval(-1.496, -0.504) == "below -100 % to -50.4 %"
    assert interval(-1.0, 0.1) == "-100.0 % to +10.0 %"
    assert interval(-1.496, 0.5, signed=False) == "-149.6 % to 50.0 %"


def test_a_control_that_no_model_ran_is_no_column(baby):
    heads = "<th>shuffled</th><th>noise</th><th>constant</th>"
    assert heads in render(study(baby))
    few = [row for row in baby.comparisons if row.control in (None, "shuffled")]
    html = render(study(baby.model_copy(update={"comparisons": few})))
    assert "<th>shuffled</th></tr>" in html and "<th>noise</th>" not in html


def test_a_long_name_breaks_between_its_words_and_nowhere_else():
    said = breakable("X (text_shuffled_untuned), a/b, text+image, +4 %, <i>")
    assert said == ("X (text_<wbr>shuffled_<wbr>untuned), a/<wbr>b, text+<wbr>image, +4 %, &lt;i&gt;")
    assert breakable(typeset("`a_b`")) == "<code>a_<wbr>b</code>"


def test_wording():
    assert metric_name("ndcg_at_20") == "nDCG@20"
    assert metric_name("hit_rate_at_5") == "Hit rate@5"
    assert percent(-0.0312, signed=True) == "-3.1 %"
    assert percent(-0.0001, signed=True) == percent(0.0001, signed=True) == "0.0 %"
    assert percent(float("nan")) == DASH
    assert (probability(0.0004), probability(0.0496)) == ("p < 0.001", "p = 0.050")


def test_the_date_is_the_studys(baby):
    report = study(baby).model_copy(update={"date": date(2027, 3, 5)})
    assert "5 March 2027" in Page(render(report)).text
