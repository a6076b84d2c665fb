"""The contract of a recommender.

A new model is one file: a config whose fields are its hyper-parameters, each written once with its range for
tuning, and a class that is registered, fits, scores, and can be stored.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recsys.content.features import Content
from recsys.errors import UserError
from recsys.mistakes import first_mistake

if TYPE_CHECKING:
    from torch import Tensor

FIXED_MEMORY = 8 * 2**20
"""Bytes that any fit needs: buffers of the libraries."""
TORCH_MEMORY = 150 * 2**20
"""Bytes that training by gradient needs beside: what torch loads and keeps for itself."""


Share = Annotated[float, Field(ge=0, le=1)]
"""From none to all, both included."""
DropRate = Annotated[float, Field(ge=0, lt=1)]
"""A share that is dropped, of which something is left."""
LearningRate = Annotated[float, Field(gt=0, le=1)]
"""Above one, steps are longer than the parameters: nothing is learned, and no loss need say so."""
FirstPoints = tuple[dict[str, Any], ...]
"""Settings by the names of hyper-parameters; what one leaves out has its default."""
Presets = dict[str, dict[str, Any]]
"""Such settings by name."""
ContentNeeded = Literal["content", "sources", "image", "other_than_image", "text_and_image"]
"""What has to be shown for a hyper-parameter to have an effect (see `searched`)."""


class ModelConfig(BaseModel):
    """Hyper-parameters of a model; fields made by `searched` are tuned.

    Attributes:
        first_points: settings that tuning tries right after the defaults because they were good elsewhere, as
            published or as measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    first_points: ClassVar[FirstPoints] = ()


def searched(
    default: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    log: bool = False,
    step: float | None = None,
    choices: Sequence[Any] | None = None,
    unless: Mapping[str, Sequence[Any]] | None = None,
    needs: ContentNeeded | None = None,
) -> Any:
    """A hyper-parameter with its default and the range or the choices that tuning draws from.

    Args:
        default: in the range or among the choices.
        low: least value. On a logarithmic scale a small positive one stands for zero, which a study can still fix.
        high: largest value.
        log: draw by ratio, for values that act by ratio (learning rates, regularisation, shrinkage, counts).
        step: of a range in even steps, both ends included; it reaches zero exactly.
        choices: instead of a range, for values without an order.
        unless: by the name of a hyper-parameter above this one, the values under which this one has no effect and
            is not searched.
        needs: what has to be shown for it to have an effect, and to be searched: any `content`, two `sources` or
            more, an `image`, a source `other_than_image`, or exactly `text_and_image`. None: nothing.
    """
    space: dict[str, Any] = (
        {"choices": list(choices)} if choices is not None else {"low": low, "high": high, "log": log, "step": step}
    )
    conditions = {"unless": {name: list(values) for name, values in (unless or {}).items()}}
    return Field(default, json_schema_extra={"search": space | conditions | {"needs": needs}})


@dataclass(frozen=True)
class TrainingData:
    """What a model may learn from.

    Attributes:
        train: binary float32 CSR, shape (n_users, n_items).
        content: features by source as the arm shows them; empty: the content path is to be removed. Sources that no
            item has, or that say the same of all, are left out: they tell no items apart.
        seed: of every random draw.
        validate: gives the primary metric on the validation part for the model as it stands (higher is
            better); trained models stop early by it. None: train for the full number of epochs.
        ratings: what the users gave, float32 CSR with an entry where `train` has one; None: nothing but that
            they took it.
        should_prune: given the curve and the last epoch of a trained model, whether to stop it (see
            `recsys.tuning.pruning`). None: never.
    """

    train: sparse.csr_array
    content: Content = field(default_factory=dict)
    seed: int = 0
    validate: Callable[["Recommender"], float] | None = None
    ratings: sparse.csr_array | None = None
    should_prune: Callable[[list[dict[str, float]], int], bool] | None = None

    def __post_init__(self) -> None:
        """Leave out sources that tell no items apart."""
        shown = {source: features for source, features in self.content.items() if features.tells_items_apart}
        object.__setattr__(self, "content", shown)

    def need_ratings(self, model: "Recommender") -> sparse.csr_array:
        """The ratings; UserError where there are none."""
        if self.ratings is None:
            raise UserError(
                f"{type(model).__name__} needs ratings, and this dataset has implicit feedback only: "
                "name a rating column or leave the model out"
            )
        return self.ratings


@dataclass(frozen=True)
class DataSize:
    """How much there is to learn from.

    Attributes:
        n_users: users of the training matrix.
        n_items: items of the training matrix.
        n_interactions: its entries.
        width: columns of content that are shown, all sources together; 0 without content.
    """

    n_users: int
    n_items: int
    n_interactions: int
    width: int = 0

    @property
    def item_pairs(self) -> float:
        """About how many pairs of items share a user: heavy users have more pairs, and popular ones share many."""
        return _filled(self.n_interactions**2 / self.n_users, self.n_items**2)

    @property
    def user_pairs(self) -> float:
        """About how many pairs of users share an item; items differ more than users do."""
        return _filled(3 * self.n_interactions**2 / self.n_items, self.n_users**2)


class Recommender(ABC):
    """A model that scores all items for a block of users.

    Attributes:
        source: the paper (authors, title, venue, year) whose equations the model follows.
        deterministic: the same data give the same model whatever the seed.
        scores_cold_items: items without interactions get scores that mean something.
        without_content: of a model that takes content, the interaction-only model that it becomes without any, or
            that its remaining equations are nearest to; None where there is none.
        presets: hyper-parameters by name such as `published/baby`, what the model's authors used there. A study gives
            such a model a row of its own, `MGCN@published/baby`, beside the one that it tunes.
        bytes_per_feature: bytes that a fit needs for each number of the content (see `memory`).
        bytes_per_view: bytes that it needs, where there is content, for each number of users' and items' vectors
            beyond those that it needs without.
        curve: one dict an epoch (`epoch`, `loss`, `valid`), for models trained by gradient.
        pruned: whether training was stopped early as pruned; the model then stands at the best it had reached.
        device_factors: tables of users and items on the GPU where the model is being trained, by which ranking then
            scores; None before and after, and for models of another kind.
    """

    Config: ClassVar[type[ModelConfig]] = ModelConfig
    source: ClassVar[str]
    deterministic: ClassVar[bool] = False
    scores_cold_items: ClassVar[bool] = False
    without_content: ClassVar[str | None] = None
    presets: ClassVar[Presets] = {}
    bytes_per_feature: ClassVar[int] = 40
    bytes_per_view: ClassVar[int] = 0

    def __init__(self, config: ModelConfig | None = None) -> None:
        """A model to be fitted, with default hyper-parameters unless a config is given."""
        self.config: Any = config if config is not None else self.Config()
        self.curve: list[dict[str, float]] = []
        self.pruned = False
        self._content_used = True
        self.device_factors: tuple[Tensor, Tensor] | None = None

    @classmethod
    def from_params(cls, **params: Any) -> Self:
        """A model with these hyper-parameters; UserError names the first that is wrong."""
        try:
            return cls(cls.Config(**params))
        except ValidationError as error:
            raise UserError(f"{cls.__name__}: hyper-parameters: {first_mistake(error, cls.Config)}") from None

    @classmethod
    def memory(cls, config: Any, size: DataSize) -> float:
        """Bytes that a fit needs at its peak beyond the data, about.

        Here those of a model that learns vectors of users and items from batches, with its optimiser's moments and the
        best state; a model that needs more says so.
        """
        n_factors = getattr(config, "n_factors", 64)
        per_factor = 40 + (cls.bytes_per_view if size.width else 0)
        vectors = per_factor * n_factors * (size.n_users + size.n_items)
        content = cls.bytes_per_feature * size.width * size.n_items
        return FIXED_MEMORY + TORCH_MEMORY + 160 * size.n_interactions + vectors + content

    @abstractmethod
    def fit(self, data: TrainingData) -> None:
        """Learn from the training data."""

    @abstractmethod
    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items); higher is better, seen items not masked.

        The array is the caller's to overwrite: ranking masks it in place.
        """

    @property
    def content_used(self) -> bool:
        """False where content had no way into the scores of the last fit: the model is then one of interactions."""
        return self._content_used

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """All that scoring needs, as arrays."""

    @abstractmethod
    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""

    def save(self, path: Path) -> None:
        """Write the fitted model as one safetensors file with its config."""
        arrays = {name: np.ascontiguousarray(array) for name, array in self.state().items()}
        save_file(arrays, path)
        path.with_suffix(".json").write_text(self.config.model_dump_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        config = cls.Config.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        model = cls(config)
        model.restore(load_file(path))
        return model


def _filled(draws: float, cells: int) -> float:
    """Cells that are not empty after so many draws."""
    return cells * -math.expm1(-draws / max(cells, 1))
