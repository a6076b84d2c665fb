"""Which cells a trial is: what repeats share and what they do not, and that only missing cells are computed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.content.arms import Arm, Control, control_arm
from recsys.content.features import Content
from recsys.engine.cell import run_cell
from recsys.engine.code import runs_on_gpu
from recsys.engine.runner import CellInputs, CellRunner, Watcher
from recsys.engine.slots import Gpu, Needs, Place, Room, Slots
from recsys.intact import damaged
from recsys.models import registry
from recsys.models.baselines.toppop import TopPop
from recsys.recommender import TrainingData
from recsys.store import Store
from recsys.testing.market import planted_market
from recsys.tuning.trials import Stage, Trial
from tests.engine.markets import market
from tests.engine.runs import ALONE, BOTH, NOISE, REPEATS, SHUFFLED, finals, inputs, runner
from tests.engine.work import look_at_job


def n_different(given: CellInputs, arm: Arm, stage: Stage = "final") -> int:
    return len({given.fingerprint(given.cell(trial)) for trial in finals(arm, stage=stage)})


@pytest.mark.parametrize("stage", ["tuning", "final"])
@pytest.mark.parametrize(
    ("model", "drawn", "arm", "expected"),
    [
        ("EASE", False, ALONE, 1),
        ("HybridItemKNN", False, BOTH, 1),
        ("HybridItemKNN", False, SHUFFLED, 3),
        ("HybridItemKNN", False, NOISE, 3),
        ("HybridItemKNN", False, control_arm(BOTH, "constant"), 1),
        ("HybridItemKNN", False, control_arm(BOTH, "popularity"), 1),
        ("HybridItemKNN", False, control_arm(BOTH, "removed"), 1),
        ("HybridItemKNN", True, BOTH, 3),
        ("BPRMF", False, ALONE, 3),
        ("BPRMF", True, ALONE, 3),
    ],
)
def test_repeats_share_cells_where_nothing_differs_among_them(
    tmp_path: Path, model: str, drawn: bool, arm: Arm, expected: int, stage: Stage
) -> None:
    assert n_different(inputs(tmp_path, model, drawn=drawn), arm, stage) == expected


def test_a_shared_cell_is_computed_once_and_keeps_its_model(tmp_path: Path) -> None:
    running = runner(inputs(tmp_path, "EASE", drawn=False), tmp_path)
    first, *others = running(finals(ALONE, (2, 3, 1)))
    assert running.computed == 1 and {cell.fingerprint for cell in others} == {first.fingerprint}
    assert first.record["repeat"] == 1 and isinstance(first.model(), registry.load("EASE"))


def test_of_repeats_with_splits_of_their_own_the_first_keeps_its_model(tmp_path: Path) -> None:
    running = runner(inputs(tmp_path, "EASE"), tmp_path)
    cells = running(finals(ALONE))
    assert [cell.model() is not None for cell in cells] == [True, False, False]
    assert [cell.record["repeat"] for cell in cells] == [1, 2, 3]
    assert len({cell.record["data_version"] for cell in cells}) == 3


def test_each_repeat_is_ranked_on_its_own_split(tmp_path: Path) -> None:
    data = market(3)
    for cell, number in zip(runner(inputs(tmp_path, "EASE"), tmp_path)(finals(ALONE)), REPEATS, strict=True):
        split, lists = data.repeat(number), cell.lists("test")
        np.testing.assert_array_equal(lists.users, np.flatnonzero(split.test.sum(axis=1)))
        taken = split.train.toarray()[lists.users[:, None], lists.items]
        assert not taken[lists.items >= 0].any()
        offered = np.zeros(split.train.shape, dtype=bool)
        offered[lists.users[:, None], lists.items] = True
        assert (offered | (split.train.toarray() > 0))[lists.users].all()  # and of all that is left, nothing is lost


@pytest.mark.parametrize("model", ["HybridItemKNN", "BPRMF"])
@pytest.mark.parametrize("drawn", [True, False])
def test_another_repeat_computes_only_its_own_cells(tmp_path: Path, model: str, drawn: bool) -> None:
    arms = [ALONE] if model == "BPRMF" else [BOTH, SHUFFLED]
    params = {"max_epochs": 2} if model == "BPRMF" else {}
    computed = []
    for number, n_repeats in enumerate((2, 3, 3)):
        (place := tmp_path / str(number)).mkdir()
        given = inputs(place, model, n_repeats, drawn=drawn)
        running = runner(given, tmp_path)
        running([replace(each, params=params) for arm in arms for each in finals(arm, range(1, n_repeats + 1))])
        computed.append(running.computed)
    n_varied = sum(n_different(given, arm) == 3 for arm in arms)
    assert computed == [len(arms) + n_varied, n_varied, 0]


def test_what_is_chosen_has_not_seen_the_seed_of_the_final_cell(tmp_path: Path) -> None:
    given = inputs(tmp_path, "BPRMF")
    seeds = {stage: [given.cell(trial).seed for trial in finals(ALONE, stage=stage)] for stage in ("tuning", "final")}
    assert seeds["final"] == [1, 2, 3]
    assert len({*seeds["tuning"], *seeds["final"]}) == 6


def test_a_made_cell_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    def make(out: Path) -> dict[str, Any]:
        (out / "x.json").write_text("1")
        return {"valid": 0.5, "failure": "", "failure_kind": ""}

    given = inputs(tmp_path, "TopPop")
    first = runner(given, tmp_path).made({"e": make})["e"]
    (first.folder / "x.json").unlink()
    again = runner(given, tmp_path)
    assert again.made({"e": make})["e"].valid == 0.5 and again.computed == 1
    assert damaged(first.folder) is None and (first.folder / "x.json").read_text() == "1"
    assert [path.name for path in first.folder.parent.iterdir()] == ["e"]


def test_models_that_ask_for_the_device_run_on_a_gpu() -> None:
    trained = {info.name for info in registry.model_infos() if info.file.is_trained}
    assert {info.name for info in registry.model_infos() if runs_on_gpu(info.name)} == trained | {"ADMMSLIM"}


@pytest.mark.parametrize(("model", "gpus"), [("BPRMF", {"3", "GPU-5a"}), ("EASE", {None})])
def test_cells_are_spread_over_the_gpus_where_their_model_runs_on_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, gpus: set[str | None]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("recsys.engine.runner._run", look_at_job)
    given = replace(inputs(tmp_path, model), memory=lambda params, arm: 2.0**32)
    slots = Slots(2, devices=[Gpu("3", 2**33), Gpu("GPU-5a", 2**33)])
    cells = CellRunner(Store(tmp_path / "store"), given, slots, Watcher())(finals(ALONE, (1, 2)))
    assert {cell.record["curve"][0]["gpu"] for cell in cells} == gpus


def needs_of_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str) -> Needs:
    """What a cell of seven bytes says it needs."""
    asked: list[Needs] = []

    def ask(jobs: Sequence[object], slots: Slots, work: object, needs: Callable[[object], Needs]) -> list[object]:
        asked.extend(map(needs, jobs))
        return []

    monkeypatch.setattr("recsys.engine.runner.run_cells", ask)
    given = replace(inputs(tmp_path, model), memory=lambda params, arm: 7.0)
    with pytest.raises(KeyError):  # no cell has an outcome
        runner(given, tmp_path)(finals(ALONE, (1,)))
    return asked[0]


@pytest.mark.parametrize("model", ["BPRMF", "EASE"])
def test_without_a_gpu_a_cell_takes_its_memory_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    needs = needs_of_a_cell(tmp_path, monkeypatch, model)
    assert Room(Slots(2, 10, ()), [needs]).place(needs, []) == Place(7)


def test_on_a_gpu_a_cell_takes_its_memory_in_full_from_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.engine.runner.runs_on_gpu", lambda model: True)
    needs = needs_of_a_cell(tmp_path, monkeypatch, "EASE")
    gpu = Gpu("0", 2**33)
    place = Room(Slots(2, 10, [gpu]), [needs]).place(needs, [])
    assert place is not None and (place.memory, place.gpu) == (7, gpu)
    assert place.gpu_memory >= 7
    assert Room(Slots(2, 10, [gpu]), [needs]).place(needs, [place]) is None  # 14 bytes of 10


@pytest.mark.parametrize("name", ["cell.json", "test.safetensors", "model.safetensors"])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_damaged_cell_counts_as_not_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, kept: int
) -> None:
    given = inputs(tmp_path, "TopPop", drawn=False)
    (first, *_) = runner(given, tmp_path)(finals(ALONE))
    with (first.folder / name).open("r+b") as file:
        file.truncate(kept)
    again = runner(given, tmp_path)
    (second, *_) = again(finals(ALONE))
    assert again.computed == 1 and second.valid == first.valid and damaged(second.folder) is None
    assert caplog.messages == [
        f"{first.folder / name}: is damaged or gone; this cell and others like it are computed anew"
    ]


class Spy(TopPop):
    """A most popular model that remembers what content it was shown."""

    shown: Content = {}

    def fit(self, data: TrainingData) -> None:
        """Look, and count."""
        Spy.shown = data.content
        super().fit(data)


@pytest.fixture
def spied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CellInputs:
    given = inputs(tmp_path, "HybridItemKNN")
    monkeypatch.setattr(registry, "load", lambda name: Spy)
    return given


def shown(given: CellInputs, control: Control, repeat: int, stage: Stage = "tuning", model: str = "") -> np.ndarray:
    """The text that a model is shown under a control in a repeat."""
    cell = given.cell(Trial(control_arm(BOTH, control), {}, stage, repeat))
    out = given.folder / f"{control}-{repeat}-{stage}"
    out.mkdir(exist_ok=True)
    run_cell(replace(cell, model=model or cell.model, seed=cell.seed + len(model)), out)
    return Spy.shown["text"].matrix


@pytest.mark.parametrize("control", ["shuffled", "noise"])
def test_what_is_drawn_of_a_control_differs_between_repeats_and_is_one_within_a_repeat(
    spied: CellInputs, control: Control
) -> None:
    first, second, third = (shown(spied, control, repeat) for repeat in REPEATS)
    assert not any(np.array_equal(a, b) for a, b in [(first, second), (first, third), (second, third)])
    np.testing.assert_array_equal(first, shown(spied, control, 1, "final"))
    np.testing.assert_array_equal(first, shown(spied, control, 1, model="another with a seed of its own"))


def test_popularity_is_that_of_the_repeats_training_part(spied: CellInputs) -> None:
    arm, content = control_arm(BOTH, "popularity"), planted_market().content
    found = {repeat: shown(spied, "popularity", repeat) for repeat in REPEATS}
    assert not np.array_equal(found[1], found[2])
    for repeat, matrix in found.items():
        expected = arm.show(content, 0, market(3).repeat(repeat).popularity)["text"].matrix
        np.testing.assert_array_equal(matrix, expected)


def test_removed_content_is_no_content(spied: CellInputs, tmp_path: Path) -> None:
    Spy.shown = {"text": None}  # type: ignore[dict-item]
    result = run_cell(spied.cell(Trial(control_arm(BOTH, "removed"), {}, "tuning")), tmp_path)
    assert Spy.shown == {} and not result.content_used
