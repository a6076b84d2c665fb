"""Text that a study brings along does no harm: markup, 10,000 characters, right-to-left, marks of direction."""

import pytest

from recsys.analyses.base import Table
from recsys.report.render import render
from recsys.report.rows import CheckRow, QuarantineRow, Section
from recsys.report.text import BEGINNING, LONG, collapsed, plain, setting, shortened
from tests.evidence.studies import dataset, study
from tests.report.browser import CHROMIUM, CUT_OFF, OVER_PAPER, PAPER, browser, opened, violations

TEXTS = {
    "markup": '<script>document.title = 1</script><img src=x onerror="alert(1)"> & $x$ {{ 1 }} </title></style>',
    "long": "x" * 10_000,
    "sentence": "a title that never ends " * 400,
    "right to left": "שאלה על תוכן " * 8 + "مقطع عربي",
    "override": "safe \u202egnp.exe\u202c \u0000\u0007\u200f end",
}


def everywhere(text):
    """A report that shows the text wherever a study, a model, a plug-in or an item can put one."""
    baby = dataset("Baby", n_users=300)
    comparison = baby.comparisons[0]
    named = type(comparison.comparison)(**vars(comparison.comparison) | {"model_a": text})
    hostile = baby.model_copy(
        update={
            "name": text,
            "limits": [f"FREEDOM left out (both): {text}."],
            "scenario": baby.scenario.model_copy(update=dict.fromkeys(("domain", "feedback"), text)),
            "checks": [CheckRow(name="A check", passed=False, found=text)],
            "notes": [text],
            "quarantine": [QuarantineRow(table="items", reason=text, n_rows=1)],
            "sections": [
                Section(asset="a/b", tables=[Table(title="Items", columns=["Item", text], rows=[[text, text]])])
            ],
            "comparisons": [comparison.model_copy(update={"comparison": named}), *baby.comparisons[1:]],
            "results": [baby.results[0].model_copy(update={"model": text}), *baby.results[1:]],
            "tuning": [baby.tuning[0].model_copy(update={"model": text}), *baby.tuning[1:]],
        }
    )
    return study(hostile).model_copy(update={"title": text, "question": text})


@pytest.fixture(scope="module")
def chromium():
    with browser() as one:
        yield one


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_text_does_no_harm(chromium, tmp_path, text):
    file = tmp_path / "report.html"
    file.write_text(render(everywhere(text)), encoding="utf-8")
    for width in (1440, 390):
        with opened(chromium, file, width) as page:
            assert page.title() == shortened(text)
            assert page.locator("h1").inner_text() == shortened(text)
            assert page.locator("h1").bounding_box()["height"] < 400
            assert page.evaluate("document.scripts.length") == 1 and page.locator("img").count() == 0
            assert page.evaluate(CUT_OFF) == []
            assert violations(page) == []
    with opened(chromium, file, PAPER, media="print") as page:
        assert page.evaluate(OVER_PAPER) == []


def test_long_text_is_folded_whole():
    assert collapsed("lift -3 %") == "lift \u22123\u00a0%"
    long = collapsed("<b>" * LONG)
    assert long.startswith("<details") and "&lt;b&gt;" * LONG in long
    assert len(shortened("word " * 100)) <= BEGINNING
    assert shortened("two\nlines") == "two lines"


def test_marks_of_direction_are_left_out_where_they_cannot_be_isolated():
    assert plain("a\u202eb\u0000c") == "abc"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(44480.1, "44480"), (0.78891, "0.7889"), (3.1e-6, "3.1e-06"), (30.0, "30"), (True, "True"), ("tfidf", "tfidf")],
)
def test_settings_are_shown_as_a_person_would_write_them(value: object, shown: str) -> None:
    assert setting(value) == shown
