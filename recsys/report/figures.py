"""Matplotlib figures as inline SVG that takes its colours from the page.

A figure is drawn in sentinel colours. In the SVG they become CSS variables of the page, so that one drawing
reads well in light, in dark and on paper.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#010203"
MUTED = "#010204"
GRID = "#010205"
PAGE = "#010206"
COLOURS = {"content": "#010211", "interactions": "#010212", "control": "#010213", "baseline": "#010214"}
_VARIABLES = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    PAGE: "var(--page)",
    **{colour: f"var(--{kind})" for kind, colour in COLOURS.items()},
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "modalift",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the report's style; other figures of the process keep theirs."""
    with mpl.rc_context(_STYLE):
        yield


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an `<svg>` element whose colours are the page's.

    Args:
        figure: drawn in the sentinel colours of this module.
        name: unique in the page; set before all ids, which would else be shared between figures.
        title: what a screen reader says instead of the drawing.
    """
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", pad_inches=0.03)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    # HTML knows the namespaces of SVG; naming them would put web addresses into a page that needs none.
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", svg)
    svg = svg.replace("'DejaVu Sans', sans-serif", "system-ui, sans-serif")
    for sentinel, variable in _VARIABLES.items():
        svg = svg.replace(sentinel, variable)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    opening = f'<svg class="figure" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
    return opening + svg[svg.index(">") + 1 :].strip()
