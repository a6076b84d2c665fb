"""The page as a reader meets it: on a wide screen and on a telephone, light and dark, by ear, and on paper."""

from pathlib import Path

import pytest

from recsys.report.render import render
from tests.evidence.studies import dataset, study, truth, without_content
from tests.report.browser import CHROMIUM, CUT_OFF, OVER_PAPER, PAPER, browser, opened, violations

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


@pytest.fixture(scope="module")
def chromium():
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    market = dataset("Synthetic", n_users=300, seed=3).model_copy(update={"truth": truth()})
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(study(dataset("Amazon Baby"), market, without_content("Taobao"))), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(chromium, file: Path, width, scheme):
    with opened(chromium, file, width, scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert violations(page) == []


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_cut_off(chromium, file: Path, width):
    with opened(chromium, file, width) as page:
        assert page.evaluate(CUT_OFF) == []
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate(CUT_OFF) == []


def test_the_column_that_stays_keeps_its_row_lines(chromium, file: Path):
    """Chromium leaves collapsed borders behind when a sticky cell moves."""
    with opened(chromium, file, 390) as page:
        cell = page.locator(".scroll th[scope=row]:first-child").first
        assert cell.evaluate("each => getComputedStyle(each.closest('table')).borderCollapse") == "separate"
        assert cell.evaluate("each => getComputedStyle(each).borderBottomWidth") == "1px"
        heights = page.evaluate(
            "[...document.querySelectorAll('.scroll tr')].map(each => each.offsetHeight && "
            "each.getBoundingClientRect().height)"
        )
        assert [height for height in heights if abs(height - round(height)) > 0.01] == []


def test_on_paper_everything_fits_and_is_unfolded(chromium, file: Path):
    with opened(chromium, file, PAPER, media="print") as page:
        assert page.evaluate(OVER_PAPER) == []
        hidden = "each => !each.checkVisibility({contentVisibilityAuto: true})"
        folded = f"[...document.querySelectorAll('details:not(.screen) > :not(summary)')].filter({hidden}).length"
        assert page.evaluate(folded) == 0
        assert "in the page on the screen" in page.evaluate(
            "getComputedStyle(document.querySelector('details.screen > summary'), '::after').content"
        )


def test_on_paper_many_metrics_fit(chromium, tmp_path):
    baby = dataset("Amazon Baby")
    more = {f"{metric}_at_{k}" for metric in ("ndcg", "recall", "precision", "map") for k in (10, 50)}
    results = [
        row.model_copy(update={"metrics": row.metrics | dict.fromkeys(sorted(more), row.metrics[baby.metric])})
        for row in baby.results
    ]
    path = tmp_path / "report.html"
    path.write_text(render(study(baby.model_copy(update={"results": results}))), encoding="utf-8")
    with opened(chromium, path, PAPER, media="print") as page:
        assert page.evaluate(OVER_PAPER) == []
        assert page.get_by_text("All 10 metrics").is_visible()
        assert page.get_by_text("Recall@50").count() and not page.get_by_text("Recall@50").first.is_visible()


def test_listings_are_copied(chromium, file: Path):
    with opened(chromium, file) as page:
        page.get_by_text("For a paper: BibTeX").click()
        listing = page.locator(".listing", has=page.locator("#bibtex"))
        listing.get_by_role("button", name="Copy").click()
        assert listing.get_by_role("status").inner_text() == "Copied."
        assert page.evaluate("getSelection().toString()").startswith("@software{modalift,")


def test_the_way_from_a_figure_to_its_asset_stays_in_the_page(chromium, file: Path):
    with opened(chromium, file) as page:
        addresses = page.evaluate("[...document.querySelectorAll('a')].map(each => each.getAttribute('href'))")
        within = {each[1:] for each in addresses if each.startswith("#")}
        assert within and page.evaluate("ids => ids.filter(id => !document.getElementById(id))", list(within)) == []
        page.locator(".origin a").first.click()
        assert page.locator("tr:target").is_visible()
        beyond = page.locator("a:not([href^='#'])")
        assert beyond.evaluate_all("all => all.every(each => each.classList.contains('local'))")
