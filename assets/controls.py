"""`<dataset>/controls`: what the verdict compares, chosen on validation, and the controls it still needs.

The models have met the controls of the fused arm. The verdict needs the shuffled control of the arm that was
chosen, and each source that of its own best model and of the fused arm with only that source's rows shuffled;
those that are missing are tuned and trained here with the same budget.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd
from pydantic import BaseModel, ConfigDict

from assets.models import budget
from orchestration import keys
from orchestration.fingerprints import code_version, fingerprint, model_code
from orchestration.home import Home, Outcome
from orchestration.outcomes import ArmResult, ModelResult
from orchestration.results import key, materialised, plainly, table
from orchestration.study import Study
from recsys.content.arms import INTERACTIONS_ONLY, Arm, controlled
from recsys.models import registry

if TYPE_CHECKING:
    from orchestration.cells import CellRunner

SELECTION = "selection.json"
UNTUNED = "_untuned"
Pair = tuple[str, str]
"""A model and an arm."""


class SourcePairs(BaseModel):
    """What one source is judged by; `fused` and `fused_altered` are None where there is one source only."""

    model_config = ConfigDict(frozen=True)

    own: Pair
    own_shuffled: Pair
    fused: Pair | None = None
    fused_altered: Pair | None = None


class Selection(BaseModel):
    """Which (model, arm) stand for content, for its best rival, for the control, and for each source."""

    model_config = ConfigDict(frozen=True)

    content: Pair
    rival: Pair
    shuffled: Pair
    sources: dict[str, SourcePairs]


def content_models(study: Study) -> list[str]:
    """Models of a study that take content."""
    return [model for model in study.models if registry.find(model).takes_content]


def judges(study: Study, name: str) -> bool:
    """Whether a dataset has what a verdict needs: content, and a model that takes it."""
    return bool(study.datasets[name].content and content_models(study))


def build(study: Study, name: str) -> dg.AssetsDefinition:
    """The asset of one dataset's controls."""
    asset = keys.controls(name)
    inputs = [keys.model(name, model) for model in study.models]
    content = [(model, study.params_of(model), model_code(model)) for model in content_models(study)]
    version = fingerprint(budget(study), list(study.models), content, code_version("assets/controls.py"))
    sources = [keys.embeddings(name, source) for source in study.datasets[name].content]

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in (*inputs, *sources, keys.dataset(name))],
        group_name=name,
        kinds={"mlflow"},
        code_version=version,
        description="Chosen on validation: the content model, its best rival without content, and their controls.",
    )
    @plainly
    def controls(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        def fit(out: Path, read: dict[str, Path]) -> Outcome:
            from orchestration.trainings import train

            results = [arm for upstream in inputs for arm in ModelResult.load(read[upstream]).arms]
            selection, needed = select(study, name, results)
            known = {(arm.model, arm.arm) for arm in results}
            made: list[ArmResult] = []
            runs: list[str] = []
            for model in content_models(study):
                arms = [arm for chosen, arm in needed if chosen == model and (model, arm.name) not in known]
                if arms:
                    trained, runner = train(home, study, name, model, arms, asset=asset, run=context.run.run_id)
                    made += trained
                    runs += runner.runs
            trained, runner = _untuned(home, study, name, selection, results, asset, context.run.run_id)
            made += trained
            runs += runner.runs
            ModelResult(arms=made).save(out)
            (out / SELECTION).write_text(selection.model_dump_json(indent=1), encoding="utf-8")
            return Outcome(facts={"trained": len(made)}, rows=len(made), mlflow_runs=tuple(runs))

        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=[*inputs, *sources, keys.dataset(name)],
            build=fit,
        )
        return materialised(event, _shown(home.folder(event)))

    return controls


def _untuned(
    home: Home, study: Study, name: str, selection: Selection, results: list[ArmResult], asset: str, run: str
) -> tuple[list[ArmResult], "CellRunner"]:
    """The chosen arm shuffled, with the hyper-parameters of the honest one.

    It is easy to beat and proves nothing alone; it stands beside the tuned control for that very reason.
    """
    from orchestration.trainings import train

    chosen = next(r for r in results if (r.model, r.arm) == selection.content)
    arm = controlled(_arm(chosen), "shuffled", name=f"{chosen.arm}_shuffled{UNTUNED}")
    fixed = study.model_copy(update={"models": study.models | {chosen.model: chosen.params}})
    return train(home, fixed, name, chosen.model, [arm], asset=asset, run=run)


def select(study: Study, name: str, results: list[ArmResult]) -> tuple[Selection, list[tuple[str, Arm]]]:
    """Choose by validation alone; gives the selection and the control arms it needs of each model."""
    fused = study.datasets[name].fused
    assert fused is not None
    honest = [r for r in results if r.control is None]
    content = max((r for r in honest if r.arm != INTERACTIONS_ONLY), key=lambda r: r.valid)
    rival = max((r for r in honest if r.arm == INTERACTIONS_ONLY), key=lambda r: r.valid)
    needed = [(content.model, _shuffled(_arm(content), fused))]
    sources: dict[str, SourcePairs] = {}
    for source in study.datasets[name].content:
        own = _best(honest, source)
        if own is None:
            continue
        own_shuffled = _shuffled(_arm(own), fused)
        needed.append((own.model, own_shuffled))
        pairs = SourcePairs(own=(own.model, own.arm), own_shuffled=(own.model, own_shuffled.name))
        together, fusing = _together(fused, source), _best(honest, fused.name)
        if fusing is not None and together.sources != (source,):
            altered = controlled(together, "shuffled", [source])
            needed += [(fusing.model, together), (fusing.model, altered)]
            pairs = pairs.model_copy(
                update={"fused": (fusing.model, together.name), "fused_altered": (fusing.model, altered.name)}
            )
        sources[source] = pairs
    selection = Selection(
        content=(content.model, content.arm),
        rival=(rival.model, rival.arm),
        shuffled=(content.model, needed[0][1].name),
        sources=sources,
    )
    return selection, list(dict.fromkeys(needed))


def _best(results: list[ArmResult], arm: str) -> ArmResult | None:
    return max((r for r in results if r.arm == arm), key=lambda r: r.valid, default=None)


def _together(fused: Arm, source: str) -> Arm:
    """The fused arm with the source in it: what a source adds is asked beside all the raw modalities."""
    if source in fused.sources:
        return fused
    return Arm(f"{fused.name}_{source}", (*fused.sources, source))


def _arm(result: ArmResult) -> Arm:
    return Arm(result.arm, result.sources)


def _shuffled(arm: Arm, fused: Arm) -> Arm:
    return controlled(arm, "shuffled", name="shuffled" if arm == fused else None)


def _shown(folder: Path) -> dict[str, object]:
    selection = Selection.model_validate_json((folder / SELECTION).read_text(encoding="utf-8"))
    rows = [("content", *selection.content), ("rival", *selection.rival), ("shuffled", *selection.shuffled)]
    for source, pairs in selection.sources.items():
        rows.append((f"source {source}", *pairs.own))
    return {"chosen_on_validation": table(pd.DataFrame(rows, columns=["role", "model", "arm"]))}
