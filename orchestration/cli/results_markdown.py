"""A study's figures as Markdown, for a page or a paper."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from assets import analyses
from orchestration import keys
from recsys.analyses.registry import applicable
from recsys.evidence.scores import label
from recsys.evidence.wording import metric_name
from recsys.study.results import ArmResult, ModelResult

if TYPE_CHECKING:
    from orchestration.home import Home
    from recsys.study.study import Study

Figures = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""By model, arm and metric: `mean`, `ci_low` and `ci_high`."""
COUNTS = ("users", "items", "train", "valid", "test")
ACCURACY = ("recall", "ndcg")
PUBLISHED = "published_figures"


def page(home: "Home", study: "Study", datasets: dict[str, dict[str, Any]]) -> str:
    """Tables of all datasets side by side, then of each, with 95 % intervals and the trials behind them.

    Args:
        home: where the results are.
        study: whose results.
        datasets: what `modalift results --json` says of each.
    """
    figures = {name: known["models"] for name, known in datasets.items()}
    parts = [_side_by_side(figures, study.evaluation.primary)] if len(figures) > 1 else []
    for name, known in datasets.items():
        counts = ", ".join(f"{known['counts'][what]:,} {what}" for what in COUNTS)
        parts += [f"### {name}", f"{counts}.", _figures(home, study, name, figures[name])]
        trained = trained_arms(home, name)
        parts += [f"- {line}." for line in (*trained.failures, *trained.inapplicable)]
        parts += _published(home, study, name)
    return "\n\n".join(parts)


def _side_by_side(figures: dict[str, Figures], primary: str) -> str:
    """The primary metric and the place on every dataset, the best on average first."""
    found = pd.DataFrame(
        {
            name: {label(model, arm): shown[primary] for model, arms in models.items() for arm, shown in arms.items()}
            for name, models in figures.items()
        }
    )
    places = found.map(lambda value: value["mean"], na_action="ignore").astype(float).rank(ascending=False)
    shown = found.map(_interval, na_action="ignore")
    for name in shown:
        shown[name] += places[name].map(lambda place: f", {place:.0f}.", na_action="ignore")
    shown["mean place"] = places.mean(axis=1)
    return _markdown(shown.sort_values("mean place").rename_axis(f"{metric_name(primary)}, place").reset_index())


def _figures(home: "Home", study: "Study", name: str, figures: Figures) -> str:
    """Every model and arm on one dataset, the best first."""
    arms = trained_arms(home, name).arms
    best_first = sorted(arms, key=lambda arm: -figures[arm.model][arm.arm][study.evaluation.primary]["mean"])
    table = pd.DataFrame([_row(arm, figures[arm.model][arm.arm]) for arm in best_first])
    return _markdown(table.loc[:, (table != "").any()])


def trained_arms(home: "Home", name: str) -> ModelResult:
    """What came of every arm of a dataset."""
    return ModelResult.load(home.folder(home.current(keys.metrics(name))))


def _row(arm: ArmResult, figures: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Accuracy, trials, what was tried beside them or in their place, which of the trials won, and minutes of all."""
    accuracy = {
        metric_name(metric): _interval(value) for metric, value in figures.items() if metric.startswith(ACCURACY)
    }
    without = [f"{n} {what}" for n, what in ((len(arm.pruned), "pruned"), (arm.n_failed, "failed")) if n]
    lost = f" ({', '.join(without)})" if without else ""
    effort = {
        "trials": f"{arm.n_trials}{lost}",
        "chosen elsewhere": str(arm.n_nested or ""),
        "combinations of weights": str(arm.n_weightings or ""),
        "won": _won(arm),
        "minutes": f"{arm.seconds / 60:.1f}",
    }
    return {"model": label(arm.model, arm.arm)} | accuracy | effort


def _won(arm: ArmResult) -> str:
    """Number of the trial that was chosen; nothing where none of the own trials was."""
    own = arm.trials[: arm.n_trials]
    if arm.n_nested and all(trial.params != arm.params for trial in own):
        return "chosen elsewhere"
    return next((str(n) for n, trial in enumerate(own, start=1) if trial.params == arm.params), "")


def _published(home: "Home", study: "Study", name: str) -> list[str]:
    """Ours beside what others published; nothing where nobody did."""
    analysis = applicable(study, name).get(PUBLISHED)
    event = home.lineage.latest(keys.analysis(name, PUBLISHED)) if analysis else None
    if analysis is None or event is None:
        return []
    shown = analysis.show(analyses.load(analysis, home.whole(event.asset, event.fingerprint)))
    tables = [(table.caption, pd.DataFrame(table.rows, columns=table.columns)) for table in shown]
    return [part for caption, table in tables for part in (caption, _markdown(table))]


def _interval(value: dict[str, Any]) -> str:
    return f"{value['mean']:.4f} ({value['ci_low']:.4f} to {value['ci_high']:.4f})"


def _markdown(table: pd.DataFrame) -> str:
    return str(table.fillna("").to_markdown(index=False, floatfmt=".1f"))
