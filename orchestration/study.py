"""A study: one YAML file that names datasets, their content, the models, and how they are judged."""

import math
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator, model_validator

from recsys.content.arms import INTERACTIONS_ONLY, Arm, Control, controlled, honest
from recsys.content.weights import own_folder
from recsys.data.cleaning import CleaningRules
from recsys.data.splits import SplitRule
from recsys.errors import UserError
from recsys.evaluation.protocol import Protocol
from recsys.models import registry

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
MOST_TRIALS = 500
"""Where time is the budget: quick models would otherwise search on long after there is anything to find."""
RAW_MODALITIES = ("text", "image", "audio")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _named(options: dict[str, Any], folder: Path) -> list[Path]:
    """The options' values that are files or folders under `folder`, and the folder of a model's own weights."""
    named = [folder / value for key, value in options.items() if isinstance(value, str) and key != "model"]
    weights = own_folder(str(options["model"]), folder) if "model" in options else None
    return [place for place in (*named, weights) if place is not None and place.exists()]


class Source(BaseModel):
    """Where interactions and items come from: a reader, its folder, and the reader's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    reader: str
    folder: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What the reader itself is told."""
        return dict(self.model_extra or {})

    def places(self, folder: Path) -> list[Path]:
        """The files and folders that the options name; the whole folder where they name none."""
        return _named(self.options, folder) or [folder]


class ContentSource(BaseModel):
    """How one source of content becomes vectors: an encoder and its own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    encoder: str
    corpus: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What the encoder itself is told."""
        return dict(self.model_extra or {})

    def places(self, folder: Path) -> list[Path]:
        """The files and folders that the options name."""
        return _named(self.options, folder)


class Corpus(BaseModel):
    """Descriptions of items, one an item: from a file, or asked of a vision-language model.

    Attributes:
        file: of descriptions that were made elsewhere; `id_column` and `text_column` name its columns.
        fields: that the answers of a file are asked to have; a model's are those of its prompt.
        model: asked for the descriptions; every further key is an option of the asking (`recsys.content.vlm`).
        truth: columns of the item table that tell what a field should say, by field.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    file: str | None = None
    fields: tuple[str, ...] = ()
    id_column: str | None = None
    text_column: str | None = None
    model: str | None = None
    truth: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_origin(self) -> "Corpus":
        if (self.file is None) == (self.model is None):
            raise ValueError("descriptions come from a 'file' or from a 'model': give one of the two")
        if self.file is not None and self.model_extra:
            raise ValueError(f"'{next(iter(self.model_extra))}' means nothing to descriptions from a file")
        if self.model is not None and (self.fields or self.id_column or self.text_column):
            raise ValueError(
                "'fields', 'id_column' and 'text_column' belong to a file; a model has those of its prompt"
            )
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What the asking of a model is told."""
        return {"model": self.model, **(self.model_extra or {})}

    def places(self, folder: Path) -> list[Path]:
        """The files and folders that the options name: a model's weights, a prompt of the study's own."""
        return _named(self.options, folder)


class Scenario(_Strict):
    """What a verdict holds for: it says nothing about any other situation."""

    domain: str = "not stated"
    feedback: str = "not stated"
    seen_before_choosing: tuple[str, ...] = ()
    item_kinds: str = "not stated"
    date_of_data: str = "not stated"


class Question(_Strict):
    """A comparison that the study announces before it is run.

    Attributes:
        ask: the question in words.
        better: the arm that a yes would say is better.
        than: the arm it is compared with; `shuffled` is the shuffled control of `better`.
    """

    ask: str
    better: str
    than: str


class Published(_Strict):
    """Figures that others published for a dataset, to stand beside ours.

    Attributes:
        source: who published them, and where.
        rows: by model, then by metric such as `recall_at_20`.
    """

    source: str
    rows: dict[str, dict[str, PositiveFloat]]


class DatasetSpec(_Strict):
    """One catalogue of a study."""

    source: Source
    cleaning: CleaningRules = CleaningRules()
    split: SplitRule = SplitRule()
    descriptions: dict[str, Corpus] = {}
    content: dict[str, ContentSource] = {}
    both: tuple[str, ...] | None = None
    questions: tuple[Question, ...] = ()
    scenario: Scenario = Scenario()
    published: Published | None = None

    @model_validator(mode="after")
    def _sources_exist(self) -> "DatasetSpec":
        for source, content in self.content.items():
            if content.corpus is not None and content.corpus not in self.descriptions:
                raise ValueError(f"content '{source}' names corpus '{content.corpus}', which 'descriptions' lacks")
        for source in self.both or ():
            if source not in self.content:
                raise ValueError(f"'both' names '{source}', which 'content' lacks")
        arms = {"both", INTERACTIONS_ONLY, *self.content}
        for question in self.questions:
            for arm, allowed in ((question.better, arms), (question.than, arms | {"shuffled"})):
                if arm not in allowed:
                    raise ValueError(f"question '{question.ask}' names '{arm}'; known: {', '.join(sorted(allowed))}")
        return self

    def reads(self, source: str) -> frozenset[str]:
        """What of an item a source reads: itself, or what the model behind its corpus is shown."""
        corpus = self.descriptions.get(self.content[source].corpus or "")
        if corpus is None or corpus.model is None:
            return frozenset({source})
        return frozenset(corpus.options.get("inputs", ("image",)))

    @property
    def fused(self) -> Arm | None:
        """The arm that shows the raw modalities together; None without content."""
        sources = self.both or tuple(s for s in self.content if s in RAW_MODALITIES) or tuple(self.content)
        if not sources:
            return None
        return honest("both", sources) if len(sources) > 1 else honest(sources[0], sources)

    def arms(self, controls: tuple[Control, ...]) -> list[Arm]:
        """All arms of a model that takes content, each once: fused, each source, interactions only, controls."""
        fused = self.fused
        if fused is None:
            return [Arm(INTERACTIONS_ONLY)]
        single = [honest(source, (source,)) for source in self.content if (source,) != fused.sources]
        return [
            fused,
            *single,
            Arm(INTERACTIONS_ONLY),
            *(controlled(fused, control, name=control) for control in controls),
        ]


class Tuning(_Strict):
    """The budget that every (model, arm) gets alike.

    Attributes:
        trials: settings that are tried; with `minutes`, the most.
        minutes: of training and evaluation, all trials together; a trial that has begun is finished. None: no limit.
        prune: give up trials of models trained by gradient that are hopeless by their validation curve.
        seed: of what is tried.
    """

    trials: int = Field(default=10, ge=1)
    minutes: PositiveFloat | None = None
    prune: bool = True
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _time_alone(cls, given: Any) -> Any:
        return {"trials": MOST_TRIALS} | given if isinstance(given, dict) and "minutes" in given else given

    @property
    def seconds(self) -> float:
        """The budget of time, infinite where trials are the budget."""
        return math.inf if self.minutes is None else 60 * self.minutes

    @property
    def said(self) -> str:
        """The budget in words."""
        if self.minutes is None:
            return f"{self.trials} trial{'' if self.trials == 1 else 's'}"
        return f"{self.minutes:g} minute{'' if self.minutes == 1 else 's'}"


class Statistics(_Strict):
    """How comparisons are made: equivalence margin relative to the rival, resamples of tests and intervals."""

    margin: float = Field(default=0.02, gt=0, lt=1)
    resamples: int = Field(default=10_000, ge=100)
    seed: int = 0


class Study(_Strict):
    """A whole study.

    Attributes:
        name: the file's stem.
        models: hyper-parameters by model: a value fixes it, a list is searched instead of the model's own range,
            and `arms` names the arms to run where not all are wanted.
        controls: which controls every content model meets; `shuffled` cannot be left out where there is content.
        seeds: number of final trainings of each (model, arm).
    """

    name: str
    title: str
    question: str = "Does item content make recommendations better here, and which part of it?"
    datasets: dict[str, DatasetSpec]
    models: dict[str, dict[str, Any]]
    controls: tuple[Control, ...] = ("shuffled", "noise", "constant")
    evaluation: Protocol = Protocol()
    tuning: Tuning = Tuning()
    statistics: Statistics = Statistics()
    seeds: int = Field(default=5, ge=1)

    @field_validator("datasets")
    @classmethod
    def _plain_names(cls, datasets: dict[str, DatasetSpec]) -> dict[str, DatasetSpec]:
        if not datasets:
            raise ValueError("a study needs at least one dataset")
        for dataset, spec in datasets.items():
            for name in (dataset, *spec.descriptions, *spec.content):
                if not NAME.fullmatch(name):
                    raise ValueError(f"'{name}' cannot be a name: use letters, digits and _, a letter first")
        return datasets

    @field_validator("models", mode="before")
    @classmethod
    def _without_settings(cls, models: Any) -> Any:
        if isinstance(models, list):
            return {model: {} for model in models}
        return {model: options or {} for model, options in models.items()} if isinstance(models, dict) else models

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for model in models:
            registry.find(model)
        return models

    @model_validator(mode="after")
    def _published_figures_are_measured(self) -> "Study":
        published = [
            (dataset, model, metric)
            for dataset, spec in self.datasets.items()
            for model, figures in (spec.published.rows if spec.published else {}).items()
            for metric in figures
        ]
        for dataset, model, metric in published:
            if model not in self.models:
                raise ValueError(f"dataset '{dataset}': published: 'models' has no '{model}' to stand beside it")
            if metric not in self.evaluation.metrics:
                raise ValueError(
                    f"dataset '{dataset}': published: {model}: '{metric}' is not measured; "
                    f"write METRIC_at_K with a K of 'evaluation.ks' ({', '.join(map(str, self.evaluation.ks))})"
                )
        return self

    def arms_of(self, dataset: str, model: str) -> list[Arm]:
        """The arms a model runs on a dataset, in the order of tables."""
        if not registry.find(model).takes_content:
            return [Arm(INTERACTIONS_ONLY)]
        arms = self.datasets[dataset].arms(self.controls)
        wanted = self.models[model].get("arms")
        if wanted is None:
            return arms
        unknown = sorted(set(wanted) - {arm.name for arm in arms})
        if unknown:
            known = ", ".join(arm.name for arm in arms)
            raise UserError(f"study {self.name}: model {model}: there is no arm '{unknown[0]}' (known: {known})")
        return [arm for arm in arms if arm.name in wanted]

    def params_of(self, model: str) -> dict[str, Any]:
        """What the study fixes of a model's hyper-parameters, or lists as choices."""
        return {key: value for key, value in self.models[model].items() if key != "arms"}
