"""A person with a folder of photos and the address of a server: to a verdict, or to one line after a few answers."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from orchestration.home import Home
from orchestration.settings import Settings
from tests.content.vlm.server import Handler, Server, says, serving
from tests.orchestration.command_line import call, complaint, parsed, printed
from tests.orchestration.shop import N_ITEMS, endless_thinking, garbage, thinking_aloud, well, write_shop

ASSET = "shop/descriptions/seen"
QUICK = {
    "models": ["TopPop", "ItemKNN", "AttributeItemKNN"],
    "controls": ["shuffled"],
    "tuning": {"trials": 1},
    "repeats": 1,
    "statistics": {"resamples": 100},
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as served:
        served.models = ["served"]
        served.always = well
        yield served


@pytest.fixture
def shop(tmp_path: Path, server: Server) -> Settings:
    """A home with a study that `new` wrote, made quick."""
    write_shop(tmp_path)
    settings = Settings(home=tmp_path / "home", studies=tmp_path / "studies", workers=1)
    written(settings, server)
    return settings


def written(settings: Settings, server: Server, *more: str) -> str:
    folder = settings.home.parent
    tables = ["--interactions", folder / "orders.csv", "--items", folder / "goods.csv", "--images", folder / "photos"]
    said = printed(settings, "new", "shop", *tables, "--describe-with", server.address, "--force", *more)
    file = settings.studies / "shop.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | QUICK))
    return said


def change(settings: Settings, **options: object) -> None:
    """Options of the corpus in the study file."""
    file = settings.studies / "shop.yaml"
    study = yaml.safe_load(file.read_text())
    study["datasets"]["shop"]["descriptions"]["seen"] |= options
    file.write_text(yaml.safe_dump(study))


def corpus(settings: Settings) -> pd.DataFrame:
    home = Home(settings)
    return pd.read_parquet(home.folder(home.current(ASSET)) / "corpus.parquet")


def test_from_photos_and_an_address_to_a_verdict(shop: Settings, server: Server) -> None:
    said = printed(shop, "describe", "shop", "--sample", "3", "--price-in", "10", "--price-out", "100")
    assert len(server.asked) == 3
    assert "[Category] {" in said and "give 100 % of the fields" in said
    assert f"{N_ITEMS} different items, 3 of them asked about" in said
    assert "2,100 tokens sent and 420 answered (100 and 20 an item)" in said
    cost = (N_ITEMS - 3) * (100 * 10 + 20 * 100) / 1e6
    assert f"costs about {cost:.2f}." in said and "`--yes` asks about all" in said
    said = printed(shop, "run", "shop")
    assert len(server.asked) == N_ITEMS  # the sample was kept
    said_again = printed(shop, "describe", "shop")
    assert f"{N_ITEMS} different items, all of them asked about." in said_again and "tokens sent" not in said_again
    assert f"{ASSET}: items described: {N_ITEMS}" in said and "answers that give every field: 100.0 %" in said
    verdict = parsed(shop, "results", "shop")["datasets"]["shop"]["verdict"]
    assert verdict["overall"]["verdict"] == "not_ready"  # one trial a model shows no plateau
    assert {"image", "text", "descriptions"} == set(verdict["by_source"])
    said = printed(shop, "lineage", ASSET)
    assert "model: served" in said and "served as: served-2026-01" in said
    assert "prompt text: Imagine that you write the metadata of a catalogue." in said and "openai" in said
    page = (shop.reports / "shop.html").read_text()
    assert "Where the descriptions come from" in page and "served-2026-01" in page
    file = shop.home / "croissant.json"
    printed(shop, "export", ASSET, "--croissant", file)
    assert "served-2026-01" in file.read_text()
    server.always = garbage
    printed(shop, "run", "shop")
    assert len(server.asked) == N_ITEMS


def test_garbage_is_not_paid_for_and_the_rest_is_answered(shop: Settings, server: Server) -> None:
    server.always = garbage
    result = call(shop, "run", "shop")
    assert result.exit_code == 1 and len(server.asked) == 8
    assert f"{ASSET}: {N_ITEMS} of {N_ITEMS} items" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if "left out" in line]
    assert "8 answers give 0 % of the fields that prompt 'catalogue_fields' asks for" in line
    assert "Lorem ipsum" in line and "min_compliance: 0" in line
    assert "Traceback" not in result.stderr
    home = Home(shop)
    assert home.current("shop/verdict").facts["sentence"]
    page = (shop.reports / "shop.html").read_text()
    left_out = (
        "Content <code>descriptions</code> is left out: model &#39;served&#39;: 8 answers give 0\u00a0% of the fields"
    )
    assert left_out in page
    # Answers that are bought are kept: the second run asks for nothing, and a better model is asked anew.
    call(shop, "run", "shop")
    assert len(server.asked) == 8


def test_datasets_with_a_corpus_of_one_name_are_both_asked_about(shop: Settings, server: Server) -> None:
    file = shop.studies / "shop.yaml"
    study = yaml.safe_load(file.read_text())
    study["datasets"]["annex"] = study["datasets"]["shop"]
    file.write_text(yaml.safe_dump(study))
    said = printed(shop, "describe", "shop", "--sample", "2", "--corpus", "SEEN")
    assert "shop/descriptions/seen: asking served" in said and "annex/descriptions/seen: asking served" in said
    assert len(server.asked) == 4


@pytest.mark.parametrize("play", [well, thinking_aloud])
def test_values_are_those_of_the_answer(shop: Settings, server: Server, play: Callable[[Handler], None]) -> None:
    server.always = play
    printed(shop, "describe", "shop", "--yes")
    found = corpus(shop)
    assert found["Main Color"].value_counts().to_dict() == {"red": 12, "blue": 12}
    assert found.set_index("item_id").loc[["0", "1"], "Category"].tolist() == ["chair", "tent"]


def test_thinking_without_end_stops_after_the_first_answers(shop: Settings, server: Server) -> None:
    server.always = endless_thinking
    result = call(shop, "describe", "shop", "--sample", "2", "--yes")
    assert result.exit_code == 1 and len(server.asked) <= 10
    (line,) = [line for line in result.stderr.splitlines() if "left out" in line]
    assert "were cut off at `max_new_tokens: 256`: raise it" in line


def test_refused_items_are_counted_and_can_be_asked_about_again(shop: Settings, server: Server) -> None:
    n = iter(range(1000))

    def unwilling(handler: Handler) -> None:
        (says(400, "flagged", code="content_filter") if next(n) % 6 == 5 else well)(handler)

    server.always = unwilling
    said = printed(shop, "describe", "shop", "--yes")
    assert f"items described: {N_ITEMS - 4}, refused: 4" in said
    assert "why refused: HTTP 400 content_filter (4)" in said
    assert len(corpus(shop)) == N_ITEMS - 4
    printed(shop, "run", "shop", "--select", f'key:"{ASSET}"')
    assert len(server.asked) == N_ITEMS
    server.always = well
    said = printed(shop, "describe", "shop", "--retry-refused", "--yes")
    assert len(server.asked) == N_ITEMS + 4 and len(corpus(shop)) == N_ITEMS


def test_limits_and_other_parameters(shop: Settings, server: Server) -> None:
    met: set[str] = set()

    def demanding(handler: Handler) -> None:
        picture = str(handler.body["messages"])
        if "max_tokens" in handler.body:
            says(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")(handler)
        elif "temperature" in handler.body:
            says(400, "Unsupported value: 'temperature' does not support 0. Only the default (1) value.")(handler)
        elif picture not in met:
            met.add(picture)
            says(429, "slow down", **{"Retry-After": "0.01"})(handler)
        else:
            well(handler)

    server.always = demanding
    printed(shop, "describe", "shop", "--yes")
    assert len(corpus(shop)) == N_ITEMS
    assert any("max_completion_tokens" in body for body in server.bodies)
    adapted = Home(shop).current(ASSET).facts["provenance"]["adapted"]
    assert adapted == [
        "the server does not take `max_tokens`, so `max_completion_tokens` is sent instead",
        "the server does not take `temperature`, so it is left out: the server draws as it likes",
    ]


def test_a_parameter_that_a_server_does_not_take_is_one_line(shop: Settings, server: Server) -> None:
    def strict(handler: Handler) -> None:
        unknown = "reasoning_effort" in handler.body
        (says(400, "Unrecognized request argument supplied: reasoning_effort") if unknown else well)(handler)

    server.always = strict
    change(shop, endpoint={"address": server.address, "extra_body": {"reasoning_effort": "low"}})
    line = complaint(shop, "describe", "shop", "--yes")
    assert "does not take `reasoning_effort`" in line.splitlines()[-1] and "extra_body" in line
    assert len(server.asked) <= 5


def test_how_and_where_it_is_asked_buys_nothing_again(shop: Settings, server: Server, tmp_path: Path) -> None:
    printed(shop, "describe", "shop", "--yes")
    with serving() as other:
        other.always = well
        change(shop, endpoint={"address": other.address, "concurrency": 2, "timeout_s": 9.0}, batch_size=3)
        assert "up to date" in printed(shop, "run", "shop", "--dry-run", "--select", f'key:"{ASSET}"')
        shutil.rmtree(shop.home / "store")
        printed(shop, "describe", "shop", "--yes")
        assert other.asked == []
    for file in (tmp_path / "photos").iterdir():
        os.utime(file)
    printed(shop, "run", "shop", "--select", f'+key:"{ASSET}"')
    assert len(server.asked) == N_ITEMS


@pytest.mark.parametrize("model", ["", "nobody@"])
def test_no_server_is_one_line_before_anything_is_written(tmp_path: Path, model: str) -> None:
    write_shop(tmp_path)
    settings = Settings(home=tmp_path / "home", studies=tmp_path / "studies", workers=1)
    with serving() as gone:
        address = gone.address
    tables = ["--interactions", tmp_path / "orders.csv", "--items", tmp_path / "goods.csv"]
    line = complaint(settings, "new", "shop", *tables, "--describe-with", f"{model}{address}")
    assert "no server answers there" in line and not (settings.studies / "shop.yaml").exists()


def test_a_server_of_many_models_wants_one_named(shop: Settings, server: Server) -> None:
    server.models = ["one", "two"]
    folder = shop.home.parent
    tables = ["--interactions", folder / "orders.csv", "--items", folder / "goods.csv", "--force"]
    line = complaint(shop, "new", "shop", *tables, "--describe-with", server.address)
    assert "lists 2 models (one, two); give MODEL@ADDRESS" in line
    said = printed(shop, "new", "shop", *tables, "--describe-with", f"two@{server.address}")
    assert "two is shown title and text" in said
