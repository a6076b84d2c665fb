"""Which columns of the items are title, text and image, and what of the items is no content."""

from pathlib import Path

import pandas as pd
import pytest

from orchestration.settings import Settings
from recsys.data.readers import read
from tests.orchestration.command_line import printed
from tests.orchestration.new.tables import N_ITEMS, goods, of_frames, options, taken


@pytest.mark.parametrize("name", ["title", "text"])
def test_a_column_that_is_said_not_to_be_used_is_not_used(settings: Settings, tmp_path: Path, name: str) -> None:
    """Though the reader would take a column of that name by itself."""
    flag = "--title-column" if name == "title" else "--text-columns"
    study, _ = of_frames(settings, taken(), goods().rename(columns={"description": "text"}), flag, "none")
    source = study.datasets["mine"].source
    raw = read("table", source.options, Path(source.folder or ""), tmp_path)
    assert raw.items[name].isna().all()


def test_what_only_a_further_row_of_an_item_has_is_said(settings: Settings) -> None:
    """As in a list of variants whose first row is not the product's."""
    items = goods()
    _, said = of_frames(settings, taken(), pd.concat([items.assign(title=None), items], ignore_index=True))
    assert "! 40 items have their 'title' not in their first row, which counts, but in a further one" in said


def test_codes_are_no_text(settings: Settings) -> None:
    items = goods(hash=[f"{n:08x}-9aa{n}-b6" for n in range(N_ITEMS)])
    study, said = of_frames(settings, taken(), items)
    assert options(study)["text_columns"] == ["description"] and "not used, of the items: 'hash'" in said


def test_text_without_words_is_no_content(settings: Settings) -> None:
    study, lines = of_frames(settings, taken(), goods().assign(title="x").drop(columns="description"))
    assert not study.datasets["mine"].content
    assert "! text: not used as content, since it has no words in ('title',)" in lines


def test_an_empty_column_of_the_items_is_called_empty(settings: Settings) -> None:
    _, said = of_frames(settings, taken(), goods(slogan=[None] * N_ITEMS))
    assert "! 'slogan' of the items: without a single value" in said


def test_what_users_made_is_no_content_unless_the_user_says_so(settings: Settings) -> None:
    rows = taken().assign(user_id=lambda rows: "u" + rows["user_id"].astype(str))
    fans = rows.sample(frac=1, random_state=0).groupby("item_id")["user_id"].first()
    items = goods(review_text=[f"a fine thing, number {n} of many" for n in range(N_ITEMS)])
    items["tags"] = [f"{fan} fan" for fan in fans.reindex(items["item_id"])]
    study, said = of_frames(settings, rows, items)
    assert options(study)["text_columns"] == ["description"]
    assert "! 'review_text' of the items: no content, since its name suggests that users made it" in said
    assert "! 'tags' of the items: no content, since in 100 % of the items it names users who took that very" in said
    assert "not used, of the items" not in said
    study, said = of_frames(settings, rows, items, "--text-columns", "review_text,tags", "--force")
    assert options(study)["text_columns"] == ["review_text", "tags"] and "no content" not in said
    checked = printed(settings, "check", "mine")
    assert "'tags' names users who took that very item in 100 % of the items with one" in checked
    assert "'text' names users" not in checked and "'review_text' names users" not in checked
