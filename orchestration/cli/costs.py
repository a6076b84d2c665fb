"""What a study will take: memory and time of each model on each dataset, before anything is trained."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from orchestration import keys
from orchestration.cli.console import table
from orchestration.content_widths import KnownDataset
from orchestration.home import Home
from orchestration.lineage import Event
from recsys.content.arms import INTERACTIONS_ONLY, Arm
from recsys.engine.slots import GB, free_memory
from recsys.engine.stored import cell_folders, stored_cells
from recsys.errors import UserError
from recsys.models import registry
from recsys.study.applicable import left_out
from recsys.study.control_arms import most_arms
from recsys.study.counting import cells_of, cells_of_related
from recsys.study.estimate import DENSE, TimedCell, cell_seconds, data_size, fit_memory, in_words
from recsys.study.preparing import VERSIONS, prepare_dataset
from recsys.study.selection import has_verdict
from recsys.study.study import Study
from recsys.wording import count, duration, listed

LIST_BYTES = 1600
"""Size of a user's lists of 100 items with scores, for validation and test."""
WORTH_A_GPU = 3600
"""Seconds of training by gradient, of all cells together, above which a reader asks for a GPU."""
ON_A_GPU = "; all of this is time on processor cores, and what a GPU takes shows once cells have run on one"
TimedCells = Mapping[tuple[str, bool], list[TimedCell]]
"""Cells that have run, by model and by whether it was shown content."""


@dataclass(frozen=True)
class Cost:
    """What a model takes on a dataset.

    Attributes:
        cells: trainings at most; 0 where the model is left out.
        memory: bytes that one of them needs, at default hyper-parameters.
        seconds: of one of them; None where nothing is known.
        total: seconds of all of them, one after another; None where nothing is known.
        related: seconds at most, once it tries what related models chose.
        controls: seconds at most of the controls, if it is the content model that is judged.
        unknown: sources that it is shown and whose vectors `memory` leaves out, since their length is not known yet.
    """

    dataset: str
    model: str
    cells: int = 0
    memory: float = 0.0
    seconds: float | None = None
    total: float | None = None
    related: float = 0.0
    controls: float = 0.0
    unknown: tuple[str, ...] = ()


def costs(
    study: Study,
    home: Home,
    known: Mapping[str, KnownDataset],
    pairs: Sequence[tuple[str, str]],
    timed: TimedCells | None = None,
) -> list[Cost]:
    """What models take, estimated from the cells that have run in this home.

    Args:
        study: gives the budget.
        home: holds the cells.
        known: each dataset by its name.
        pairs: each a dataset and a model.
        timed: as from `timed_cells`, where it is asked more than once.
    """
    timed = timed_cells(home) if timed is None else timed
    return [_cost(study, name, model, known[name], timed) for name, model in pairs]


def known_datasets(study: Study, home: Home) -> dict[str, KnownDataset]:
    """The datasets of a study that were prepared in this home."""
    made = {name: event for name in study.datasets if (event := home.lineage.latest(keys.dataset(name)))}
    return {name: KnownDataset.of(study, home, name, event.facts) for name, event in made.items()}


def prepared(study: Study, home: Home, name: str) -> KnownDataset:
    """A dataset that is prepared now, which nothing is kept of.

    Raises:
        UserError: the data cannot be read.
    """
    spec = study.datasets[name]
    with TemporaryDirectory() as scratch:
        facts = prepare_dataset(spec, home.settings.source_folder(name, spec), Path(scratch)).facts
    return KnownDataset.of(study, home, name, facts)


def cost_table(costs: Sequence[Cost]) -> Table:
    """A row per dataset and model."""
    columns = ("dataset", "model", ">cells at most", "memory and time", ">all, one after another")
    shown = table(*columns, title="What training takes")
    for cost in costs:
        each = in_words(cost.memory, cost.seconds) if cost.cells else "left out"
        together = "" if not cost.cells else "unknown" if cost.total is None else duration(cost.total)
        shown.add_row(cost.dataset, cost.model, f"{cost.cells:,}", each, together)
    return shown


def total(costs: Sequence[Cost], workers: int) -> str:
    """All models together in a line: the time with so many workers, and the largest cell beside the free memory."""
    running = [cost for cost in costs if cost.cells]
    known = [cost.total for cost in running if cost.total is not None]
    all_of_them, later = (max(seconds / workers, 1) for seconds in (sum(known), _later(running)))
    said = f"about {duration(all_of_them, beside=later)} with {count(workers, 'worker')}" if known else "time unknown"
    if len(known) < len(running):
        said += ", not counting models of which no cell has run yet"
    if _later(running):
        said += f", then up to {duration(later, beside=all_of_them)} for what related models chose and for controls"
    largest = max((cost.memory for cost in running), default=0.0)
    said += f"; the largest cell needs about {largest / GB:.1f} of {free_memory() / GB:.1f} GB of memory"
    if unknown := dict.fromkeys(f"{cost.dataset}/{source}" for cost in running for source in cost.unknown):
        said += f", not counting the vectors of {listed([*unknown])}, whose length is known once they are encoded"
    trained = sum(cost.total or 0 for cost in running if registry.find(cost.model).is_trained)
    return f"All models: {said}{ON_A_GPU if trained > WORTH_A_GPU else ''}"


def _later(costs: Sequence[Cost]) -> float:
    """Seconds at most after all models are trained, those of the costliest choice in each dataset."""
    controls: dict[str, float] = defaultdict(float)
    for cost in costs:
        controls[cost.dataset] = max(controls[cost.dataset], cost.controls)
    return sum(controls.values()) + sum(cost.related for cost in costs)


def disk(study: Study, name: str, facts: Mapping[str, Any]) -> str:
    """What the final trainings of a dataset will take of the disk, in a line.

    Each keeps lists of 100 items for two parts, with scores, and in the first repeat some keep the fitted model: a
    weight for each pair of items in `DENSE` models, else about as many weights as 200 for each user and item.
    """
    counts = facts["counts"]
    lists = states = 0.0
    for model in study.rows:
        arms = study.arms_of(name, model)
        lists += len(arms) * study.n_repeats * LIST_BYTES * counts["users"]
        if model in study.ensembles:  # the fitted models are those of its members
            continue
        weights = (
            counts["items"] ** 2 if registry.class_name(model) in DENSE else 400 * (counts["users"] + counts["items"])
        )
        states += 4 * weights * sum(study.keeps_state(arm) for arm in arms)
    said = f"Disk: about {max((lists + states) / GB, 0.1):.1f} GB"
    return f"{said}, most of it fitted models (`keep_states: none` keeps none)" if states > lists else said


def _cost(study: Study, name: str, model: str, known: KnownDataset, timed: TimedCells) -> Cost:
    facts, widths = known.facts, known.widths
    arms, fixed = study.arms_of(name, model), study.fixed_params_of(model)
    try:
        cls = registry.load(model)
        config = cls.from_params(**fixed).config
    except UserError:  # `check` names it, and training leaves it out
        return Cost(name, model)
    if left_out(study, name, model, facts, widths):
        return Cost(name, model)
    memory, seconds = 0.0, []
    for arm in arms:
        size = data_size(facts["counts"], arm, widths)
        memory = max(memory, fit_memory(cls, fixed, size))
        alike, others = (timed.get((cls.__name__, shown), []) for shown in (arm.shows_content, not arm.shows_content))
        # Of stored cells the width is not known.
        size = replace(size, width=0)
        each = cell_seconds(cls, config, size, alike or others, shows_content=arm.shows_content)
        if each is not None:
            seconds.append(each)
    unknown = tuple(dict.fromkeys(source for arm in arms for source in arm.sources if source not in widths))
    n_cells = cells_of(study, model, len(arms))
    cost = Cost(name, model, n_cells, memory, max(seconds, default=None), unknown=unknown)
    if len(seconds) < len(arms):
        return cost
    total = related = 0.0
    for each in seconds:
        trials = _trials(study, model, each)
        total += each * (cells_of(study, model, len(arms), trials) // len(arms))
        related += each * cells_of_related(study, model, 1, trials)
    if not (has_verdict(study, name) and study.takes_content(model)):
        return replace(cost, total=total, related=related)
    slowest = max(seconds)
    n_arms, trials_of_slowest = most_arms(study.datasets[name]), _trials(study, model, slowest)
    controls = slowest * cells_of(study, model, n_arms, trials_of_slowest, n_also=len(arms))
    return replace(cost, total=total, related=related, controls=controls)


def _trials(study: Study, model: str, seconds: float) -> int | None:
    """Trials of an arm whose cells take so long each; None: as many as there can be."""
    if study.tuning.minutes is None:
        return None
    return min(study.trials_of(model), math.ceil(study.tuning.seconds / seconds))


def timed_cells(home: Home) -> TimedCells:
    """Cells of the home that ended well on the newest versions of their datasets: sizes of older ones are gone."""
    newest: dict[str, Event | None] = {}
    timed: dict[tuple[str, bool], list[TimedCell]] = defaultdict(list)
    for cell in stored_cells(cell_folders(home.settings.store)):
        dataset = cell.record["dataset"]
        if dataset not in newest:
            newest[dataset] = home.lineage.latest(keys.dataset(dataset))
        event = newest[dataset]
        if event and cell.record["data_version"] in event.facts.get(VERSIONS, ()) and not cell.message:
            alike = registry.class_name(cell.record["model"]), cell.record["arm"] != INTERACTIONS_ONLY
            size = data_size(event.facts["counts"], Arm("data"), {})
            timed[alike].append(TimedCell(size, cell.seconds, len(cell.curve)))
    return timed
