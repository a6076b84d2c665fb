"""What MLflow is given of a cell and of the dataset that it was trained on."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.evaluation.protocol import Protocol

N_METRICS = 8


@dataclass(frozen=True)
class TrackedDataset:
    """A version of a dataset.

    Attributes:
        name: the dataset; also the name of its experiment.
        digest: hash of the version's content, as in the lineage.
        folder: where the version is kept.
        counts: how many users, items and interactions there are.
        note: description of the experiment, Markdown.
    """

    name: str
    digest: str
    folder: str
    counts: Mapping[str, int]
    note: str = ""

    @property
    def input_id(self) -> str:
        """Id of the dataset among MLflow's inputs."""
        return _id(self.name, self.digest)


@dataclass(frozen=True)
class TrackedTraining:
    """One cell as MLflow shows it: a run.

    Attributes:
        dataset: what it was trained on.
        name: what the run is called.
        tags: model, arm, repeat, seed, stage, fingerprint, asset, Dagster run.
        params: hyper-parameters.
        metrics: final values by name, grouped by what stands before a slash (`test/ndcg_at_20`).
        curve: one dict an epoch (`epoch` and the values); they become metrics of the group `curve`.
        started: seconds since 1970.
        ended: seconds since 1970.
        failed: why, empty for a training that ended well.
        note: description of the run, Markdown.
    """

    dataset: TrackedDataset
    name: str
    tags: dict[str, str]
    params: dict[str, Any]
    metrics: dict[str, float]
    curve: Sequence[dict[str, float]] = ()
    started: float = field(default_factory=time.time)
    ended: float = field(default_factory=time.time)
    failed: str = ""
    note: str = ""

    @property
    def run_id(self) -> str:
        """Id of its MLflow run."""
        return run_id(self.dataset.name, self.tags["fingerprint"])


def run_id(dataset: str, fingerprint: str) -> str:
    """Id of the MLflow run of a cell: 32 hexadecimal digits, the same wherever and whenever it is asked for."""
    return _id(dataset, fingerprint)


def logged_metrics(protocol: Protocol) -> list[str]:
    """Names of what MLflow is given of the test part, few enough to read.

    The primary metric comes first, then nDCG and recall, at the cut-offs nearest to the primary's first. All other
    metrics are in the metrics asset.
    """
    nearest = sorted(protocol.ks, key=lambda k: (abs(k - protocol.primary_k), k))
    names = [protocol.primary, *(f"{metric}_at_{k}" for k in nearest for metric in ("ndcg", "recall"))]
    return list(dict.fromkeys(names))[:N_METRICS]


def _id(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]
