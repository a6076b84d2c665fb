"""`modalift results`: a study's figures, as tables, as Markdown or as JSON."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from orchestration import keys
from orchestration.cli.app import command
from orchestration.cli.console import natural_width, note, out, print_json, say, table
from orchestration.cli.options import JsonOption, StudyArgument
from orchestration.cli.studies import find_study, read_settings
from recsys.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from orchestration.home import Home
    from orchestration.settings import Settings
    from recsys.evidence.source_verdicts import SourceVerdict
    from recsys.study.study import Study

SHOWN = ("ndcg", "recall", "hit_rate", "coverage")
SHIPPED = "recsys.evaluation.metrics."


@command(
    "results",
    "modalift results demo",
    "modalift results demo --all",
    "modalift results demo --json",
    "modalift results demo --markdown",
)
def results(
    study: StudyArgument,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, with the trials too.")] = False,
    every_arm: Annotated[bool, typer.Option("--all", help="Print all arms, however many there are.")] = False,
) -> None:
    """Print models and arms on the test part, and the verdict of each dataset.

    Where there are many arms, the tables have each model on the arm that validation chose, and as many metrics as
    there is room for; JSON and Markdown always have all.
    """
    from orchestration.cli.changes import outdated
    from orchestration.cli.results_markdown import page
    from orchestration.home import Home

    settings = read_settings(home_is="read")
    read, home = find_study(study, settings), Home(settings)
    ready = [name for name in read.datasets if home.lineage.latest(keys.metrics(name))]
    if not ready:
        raise UserError(f"study {read.name} has no results yet: {_remedy(read.name, settings)}")
    for name in read.datasets:
        if name not in ready:
            note(f"dataset {name} has no results yet: {_remedy(read.name, settings, name)}")
    changed = outdated(read, home)
    if as_json or markdown:
        known = {name: dataset_results(home, read, name) for name in ready}
    if as_json:
        print_json({"study": read.name, "datasets": known, **({"outdated": changed} if changed else {})})
    elif markdown:
        print(f"> {changed}\n\n{page(home, read, known)}" if changed else page(home, read, known))
    else:
        for name in ready:
            folded = _show(home, read, name, every_arm)
            if folded:
                more = f"`modalift results {study} --all` prints {folded} more"
                note(f"of each model the arm that validation chose; {more}")
                note("")
    if changed:
        note(changed)


def _remedy(study: str, settings: "Settings", dataset: str = "") -> str:
    """How results are had, and why the last run left none."""
    from orchestration.last_run import last_failure

    why = last_failure(study, settings, dataset)
    return (
        f"its last run failed ({why}); `modalift run {study}` tries again"
        if why
        else (f"`modalift run {study}` computes them")
    )


def dataset_results(home: "Home", study: "Study", name: str) -> dict[str, Any]:
    """What is known of a dataset, for a program: counts, metrics by model and arm, what has none, and the verdict."""
    from orchestration.cli.results_markdown import trained_arms

    models: dict[str, dict[str, dict[str, Any]]] = {}
    for row in _summary(home, name).to_dict("records"):
        values = {figure: row[figure] for figure in ("mean", "ci_low", "ci_high")}
        figures = models.setdefault(row["model"], {}).setdefault(row["arm"], {})
        figures[row["metric"]] = values | {"per_repeat": list(row["per_repeat"])}
    counts = home.current(keys.dataset(name)).facts.get("counts", {})
    trained = trained_arms(home, name)
    return {
        "counts": counts,
        "models": models,
        "left_out": [each.model_dump(include={"model", "arm", "reason"}) for each in trained.left_out],
        "inapplicable": trained.inapplicable,
        "verdict": _verdict(home, study, name),
    }


def _summary(home: "Home", name: str) -> "pd.DataFrame":
    import pandas as pd

    from recsys.study.measuring import SUMMARY

    return pd.read_parquet(home.folder(home.current(keys.metrics(name))) / SUMMARY)


def _verdict(home: "Home", study: "Study", name: str) -> dict[str, Any] | None:
    from orchestration.cli.verdicts import judgement as newest

    judgement = newest(study, home, name)
    if judgement is None:
        return None
    rival = judgement.overall.against_rival
    judged = {source.source: source for source in judgement.sources.by_source}
    return {
        "overall": {
            "verdict": judgement.overall.name,
            "lift": rival.lift,
            "ci_low": rival.lift_low,
            "ci_high": rival.lift_high,
            "p_value": rival.p_value,
        },
        "by_source": {source: _source(judged.get(source)) for source in study.datasets[name].content},
        "questions": [
            {"ask": each.ask, "answer": each.answer, "lift": each.best.lift, "p_holm": each.best.p_holm}
            for each in judgement.questions
        ],
    }


def _source(verdict: "SourceVerdict | None") -> dict[str, Any]:
    """A source alone against its shuffled control; without figures where it was not judged."""
    if verdict is None:
        return {"named": False} | dict.fromkeys(("lift", "ci_low", "ci_high", "p_value", "p_holm"))
    return {
        "named": verdict.named,
        "lift": verdict.own.lift,
        "ci_low": verdict.own.lift_low,
        "ci_high": verdict.own.lift_high,
        "p_value": verdict.p_value,
        "p_holm": verdict.p_holm,
    }


def _widest_that_fits(
    name: str,
    rows: Sequence[Mapping[Hashable, Any]],
    primary: str,
    others: list[str],
    means: dict[tuple[str, str, str], float],
) -> Table:
    """A row per model and arm, with as many of the other metrics as the terminal has room for beside whole names."""
    shown = table("model", "arm", f">{primary}", "95 % interval", *(f">{other}" for other in others), title=name)
    for row in rows:
        interval = f"{row['ci_low']:.4f} to {row['ci_high']:.4f}"
        rest = [f"{means[row['model'], row['arm'], other]:.4f}" for other in others]
        shown.add_row(row["model"], row["arm"], f"{row['mean']:.4f}", interval, *rest)
    too_wide = natural_width(shown).maximum > out.width
    return _widest_that_fits(name, rows, primary, others[:-1], means) if others and too_wide else shown


def _show(home: "Home", study: "Study", name: str, every_arm: bool) -> int:
    """Print a dataset's table and its verdict; gives how many arms were left out of the table."""
    from orchestration.cli.results_markdown import trained_arms
    from orchestration.cli.verdicts import judgement as newest
    from recsys.evaluation.metrics.registry import metric_module, metrics
    from recsys.report.folding import fold_measured

    summary, primary = _summary(home, name), study.evaluation.primary
    trained = trained_arms(home, name)
    best_first = summary[summary["metric"] == primary].sort_values("mean", ascending=False, kind="stable")
    everything = best_first.to_dict("records")
    rows, folded = (everything, []) if every_arm else fold_measured(everything, trained.arms)
    at = primary[primary.index("_at_") :]
    kinds = (*(kind for kind in metrics() if not metric_module(kind).startswith(SHIPPED)), *SHOWN)
    others = [m for kind in kinds if (m := f"{kind}{at}") in set(summary["metric"]) and m != primary]
    means = {(row["model"], row["arm"], row["metric"]): row["mean"] for row in summary.to_dict("records")}
    out.print(_widest_that_fits(name, rows, primary, others, means))
    for line in (*trained.failures, *trained.inapplicable):
        say(line)
    judgement = newest(study, home, name)
    if judgement:
        say(judgement.overall.sentence)
        say(f"  {judgement.overall.advice}")
        say(f"  {judgement.sources.sentence}")
        for source in judgement.sources.by_source:
            say(f"  {source.sentence}")
        for question in judgement.questions:
            say(f"  {question.ask} {question.sentence}")
    say("")
    return len(folded)
