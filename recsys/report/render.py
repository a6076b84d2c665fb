"""A study's report as one HTML file that needs nothing but itself: no font, no address to fetch.

Its policy (a `Content-Security-Policy`) lets the browser run the one script of `page.js` and fetch nothing, whatever
text a study brings along.
"""

import base64
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from recsys.analyses.base import Table
from recsys.evidence import wording
from recsys.evidence.comparison import Comparison
from recsys.report import folding, paper, plots
from recsys.report.ladder import Scale, rungs
from recsys.report.limits import limits
from recsys.report.model import DatasetReport, StudyReport
from recsys.report.opening import BADGES, key_figures, why_unnamed
from recsys.report.rows import ComparisonRow, Kind, ResultRow, Section, TuningCurve
from recsys.report.text import breakable, collapsed, setting, shortened, typeset
from recsys.wording import count, duration, percent

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
CONTROLS = ("shuffled", "noise", "constant")
FEW_METRICS = 5
MOST_GATES = 3
"""Amber gates that the answer spells out."""
OWN_PLACE = ("strata", "sensitivity")
"""Analyses whose tables stand where they are asked for, and not at the end."""
KINDS: dict[Kind, str] = {
    "content": "content",
    "control": "its controls",
    "interactions": "interactions only",
    "baseline": "baseline",
}


def render(report: StudyReport) -> str:
    """The report as HTML; all text of the study is escaped."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "breakable": breakable,
        "count": lambda number: typeset(f"{number:,}"),
        "duration": duration,
        "collapsed": collapsed,
        "interval": lambda ends: typeset(wording.interval(*ends)),
        "kinds": kinds,
        "lift": lambda share: typeset(percent(share, signed=True)),
        "metric": wording.metric_name,
        "number": lambda n, what: typeset(count(n, what)),
        "p": lambda p: typeset(wording.p_cell(p)),
        "percent": lambda share: typeset(percent(share)),
        "score": lambda value: f"{value:.4f}",
        "setting": setting,
        "shortened": shortened,
        "typeset": typeset,
    }
    style, script = (Markup((HERE / name).read_text(encoding="utf-8")) for name in ("style.css", "page.js"))
    template = environment.get_template("report.html.j2")
    return template.render(
        report=report,
        style=style,
        script=script,
        policy=policy(script),
        paper=paper,
        badges=BADGES,
        key_figures=key_figures,
        why_unnamed=why_unnamed,
        limits=limits,
        rungs=rungs,
        scale=Scale.of,
        most_gates=MOST_GATES,
        section_of=section_of,
        other_sections=other_sections,
        content_assets=lambda dataset: [f"{dataset.name}/embeddings/{row.source}" for row in dataset.content],
        drawings=[_drawings(dataset, position) for position, dataset in enumerate(report.datasets)],
        metrics=metrics,
        few_metrics=few_metrics,
        controls=controls,
        folded_curves=lambda dataset: folding.fold_arms(folding.curves(dataset), dataset),
        folded_controls=folded_controls,
        folded_results=lambda dataset: folding.fold_arms(folding.results(dataset), dataset),
        folded_comparisons=lambda dataset: folding.fold_arms(folding.comparisons(dataset), dataset),
        rows_of=folded_rows,
        few=folding.FEW,
        control_names=lambda pivot: [name for name in CONTROLS if any(name in own for _, own in pivot)],
    )


def policy(script: str) -> str:
    """What a browser may do with the page: show its style, run this very script, and fetch nothing."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _drawings(dataset: DatasetReport, position: int) -> dict[str, Markup]:
    """The drawings of one dataset; their text is escaped by matplotlib and by `inline_svg`.

    Each comes with `<name>_all`, a drawing of all arms to be folded away, empty where the first one has them all.
    """
    compared = [row for row in folding.comparisons(dataset) if row.kind != "baseline"]
    bars = [row for row in folding.results(dataset) if row.kind != "control"]
    curves = folding.curves(dataset)

    def forest(rows: list[ComparisonRow], name: str) -> str:
        return plots.forest(rows, dataset.metric, name)

    def bar(rows: list[ResultRow], name: str) -> str:
        return plots.bars(rows, dataset.metric, name)

    drawn = {
        **_folded("forest", compared, dataset, forest, position),
        **_folded("bars", bars, dataset, bar, position),
        **_folded("tuning", curves, dataset, plots.tuning, position),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}


def _folded(
    name: str,
    rows: list[folding.ArmRow],
    dataset: DatasetReport,
    plot: Callable[[list[folding.ArmRow], str], str],
    position: int,
) -> dict[str, str]:
    shown, rest = folding.fold_arms(rows, dataset)
    everything = _drawn(plot, rows, f"d{position}-{name}-all") if rest else ""
    return {name: _drawn(plot, shown, f"d{position}-{name}"), f"{name}_all": everything}


def _drawn(plot: Callable[[list[folding.ArmRow], str], str], rows: list[folding.ArmRow], name: str) -> str:
    """A drawing, or a line in its place: the page's tables say all that its drawings do, and no drawing fails them."""
    try:
        return plot(rows, name)
    except Exception as error:  # matplotlib raises almost any type on values that it cannot place
        log.warning("%s: could not be drawn: %s: %s", name, type(error).__name__, error, exc_info=True)
        return str(escape(f"This drawing failed ({type(error).__name__}: {error}); the tables have its figures."))


def metrics(dataset: DatasetReport) -> list[str]:
    """Every metric that some row has, the primary one first, then in order of first appearance."""
    return list(dict.fromkeys([dataset.metric, *(metric for row in dataset.results for metric in row.metrics)]))


def few_metrics(dataset: DatasetReport) -> list[str]:
    """As many as a page of paper has room for: the primary one, and those at its cut-off before others."""
    first, *others = metrics(dataset)
    cut_off = first.rpartition("_at_")[2]
    return [first, *sorted(others, key=lambda metric: metric.rpartition("_at_")[2] != cut_off)][:FEW_METRICS]


def section_of(dataset: DatasetReport, analysis: str) -> Section | None:
    """The tables of an analysis; None where it has none."""
    found = (each for each in dataset.sections if each.asset.endswith(f"/analyses/{analysis}") and each.tables)
    return next(found, None)


def other_sections(dataset: DatasetReport) -> list[Section]:
    """Those that have no place of their own."""
    own = [section_of(dataset, analysis) for analysis in OWN_PLACE]
    return [each for each in dataset.sections if each.tables and each not in own]


def kinds(rows: list[ResultRow] | list[ComparisonRow] | list[TuningCurve]) -> dict[Kind, str]:
    """The kinds that some row is of, each with its words for a legend."""
    return {kind: words for kind, words in KINDS.items() if any(row.kind == kind for row in rows)}


def controls(dataset: DatasetReport) -> list[tuple[Comparison, dict[str, Comparison]]]:
    """Each content arm's comparison with the best rival, best first, and beside it those of its controls."""
    found = []
    for row in folding.comparisons(dataset):
        arm = (row.comparison.model_a, row.comparison.arm_a)
        own = {
            other.control: other.comparison
            for other in dataset.comparisons
            if other.control in CONTROLS and (other.comparison.model_a, other.control_of) == arm
        }
        if row.control is None and own:
            found.append((row.comparison, own))
    return found


def folded_controls(dataset: DatasetReport) -> folding.Folded[tuple[Comparison, dict[str, Comparison]]]:
    """The same, long tables folded."""
    pivot, standing = controls(dataset), folding.standing(dataset)
    contents = [(content.model_a, content.arm_a) for content, _ in pivot]
    return folding.fold(pivot, [model for model, _ in contents], [standing(content) for content in contents])


def folded_rows(table: Table, dataset: DatasetReport) -> folding.Folded[list[str]]:
    """The rows of an analysis's table, long ones with a row per (model, arm) folded."""
    if not table.pairs:
        return table.rows, []
    return folding.fold(
        table.rows, [model for model, _ in table.pairs], list(map(folding.standing(dataset), table.pairs))
    )
