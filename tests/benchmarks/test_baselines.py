import json
from pathlib import Path

import baselines
import numpy as np
import pytest
from _baselines_page import Measurement, details, fastest_equal, page, standings
from _baselines_rows import Row
from baselines import Bench
from protocol import best_unseen, even_penalty, timed
from scipy import sparse

from recsys.models.factorisation.ials import IALSConfig, penalties
from recsys.models.linear.ease import EASE
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET


def measurement(peer: str, fit: float, ndcg: float, recommend: float = 1.0, row: str = "EASE") -> Measurement:
    processor = {"fit": fit, "recommend": recommend}
    wall = {"fit": 2 * fit, "recommend": 2 * recommend}
    return Measurement("baby", row, peer, "1.0", processor, wall, 100.0, ndcg)


OURS = measurement("modalift", 3.0, 0.0400)
MEASURED = [
    OURS,
    measurement("hasty", 1.0, 0.0395),
    measurement("equal", 2.0, 0.0396, recommend=4.0),
    measurement("better", 6.0, 0.0500, recommend=0.5),
]


def test_only_peers_as_accurate_as_we_are_count() -> None:
    fit, recommend = (fastest_equal(OURS, MEASURED[1:], part) for part in ("fit", "recommend"))
    assert fit is not None and fit.peer == "equal"
    assert recommend is not None and recommend.peer == "better"
    assert fastest_equal(OURS, [MEASURED[1]], "fit") is None


def test_ratios_are_of_processor_time() -> None:
    alone = measurement("modalift", 1.0, 0.1, row="TopPop")
    first, second = standings([*MEASURED, alone]).to_dict("records")
    assert (first["fit: ratio"], first["recommend: ratio"]) == (1.5, 2.0)
    assert first["fit: fastest equal peer"] == "equal, 2.00 s"
    assert second["fit: fastest equal peer"] == "none" and np.isnan(second["fit: ratio"])
    table = details(MEASURED, "baby")
    assert list(table["by"]) == ["modalift", "hasty", "equal", "better"]
    assert list(table["fit ratio"]) == ["1.00", "3.00", "1.50", "0.50"]
    assert table["fit s (wall)"][1] == "1.00 (2.00)"


def test_the_page_says_why_we_are_slower_and_what_is_missing() -> None:
    told = page(MEASURED, {"EASE": "double precision.", "NMF": "no reason."}, ["larger: EASE by all"], "python x.py")
    assert "- **EASE**: double precision." in told
    assert "NMF" not in told
    assert "- larger: EASE by all" in told
    assert "`python x.py`" in told and "equal 1.0" in told
    assert "nan" not in told
    faster = [measurement("modalift", 2.1, 0.04), measurement("equal", 2.0, 0.04)]
    assert "double precision" not in page(faster, {"EASE": "double precision."}, [], "")


def test_ours_goes_through_the_peers_protocol(tmp_path: Path) -> None:
    sparse.save_npz(tmp_path / "train.npz", MARKET.train)
    bench = Bench("planted", tmp_path / "train.npz", MARKET.held_out, tmp_path)
    made = bench.measure(Row("EASE", {"l2": 10.0}, ()), "modalift", anew=False)
    assert made is not None
    model = EASE.from_params(l2=10.0)
    model.fit(TrainingData(MARKET.train))
    lists = best_unseen(model.score, sparse.csr_matrix(MARKET.train), 20)
    assert made.ndcg == pytest.approx(baselines.ndcg(lists, MARKET.held_out), abs=1e-3)
    assert made.memory_mib > 10 and min(made.processor["fit"], made.wall["recommend"]) >= 0


def test_a_measurement_is_made_once_and_a_failure_is_told_with_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, row, runs = Bench("planted", tmp_path / "train.npz", MARKET.held_out, tmp_path), Row("EASE", {}, ()), []

    def run(package: str, arguments: list[str]) -> str:
        runs.append(package)
        job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        Path(job["out"]).with_suffix(".json").write_text('{"fit": {"processor": 7.0}}', encoding="utf-8")
        return "takes more than 150 s"

    monkeypatch.setattr(baselines, "run", run)
    for anew in (False, False, True):
        assert bench.measure(row, "modalift", anew=anew) is None
    assert len(runs) == 2
    assert bench.left_out[0] == "planted: EASE by modalift: takes more than 150 s, of which its fit 7.0 s"


def test_what_takes_too_much_processor_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "LIMIT_S", 1)
    monkeypatch.setattr(baselines, "PEERS", tmp_path)
    (tmp_path / "run_modalift.py").write_text("while True: pass", encoding="utf-8")
    assert baselines.run("modalift", []) == "takes more than 1 s of processor time"


def test_a_peer_that_cannot_be_had_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines.shutil, "which", lambda name: None)
    baselines.missing.cache_clear()
    assert baselines.missing("implicit") == "it cannot be had here: uv is not on the path"
    assert baselines.missing("modalift") == ""
    baselines.missing.cache_clear()


def test_peers_get_our_penalty() -> None:
    params = {"unobserved_weight": 0.2, "l2": 0.05, "frequency_power": 0.0}
    users, items = penalties(MARKET.train, IALSConfig(**params))
    ours = even_penalty(MARKET.train.shape, MARKET.train.nnz, params)
    np.testing.assert_allclose(np.concatenate([users, items]), ours, rtol=1e-6)


def test_the_least_of_a_few_runs_counts() -> None:
    results = iter("abcd")
    seconds, last = timed(lambda: next(results))
    assert last == "c" and set(seconds) == {"wall", "processor"}
