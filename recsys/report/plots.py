"""The report's drawings: lifts with their intervals, the primary metric by model, and tuning curves."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from recsys.evidence.comparison import ALPHA
from recsys.evidence.scores import label
from recsys.evidence.wording import metric_name
from recsys.report.figures import COLOURS, GRID, INK, MUTED, PAGE, inline_svg, styled
from recsys.report.rows import ComparisonRow, ResultRow, TuningCurve
from recsys.report.text import shortened
from recsys.wording import percent

WIDTH = 9.2
ROW = 0.27
MARGIN_BELOW = 0.55
PANELS = 4
LOWEST = -0.2
"""Lowest point of a tuning curve, relative to its end: what is further below is drawn here."""
FAR_APART = 20
"""How many times more trials one model must have than another for trials to be drawn on a logarithmic scale."""
MINUS = "\u2212"
LONGEST = 40
"""Characters of a name in a drawing."""


def forest(compared: Sequence[ComparisonRow], metric: str, name: str) -> str:
    """Lift of each (model, arm) over the best rival with its 95 % interval, controls under the arm they stand in for.

    Filled: the difference stands after Holm's correction; hollow: it does not. Baselines are better left out:
    beside one that loses nine tenths, no other difference can be seen.
    """
    rows = _grouped(compared)
    if not rows:
        return ""
    with styled():
        figure, axes = _bars_figure(len(rows))
        axes.axvline(0, color=MUTED, linewidth=1)
        margin = rows[0].comparison.margin
        axes.axvspan(-margin, margin, color=GRID, alpha=0.55, linewidth=0)
        for position, row in enumerate(rows):
            _interval(axes, position, row)
        names = [row.comparison.a if row.control is None else f"with {row.control} content" for row in rows]
        _label_rows(axes, names, [percent(row.comparison.lift, signed=True).replace("-", MINUS) for row in rows])
        for name_of_row, row in zip(axes.get_yticklabels(), rows, strict=True):
            name_of_row.set_color(INK if row.control is None else MUTED)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
        axes.set_xlabel(f"lift in {metric_name(metric)} over {shortened(rows[0].comparison.b, LONGEST)}")
        return inline_svg(figure, name, "Lift of each model and arm over the best rival, with 95 % intervals")


def bars(rows: Sequence[ResultRow], metric: str, name: str) -> str:
    """Primary metric of each (model, arm), with its 95 % interval and a dot for each repeat, in the order given."""
    if not rows:
        return ""
    with styled():
        figure, axes = _bars_figure(len(rows))
        for position, row in enumerate(rows):
            _bar(axes, position, row, metric)
        axes.set_xlim(left=0)
        _label_rows(
            axes, [label(row.model, row.arm) for row in rows], [f"{row.metrics[metric].mean:.4f}" for row in rows]
        )
        axes.set_xlabel(metric_name(metric))
        return inline_svg(figure, name, f"{metric_name(metric)} of each model and arm, best first")


def tuning(curves: Sequence[TuningCurve], name: str) -> str:
    """How far below its end each (model, arm) was after each trial, a panel per model, in the order given.

    A curve that still rises at its end asks for more trials.
    """
    panels: dict[str, list[TuningCurve]] = {}
    for curve in curves:
        panels.setdefault(curve.model, []).append(curve)
    if not panels:
        return ""
    with styled():
        n_rows = math.ceil(len(panels) / PANELS)
        figure = Figure(figsize=(WIDTH, 1.25 * n_rows + MARGIN_BELOW))
        grid = figure.subplots(n_rows, PANELS, sharex=True, sharey=True, squeeze=False).flatten()
        for axes, (model, own) in zip(grid, panels.items(), strict=False):
            _panel(axes, model, own)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        lengths = [len(curve.best) for curve in curves]
        # Where time is the budget, a quick model has hundreds of trials and a slow one two.
        logarithmic = max(lengths) > FAR_APART * min(lengths)
        if logarithmic:
            grid[0].set_xscale("log")
            grid[0].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            grid[0].xaxis.set_minor_formatter(NullFormatter())
        # The last row may have fewer panels: each column has its axis below its last one.
        for axes in grid[max(0, len(panels) - PANELS) : len(panels)]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(f"settings tried{', logarithmic scale' if logarithmic else ''}")
        figure.tight_layout(h_pad=0.8, w_pad=0.6)
        return inline_svg(figure, name, "Best validation score after each tuning trial, a panel per model")


def _tick(share: float) -> str:
    return f"{100 * share:+.3g} %".replace("-", MINUS) if round(share, 6) else "0"


def _grouped(rows: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """Best content first, each arm followed by its controls."""
    by_lift = sorted(rows, key=lambda row: row.comparison.difference, reverse=True)
    arms = [row for row in by_lift if row.control is None]
    groups = [
        [
            arm,
            *(
                row
                for row in by_lift
                if row.control
                and row.comparison.model_a == arm.comparison.model_a
                and row.control_of == arm.comparison.arm_a
            ),
        ]
        for arm in arms
    ]
    grouped = [row for group in groups for row in group]
    placed = {(row.comparison.model_a, row.comparison.arm_a) for row in grouped}
    return grouped + [row for row in by_lift if (row.comparison.model_a, row.comparison.arm_a) not in placed]


def _bars_figure(n_rows: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, ROW * n_rows + MARGIN_BELOW))
    axes = figure.add_subplot()
    axes.set_ylim(n_rows - 0.4, -0.6)
    axes.grid(axis="x")
    return figure, axes


def _label_rows(axes: Axes, left: list[str], right: list[str]) -> None:
    """Names to the left of the rows, figures to their right."""
    axes.set_yticks(range(len(left)), [shortened(name, LONGEST) for name in left], color=INK)
    for position, text in enumerate(right):
        axes.text(1.02, position, text, transform=axes.get_yaxis_transform(), va="center_baseline", color=INK)


def _interval(axes: Axes, position: int, row: ComparisonRow) -> None:
    comparison = row.comparison
    colour = COLOURS[row.kind]
    # No score can fall by more than all of it.
    axes.plot([max(comparison.lift_low, -1), comparison.lift_high], [position] * 2, color=colour, linewidth=2)
    face = colour if comparison.p <= ALPHA else PAGE
    marker = "o" if row.control is None else "s"
    size = 6.5 if row.control is None else 5
    axes.plot(comparison.lift, position, marker, color=colour, markerfacecolor=face, markersize=size, mew=1.6)


def _bar(axes: Axes, position: int, row: ResultRow, metric: str) -> None:
    interval = row.metrics[metric]
    axes.barh(position, interval.mean, height=0.62, color=COLOURS[row.kind], alpha=0.75, linewidth=0)
    axes.plot([interval.low, interval.high], [position] * 2, color=INK, linewidth=1)
    axes.plot(row.repeat_means, [position] * len(row.repeat_means), ".", color=INK, markersize=3.5)


def _panel(axes: Axes, model: str, curves: Sequence[TuningCurve]) -> None:
    """The curves of a model's arms, each relative to its own end; the best end stands beside the name."""
    for curve in curves:
        # A curve that ends at 0 has been there all along.
        below = [max(value / (curve.best[-1] or 1) - bool(curve.best[-1]), LOWEST) for value in curve.best]
        axes.step(range(1, len(below) + 1), below, where="post", color=COLOURS[curve.kind], linewidth=1.4)
        axes.plot(curve.pruned, [below[n - 1] for n in curve.pruned], "x", color=COLOURS[curve.kind], markersize=3.5)
    axes.set_title(
        f"{shortened(model, LONGEST)}  {max(curve.best[-1] for curve in curves):.4f}",
        fontsize=8,
        color=INK,
        loc="left",
    )
    axes.set_ylim(LOWEST * 1.05, -LOWEST * 0.1)
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
