"""A study: one YAML file that names datasets, their content, the models, and how they are judged."""

import math
from collections import Counter
from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from recsys.content.arms import INTERACTIONS_ONLY, Arm, Control
from recsys.errors import hint
from recsys.evaluation.protocol import Protocol
from recsys.evidence.comparison import ComparisonOptions
from recsys.models import registry
from recsys.study.agreement import check_agreement
from recsys.study.booleans import refuse_booleans
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.ensemble_spec import Ensemble
from recsys.study.spec import Strict
from recsys.tuning.budget import default_trials
from recsys.wording import count

REPEATS, REPEATS_TRAINED = 5, 3
MOST_TRIALS = 500
"""Where time is the budget: quick models would otherwise search on long after there is anything to find."""


class Tuning(Strict):
    """The budget that every (model, arm) gets alike.

    Attributes:
        trials: settings that are tried; with `minutes`, the most. None: 30 where a cell takes a closed form, and 10
            where it is trained by gradient.
        minutes: of training and evaluation, all trials together; a trial that has begun is finished. None: no limit.
        prune: stop trials of models trained by gradient by their validation curve.
        seed: of what is tried.
    """

    trials: int | None = Field(default=None, ge=1, le=10_000)
    minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    prune: bool = True
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="before")
    @classmethod
    def _time_alone(cls, given: Any) -> Any:
        timed = isinstance(given, dict) and given.get("minutes") is not None
        return given | {"trials": MOST_TRIALS} if timed and given.get("trials") is None else given

    @property
    def seconds(self) -> float:
        """The budget of time, infinite where trials are the budget."""
        return math.inf if self.minutes is None else 60 * self.minutes


class Statistics(Strict):
    """How comparisons are made: equivalence margin relative to the rival, resamples of tests and intervals."""

    margin: float = Field(default=0.02, gt=0, lt=1)
    resamples: int = Field(default=10_000, ge=100, le=1_000_000)
    seed: int = Field(default=0, ge=0)

    @property
    def options(self) -> ComparisonOptions:
        """Options of every comparison."""
        return ComparisonOptions(self.margin, self.resamples, self.seed)


class Study(Strict):
    """A whole study.

    Attributes:
        name: the file's stem.
        models: hyper-parameters by model: a value fixes it, a list is searched instead of the model's own range,
            and `arms` names the arms to run where not all are wanted. `MODEL@PRESET` is the model as published, a row
            beside the one that is tuned.
        ensembles: models of `models` whose lists are added, by name; each is a row like a model.
        controls: which controls every content model meets; those that the verdict needs are run in any case.
        controls_of_each: controls that take the place of one source at a time, arms such as `both_text_noise`.
        repeats: how often split (where it is drawn), tuning, training and permutations are drawn anew; None: 5, and 3
            where a model is trained by gradient.
        keep_states: which final trainings of the first repeat keep the fitted model: `all`, `uncontrolled` (all but
            those of controls), or `none`. What is kept answers `modalift recommend` for any user.
    """

    name: str
    title: str = Field(min_length=1)
    question: str = Field("Does item content make recommendations better here, and which part of it?", min_length=1)
    datasets: dict[str, DatasetSpec] = Field(min_length=1)
    models: dict[str, dict[str, Any]] = Field(min_length=1)
    ensembles: dict[str, Ensemble] = Field(default_factory=dict)
    controls: tuple[Control, ...] = ("shuffled", "noise", "constant")
    controls_of_each: tuple[Control, ...] = ()
    evaluation: Protocol = Protocol()
    tuning: Tuning = Tuning()
    statistics: Statistics = Statistics()
    repeats: int | None = Field(default=None, ge=1, le=1000)
    keep_states: Literal["all", "uncontrolled", "none"] = "uncontrolled"

    @model_validator(mode="before")
    @classmethod
    def _seeds_became_repeats(cls, given: Any) -> Any:
        if isinstance(given, dict) and "seeds" in given:
            raise ValueError(
                "'seeds' is now 'repeats': each repeat has its own split, tuning, training and permutations"
            )
        return given

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, given: Any) -> Any:
        refuse_booleans(cls, given)
        return given

    @field_validator("models", mode="before")
    @classmethod
    def _without_settings(cls, models: Any) -> Any:
        if isinstance(models, list):
            if odd := [model for model in models if not isinstance(model, str)]:
                raise ValueError(
                    f"{odd[0]!r} is not the name of a model: write a list of names, or a line 'NAME: {{...}}' for each"
                )
            if twice := [model for model, n in Counter(models).items() if n > 1]:
                raise ValueError(f"'{twice[0]}' is named twice")
            return {model: {} for model in models}
        if isinstance(models, dict):
            return {model: {} if options is None else options for model, options in models.items()}
        if models is not None:
            raise ValueError("write a list of names, or a line 'NAME: {...}' for each model")
        return models

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for model, given in models.items():
            written, name = registry.class_name(model), registry.name_of(model)
            if written != name:  # rows of other letters would be other rows in tables and rules
                raise ValueError(f"there is no model '{written}'{hint(written, [name])}")
            if registry.PRESET in model:
                registry.preset(model)
                if lists := [key for key, value in given.items() if isinstance(value, list) and key != "arms"]:
                    raise ValueError(f"{model}.{lists[0]}: a preset is not tuned: write one value")
            arms = given.get("arms", ["both"])
            if not isinstance(arms, list) or not arms or any(not isinstance(arm, str) for arm in arms):
                raise ValueError(f"{model}.arms: write a list of names, such as [both, shuffled]")
            if len(set(arms)) < len(arms):
                raise ValueError(f"{model}.arms: name each arm once")
        return models

    @field_validator("controls", "controls_of_each")
    @classmethod
    def _each_once(cls, controls: tuple[Control, ...]) -> tuple[Control, ...]:
        if len(set(controls)) < len(controls):
            raise ValueError("name each control once")
        return controls

    @field_validator("controls_of_each")
    @classmethod
    def _something_in_its_place(cls, controls: tuple[Control, ...]) -> tuple[Control, ...]:
        if "removed" in controls:
            raise ValueError("'removed' puts nothing in the place of a source; the arm of the others shows them alone")
        return controls

    @model_validator(mode="after")
    def _parts_agree(self) -> "Study":
        check_agreement(self)
        return self

    def without_sources(self, dataset: str, sources: Collection[str]) -> "Study":
        """The study without some sources of content of a dataset, and without arms that would show them."""
        if not sources:
            return self
        spec = self.datasets[dataset].without_sources(sources)
        there = {arm.name for arm in spec.arms(self.controls, self.controls_of_each)}

        def left(arms: list[str]) -> list[str]:
            return [arm for arm in dict.fromkeys(map(spec.name_now, arms)) if arm in there]

        models = {
            model: given | {"arms": left(given["arms"])} if given.get("arms") else given
            for model, given in self.models.items()
        }
        return self.model_copy(update={"datasets": self.datasets | {dataset: spec}, "models": models})

    @property
    def rows(self) -> tuple[str, ...]:
        """The models, and after them the ensembles."""
        return (*self.models, *self.ensembles)

    def takes_content(self, row: str) -> bool:
        """Whether a model, or any member of an ensemble, takes content."""
        return self.ensembles[row].takes_content if row in self.ensembles else registry.find(row).takes_content

    def arms_of(self, dataset: str, model: str) -> list[Arm]:
        """The arms a model runs on a dataset, in the order of tables; an ensemble has those that its members run."""
        if model in self.ensembles:
            return self._arms_of_ensemble(dataset, self.ensembles[model])
        if not registry.find(model).takes_content:
            return [Arm(INTERACTIONS_ONLY)]
        arms = self.datasets[dataset].arms(self.controls, self.controls_of_each)
        wanted = self.models[model].get("arms")
        if wanted is None:
            return arms
        # Whatever a study leaves out, a model with content is compared with itself without it.
        return [arm for arm in arms if arm.name in wanted or arm.name == INTERACTIONS_ONLY]

    def _arms_of_ensemble(self, dataset: str, ensemble: Ensemble) -> list[Arm]:
        if not ensemble.takes_content:
            return [Arm(INTERACTIONS_ONLY)]
        run = {model: self.arms_of(dataset, model) for model in ensemble.of}
        arms = self.datasets[dataset].arms(self.controls, self.controls_of_each)
        return [arm for arm in arms if all(each.arm in run[each.model] for each in ensemble.members(arm))]

    def trials_of(self, model: str) -> int:
        """Settings that are tried of a model on each arm."""
        return 1 if registry.preset_name(model) else self.tuning.trials or default_trials(model)

    def budget_of(self, model: str) -> str:
        """What a model is tuned with on each arm, in words."""
        if registry.preset_name(model):
            return "the published setting"
        in_trials = self.tuning.minutes is None
        return count(self.trials_of(model), "trial") if in_trials else f"{self.budget} of tuning"

    @property
    def budget(self) -> str:
        """What every model that is tuned has on each arm, in words."""
        if self.tuning.minutes is not None:
            at_most = (
                f" ({count(trials, 'trial')} at most)" if (trials := self.tuning.trials or 0) < MOST_TRIALS else ""
            )
            return f"{self.tuning.minutes:g} minute{'' if self.tuning.minutes == 1 else 's'}{at_most}"
        tuned = [model for model in self.models if not registry.preset_name(model)] or [*self.models]
        most, *fewer = sorted({self.trials_of(model) for model in tuned}, reverse=True)
        trained = f" ({fewer[0]} where trained by gradient)" if fewer else ""
        return f"{count(most, 'trial')}{trained}"

    @property
    def n_repeats(self) -> int:
        """Repeats of the whole procedure."""
        trained = any(registry.find(model).is_trained for model in self.models)
        return self.repeats or (REPEATS_TRAINED if trained else REPEATS)

    def keeps_state(self, arm: Arm) -> bool:
        """Whether the final trainings of an arm keep the fitted model."""
        return self.keep_states == "all" or (self.keep_states == "uncontrolled" and arm.control is None)

    @property
    def training_settings(self) -> list[Any]:
        """What every training depends on beside its own hyper-parameters."""
        return [self.tuning.model_dump(), self.n_repeats, self.evaluation.model_dump(), self.keep_states]

    def params_of(self, model: str) -> dict[str, Any]:
        """What the study fixes of a model's hyper-parameters, or lists as choices; a preset fixes all of them."""
        fixed = registry.preset(model) if registry.preset_name(model) else {}
        return fixed | {key: value for key, value in self.models[model].items() if key != "arms"}

    def fixed_params_of(self, model: str) -> dict[str, Any]:
        """What the study fixes of a model's hyper-parameters: those that it neither lists nor leaves to tuning."""
        return {key: value for key, value in self.params_of(model).items() if not isinstance(value, list)}
