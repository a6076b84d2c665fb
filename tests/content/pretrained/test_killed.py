"""An encoding killed with SIGKILL in the middle goes on where it was and gives what it would have given."""

import signal
import subprocess
import sys

import numpy as np
from PIL import Image

from recsys.content.batch_store import BatchStore
from recsys.content.encoders import encode
from tests.content.conftest import item_table
from tests.content.pretrained import models

N, KEEP, BATCH = 60, 10, 5
ENCODE = f"""
import sys, time
from pathlib import Path
import pandas as pd
from recsys.content.encoders import encode
from recsys.content.pretrained import running

def tell(done, total):
    print(done, flush=True)
    time.sleep(0.02)

running.KEEP = {KEEP}
options, work, items = {{"model": sys.argv[1], "batch_size": {BATCH}, "device": "cpu"}}, sys.argv[2], sys.argv[3]
encode("vision_transformer", options, pd.read_parquet(items), work=Path(work), progress=tell)
"""


def test_a_killed_encoding_goes_on(tmp_path):
    folder, work = models.vit(tmp_path / "vit"), tmp_path / "work"
    random = np.random.default_rng(0)
    paths = [str(tmp_path / f"{number}.png") for number in range(N)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((40, 40)).save(path)
    items = item_table(N, image_path=paths)
    items.to_parquet(tmp_path / "items.parquet")
    options = {"model": str(folder), "device": "cpu"}
    expected = encode("vision_transformer", options, items).matrix

    command = [sys.executable, "-c", ENCODE, str(folder), str(work), str(tmp_path / "items.parquet")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        done = next(done for line in process.stdout if (done := int(line)) >= N // 2)
        process.send_signal(signal.SIGKILL)
    (place,) = work.iterdir()
    kept = len(BatchStore(place).keys())
    assert done - KEEP < kept < N

    told: list[int] = []
    found = encode("vision_transformer", options, items, work=work, progress=lambda now, total: told.append(now))
    assert told[0] > kept and told[-1] == N
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-4, atol=1e-5)
    assert len(BatchStore(place).keys()) == N
