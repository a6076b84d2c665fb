"""What several tests of the report look at."""

import pytest

from tests.evidence.studies import dataset


@pytest.fixture(scope="module")
def baby():
    return dataset("Amazon Baby")
