"""Where the next cell fits: by workers, by main memory, and by the memory of GPUs."""

import sys
from random import Random
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.engine.slots import Gpu, Needs, Place, Room, Slots

GIB = 2**30
PAIR = (Gpu("0", 8 * GIB), Gpu("1", 8 * GIB))


def fill(slots: Slots, *needs: Needs) -> list[Place | None]:
    """Places of cells that come one after another and stay."""
    room = Room(slots, needs)
    places: list[Place | None] = []
    for each in needs:
        places.append(room.place(each, [place for place in places if place]))
    return places


def gpus(places: list[Place | None]) -> list[str | None]:
    return [place and place.gpu and place.gpu.name for place in places]


def test_as_many_cells_as_workers_where_nothing_is_known_of_them() -> None:
    assert [place is None for place in fill(Slots(2, 0), *[Needs()] * 3)] == [False, False, True]


def test_a_cell_waits_for_memory_and_a_smaller_one_passes_it() -> None:
    places = fill(Slots(9, 10), Needs(6), Needs(5), Needs(4), Needs(1), Needs())
    assert places == [Place(6), None, Place(4), None, Place(0)]


def test_a_cell_larger_than_everything_runs_alone() -> None:
    assert fill(Slots(9, 10), Needs(11), Needs(0)) == [Place(11), None]
    assert fill(Slots(9, 10), Needs(1), Needs(11)) == [Place(1), None]
    (large,) = fill(Slots(9, 10, PAIR), Needs(0, 99 * GIB))
    assert large is not None and large.gpu == PAIR[0]


def test_small_cells_fill_two_gpus_side_by_side() -> None:
    # 3 GiB and what CUDA takes for a process: two fit.
    assert gpus(fill(Slots(9, 0, PAIR), *[Needs(0, 3 * GIB)] * 5)) == ["0", "1", "0", "1", None]


def test_a_cell_takes_the_gpu_that_has_room_for_it() -> None:
    devices = (Gpu("0", 8 * GIB), Gpu("1", 16 * GIB))
    assert gpus(fill(Slots(9, 0, devices), Needs(0, 2 * GIB), Needs(0, 7 * GIB), Needs(0, 7 * GIB))) == ["1", "0", "1"]


def test_a_cell_for_the_cpu_takes_no_gpu() -> None:
    assert gpus(fill(Slots(9, 0, PAIR), Needs(), Needs(0, 0), Needs())) == [None, "0", None]


def test_without_a_gpu_its_memory_is_taken_from_the_main_one() -> None:
    assert fill(Slots(9, 10, ()), Needs(1, 5), Needs(0, 5), Needs(0, 4)) == [Place(5), Place(5), None]


def test_main_memory_bounds_cells_on_gpus_too() -> None:
    assert gpus(fill(Slots(9, 10, PAIR), *[Needs(4, 0)] * 3)) == ["0", "1", None]


@given(
    st.lists(st.builds(Needs, st.integers(0, 20), st.none() | st.integers(0, 9 * GIB)), min_size=1, max_size=30),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_whatever_ends_first_all_run_and_none_where_it_does_not_fit(
    needs: list[Needs], workers: int, random: Random
) -> None:
    room, waiting, running = Room(Slots(workers, 15, PAIR), needs), list(needs), list[Place]()
    while waiting or running:
        for each in list(waiting):
            if place := room.place(each, running):
                waiting.remove(each)
                running.append(place)
        assert 0 < len(running) <= workers
        if len(running) > 1:
            assert sum(place.memory for place in running) <= 15
            for gpu in PAIR:
                shared = [place.gpu_memory for place in running if place.gpu == gpu]
                # One that is larger than the whole GPU has it to itself.
                assert len(shared) <= 1 or sum(shared) <= gpu.memory
        running.pop(random.randrange(len(running)))


@pytest.mark.parametrize(("needs", "imported"), [("Needs(1)", False), ("Needs(1, 0)", True)])
def test_torch_is_imported_only_where_a_cell_wants_a_gpu(needs: str, imported: bool) -> None:
    code = f"import sys; from recsys.engine.slots import *; Room(Slots(1), [{needs}]); print('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], capture_output=True, text=True).stdout == f"{imported}\n"
