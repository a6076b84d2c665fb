"""Which trials are pruned: those that are behind and too slow to catch up, and no other."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.tuning.pruning import FINISHED, WINDOW, Curve, PruningCurve, pruning_curve


def curve(*values: float, every: int = 1) -> Curve:
    """A curve with an evaluation `every` so many epochs."""
    rows: list[dict[str, float]] = [{"epoch": epoch, "loss": 1.0} for epoch in range(1, every * len(values) + 1)]
    for number, value in enumerate(values, start=1):
        rows[number * every - 1]["valid"] = value
    return rows


LINE = PruningCurve(tuple(range(1, 11)), tuple(n / 10 for n in range(1, 11)))
"""Finished trials that rose by 0.1 an epoch and ended after ten with 1.0."""


def test_medians_of_what_was_reached_kept_to_the_end() -> None:
    curves = [curve(0.1, 0.5, 0.4, 0.6), curve(0.3, 0.2), curve(0.2, 0.2, 0.2, 0.8), curve(0.0, 0.1, 0.9, 0.7)]
    made = pruning_curve(curves)
    assert made is not None
    assert made.epochs == (1, 2, 3, 4)
    # Best so far: .1 .5 .5 .6; .3 .3 .3 .3; .2 .2 .2 .8; 0 .1 .9 .9
    assert made.medians == pytest.approx((0.15, 0.25, 0.4, 0.7))


def test_curves_of_other_steps_are_compared_once_all_have_begun() -> None:
    curves = [curve(0.1, 0.2, 0.3, 0.4), curve(0.3, 0.5, every=2), *[curve(0.0, 0.6, every=2)] * 2]
    made = pruning_curve(curves)
    assert made is not None
    assert made.epochs == (2, 3, 4)
    assert made.medians == pytest.approx((0.1, 0.15, 0.55))


@pytest.mark.parametrize("curves", [[curve(0.1)] * (FINISHED - 1), [[]] * 9, [curve(0.1)] * (FINISHED - 1) + [[]]])
def test_too_few_curves_make_no_pruning_curve(curves: list[Curve]) -> None:
    assert pruning_curve(curves) is None


@pytest.mark.parametrize(
    ("values", "pruned"),
    [
        ([0.01] * 7, True),
        ([0.01] * WINDOW, False),  # too short to tell
        ([0.7] * 7, False),  # as good as the median so far
        ([0.01, 0.01, 0.05, 0.15, 0.3, 0.5, 0.69], False),  # late, and rising fast enough to end there
        ([0.1, 0.2, 0.3, 0.31, 0.32, 0.33, 0.34], True),  # rose at first, and not any more
    ],
)
def test_pruned_is_what_is_behind_and_too_slow(values: list[float], pruned: bool) -> None:
    assert LINE.should_prune(curve(*values), 10) == pruned


def test_a_trial_at_its_last_epoch_is_finished() -> None:
    assert LINE.should_prune(curve(*[0.01] * 9), 10)
    assert not LINE.should_prune(curve(*[0.01] * 10), 10)


curves = st.lists(st.integers(0, 50), min_size=1, max_size=15)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(finished=st.lists(curves, min_size=FINISHED, max_size=8), trial=curves, last=st.integers(1, 40))
def test_what_is_pruned_stands_below_half_of_the_finished(
    finished: list[list[int]], trial: list[int], last: int
) -> None:
    made = pruning_curve([curve(*values) for values in finished])
    assert made is not None
    if made.should_prune(curve(*trial), last):
        assert sum(max(values) > max(trial) for values in finished) >= len(finished) / 2
