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

DENSE = frozenset({"ADMMSLIM", "AddEASE", "CEASE", "EASE"})
"""Models that invert a matrix of items: their time grows as the cube of what their memory is the square of."""
REFERENCE = DataSize(n_users=8_000, n_items=3_000, n_interactions=79_000)
MEASURED = {
    "ADMMSLIM": 5.9,
    "AddEASE": 2.2,
    "AsySVD": 6.8,
    "AttributeItemKNN": 1.2,
    "AttributeUserKNN": 2.2,
    "BM3": 24.4,
    "BPRMF": 6.5,
    "CEASE": 1.4,
    "COHESION": 108,
    "CoClustering": 1.4,
    "DAMRS": 91.2,
    "DRAGON": 43.4,
    "DiffMM": 232,
    "DualGNN": 41.8,
    "EASE": 2,
    "FM": 13.6,
    "FREEDOM": 17.8,
    "FunkSVD": 5.4,
    "GFCF": 3,
    "GRCN": 63.8,
    "GUME": 191,
    "GlobalEffects": 0.1,
    "HybridItemKNN": 0.6,
    "IALS": 1.5,
    "ItemKNN": 0.2,
    "LATTICE": 23.2,
    "LGMRec": 43.3,
    "LightGCN": 40.8,
    "LightGT": 194,
    "MCLN": 328,
    "MENTOR": 192,
    "MGCE": 49.5,
    "MGCL": 108,
    "MGCN": 69.9,
    "MICRO": 26.5,
    "MMGCF": 21.6,
    "MMGCN": 191,
    "MMGF": 0.3,
    "MMHCL": 111,
    "MMSSL": 69,
    "MultVAE": 169.8,
    "NMF": 2.7,
    "P3alpha": 0.2,
    "PGL": 16.6,
    "PureSVD": 0.1,
    "REARM": 818,
    "RP3beta": 0.4,
    "Random": 0.8,
    "SLIMBPR": 36.6,
    "SLIMElasticNet": 1.8,
    "SLMRec": 71.8,
    "SMORE": 108,
    "SlopeOne": 1.6,
    "TopPop": 0.3,
    "UNeuRec": 7.1,
    "UltraGCN": 34.4,
    "UserKNN": 1.2,
    "VBPR": 16,
    "XSimGCL": 76.4,
}
"""Seconds of one cell of default hyper-parameters on data of the size `REFERENCE`, by `benchmarks/model_costs.py` on
2026-11-26 and 27: one thread on a busy machine of two cores, so rather too long than too short. Of models trained by
gradient, but for BPRMF, LightGCN and MultVAE, an epoch was timed, and they are taken to train for 60."""

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
    """

    size: DataSize
    seconds: float


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
    model: type[Recommender], config: ModelConfig, size: DataSize, timed: Sequence[TimedCell] = ()
) -> float | None:
    """Seconds that one cell takes, about; None where nothing is known of the model.

    From the cells of the model that have run on data nearest in size, each scaled to this size, the median; from what
    was measured on another machine where that is nearer. Time grows with the interactions or with the model's memory,
    whichever grows more.

    Args:
        model: class of the recommender.
        config: its hyper-parameters.
        size: of the data to train on.
        timed: cells of the same model.
    """
    name = model.__name__
    known = [*timed, *([TimedCell(REFERENCE, MEASURED[name])] if name in MEASURED else [])]
    growths = [_growth(model, config, cell.size, size) for cell in known]
    # What a cell of far smaller data took is mostly what every cell takes, and does not grow.
    far = [abs(math.log(max(growth, TINY))) for growth in growths]
    near = [place for place, distance in enumerate(far) if distance <= min(far) + ABOUT_AS_FAR]
    own = [place for place in near if place < len(timed)] or near
    return max(LEAST, median(known[place].seconds * growths[place] for place in own)) if own else None


def in_words(memory: float, seconds: float | None) -> str:
    """What a cell needs, for a line of `check`: such as "about 1.2 GB and 3 minutes a cell"."""
    if seconds is None:
        return f"about {_gigabytes(memory)}, time unknown until a cell has run"
    return f"about {_gigabytes(memory)} and {duration(seconds)} a cell"


def duration(seconds: float) -> str:
    """A time to be expected: "under 1 s", "40 s", "3 minutes", "2.0 hours"."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _growth(model: type[Recommender], config: ModelConfig, of: DataSize, to: DataSize) -> float:
    rows = to.n_interactions / of.n_interactions
    # Buffers of the libraries do not grow.
    memory = (model.memory(config, to) - FIXED_MEMORY) / max(model.memory(config, of) - FIXED_MEMORY, 1)
    return max(rows, memory**1.5 if model.__name__ in DENSE else memory)


def _gigabytes(amount: float) -> str:
    return f"{amount / GB:.0f} GB" if amount >= 9.5 * GB else f"{max(amount / GB, 0.1):.1f} GB"
