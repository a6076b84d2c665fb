"""What a report says of a study and of each of its datasets."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from recsys.evidence.comparison import Comparison
from recsys.evidence.gates import Colour, Gate
from recsys.evidence.leaderboard import Leaderboard
from recsys.evidence.questions import QuestionResult
from recsys.evidence.sensitivity import Agreement
from recsys.evidence.source_verdicts import WhichSources
from recsys.evidence.verdict import Verdict, VerdictName
from recsys.report.rows import (
    AssetRow,
    CheckRow,
    ComparisonRow,
    ContentRow,
    Link,
    QuarantineRow,
    ResultRow,
    ScenarioRow,
    Section,
    Stored,
    TuningCurve,
)
from recsys.study.selection import Tally
from recsys.study.truth import TruthRow

Answer = VerdictName | Literal["not_compared"]


class DatasetReport(Stored):
    """All that is said about one dataset.

    Attributes:
        name: of the dataset.
        scenario: what the answer holds for.
        metric: the primary one, in which all comparisons are.
        verdict: on content; None where no content was compared.
        leaderboard: which model is best, where no content was compared; None beside a verdict.
        sources: which of them it is; None where no content was compared.
        gates: what stops the verdict or stands beside it.
        tried: what was tried with content (`content`) and on interactions alone (`rival`).
        losers: sentences on whom content costs.
        agreement: how often another way of measuring gives the same answer; None where that was not asked.
        questions: that the study asked beforehand, answered.
        counts: of users, items and interactions, by name.
        notes: what was found out about the files, a sentence each.
        quarantine: what was left out.
        content: integrity of each source.
        results: every (model, arm).
        comparisons: each against the best rival (or the best model), controls among them.
        minutes: of tuning, the budget of each (model, arm); None where it is a number of trials.
        tuning: one curve a (model, arm).
        checks: of the data and the models.
        truth: what was planted, for a synthetic market.
        sections: tables of the analyses.
        limits: sentences of the study's own.
        assets: that the figures come from.
        links: to more.
    """

    name: str
    scenario: ScenarioRow
    metric: str
    verdict: Verdict | None
    leaderboard: Leaderboard | None = None
    sources: WhichSources | None = None
    gates: list[Gate] = Field(default_factory=list)
    tried: dict[str, Tally] = Field(default_factory=dict)
    losers: list[str] = Field(default_factory=list)
    agreement: Agreement | None = None
    questions: list[QuestionResult] = Field(default_factory=list)
    counts: dict[str, int]
    notes: list[str] = Field(default_factory=list)
    quarantine: list[QuarantineRow] = Field(default_factory=list)
    content: list[ContentRow] = Field(default_factory=list)
    results: list[ResultRow]
    comparisons: list[ComparisonRow]
    minutes: float | None = None
    tuning: list[TuningCurve] = Field(default_factory=list)
    checks: list[CheckRow] = Field(default_factory=list)
    truth: list[TruthRow] = Field(default_factory=list)
    sections: list[Section] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    assets: list[AssetRow] = Field(default_factory=list)
    links: list[Link] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if (self.verdict is None) == (self.leaderboard is None):
            raise ValueError(f"dataset '{self.name}': a report has a verdict, or a leaderboard where it has none")
        return self

    @property
    def answer(self) -> Answer:
        """The answer in a word."""
        return self.verdict.name if self.verdict else "not_compared"

    @property
    def sentence(self) -> str:
        """The answer in a sentence."""
        said = self.verdict or self.leaderboard
        assert said is not None
        return said.sentence

    @property
    def advice(self) -> str:
        """What to do; empty where no content was compared."""
        return self.verdict.advice if self.verdict else ""

    def stands(self, colour: Colour) -> list[Gate]:
        """The gates of one colour."""
        return [gate for gate in self.gates if gate.colour == colour]

    @property
    def deciding(self) -> list[Comparison]:
        """The comparisons that the answer rests on, the one that counts most first."""
        if self.verdict:
            found = self.verdict
            return [found.against_rival, found.against_shuffled, found.against_untuned, found.against_popularity]
        return sorted((row.comparison for row in self.comparisons), key=lambda each: abs(each.difference))


class RunFacts(Stored):
    """What was run and how to repeat it.

    Attributes:
        versions: of the program and the libraries that the figures hang on, by name.
        repeats: of split, tuning and training.
        budget: of each (model, arm), such as "20 trials" or "5 minutes".
        wall_seconds: during which at least one training ran.
        training_seconds: of all trainings, several of which run at the same time.
        commands: that repeat the study, in order.
    """

    versions: dict[str, str]
    repeats: int
    budget: str
    wall_seconds: float
    training_seconds: float
    commands: list[str]


class StudyReport(Stored):
    """A study: its question, one entry per dataset, and how to repeat it.

    `sources` are the models' papers by model; `together` is what all datasets say, where there are several.
    """

    title: str
    question: str
    date: date
    datasets: list[DatasetReport]
    run: RunFacts
    sources: dict[str, str] = Field(default_factory=dict)
    together: str = ""
