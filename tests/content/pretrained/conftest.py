"""Pictures that take a moment to write, written once."""

import pytest

from tests.content.pretrained.pictures import broken_pictures, odd_pictures


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Pictures that no model takes as they are."""
    return odd_pictures(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files that are no pictures."""
    return broken_pictures(tmp_path_factory.mktemp("broken"))
