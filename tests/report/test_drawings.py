"""Drawings decide nothing: where there is no variance or nothing to draw, the page stands all the same."""

import math
import re
from dataclasses import replace

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def test_the_tuning_curves_say_where_they_are_cut_and_which_colour_is_whose(baby):
    html = render(study(baby))
    caption = re.search(r"<figcaption>Best nDCG@20 on the validation part.*?</figcaption>", html, re.DOTALL)[0]
    assert "is drawn at \N{MINUS SIGN}20&nbsp;%" in caption
    colours = set(re.findall(r"var\(--(\w+)\)", caption))
    assert colours == {curve.kind for curve in baby.tuning} == {"content", "interactions", "control"}


@pytest.mark.parametrize("n_models", [1, 4, 6])
def test_every_column_of_tuning_curves_has_its_axis_named_below_it(baby, n_models):
    curve = baby.tuning[0].model_copy(update={"pruned": []})
    curves = [curve.model_copy(update={"model": f"Model{n}"}) for n in range(n_models)]
    assert plots.tuning(curves, "columns").count(">settings tried<") == min(n_models, plots.PANELS)


def test_no_drawn_lift_goes_below_the_loss_of_all(baby, monkeypatch):
    drawn = []
    monkeypatch.setattr(Axes, "plot", lambda _, x, *__, **___: drawn.append(x))
    row = baby.comparisons[0]
    lost = replace(row.comparison, lift=-1.0, lift_low=-1.5, lift_high=-0.5)
    plots._interval(Figure().add_subplot(), 0, row.model_copy(update={"comparison": lost}))
    assert drawn[0] == [-1, -0.5]
