"""Rows of a report's tables: plain data, so that they can be stored as JSON and rendered again."""

from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from recsys.analyses.base import Table
from recsys.evidence.comparison import Comparison
from recsys.evidence.interval import Interval
from recsys.evidence.scores import label

Kind = Literal["content", "interactions", "control", "baseline"]
"""`content`: shown real content; `interactions`: shown none; `control`: shown content that carries nothing;
`baseline`: without a notion of taste, such as Random and TopPop."""


class Stored(BaseModel):
    """What a report keeps as JSON; undefined figures (nan) survive storing."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Link(Stored):
    """An address of the web, or of a server that `modalift ui` runs on the machine that made the report.

    A file has no place here: the page is handed on alone.
    """

    text: str
    address: str

    @field_validator("address")
    @classmethod
    def _opens_elsewhere(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"'{address[:60]}' is no address a report may point to; use http or https")
        return address

    @property
    def is_local(self) -> bool:
        """Whether it opens only while `modalift ui` runs on the machine that made the report."""
        return urlsplit(self.address).hostname in ("127.0.0.1", "localhost", "::1")


class ScenarioRow(Stored):
    """What the verdict holds for.

    Attributes:
        domain: such as "films".
        feedback: such as "explicit ratings of 4 and more".
        seen_before_choice: what a person sees before choosing, such as "poster and title".
        item_kinds: one kind of item, or many.
        split: protocol of the split, such as "each user's last item", with its shares and seed.
        ranking: what is ranked at test, and what of it cannot be recommended.
        data_date: when the interactions took place.
    """

    domain: str
    feedback: str
    seen_before_choice: str
    item_kinds: str
    split: str
    ranking: str
    data_date: str


class QuarantineRow(Stored):
    """Rows left out for one reason, of one table."""

    table: str
    reason: str
    n_rows: int


class ContentRow(Stored):
    """Integrity of one source's features: how many items have them, and whether items can be told apart.

    `n_pictures` are those of all items, where the source reads pictures and items have several.
    """

    source: str
    encoder: str
    dim: int
    n_present: int
    n_items: int
    n_distinct: int
    n_pictures: int | None = None


class ResultRow(Stored):
    """One (model, arm) on the test part.

    Attributes:
        model: its name.
        arm: what it was shown.
        kind: see `Kind`.
        metrics: mean and interval by metric, the primary one among them.
        repeat_means: primary metric in each repeat.
        valid: primary metric on the validation part.
        n_trials: of its own search; 0 where it ran at the settings of another arm, or is an ensemble.
        n_failed: those of them that gave no value.
        budget: trials that its search was given; 0 where time is the budget, and for an ensemble.
        n_nested: further settings that were tried because another arm or model had chosen them.
        n_weightings: combinations of weights that were tried of an ensemble.
        n_pruned: trials that were pruned.
        exhausted: whether these were all the settings it has; one trial then means that there was nothing to tune.
        deterministic: whether every seed gives the same model.
        seconds: of tuning and training together.
        params: the chosen hyper-parameters.
        cells: fingerprints of the final trainings.
        runs: its trainings in MLflow.
    """

    model: str
    arm: str
    kind: Kind
    metrics: dict[str, Interval]
    repeat_means: list[float]
    valid: float
    n_trials: int
    n_failed: int = 0
    budget: int = 0
    n_nested: int = 0
    n_weightings: int = 0
    n_pruned: int = 0
    exhausted: bool = False
    deterministic: bool = False
    seconds: float
    params: dict[str, Any] = Field(default_factory=dict)
    cells: list[str] = Field(default_factory=list)
    runs: Link | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return label(self.model, self.arm)


class ComparisonRow(Stored):
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

    @property
    def arm(self) -> str:
        """The arm of the model that is compared."""
        return self.comparison.arm_a


class TuningCurve(Stored):
    """Best validation score after each trial, settings chosen elsewhere last.

    `pruned` are the numbers, from 1, of those that were pruned.
    """

    model: str
    arm: str
    kind: Kind
    best: list[float]
    pruned: list[int] = Field(default_factory=list)


class CheckRow(Stored):
    """A check of the data or the models, and what it found."""

    name: str
    passed: bool
    found: str


class AssetRow(Stored):
    """A version of an asset that figures come from.

    Attributes:
        asset: its key.
        version: fingerprint of its code, settings and inputs.
        content: hash of what it holds.
        links: to the asset and its lineage.
    """

    asset: str
    version: str
    content: str
    links: list[Link] = Field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Where the page lists it."""
        return "asset-" + quote(f"{self.asset}-{self.version[:8]}", safe="").replace("%", "_")


class Section(Stored):
    """Tables of one analysis, and the asset that holds them."""

    asset: str
    tables: list[Table]
