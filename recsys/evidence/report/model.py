"""What a report is made of: plain data, so that it can be stored as JSON and rendered again."""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from recsys.evidence.comparison import Comparison
from recsys.evidence.interval import Interval
from recsys.evidence.questions import Answered
from recsys.evidence.scores import label
from recsys.evidence.sources import SourceVerdict
from recsys.evidence.standing import Standing
from recsys.evidence.verdict import Verdict, VerdictName

Kind = Literal["content", "interactions", "control", "baseline"]
"""`content`: shown real content; `interactions`: shown none; `control`: shown content that carries nothing;
`baseline`: without a notion of taste, such as Random and TopPop."""
Answer = VerdictName | Literal["not_compared"]


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
        seed_means: primary metric of each seed.
        valid: primary metric on the validation part.
        n_trials: tuning trials it was given.
        n_pruned: of these, how many were given up because their validation curve was hopeless.
        exhausted: whether these were all the settings it has; one trial then means that there was nothing to tune.
        deterministic: whether every seed gives the same model.
        seconds: of tuning and training together.
    """

    model: str
    arm: str
    kind: Kind
    metrics: dict[str, Interval]
    seed_means: list[float]
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


class StratumRow(Part):
    """The content's lift over the best rival in one stratum, such as users with 5 to 9 training interactions."""

    strata: str
    stratum: str
    comparison: Comparison


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


class TruthRow(Part):
    """What was planted in a synthetic market, and what the program found."""

    what: str
    expected: str
    found: str
    agrees: bool


class Table(Part):
    """Any further table: a title, what it shows, column heads and cells as they are to be printed.

    The first `n_names` columns name what a row is about.
    """

    title: str
    caption: str = ""
    columns: list[str]
    rows: list[list[str]]
    n_names: int = 1


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


class DatasetReport(Part):
    """All that is said about one dataset.

    Attributes:
        name: of the dataset.
        scenario: what the answer holds for.
        metric: the primary one, in which all comparisons are.
        verdict: on content; None where no content was compared.
        standing: which model is best, where no content was compared; None beside a verdict.
        sources: one verdict a source, none where content does not help.
        questions: that the study asked beforehand, answered.
        counts: of users, items and interactions, by name.
        quarantine: what was left out.
        content: integrity of each source.
        results: every (model, arm).
        comparisons: each against the best rival (or the best model), controls among them.
        strata: the deciding lift among some of the users.
        minutes: of tuning, the budget of each (model, arm); None where it is a number of trials.
        tuning: one curve a (model, arm).
        checks: of the data and the models.
        truth: what was planted, for a synthetic market.
        tables: any others.
        limits: sentences of the study's own.
        links: to more.
    """

    name: str
    scenario: Scenario
    metric: str
    verdict: Verdict | None
    standing: Standing | None = None
    sources: list[SourceVerdict] = Field(default_factory=list)
    questions: list[Answered] = Field(default_factory=list)
    counts: dict[str, int]
    quarantine: list[QuarantineRow] = Field(default_factory=list)
    content: list[ContentRow] = Field(default_factory=list)
    results: list[ResultRow]
    comparisons: list[ComparisonRow]
    strata: list[StratumRow] = Field(default_factory=list)
    minutes: float | None = None
    tuning: list[TuningCurve] = Field(default_factory=list)
    checks: list[CheckRow] = Field(default_factory=list)
    truth: list[TruthRow] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    links: list[Link] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if (self.verdict is None) == (self.standing is None):
            raise ValueError(f"dataset '{self.name}': a report has a verdict, or a standing where it has none")
        return self

    @property
    def answer(self) -> Answer:
        """The answer in a word."""
        return self.verdict.name if self.verdict else "not_compared"

    @property
    def sentence(self) -> str:
        """The answer in a sentence."""
        said = self.verdict or self.standing
        assert said is not None
        return said.sentence

    @property
    def deciding(self) -> list[Comparison]:
        """The comparisons that the answer rests on, the one that counts most first."""
        if self.verdict:
            return [self.verdict.against_rival, self.verdict.against_shuffled]
        return sorted((row.comparison for row in self.comparisons), key=lambda each: abs(each.difference))


class RunFacts(Part):
    """What was run and how to repeat it.

    Attributes:
        versions: of the program and the libraries that the figures hang on, by name.
        seeds: of the final trainings.
        budget: of each (model, arm), such as "20 trials" or "5 minutes".
        seconds: wall time of the whole study.
        commands: that repeat the study, in order.
        fingerprints: of data and code, by name.
    """

    versions: dict[str, str]
    seeds: list[int]
    budget: str
    seconds: float
    commands: list[str]
    fingerprints: dict[str, str] = Field(default_factory=dict)


class StudyReport(Part):
    """A study: its question, one entry a dataset, and how to repeat it."""

    title: str
    question: str
    date: date
    datasets: list[DatasetReport]
    run: RunFacts
    links: list[Link] = Field(default_factory=list)
