"""What a verdict compares, chosen on validation alone: who stands for content, for its rival, and for each source."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.errors import UserError
from recsys.evidence.scores import Pair
from recsys.evidence.source_design import SourceDesign
from recsys.study.results import ArmResult
from recsys.study.study import Study
from recsys.wording import DASH, count, listed

SELECTION = "selection.json"


class Tally(BaseModel):
    """How much was tried on one side of a comparison, all (model, arm) pairs together.

    Attributes:
        pairs: how many there are.
        trials: of their own searches.
        failed: those of them that gave no value.
        nested: settings chosen elsewhere that were tried beside these.
        weightings: combinations of weights that were tried of ensembles.
    """

    model_config = ConfigDict(frozen=True)

    pairs: int
    trials: int
    failed: int = 0
    nested: int = 0
    weightings: int = 0

    @property
    def said(self) -> str:
        """Its counts, each with what it counts."""
        failed = f" (of which {self.failed:,} failed)" if self.failed else ""
        tried = [f"{count(self.trials, 'trial')}{failed}"]
        if self.nested:
            tried.append(f"{count(self.nested, 'setting')} chosen elsewhere")
        if self.weightings:
            tried.append(f"{count(self.weightings, 'combination')} of weights")
        return f"{count(self.pairs, f'model{DASH}arm pair')} with {listed(tried)}"


class Selection(BaseModel):
    """Which (model, arm) stand for whom.

    Attributes:
        content: the best with content.
        rival: the best on interactions alone.
        shuffled: `content` with its rows shuffled, tuned anew.
        untuned: the same at the settings of `content`.
        popularity: `content` with the popularity of items as its content.
        removed: `content` at its own settings without any content.
        itself: the model of `content` on interactions alone, tuned; None where it cannot do without content.
        sources: by which pairs the sources are judged.
        tried: what was tried for `content` and for `rival`.
    """

    model_config = ConfigDict(frozen=True)

    content: Pair
    rival: Pair
    shuffled: Pair
    untuned: Pair
    popularity: Pair
    removed: Pair | None
    itself: Pair | None
    sources: SourceDesign
    tried: dict[str, Tally]

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        (folder / SELECTION).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Selection":
        """Read it from a folder."""
        return cls.model_validate_json((folder / SELECTION).read_text(encoding="utf-8"))


def content_models(study: Study) -> list[str]:
    """Models of a study that take content, and ensembles of such."""
    return [row for row in study.rows if study.takes_content(row)]


def has_verdict(study: Study, name: str) -> bool:
    """Whether a dataset has what a verdict needs: content, and a model that takes it."""
    return bool(study.datasets[name].content and content_models(study))


def choose_sides(name: str, results: Sequence[ArmResult], unfit: Sequence[str] = ()) -> tuple[ArmResult, ArmResult]:
    """The best with content, and its best rival on interactions alone, by validation.

    Args:
        name: the dataset's.
        results: every (model, arm) that was trained.
        unfit: models whose controls could not be trained, so that they cannot be judged.

    Raises:
        UserError: nothing is left on one of the two sides.
    """
    content = best_real(each for each in results if each.arm != INTERACTIONS_ONLY and each.model not in unfit)
    rival = best_on(results, INTERACTIONS_ONLY)
    if content is None or rival is None:
        missing = "content" if content is None else "interactions only"
        raise UserError(f"dataset {name}: no model on {missing} could be trained, so there is nothing to compare")
    return content, rival


def best(results: Iterable[ArmResult]) -> ArmResult | None:
    """The best on validation, the first of equals."""
    return max(results, key=lambda each: each.valid, default=None)


def best_real(results: Iterable[ArmResult]) -> ArmResult | None:
    """The best of those that are no controls."""
    return best(each for each in results if each.control is None)


def best_on(results: Sequence[ArmResult], arm: str) -> ArmResult | None:
    """The best model over an arm."""
    return best(each for each in results if each.arm == arm)


def tally(results: Sequence[ArmResult]) -> dict[str, Tally]:
    """What was tried with content and on interactions alone."""
    real = [each for each in results if each.control is None]
    sides = {
        "content": [each for each in real if each.arm != INTERACTIONS_ONLY],
        "rival": [each for each in real if each.arm == INTERACTIONS_ONLY],
    }
    return {
        side: Tally(
            pairs=len(arms),
            trials=sum(each.n_trials for each in arms),
            failed=sum(each.n_failed for each in arms),
            nested=sum(each.n_nested for each in arms),
            weightings=sum(each.n_weightings for each in arms),
        )
        for side, arms in sides.items()
    }
