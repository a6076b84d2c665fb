from pathlib import Path

import pytest

from orchestration.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "studies").mkdir()
    return Settings(home=tmp_path / "home", studies=tmp_path / "studies")
