"""Drawings decide nothing: where there is no variance or nothing to draw, the page stands all the same."""

import math

import pytest

from recsys.report import plots
from recsys.report.render import render
from recsys.report.rows import TuningCurve
from tests.evidence.studies import study
from tests.report.page import Page


@pytest.mark.parametrize("drawing", ["forest", "bars", "tuning"])
def test_a_drawing_that_fails_is_a_line_in_its_place(baby, drawing, monkeypatch):
    def failing(*_):
        raise ValueError("'xerr' must not contain <negative> values")

    monkeypatch.setattr(plots, drawing, failing)
    page = Page(render(study(baby)))
    assert page.open == []
    assert "This drawing failed (ValueError: 'xerr' must not contain <negative> values)" in page.text


@pytest.mark.parametrize("best", [[0.0, 0.0], [0.0], [0.2, 0.2], [1e-300, 1e-300], [math.nan, math.nan]])
def test_a_tuning_curve_without_gain_is_drawn(baby, best):
    curve = baby.tuning[0].model_copy(update={"best": best, "pruned": []})
    assert isinstance(curve, TuningCurve)
    assert "<svg" in plots.tuning([curve], "flat")
    assert "This drawing failed" not in Page(render(study(baby.model_copy(update={"tuning": [curve]})))).text


@pytest.mark.parametrize(("longest", "logarithmic"), [(10, False), (300, True)])
def test_where_one_model_has_many_more_trials_they_are_drawn_logarithmic(baby, longest, logarithmic):
    short = baby.tuning[0].model_copy(update={"model": "GUME", "best": [0.2], "pruned": []})
    long = short.model_copy(update={"model": "ItemKNN", "best": [0.1 + n / 10_000 for n in range(longest)]})
    assert ("logarithmic scale" in plots.tuning([short, long], "far-apart")) == logarithmic
