"""What a study says of a dataset beside the data: what its verdict holds for, what is asked, what others published."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from recsys.errors import UserError, hint
from recsys.published.figures import published_table
from recsys.study.spec import Strict


class Scenario(Strict):
    """What a verdict holds for: it says nothing about any other situation."""

    domain: str = "not stated"
    feedback: str = "not stated"
    seen_before_choosing: tuple[str, ...] = ()
    item_kinds: str = "not stated"
    date_of_data: str = "not stated"

    @field_validator("date_of_data", mode="before")
    @classmethod
    def _year_as_text(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int | date) and not isinstance(given, bool) else given


class Question(Strict):
    """A comparison that the study announces before it is run.

    Attributes:
        ask: the question in words.
        better: the arm that a yes would say is better.
        than: the arm it is compared with; `shuffled` is the shuffled control of `better`.
    """

    ask: str = Field(min_length=1)
    better: str
    than: str

    @model_validator(mode="after")
    def _compares_two(self) -> "Question":
        if self.better == self.than:
            raise ValueError(f"question '{self.ask}' compares '{self.better}' with itself: name two arms")
        return self


Figures = Annotated[dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)]


class Published(Strict):
    """Figures that others published for a dataset, to stand beside ours.

    A study writes them out, or names a table that is known (`zhou2025/baby`), of which it takes what it measures.

    Attributes:
        source: who published them, and where.
        rows: by model, or `MODEL (ARM)`, then by metric such as `recall_at_20`.
        doubts: why figures of a row are no target, by row.
        table: the name of the known table; None where the study writes the figures out.
    """

    source: str = Field(min_length=1)
    rows: dict[str, Figures] = Field(min_length=1)
    doubts: dict[str, str] = Field(default_factory=dict)
    table: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _known_table(cls, given: Any) -> Any:
        if isinstance(given, dict) and "table" in given:
            raise ValueError("a known table stands in the place of all that is written here: published: NAME")
        if not isinstance(given, str):
            return given
        try:
            known = published_table(given)
        except UserError as error:
            raise ValueError(str(error)) from None  # so that the line names the key
        return {"source": known.source, "rows": known.rows, "doubts": known.doubts, "table": given}

    @model_validator(mode="after")
    def _doubts_are_of_rows(self) -> "Published":
        if odd := [row for row in self.doubts if row not in self.rows]:
            raise ValueError(f"'doubts' names '{odd[0]}', which 'rows' lacks{hint(odd[0], self.rows)}")
        return self
