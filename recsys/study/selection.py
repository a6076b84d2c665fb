"""What a verdict compares, chosen on validation alone, and the controls that it still needs.

The models have met the controls of the fused arm. The verdict needs the shuffled control of the arm that was
chosen, and each source that of its own best model and of the fused arm with only that source's rows shuffled;
those that are missing are tuned and trained with the same budget.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from recsys.content.arms import INTERACTIONS_ONLY, Arm, control_arm
from recsys.errors import UserError
from recsys.evidence.scores import Pair
from recsys.evidence.sources import SourcePairs
from recsys.models import registry
from recsys.study.results import ArmResult, ModelResult
from recsys.study.study import Study

SELECTION = "selection.json"
UNTUNED = "_untuned"
Train = Callable[[str, Sequence[Arm], dict[str, Any] | None], ModelResult]
"""Trains a model on arms, with fixed hyper-parameters where they are given (see `train_model`)."""


class Selection(BaseModel):
    """Which (model, arm) stand for content, for its best rival, for the control, and for each source."""

    model_config = ConfigDict(frozen=True)

    content: Pair
    rival: Pair
    shuffled: Pair
    sources: dict[str, SourcePairs]

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        (folder / SELECTION).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Selection":
        """Read it from a folder."""
        return cls.model_validate_json((folder / SELECTION).read_text(encoding="utf-8"))


def content_models(study: Study) -> list[str]:
    """Models of a study that take content."""
    return [model for model in study.models if registry.find(model).takes_content]


def has_verdict(study: Study, name: str) -> bool:
    """Whether a dataset has what a verdict needs: content, and a model that takes it."""
    return bool(study.datasets[name].content and content_models(study))


def select_with_controls(study: Study, name: str, results: ModelResult, train: Train) -> tuple[Selection, ModelResult]:
    """Choose on validation, and train the controls of the choice; gives both.

    A content model whose shuffled control cannot be trained cannot be judged: the next best one is chosen in its
    place. A source whose controls cannot be trained is not judged.

    Raises:
        UserError: no content model, or no rival, is left to compare.
    """
    candidates, made = results.arms, ModelResult()
    while True:
        selection, needed = select(study, name, candidates)
        for model in content_models(study):
            known = {arm.pair for arm in (*results.arms, *made.arms)}
            tried = {(each.model, each.arm) for each in made.left_out}
            arms = [arm for chosen, arm in needed if chosen == model and (model, arm.name) not in known | tried]
            if arms:
                made = made + train(model, arms, None)
        known = {arm.pair for arm in (*results.arms, *made.arms)}
        if selection.shuffled in known:
            break
        lost = selection.content[0]
        candidates = [each for each in candidates if each.model != lost or each.arm == INTERACTIONS_ONLY]
    judged = {source: pairs for source, pairs in selection.sources.items() if known.issuperset(pairs.pairs)}
    selection = selection.model_copy(update={"sources": judged})
    return selection, made + _at_own_settings(selection, results.arms, train)


def _at_own_settings(selection: Selection, results: Sequence[ArmResult], train: Train) -> ModelResult:
    """The chosen arm shuffled, with the hyper-parameters of the real one.

    It is easy to beat and proves nothing alone; it stands beside the tuned control for that very reason.
    """
    chosen = next(each for each in results if each.pair == selection.content)
    arm = control_arm(chosen.shown, "shuffled", name=f"{chosen.arm}_shuffled{UNTUNED}")
    return train(chosen.model, [arm], chosen.params)


def select(study: Study, name: str, results: Sequence[ArmResult]) -> tuple[Selection, list[tuple[str, Arm]]]:
    """Choose by validation alone; gives the selection and the control arms it needs of each model.

    Raises:
        UserError: nothing with content, or nothing without it, was trained.
    """
    fused = study.datasets[name].fused
    assert fused is not None
    real = [each for each in results if each.control is None]
    content = max((each for each in real if each.arm != INTERACTIONS_ONLY), key=lambda each: each.valid, default=None)
    rival = _best(real, INTERACTIONS_ONLY)
    if content is None or rival is None:
        missing = "content" if content is None else "interactions only"
        raise UserError(f"dataset {name}: no model on {missing} could be trained, so there is nothing to compare")
    needed = [(content.model, _shuffled(content.shown, fused))]
    sources: dict[str, SourcePairs] = {}
    for source in study.datasets[name].content:
        own = _best(real, source)
        if own is None:
            continue
        own_shuffled = _shuffled(own.shown, fused)
        needed.append((own.model, own_shuffled))
        pairs = SourcePairs(own=own.pair, own_shuffled=(own.model, own_shuffled.name))
        together, fusing = _together(fused, source), _best(real, fused.name)
        if fusing is not None and together.sources != (source,):
            altered = control_arm(together, "shuffled", [source])
            needed += [(fusing.model, together), (fusing.model, altered)]
            pairs = pairs.model_copy(
                update={"fused": (fusing.model, together.name), "fused_altered": (fusing.model, altered.name)}
            )
        sources[source] = pairs
    selection = Selection(
        content=content.pair, rival=rival.pair, shuffled=(content.model, needed[0][1].name), sources=sources
    )
    return selection, list(dict.fromkeys(needed))


def _best(results: Sequence[ArmResult], arm: str) -> ArmResult | None:
    return max((each for each in results if each.arm == arm), key=lambda each: each.valid, default=None)


def _together(fused: Arm, source: str) -> Arm:
    """The fused arm with the source in it: what a source adds is asked beside all the raw modalities."""
    if source in fused.sources:
        return fused
    return Arm(f"{fused.name}_{source}", (*fused.sources, source))


def _shuffled(arm: Arm, fused: Arm) -> Arm:
    return control_arm(arm, "shuffled", name="shuffled" if arm == fused else None)
