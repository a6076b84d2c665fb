"""What a study will need before anything is trained: memory of a model's fit, and time of its cells."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from recsys.content.arms import Arm
from recsys.engine.slots import GB
from recsys.models import registry
from recsys.recommender import FIXED_MEMORY, DataSize, ModelConfig, Recommender
from recsys.study import measured_costs
from recsys.wording import duration

DENSE = frozenset({"ADMMSLIM", "AddEASE", "CEASE", "EASE"})
"""Models that invert a matrix of items: their time grows as the cube of what their memory is the square of."""
WHOLE_PROFILES = frozenset({"DiffMM", "MultVAE"})
"""Networks that go through each user's row over all items, taken or not; where content is shown, if they take it."""
LEAST = 0.05
"""Seconds that any cell takes: to be started, to rank for every user, to be kept."""
ABOUT_AS_FAR = math.log(4)
"""Cells whose size differs so much more from the wanted one than that of the nearest are used with it."""
TINY = 1e-12


@dataclass(frozen=True)
class TimedCell:
    """A cell of a model that has run.

    Attributes:
        size: of its data.
        seconds: of fit and evaluation.
        epochs: for which it was trained; 0 where it is no model trained by gradient.
    """

    size: DataSize
    seconds: float
    epochs: int = 0

    def cut_to(self, epochs: int) -> float:
        """Its seconds, had it been trained for so many epochs at most."""
        return self.seconds * min(1, epochs / self.epochs) if self.epochs else self.seconds


def data_size(counts: Mapping[str, Any], arm: Arm, widths: Mapping[str, int]) -> DataSize:
    """How much a model learns from on an arm.

    Args:
        counts: of a prepared dataset: `users`, `items` and `train`.
        arm: what the model is shown.
        widths: columns of each source as far as they are known.
    """
    width = sum(widths.get(source, 0) for source in arm.sources)
    return DataSize(counts["users"], counts["items"], counts["train"], width)


def fit_memory(model: type[Recommender], params: Mapping[str, Any], size: DataSize) -> float:
    """Bytes that a fit needs by the model's own account; 0 where it cannot say, and the cell will say why."""
    try:
        return model.memory(model.from_params(**params).config, size)
    except Exception:  # wrong hyper-parameters, or a fault of a plug-in: a cell that fails, and not the study
        return 0.0


def cell_memory(
    model: str, counts: Mapping[str, Any], widths: Mapping[str, int]
) -> Callable[[Mapping[str, Any], Arm], float]:
    """What gives the bytes that a model's cell needs, from its hyper-parameters and its arm (see `data_size`)."""

    def memory(params: Mapping[str, Any], arm: Arm) -> float:
        return fit_memory(registry.load(model), params, data_size(counts, arm, widths))

    return memory


def fits(model: type[Recommender], params: Mapping[str, Any], size: DataSize, available: float, dataset: str) -> str:
    """Empty where the model's fit finds room, else one line that says why it is left out of the dataset.

    The line is the same as long as the model does not fit, so that what is made from it is found again.

    Args:
        model: class of the recommender.
        params: hyper-parameters that are not as they are by default.
        size: of the training data.
        available: bytes of memory for one cell (see `recsys.engine.slots.free_memory`).
        dataset: its name.
    """
    needed = fit_memory(model, params, size)
    if needed <= available:
        return ""
    return (
        f"{model.__name__} left out of {dataset}: it needs about {_gigabytes(needed)} of memory for "
        f"{size.n_users:,} users and {size.n_items:,} items, more than is free; "
        "leave the model out, raise 'k_core', use a machine with more, or set MODALIFT_MEMORY (GB) if more is free"
    )


def cell_seconds(
    model: type[Recommender],
    config: ModelConfig,
    size: DataSize,
    timed: Sequence[TimedCell] = (),
    *,
    shows_content: bool = True,
) -> float | None:
    """Seconds that one cell takes, about; None where nothing is known of the model.

    From the cells of the model that have run on data nearest in size, each scaled to this size, the median; from what
    was measured on another machine where that is nearer. Time grows with the interactions or with the model's memory,
    whichever grows more; where a model is trained by gradient, with the interactions times the users and items, or
    with the pairs of users and items where it goes through all of them.

    Args:
        model: class of the recommender.
        config: its hyper-parameters.
        size: of the data to train on.
        timed: cells of the same model that were shown content, or none, alike.
        shows_content: whether the model is shown any, if it takes it.
    """
    known = [*timed, *_measured(model, shows_content=shows_content)]
    epochs = getattr(config, "max_epochs", 0)
    growths = [_growth(model, config, cell.size, size) for cell in known]
    # What a cell of far smaller data took is mostly what every cell takes, and does not grow.
    far = [abs(math.log(max(growth, TINY))) for growth in growths]
    near = [place for place, distance in enumerate(far) if distance <= min(far) + ABOUT_AS_FAR]
    own = [place for place in near if place < len(timed)] or near
    return max(LEAST, median(known[place].cut_to(epochs) * growths[place] for place in own)) if own else None


def in_words(memory: float, seconds: float | None) -> str:
    """What a cell needs, for a line of `check`: such as "about 1.2 GB and 3 minutes a cell"."""
    if seconds is None:
        return f"about {_gigabytes(memory)}, time unknown until a cell has run"
    return f"about {_gigabytes(memory)} and {duration(seconds)} a cell"


def _measured(model: type[Recommender], *, shows_content: bool) -> list[TimedCell]:
    """The cell that was measured elsewhere, if one was."""
    name, costs = model.__name__, measured_costs
    seconds = costs.SECONDS if shows_content or name not in costs.WITHOUT_CONTENT else costs.WITHOUT_CONTENT
    epochs = costs.EPOCHS if registry.find(name).is_trained else 0
    return [TimedCell(costs.REFERENCE, seconds[name], epochs)] if name in seconds else []


def _growth(model: type[Recommender], config: ModelConfig, of: DataSize, to: DataSize) -> float:
    rows = to.n_interactions / of.n_interactions
    info = registry.find(model.__name__)
    if info.is_trained:
        # As many steps as there are batches, and each goes through the vectors of all users and items.
        steps = rows * (to.n_users + to.n_items) / (of.n_users + of.n_items)
        pairs = to.n_users * to.n_items / (of.n_users * of.n_items)
        whole = model.__name__ in WHOLE_PROFILES and (to.width > 0 or not info.takes_content)
        return max(steps, pairs) if whole else steps
    # Buffers of the libraries do not grow.
    memory = (model.memory(config, to) - FIXED_MEMORY) / max(model.memory(config, of) - FIXED_MEMORY, 1)
    return max(rows, memory**1.5 if model.__name__ in DENSE else memory)


def _gigabytes(amount: float) -> str:
    return f"{amount / GB:.0f} GB" if amount >= 9.5 * GB else f"{max(amount / GB, 0.1):.1f} GB"
