"""What a person reads of results says when the study file or the data have changed since they were made."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orchestration.cli.changes import outdated, outdated_asset
from orchestration.cli.pages import Pages, marked, page_list, report_page
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.study.file import load_study
from recsys.study.study import Study
from tests.local_server import listening
from tests.orchestration.command_line import call
from tests.orchestration.conftest import TINY, run, write_study

Finished = tuple[Settings, Study]
BRINGS = "`modalift run tiny` brings them up to date"


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Settings:
    """A copy of the finished home, whose study may be changed."""
    shutil.copytree(finished[0].home, tmp_path / "home")
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return Settings(home=tmp_path / "home", studies=tmp_path, workers=1)


def change(settings: Settings, old: str, new: str) -> None:
    assert old in TINY
    (settings.studies / "tiny.yaml").write_text(TINY.replace(old, new), encoding="utf-8")


def test_current_results_say_nothing(copied: Settings) -> None:
    for arguments in (("results", "tiny"), ("results", "tiny", "--markdown"), ("report", "tiny")):
        done = call(copied, *arguments)
        assert done.exit_code == 0, done.stderr
        assert "made from" not in done.output and "up to date" not in done.output
    assert json.loads(call(copied, "results", "tiny", "--json").stdout).keys() == {"study", "datasets"}
    assert "outdated" not in (copied.reports / "tiny.html").read_text(encoding="utf-8").partition("<main>")[2]


def test_a_list_says_when_its_model_is_outdated(copied: Settings) -> None:
    ask = ("recommend", "tiny", "ItemKNN", "--user", "0", "--json")
    current = call(copied, *ask)
    assert "before a change" not in current.stderr and "outdated" not in json.loads(current.stdout)
    change(copied, "n_users: 120", "n_users: 121")
    line = (
        "tiny/models/ItemKNN was made before a change (tiny/dataset comes first); `modalift run tiny` brings it up to "
        "date"
    )
    shown = call(copied, *ask)
    assert line in shown.stderr.splitlines() and json.loads(shown.stdout)["outdated"] == line


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("repeats: 2", "repeats: 3", "repeats"),
        ("n_neighbours: 20", "n_neighbours: 30", "models.ItemKNN.n_neighbours"),
        ("  TopPop:\n", "  TopPop:\n  Random:\n", "models.Random"),
        ("  HybridItemKNN:\n", "  HybridItemKNN: {shrink: 5}\n", "models.HybridItemKNN.shrink"),
        ("tfidf_svd, dim: 8", "tfidf_svd, dim: 7", "datasets.tiny.content.text.dim"),
        ("n_users: 120", "n_users: 121", "datasets.tiny.source.n_users"),
        ("resamples: 500", "resamples: 501", "statistics.resamples"),
    ],
)
def test_what_has_changed_is_named(copied: Settings, old: str, new: str, named: str) -> None:
    change(copied, old, new)
    line = (
        "These results were made from an earlier version of the study file "
        f"(changed since: {named}); `modalift run tiny` brings them up to date"
    )
    shown = call(copied, "results", "tiny")
    assert shown.exit_code == 0 and line in shown.stderr.splitlines()
    assert json.loads(call(copied, "results", "tiny", "--json").stdout)["outdated"] == line
    assert call(copied, "results", "tiny", "--markdown").stdout.startswith(f"> {line}\n")


def test_a_comment_or_a_title_leaves_figures_as_they_are(copied: Settings) -> None:
    change(copied, "title: A tiny market", "# a comment\ntitle: Our market")
    assert outdated(load_study(copied.studies / "tiny.yaml"), Home(copied)) == ""


def test_a_report_that_is_built_from_them_says_so_too(copied: Settings) -> None:
    change(copied, "n_neighbours: 20", "n_neighbours: 30")
    done = call(copied, "report", "tiny")
    assert done.exit_code == 0 and BRINGS in done.stderr
    page = (copied.reports / "tiny.html").read_text(encoding="utf-8")
    assert '<p class="outdated" role="status">These results were made from an earlier version' in page
    run(load_study(copied.studies / "tiny.yaml"), copied)
    assert 'class="outdated"' not in (copied.reports / "tiny.html").read_text(encoding="utf-8")


def test_a_notice_takes_the_place_of_an_earlier_one() -> None:
    page = "<body><main>\n<h1>Answers</h1></main></body>"
    once = marked(page, "first & <old>")
    assert once.count('class="outdated"') == 1 and "first &amp; &lt;old&gt;" in once
    assert marked(once, "second") == marked(page, "second")
    assert marked(once, "") == page


def test_new_data_are_named(tmp_path: Path) -> None:
    rows = "".join(f"u{user},i{(user * 7 + k * 3) % 24}\n" for user in range(40) for k in range(8))
    (data := tmp_path / "data").mkdir()
    (data / "rows.csv").write_text("user_id,item_id\n" + rows, encoding="utf-8")
    (data / "items.csv").write_text("item_id,title\n" + "".join(f"i{i},Chair {i}\n" for i in range(24)))
    text = (
        "title: A shop\ndatasets:\n  shop:\n"
        "    source: {reader: table, folder: data, interactions: rows.csv, items: items.csv, title_column: title}\n"
        "models: [TopPop, Random]\nrepeats: 1\n"
    )
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    study = write_study(tmp_path, text, "shop")
    run(study, settings)
    assert outdated(study, Home(settings)) == ""
    with (data / "rows.csv").open("a", encoding="utf-8") as file:
        file.write("u0,i5\n")
    assert outdated(study, Home(settings)) == (
        "These results were made before the files of shop/dataset changed or moved; `modalift run shop` brings them "
        "up to date"
    )
    # Figures are there to be read where the data are not.
    data.rename(tmp_path / "elsewhere")
    line = "Cannot check whether the results are up to date: dataset shop: 'data' is not there"
    assert outdated(study, Home(settings)).startswith(line)
    assert outdated_asset(study, Home(settings), "shop/models/TopPop").startswith(line)


@pytest.mark.parametrize("ask", [partial(report_page, name="tiny"), page_list], ids=["page", "list"])
def test_served_pages_know_what_happened_since(copied: Settings, ask: Callable[[Home], str]) -> None:
    home = Home(copied)
    shown = "<code>modalift run tiny</code> brings them up to date"
    assert shown not in ask(home)
    change(copied, "n_neighbours: 20", "n_neighbours: 30")
    assert shown in ask(home)
    (copied.studies / "tiny.yaml").write_text("models: [", encoding="utf-8")
    assert "The study file cannot be read any more: " in ask(home)
    (copied.studies / "tiny.yaml").unlink()
    assert "outdated" not in ask(home).partition("<body>")[2]


def test_the_server_gives_reports_and_nothing_else(copied: Settings) -> None:
    with listening(partial(Pages, Home(copied))) as address:
        with urllib.request.urlopen(f"{address}/") as answer:
            assert "A tiny market" in answer.read().decode()
        with urllib.request.urlopen(f"{address}/tiny.html") as answer:
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        for path in ("other.html", "../mlflow.db", "%2e%2e/catalog.duckdb"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}/{path}")
