"""An extraction killed with SIGKILL loses one batch at most, and ends with the same result."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from recsys.content.vlm.extraction import VlmOptions, extract
from tests.content.conftest import item_table

N_ITEMS, BATCH = 32, 2
EXTRACT = """
import sys
from pathlib import Path
from tests.content.vlm.test_killed_extraction import options, table
from recsys.content.vlm.extraction import extract

model, folder, work = map(Path, sys.argv[1:])
extract(table(folder), options(model), work=work)
"""


def options(model: Path) -> VlmOptions:
    poolings = ("answer_end", "image_mean")
    return VlmOptions(
        model=str(model), prompt="misaligned", poolings=poolings, max_new_tokens=8, batch_size=BATCH, temperature=0.7
    )


def table(folder: Path) -> pd.DataFrame:
    paths = [str(folder / f"{number}.png") for number in range(N_ITEMS)]
    return item_table(N_ITEMS, image_path=paths)


def kept(work: Path) -> dict[str, list[str]]:
    return {file.name: pq.read_table(file)["key"].to_pylist() for file in work.glob("*/*.parquet")}


def test_a_killed_extraction_goes_on(tiny, tmp_path):
    random, work = np.random.default_rng(0), tmp_path / "work"
    for number in range(N_ITEMS):
        pixels = random.integers(0, 256, (20 + number, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    command = [sys.executable, "-c", EXTRACT, str(tiny("idefics3")), str(tmp_path), str(work)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])})
    deadline = time.monotonic() + 200
    while len(list(work.glob("*/*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = kept(work)
    assert 2 <= len(before) < N_ITEMS / BATCH
    assert all(len(keys) == BATCH for keys in before.values())

    told = []
    resumed = extract(
        table(tmp_path), options(tiny("idefics3")), work=work, progress=lambda done, total: told.append(done)
    )

    assert before.items() <= kept(work).items()
    assert told[0] == len(before) * BATCH + BATCH and told[-1] == N_ITEMS
    whole = extract(table(tmp_path), options(tiny("idefics3")))
    pd.testing.assert_frame_equal(resumed.answers, whole.answers)
    for pooling in ("answer_end", "image_mean"):
        np.testing.assert_allclose(resumed.hidden[pooling].matrix, whole.hidden[pooling].matrix, atol=1e-4)
