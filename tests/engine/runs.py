"""Inputs of cells on the planted market, and what a search asks of a runner."""

from collections.abc import Sequence
from pathlib import Path

from recsys.content.arms import Arm, content_arm, control_arm
from recsys.engine.runner import CellInputs, CellRunner, Watcher
from recsys.engine.slots import Slots
from recsys.evaluation.protocol import Protocol
from recsys.store import Store
from recsys.tuning.trials import Stage, Trial
from tests.engine.markets import SOURCES, market, save_content

REPEATS = (1, 2, 3)
ALONE, BOTH = Arm("interactions_only"), content_arm("both", SOURCES)
SHUFFLED, NOISE = control_arm(BOTH, "shuffled"), control_arm(BOTH, "noise")


def inputs(folder: Path, model: str, n_repeats: int = 3, *, drawn: bool = True) -> CellInputs:
    """Of a model on the planted market, saved into `folder`; final cells keep their models."""
    data, place = market(n_repeats, drawn=drawn), folder / f"{n_repeats} repeats"
    place.mkdir()
    data.save(place)
    content = save_content(place)
    return CellInputs(
        dataset="m",
        folder=place,
        data_versions=[data.repeat(number).version for number in range(1, n_repeats + 1)],
        content=content,
        content_versions=dict.fromkeys(content, "1"),
        model=model,
        protocol=Protocol(ks=(5,), primary="ndcg_at_5"),
        keeps_state=lambda arm: True,
    )


def runner(given: CellInputs, folder: Path) -> CellRunner:
    return CellRunner(Store(folder / "store"), given, Slots(1), Watcher())


def finals(arm: Arm, repeats: Sequence[int] = REPEATS, stage: Stage = "final") -> list[Trial]:
    return [Trial(arm, {}, stage, repeat) for repeat in repeats]
