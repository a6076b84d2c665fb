"""What is said before training: does a model fit, and how long will it take; and is what models say about right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.engine.slots import GB, free_memory
from recsys.errors import UserError
from recsys.models import registry
from recsys.models.baselines.toppop import TopPop
from recsys.models.linear.ease import EASE
from recsys.recommender import DataSize
from recsys.study import measured_costs
from recsys.study.estimate import TimedCell, cell_seconds, fits, in_words

BIG = DataSize(n_users=100_000, n_items=50_000, n_interactions=800_000)
FIT = """
import sys
from pathlib import Path
import numpy as np
from scipy import sparse
from recsys.content.features import Features
from recsys.models import registry
from recsys.recommender import DataSize, TrainingData
cls, width = registry.load(sys.argv[1]), int(sys.argv[2])
model = cls.from_params(**({"max_epochs": 1, "batch_size": 50_000} if "max_epochs" in cls.Config.model_fields else {}))
rng = np.random.default_rng(0)
pairs = (40_000 * rng.random(300_000) ** 1.5).astype(int), (4_000 * rng.random(300_000) ** 2.5).astype(int)
train = sparse.csr_array((np.ones(300_000, dtype=np.float32), pairs), shape=(40_000, 4_000))
train.data[:] = 1
features = Features(rng.standard_normal((4_000, width), dtype=np.float32), np.ones(4_000, dtype=bool))
peak = lambda: 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
Path("/proc/self/clear_refs").write_text("5")
before = peak()
model.fit(TrainingData(train, {"image": features} if width else {}))
print(peak() - before, model.memory(model.config, DataSize(*train.shape, train.nnz, width)))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak")
@pytest.mark.parametrize(
    ("name", "width"), [("EASE", 0), ("ItemKNN", 0), ("IALS", 0), ("PureSVD", 0), ("VBPR", 2048), ("FREEDOM", 2048)]
)
def test_models_say_about_what_they_need(name: str, width: int) -> None:
    command = [sys.executable, "-c", FIT, name, str(width)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    measured, said = (float(number) for number in done.stdout.split())
    assert measured / 2 < said < measured * 2


@pytest.mark.parametrize("name", list(registry.load_all()))
def test_memory_grows_with_the_data(name: str) -> None:
    model = registry.load(name)
    config = model.Config()
    small = DataSize(n_users=1_000, n_items=800, n_interactions=20_000, width=16)
    wider = DataSize(n_users=1_000, n_items=800, n_interactions=20_000, width=512)
    larger = DataSize(n_users=10_000, n_items=8_000, n_interactions=200_000, width=16)
    assert 0 < model.memory(config, small) < model.memory(config, larger)
    if registry.find(name).takes_content and name != "AttributeUserKNN":
        assert model.memory(config, small) < model.memory(config, wider)


def test_what_does_not_fit_is_one_line() -> None:
    assert fits(TopPop, {}, BIG, 12 * GB, "big") == ""
    assert fits(EASE, {}, BIG, 12 * GB, "big") == (
        "EASE left out of big: it needs about 40 GB of memory for 100,000 users and 50,000 items, more than is free; "
        "leave the model out, raise 'k_core', use a machine with more, or set MODALIFT_MEMORY (GB) if more is free"
    )


def test_the_setting_overrides_and_a_container_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODALIFT_MEMORY", "2.5")
    assert free_memory() == 2.5 * GB
    for wrong in ("much", "-1", "nan"):
        monkeypatch.setenv("MODALIFT_MEMORY", wrong)
        with pytest.raises(UserError, match=f"MODALIFT_MEMORY is '{wrong}': give the memory .* such as 12"):
            free_memory()
    monkeypatch.delenv("MODALIFT_MEMORY")
    free = free_memory(tmp_path)
    assert free > 0
    for name, text in (("max", "3000\n"), ("current", "2500\n"), ("stat", "anon 1\ninactive_file 400\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert free_memory(tmp_path) == 900
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) > 900


def test_time_is_scaled_from_cells_that_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    half = DataSize(n_users=50_000, n_items=25_000, n_interactions=400_000)
    timed = [TimedCell(half, seconds) for seconds in (9.0, 10.0, 50.0)]
    assert cell_seconds(TopPop, TopPop.Config(), BIG, timed) == pytest.approx(20)
    assert cell_seconds(EASE, EASE.Config(), BIG, timed) == pytest.approx(80)
    lightgcn = registry.load("LightGCN")
    assert cell_seconds(lightgcn, lightgcn.Config(), BIG, timed) == pytest.approx(40)
    monkeypatch.setattr(measured_costs, "SECONDS", {"TopPop": 0.5})
    assert cell_seconds(TopPop, TopPop.Config(), measured_costs.REFERENCE) == 0.5
    assert cell_seconds(EASE, EASE.Config(), BIG) is None


def test_time_of_whole_profiles_grows_with_the_pairs_of_users_and_items() -> None:
    ran = [TimedCell(DataSize(1_000, 1_000, 9_000, width=64), 10.0)]
    larger = [DataSize(2_000, 4_000, 9_000, width) for width in (64, 0)]
    diffmm, mgcn = registry.load("DiffMM"), registry.load("MGCN")
    assert [cell_seconds(diffmm, diffmm.Config(), size, ran) for size in larger] == pytest.approx([80, 30])
    assert [cell_seconds(mgcn, mgcn.Config(), size, ran) for size in larger] == pytest.approx([30, 30])


def test_time_is_of_as_many_epochs_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    vbpr, reference = registry.load("VBPR"), measured_costs.REFERENCE
    ran = [TimedCell(reference, 80.0, epochs=40)]
    assert [cell_seconds(vbpr, vbpr.Config(max_epochs=n), reference, ran) for n in (10, 300)] == [20, 80]
    monkeypatch.setattr(measured_costs, "SECONDS", {"VBPR": 60.0})
    monkeypatch.setattr(measured_costs, "WITHOUT_CONTENT", {"VBPR": 30.0})
    config = vbpr.Config(max_epochs=measured_costs.EPOCHS // 2)
    assert cell_seconds(vbpr, config, reference) == 30
    assert cell_seconds(vbpr, config, reference, shows_content=False) == 15


def test_needs_in_words() -> None:
    assert in_words(40 * GB, 7200) == "about 40 GB and 2.0 hours a cell"
    assert in_words(1.24 * GB, 600) == "about 1.2 GB and 10 minutes a cell"
    assert in_words(1, 0.2) == "about 0.1 GB and under 1 s a cell"
    assert in_words(GB, None) == "about 1.0 GB, time unknown until a cell has run"
