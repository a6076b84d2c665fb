"""Our training of one model, timed as `train_mmrec.py` times MMRec's: `python train_modalift.py JOB`.

A job is a JSON file: `model`, `params`, `batch_size`, `learning_rate`, `max_epochs`, `patience` (evaluations without
gain, one an epoch), `seed`, `folder` (`data.inter` with the parts, and a feature file for each of `sources`), `out`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from protocol import write_training

from recsys.content.features import Features
from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import Recommender, TrainingData

PROTOCOL = Protocol(ks=(20,), primary="recall_at_20", mask="train")
PARTS = {0: "train", 1: "valid", 2: "test"}


def read(folder: Path) -> Dataset:
    """The data with their published parts."""
    rows = pd.read_csv(folder / "data.inter", sep="\t").rename(columns={"userID": "user", "itemID": "item"})
    rows["part"] = rows["x_label"].map(PARTS)
    tables = (pd.DataFrame(index=range(rows[column].max() + 1)) for column in ("user", "item"))
    return Dataset(rows[["user", "item", "part"]], *tables, quarantine=pd.DataFrame())


def main() -> None:
    """Train with one evaluation an epoch, with clocks around each part."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    data = read(Path(job["folder"]))
    content = {}
    for source in job["sources"]:
        matrix = np.load(Path(job["folder"]) / f"{source}_feat.npy").astype(np.float32)
        content[source] = Features(matrix, matrix.any(axis=1))
    epochs: list[float] = []
    evaluations: list[float] = []
    ended = 0.0

    def validate(model: Recommender) -> float:
        nonlocal ended
        start = time.process_time()
        value = evaluate(model, data, "valid", PROTOCOL).summary["recall_at_20"]
        epochs.append(start - ended)
        ended = time.process_time()
        evaluations.append(ended - start)
        return float(value)

    given = {key: job[key] for key in ("batch_size", "learning_rate", "max_epochs", "patience")}
    model = registry.load(job["model"]).from_params(**given, steps_between_evaluations=1, **job["params"])
    model.fit(TrainingData(data.train, content, job["seed"], validate=validate))
    test = evaluate(model, data, "test", PROTOCOL).summary
    write_training(job, epochs, evaluations, recall=test["recall_at_20"], ndcg=test["ndcg_at_20"])


if __name__ == "__main__":
    main()
