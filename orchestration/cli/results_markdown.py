"""A study's figures as Markdown, for a page or a paper."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from orchestration import keys
from orchestration.outcomes import ArmResult, ModelResult
from recsys.content.arms import INTERACTIONS_ONLY
from recsys.evidence.wording import metric_name, percent

if TYPE_CHECKING:
    from orchestration.home import Home
    from orchestration.study import Study

Figures = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""By model, arm and metric: `mean`, `ci_low` and `ci_high`."""
COUNTS = ("users", "items", "train", "valid", "test")
ACCURACY = ("recall", "ndcg")


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
        parts += _published(study, name, figures[name])
    return "\n\n".join(parts)


def _side_by_side(figures: dict[str, Figures], primary: str) -> str:
    """The primary metric and the place on every dataset, the best on average first."""
    found = pd.DataFrame(
        {
            name: {_name(model, arm): shown[primary] for model, arms in models.items() for arm, shown in arms.items()}
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
    rows = []
    for model, arms in figures.items():
        trained = {arm.arm: arm for arm in ModelResult.load(home.folder(home.current(keys.model(name, model)))).arms}
        for arm, metrics in arms.items():
            accuracy = {metric_name(m): _interval(value) for m, value in metrics.items() if m.startswith(ACCURACY)}
            mean = metrics[study.evaluation.primary]["mean"]
            rows.append((mean, {"model": _name(model, arm)} | accuracy | _effort(trained.get(arm))))
    return _markdown(pd.DataFrame([row for _, row in sorted(rows, key=lambda pair: -pair[0])]))


def _effort(arm: ArmResult | None) -> dict[str, str]:
    """Trials, which of them won, and minutes of all; nothing for a control, which is trained elsewhere."""
    if arm is None:
        return {}
    given_up = f" ({len(arm.pruned)} given up)" if arm.pruned else ""
    won = str(arm.best.idxmax() + 1)
    return {"trials": f"{len(arm.trials)}{given_up}", "won": won, "minutes": f"{arm.seconds / 60:.1f}"}


def _published(study: "Study", name: str, figures: Figures) -> list[str]:
    """Ours and the relative gaps to what others published; nothing where nobody did."""
    published = study.datasets[name].published
    if published is None:
        return []
    rows = []
    for model, theirs in published.rows.items():
        (ours, *_) = figures[model].values()
        gaps = {m: percent(ours[m]["mean"] / value - 1, signed=True) for m, value in theirs.items()}
        rows.append({"model": model} | {metric_name(m): f"{ours[m]['mean']:.4f} ({gaps[m]})" for m in theirs})
    return [f"Ours, and the gap to {published.source}:", _markdown(pd.DataFrame(rows))]


def _name(model: str, arm: str) -> str:
    return model if arm == INTERACTIONS_ONLY else f"{model} ({arm})"


def _interval(value: dict[str, Any]) -> str:
    return f"{value['mean']:.4f} ({value['ci_low']:.4f} to {value['ci_high']:.4f})"


def _markdown(table: pd.DataFrame) -> str:
    return str(table.fillna("").to_markdown(index=False, floatfmt=".1f"))
