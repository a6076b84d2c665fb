"""Which runs a link to MLflow puts side by side: one model's arms, or every model at its best."""

from collections.abc import Sequence

from orchestration import keys
from orchestration.home import Home
from orchestration.mlflow_views import View
from orchestration.tracked import logged_metrics, run_id
from recsys.evaluation.protocol import Protocol
from recsys.study.results import ArmResult
from recsys.study.selection import best_real


def compare_arms(home: Home, dataset: str, model: str, arms: Sequence[ArmResult], protocol: Protocol) -> str:
    """Address of a model's arms side by side, best first: the final runs of `arms`, of which others are ignored."""
    own = {arm.arm: _runs(dataset, arm) for arm in arms if arm.model == model}
    return _save(home, dataset, f"arms-{keys.plain(model)}", f"{model}: its arms side by side", "arm", own, protocol)


def compare_models(home: Home, dataset: str, arms: Sequence[ArmResult], protocol: Protocol) -> str:
    """Address of all models side by side, best first, each on the arm that is its best on validation.

    Controls are not candidates.
    """
    models = dict.fromkeys(arm.model for arm in arms)
    best = {model: best_real(arm for arm in arms if arm.model == model) for model in models}
    runs = {model: _runs(dataset, arm) for model, arm in best.items() if arm}
    return _save(home, dataset, "models", "Models side by side, each on its best arm", "model", runs, protocol)


def _runs(dataset: str, arm: ArmResult) -> list[str]:
    return [run_id(dataset, each) for each in dict.fromkeys(arm.finals)]


def _save(
    home: Home, dataset: str, key: str, title: str, group_by: str, runs: dict[str, list[str]], protocol: Protocol
) -> str:
    view = View(key, title, group_by, runs, protocol.primary, logged_metrics(protocol))
    return home.tracker.save_view(dataset, view)
