"""Rows of a report's tables: plain data, so that they can be stored as JSON and rendered again."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from recsys.evidence.comparison import Comparison
from recsys.evidence.interval import Interval
from recsys.evidence.scores import label

Kind = Literal["content", "interactions", "control", "baseline"]
"""`content`: shown real content; `interactions`: shown none; `control`: shown content that carries nothing;
`baseline`: without a notion of taste, such as Random and TopPop."""


class Part(BaseModel):
    """A part of the report; undefined figures (nan) survive storing."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Scenario(Part):
    """What the verdict holds for.

    Attributes:
        domain: such as "films".
        feedback: such as "explicit ratings of 4 and more".
        seen_before_choice: what a person sees before choosing, such as "poster and title".
        item_kinds: one kind of item, or many.
        split: protocol of the split, such as "each user's last item".
        data_date: when the interactions took place.
    """

    domain: str
    feedback: str
    seen_before_choice: str
    item_kinds: str
    split: str
    data_date: str


class QuarantineRow(Part):
    """Rows left out for one reason, of one table."""

    table: str
    reason: str
    n_rows: int


class ContentRow(Part):
    """Integrity of one source's features: how many items have them, and whether items can be told apart."""

    source: str
    encoder: str
    dim: int
    n_present: int
    n_items: int
    n_distinct: int


class ResultRow(Part):
    """One (model, arm) on the test part.

    Attributes:
        model: its name.
        arm: what it was shown.
        kind: see `Kind`.
        metrics: mean and interval by metric, the primary one among them.
        repeat_means: primary metric in each repeat.
        valid: primary metric on the validation part.
        n_trials: tuning trials it was given.
        n_pruned: of these, how many were pruned.
        exhausted: whether these were all the settings it has; one trial then means that there was nothing to tune.
        deterministic: whether every seed gives the same model.
        seconds: of tuning and training together.
    """

    model: str
    arm: str
    kind: Kind
    metrics: dict[str, Interval]
    repeat_means: list[float]
    valid: float
    n_trials: int
    n_pruned: int = 0
    exhausted: bool = False
    deterministic: bool = False
    seconds: float

    @property
    def name(self) -> str:
        """What tables call it."""
        return label(self.model, self.arm)


class ComparisonRow(Part):
    """One (model, arm) against the best rival; `control_of` names the arm that a control stands in for.

    `control` is what stands in the content's place (`shuffled`, `noise`, `constant`, or in words what is shuffled of
    it), None for content itself.
    """

    comparison: Comparison
    kind: Kind
    control: str | None = None
    control_of: str | None = None

    @property
    def model(self) -> str:
        """The model that is compared."""
        return self.comparison.model_a


class TuningCurve(Part):
    """Best validation score after each trial; `pruned` are the numbers, from 1, of those that were given up."""

    model: str
    arm: str
    kind: Kind
    best: list[float]
    pruned: list[int] = Field(default_factory=list)


class CheckRow(Part):
    """A check of the data or the models, and what it found."""

    name: str
    passed: bool
    found: str


class Link(Part):
    """A place with more, such as the tracked runs; a local address or a path, never a script."""

    text: str
    address: str

    @field_validator("address")
    @classmethod
    def _harmless(cls, address: str) -> str:
        scheme, colon, _ = address.partition(":")
        if colon and scheme.lower() not in ("http", "https", "file"):
            raise ValueError(f"'{scheme}:' is no address a report may point to; use http, https, file or a path")
        return address
