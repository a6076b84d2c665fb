"""What a person sees, in a real browser: Dagster's pages, a materialisation from the page alone, the report."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from orchestration.addresses import Addresses
from orchestration.comparisons import compare_arms
from orchestration.home import Home
from orchestration.settings import Settings
from orchestration.tracked import run_id
from recsys.evaluation.protocol import Protocol
from recsys.study.measuring import SUMMARY
from recsys.study.results import ModelResult
from recsys.study.study import Study
from tests.orchestration.pages import CHROMIUM, Served, browsed, serve

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def served(finished: tuple[Settings, Study], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """All pages on a copy of the finished home."""
    home = tmp_path_factory.mktemp("pages") / "home"
    shutil.copytree(finished[0].home, home)
    with serve(finished[0].model_copy(update={"home": home})) as served:
        yield served


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsed() as page:
        yield page


def test_the_first_page_shows_the_runs_of_the_command_line(page: Page, served: Served) -> None:
    page.goto(served.dagster)
    page.get_by_role("link", name="study_tiny").first.click(timeout=60_000)
    page.wait_for_url("**/jobs/study_tiny**")
    page.goto(f"{served.dagster}/locations/modalift/jobs/study_tiny/runs")
    expect(page.get_by_text("modalift/study: tiny").last).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Success").last).to_be_visible()


def test_an_asset_shows_its_checks_and_what_it_holds(page: Page, served: Served) -> None:
    page.goto(f"{served.dagster}/assets/tiny/embeddings/image")
    expect(page.get_by_text("effective_rank")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("neighbours")).to_be_visible()
    page.get_by_text("[Show Markdown]").last.click()
    picture = page.get_by_role("dialog").locator("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_an_asset_is_materialised_from_its_page_alone(page: Page, served: Served) -> None:
    home = Home(served.settings)
    before = home.current("tiny/models/ItemKNN")
    page.goto(f"{served.dagster}/assets/tiny/models/ItemKNN")
    page.get_by_role("button", name="Materialize", exact=False).first.click(timeout=60_000)
    for _ in range(120):
        page.wait_for_timeout(1000)
        if home.current("tiny/models/ItemKNN").event_id != before.event_id:
            break
    after = home.current("tiny/models/ItemKNN")
    assert after.event_id != before.event_id
    assert (after.reused, after.fingerprint) == (True, before.fingerprint)


def test_a_link_shows_the_arms_of_a_model_side_by_side_and_a_run_leads_back(page: Page, served: Served) -> None:
    home = Home(served.settings)
    event = home.current("tiny/metrics")
    arms = [arm for arm in ModelResult.load(home.folder(event)).arms if arm.model == "HybridItemKNN"]
    link = compare_arms(home, "tiny", "HybridItemKNN", arms, Protocol())
    page.goto(link.replace(Addresses(served.settings).mlflow, served.mlflow))
    expect(page.get_by_text("Group by: arm")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Sort: test/ndcg_at_20")).to_be_visible()
    summary = pd.read_parquet(home.folder(event) / SUMMARY).query(
        "model == 'HybridItemKNN' and metric == 'ndcg_at_20'"
    )
    groups = page.locator(".ag-row", has_text="Group: ")
    expect(groups).to_have_count(len(summary))
    means = summary.set_index("arm")["mean"]
    shown = [means[arm] for arm in re.findall(r"Group: (\w+)", "\n".join(groups.all_inner_texts()))]
    assert len(shown) == len(arms) and shown == sorted(shown, reverse=True)
    first_chart = page.get_by_test_id("experiment-view-compare-runs-card").first
    expect(first_chart).to_contain_text("test/ndcg_at_20")
    run = run_id("tiny", arms[0].finals[0])
    page.goto(f"{served.mlflow}/#/experiments/{home.tracker.direct.experiment('tiny')}/runs/{run}")
    # Where a related model's choice was better, the controls trained the arm anew.
    made_by = ("tiny/controls", "tiny/models/HybridItemKNN")
    asset = next(each for each in made_by if run in home.current(each).mlflow_runs)
    expect(page.get_by_role("link", name=asset)).to_have_attribute(
        "href", Addresses(served.settings).asset(asset), timeout=60_000
    )


@pytest.mark.parametrize("width", [1200, 390])
def test_the_report_fits_its_page(page: Page, finished: tuple[Settings, Study], width: int) -> None:
    complaints: list[str] = []
    page.goto("about:blank")  # what the page before this one still has to say is not about the report
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(Path(finished[0].reports / "tiny.html").as_uri())
    expect(page.get_by_role("heading", name="A tiny market")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("svg").count() >= 2
    assert complaints == []
