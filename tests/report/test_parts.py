"""What a report reads off stored results."""

import pytest

from recsys.report.parts import wall_seconds


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0),
        ([(0, 10), (5, 20)], 20),
        ([(0, 10), (2, 4), (2, 12)], 12),
        ([(1000, 1010), (0, 10)], 20),
    ],
)
def test_wall_time_leaves_out_pauses_and_what_ran_side_by_side(spans, seconds):
    assert wall_seconds(spans) == seconds
