"""A small market whose pattern is known, with models trained on three splits of it and their lists kept."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.analyses.base import Inputs
from recsys.content.arms import INTERACTIONS_ONLY, Arm, control_arm
from recsys.content.features import Content, Features
from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.protocol import Protocol
from recsys.evidence.scores import Pair, Scores
from recsys.models import registry
from recsys.recommender import Recommender, TrainingData
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Statistics

N_USERS, N_ITEMS, N_BLOCKS, N_REPEATS = 160, 80, 4, 3
N_COLD = 8
PROTOCOL = Protocol(ks=(5, 10), primary="ndcg_at_10")
CONTENT, RIVAL, SHUFFLED = ("HybridItemKNN", "both"), ("ItemKNN", INTERACTIONS_ONLY), ("HybridItemKNN", "shuffled")
ARMS: dict[Pair, Arm] = {
    CONTENT: Arm("both", ("text", "image")),
    ("HybridItemKNN", "text"): Arm("text", ("text",)),
    ("HybridItemKNN", "image"): Arm("image", ("image",)),
    SHUFFLED: control_arm(Arm("both", ("text", "image")), "shuffled", name="shuffled"),
    RIVAL: Arm(INTERACTIONS_ONLY),
}


@dataclass(frozen=True)
class SplitInputs(Inputs):
    """Inputs whose repeats have splits of their own."""

    def dataset_of(self, repeat: int) -> Dataset:
        return DATASETS[repeat - 1]


def _drawn() -> tuple[list[Dataset], Content]:
    rng = np.random.default_rng(3)
    block_of_item, block_of_user = np.arange(N_ITEMS) % N_BLOCKS, np.arange(N_USERS) % N_BLOCKS
    chance = np.where(block_of_user[:, None] == block_of_item, 0.45, 0.04) * rng.uniform(0.5, 1.5, N_ITEMS)
    chance = chance * np.where(np.arange(N_USERS) < N_USERS // 2, 0.7, 1.3)[:, None]
    user, item = np.nonzero(rng.random((N_USERS, N_ITEMS)) < chance)
    datasets = []
    for _ in range(N_REPEATS):
        draw = rng.random(len(user))
        cold = item >= N_ITEMS - N_COLD
        part = np.select([cold, draw < 0.2, draw < 0.4], ["test", "test", "valid"], "train")
        datasets.append(
            Dataset(
                interactions=pd.DataFrame({"user": user, "item": item, "part": part}),
                users=pd.DataFrame({"user_id": np.arange(N_USERS).astype(str)}),
                items=pd.DataFrame({"item_id": np.arange(N_ITEMS).astype(str)}),
                quarantine=pd.DataFrame(),
            )
        )
    content = {}
    for source, dim in (("text", 8), ("image", 6)):
        matrix = (2 * rng.standard_normal((N_BLOCKS, dim)))[block_of_item] + rng.standard_normal((N_ITEMS, dim))
        present = np.ones(N_ITEMS, dtype=bool) if source == "text" else np.arange(N_ITEMS) % 5 != 0
        content[source] = Features.where(present, matrix)
    return datasets, content


DATASETS, FEATURES = _drawn()


def _fitted(pair: Pair, repeat: int) -> Recommender:
    data = DATASETS[repeat - 1]
    model = registry.load(pair[0]).from_params(n_neighbours=20)
    content = {source: FEATURES[source] for source in ARMS[pair].sources}
    if ARMS[pair].control:
        order = np.random.default_rng(repeat).permutation(N_ITEMS)
        content = {source: Features(each.matrix[order], each.present[order]) for source, each in content.items()}
    model.fit(TrainingData(train=data.train, content=content, seed=repeat))
    return model


def _store(pair: Pair, repeat: int, folder: Path) -> str:
    """Train one final cell and keep it; test lists mask the training items alone."""
    fingerprint = f"{pair[0]}_{pair[1]}_{repeat}"
    out = folder / fingerprint
    out.mkdir(parents=True)
    model = _fitted(pair, repeat)
    train_only = PROTOCOL.model_copy(update={"mask": "train"})
    for part in ("valid", "test"):
        Evaluator(DATASETS[repeat - 1], part, train_only).rank(model, 60).save(out / f"{part}.safetensors")
    model.save(out / "model.safetensors")
    return fingerprint


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """What analyses ask of a dataset, with every arm trained in every repeat."""
    folder = tmp_path_factory.mktemp("cells")
    arms = []
    for pair, arm in ARMS.items():
        finals = [_store(pair, repeat, folder) for repeat in range(1, N_REPEATS + 1)]
        arms.append(_result(pair, arm, finals))

    def cell(fingerprint: str) -> StoredCell:
        return StoredCell(fingerprint, folder / fingerprint, {"model": fingerprint.partition("_")[0]})

    spec = SimpleNamespace(
        content={source: SimpleNamespace(encoder="tfidf_svd", options={}) for source in FEATURES},
        fused=ARMS[CONTENT],
        questions=(),
    )
    study = SimpleNamespace(
        datasets={"d": spec}, evaluation=PROTOCOL, statistics=Statistics(resamples=100), question="Does content help?"
    )
    inputs = SplitInputs(study, "d", {}, cell)  # type: ignore[arg-type]
    known: dict[str, Any] = {
        "dataset": DATASETS[0],
        "features": FEATURES,
        "results": ModelResult(arms=arms),
        "selection": Selection.model_construct(content=CONTENT, rival=RIVAL, shuffled=SHUFFLED, sources={}),
        "scores": {pair: _scores(pair) for pair in ARMS},
    }
    inputs.__dict__.update(known)
    inputs.__dict__["scores"] = {pair: inputs.lists(pair).measure(["ndcg_at_10"])["ndcg_at_10"] for pair in ARMS}
    return inputs


def _scores(pair: Pair) -> Scores:
    tested = [np.flatnonzero(np.diff(data.test.indptr)) for data in DATASETS]
    users = np.intersect1d(np.intersect1d(tested[0], tested[1]), tested[2])
    return Scores(*pair, users, np.zeros((N_REPEATS, len(users))), valid=0.2, seeded=False, held_out=0.25)


def _result(pair: Pair, arm: Arm, finals: list[str]) -> ArmResult:
    return ArmResult.model_construct(
        model=pair[0], arm=pair[1], sources=arm.sources, control=arm.control, valid=0.2, finals=finals
    )


@pytest.fixture(scope="session")
def measured(trained: Inputs) -> Inputs:
    """The same with the table of all metrics."""
    rows: list[tuple[object, ...]] = []
    for pair in ARMS:
        per_repeat = []
        for data, ranking in zip(DATASETS, trained.lists(pair).masked("seen"), strict=True):
            per_repeat.append(pd.Series(Evaluator(data, "test", PROTOCOL).measure(ranking).summary))
        means = pd.concat(per_repeat, axis=1).mean(axis=1)
        rows += [(*pair, metric, mean, mean - 0.01, mean + 0.01) for metric, mean in means.items()]
    summary = pd.DataFrame(rows, columns=["model", "arm", "metric", "mean", "ci_low", "ci_high"])
    of_lists = summary["metric"].str.startswith(("coverage", "gini", "popularity_at"))
    summary.loc[of_lists, ["ci_low", "ci_high"]] = np.nan
    found = SplitInputs(trained.study, trained.name, trained.folders, trained.cell)
    found.__dict__.update(trained.__dict__ | {"summary": summary})
    return found
