"""What an analysis is, and what it can ask of a dataset's results."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from recsys.content.features import FEATURES, Content, Features
from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.evaluation.evaluate import Part
from recsys.evidence.scores import Pair
from recsys.evidence.wording import interval
from recsys.study.dataset_spec import CORPUS
from recsys.study.judgement import Judgement
from recsys.study.measuring import SUMMARY, UserScores
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import Selection
from recsys.study.stored_lists import StoredLists
from recsys.study.study import Study
from recsys.wording import percent

HEADLINE = "headline"
"""The fact of an analysis that holds what it says beside the verdict."""
Kind = Literal["dataset", "embeddings", "descriptions", "controls", "metrics", "verdict"]
"""Kinds of assets that an analysis can need."""


class Table(BaseModel):
    """A table of a report: a title, what it shows, column heads and cells as they are to be printed.

    The first `n_names` columns name what a row is about. `pairs` names the model and arm of each row, where each is
    about one; where such a table is long, a report shows each model on the arm that validation chose, and folds the
    rest.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    caption: str = ""
    columns: list[str]
    rows: list[list[str]]
    n_names: int = 1
    pairs: list[Pair] = []


def comparison_cells(row: Mapping[Hashable, Any]) -> list[str]:
    """Both means, the lift and its interval as a table prints them; `row` has the fields of a `Comparison`."""
    ends = interval(row["lift_low"], row["lift_high"])
    return [f"{row['mean_a']:.4f}", f"{row['mean_b']:.4f}", percent(row["lift"], signed=True), ends]


@dataclass(frozen=True)
class Inputs:
    """A dataset's results, read when they are asked for.

    Attributes:
        study: the whole study.
        name: the dataset's.
        folders: of the needed assets by kind; `embeddings` by `embeddings/<source>`, `descriptions` by
            `descriptions/<corpus>`.
        cell: gives a stored cell by its fingerprint.
    """

    study: Study
    name: str
    folders: dict[str, Path]
    cell: Callable[[str], StoredCell]

    @cached_property
    def dataset(self) -> Dataset:
        """Interactions, users and items."""
        return Dataset.load(self.folders["dataset"])

    def dataset_of(self, repeat: int) -> Dataset:
        """The dataset as a repeat split it; repeats are numbered from 1."""
        return self.dataset.repeat(repeat)

    @cached_property
    def features(self) -> Content:
        """The vectors of every source."""
        content = self.study.datasets[self.name].content
        return {source: Features.load(self.folders[f"embeddings/{source}"] / FEATURES) for source in content}

    def arm(self, pair: Pair) -> ArmResult:
        """What came of a (model, arm); KeyError where it was not trained."""
        return self.results.arm(pair)

    def lists(self, pair: Pair, part: Part = "test") -> StoredLists:
        """The lists that the final cells of a (model, arm) left, one a repeat."""
        finals = self.arm(pair).finals
        return StoredLists(
            scores=self.scores[pair],
            rankings=[self.cell(each).lists(part) for each in finals],
            datasets=[self.dataset_of(repeat) for repeat in range(1, len(finals) + 1)],
            part=part,
            protocol=self.study.evaluation,
        )

    @cached_property
    def results(self) -> ModelResult:
        """Every (model, arm) with its choice and its final cells."""
        return ModelResult.load(self.folders["metrics"])

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row per (model, arm, metric) on the test part (see `recsys.study.measuring`)."""
        return pd.read_parquet(self.folders["metrics"] / SUMMARY)

    @cached_property
    def scores(self) -> UserScores:
        """The primary metric of every user by (model, arm)."""
        return UserScores(self.folders["metrics"])

    @cached_property
    def selection(self) -> Selection:
        """What stands for content, for its rival and for its controls."""
        return Selection.load(self.folders["controls"])

    @cached_property
    def judgement(self) -> Judgement:
        """The verdict and the comparisons beside it."""
        return Judgement.load(self.folders["verdict"])

    @cached_property
    def corpora(self) -> dict[str, pd.DataFrame]:
        """Descriptions by corpus: `item_id`, `answer`, and one column per field."""
        corpora = self.study.datasets[self.name].descriptions
        return {corpus: pd.read_parquet(self.folders[f"descriptions/{corpus}"] / CORPUS) for corpus in corpora}


class Analysis(ABC):
    """One analysis, named by its file.

    Attributes:
        title: what it is called in Dagster.
        needs: kinds of assets that it reads.
        tables: names of the tables it computes.
        position: where its section stands in the report, low first.
    """

    title: ClassVar[str]
    needs: ClassVar[tuple[Kind, ...]]
    tables: ClassVar[tuple[str, ...]]
    position: ClassVar[int] = 100

    def applies(self, study: Study, name: str) -> bool:
        """Whether a dataset has what the analysis is about."""
        return True

    def settings(self, study: Study, name: str) -> object:
        """What of the study changes the result, beside the assets that are read; anything that JSON can write."""
        return None

    @abstractmethod
    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """The tables by name; one without rows is fine."""

    @abstractmethod
    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """Tables as a report prints them; those without rows are left out of it."""

    def headline(self, tables: dict[str, pd.DataFrame]) -> list[str]:
        """Sentences that stand beside the verdict: what a reader must know who reads nothing else."""
        return []
