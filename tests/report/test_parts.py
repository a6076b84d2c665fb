"""What a report reads off stored results."""

import pytest

from recsys.report.parts import wall_seconds
from recsys.study.results import ArmResult


def arm(*spans):
    return ArmResult.model_construct(spans=list(spans))


@pytest.mark.parametrize(
    ("arms", "seconds"),
    [
        ([], 0),
        ([arm((0, 10), (5, 20))], 20),
        ([arm((0, 10)), arm((0, 4), (2, 12))], 12),
        ([arm((1000, 1010)), arm((0, 10))], 20),
    ],
)
def test_wall_time_leaves_out_pauses_and_what_ran_side_by_side(arms, seconds):
    assert wall_seconds(arms) == seconds
