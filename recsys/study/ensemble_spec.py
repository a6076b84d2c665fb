"""What a study says of an ensemble: the models whose lists are added, and where each of them stands.

A study names ensembles beside its models, and each is a row of its own in all that counts rows:

    ensembles:
      Together: {of: [VBPR, EASE]}
      BySource: {of: [VBPR], each_source: true}

On an arm an ensemble has the members of the same arm: models that take no content stand for themselves, and with
`each_source` the others are there once for each source of the arm, shown that one alone. On a control its members are
on that control, and on `interactions_only` all of them are: an ensemble shows content if one of its members does.
"""

from dataclasses import dataclass

from pydantic import field_validator

from recsys.content.arms import INTERACTIONS_ONLY, UNTUNED, Arm, control_arm
from recsys.models import registry
from recsys.study.added_lists import SCALES, Scale
from recsys.study.spec import Strict
from recsys.wording import listed


@dataclass(frozen=True)
class Member:
    """A model on an arm; `name` is what its weight is called."""

    name: str
    model: str
    arm: Arm


class Ensemble(Strict):
    """Models whose lists are added.

    Attributes:
        of: rows of the study's models.
        by: what is added; None: what is better on validation.
        each_source: whether models that take content stand in it once for each source, shown that one alone.
    """

    of: tuple[str, ...]
    by: Scale | None = None
    each_source: bool = False

    @field_validator("of")
    @classmethod
    def _each_once(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        if not of or len(set(of)) < len(of):
            raise ValueError("name at least one model, and each once")
        return of

    @property
    def takes_content(self) -> bool:
        """Whether any of the models takes content."""
        return any(registry.find(model).takes_content for model in self.of)

    @property
    def said(self) -> str:
        """What it is, in words."""
        what = " or ".join(self.scales)
        apart = ", one model per source" if self.each_source else ""
        return f"The {what} of {listed(self.of)} added{apart}, with weights from validation"

    @property
    def scales(self) -> tuple[Scale, ...]:
        """What may be added."""
        return SCALES if self.by is None else (self.by,)

    def members(self, arm: Arm) -> list[Member]:
        """Who is added on an arm."""
        found = []
        for model in self.of:
            if not arm.sources or not registry.find(model).takes_content:
                found.append(Member(model, model, Arm(INTERACTIONS_ONLY)))
            elif self.each_source and len(arm.sources) > 1:
                found += [Member(f"{model} {source}", model, _alone(arm, source)) for source in arm.sources]
            else:
                found.append(Member(model, model, arm))
        return found


def _alone(arm: Arm, source: str) -> Arm:
    """What an arm shows of one source, by the name that this has in tables."""
    real = Arm(source, (source,))
    if arm.control is None or source not in arm.altered:
        return real
    return control_arm(real, arm.control, name=f"{source}_{arm.control}{UNTUNED * arm.name.endswith(UNTUNED)}")
