from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.orchestration.check.catalogue import ITEMS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A shop of 60 people and 40 items, each with a title and words."""
    data = tmp_path / "data"
    data.mkdir()
    rows = [f"{u},{(u * 7 + k * 3) % ITEMS}" for u in range(60) for k in range(10)]
    (data / "r.csv").write_text("user_id,item_id\n" + "\n".join(rows), encoding="utf-8")
    goods = [f"{i},Item {i},words {i % 7} and {i % 3},kind {i % 6}" for i in range(ITEMS)]
    (data / "i.csv").write_text("item_id,title,description,category\n" + "\n".join(goods), encoding="utf-8")
    return Settings(home=tmp_path / "home", studies=tmp_path, data=tmp_path, workers=1)
