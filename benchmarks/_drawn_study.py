"""A study of many arms whose results are drawn: its dataset, the lists of its cells, and who is compared.

Better lists are drawn for better arms, and each cell's when they are read: 25 GB would lie on disk.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.content.features import FEATURES, Features
from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.evaluation.evaluate import Part
from recsys.evaluation.ranking import Ranking
from recsys.evidence.source_design import SourceDesign, SourcePairs
from recsys.models import registry
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.study.selection import Selection, tally
from recsys.study.study import Study
from recsys.tuning.trials import Tried

NAME, TITLE = "large", "Does content help on a catalogue with many models?"
DEPTH, N_TRIALS = 100, 20
GAINS = {"both": 0.10, "text": 0.06, "image": 0.03, INTERACTIONS_ONLY: 0.0}


@dataclass(frozen=True)
class Size:
    """How large the study is; Amazon Sports, if not said otherwise."""

    models: int = 25
    repeats: int = 5
    users: int = 35_598
    items: int = 23_000
    interactions: int = 278_677
    resamples: int = 10_000


@dataclass(frozen=True)
class PlantedCell(StoredCell):
    """A final cell whose lists are drawn: each held-out item of a user stands in them with the chance `quality`."""

    data: Dataset
    quality: float

    def lists(self, part: Part) -> Ranking:
        """Distinct items for every user, and some of the held-out ones in the first places more often than last."""
        rng = np.random.default_rng(zlib.crc32(self.fingerprint.encode()))
        truth = self.data.test if part == "test" else self.data.valid
        users = np.flatnonzero(np.diff(truth.indptr)).astype(np.int32)
        n_items = self.data.n_items
        start = rng.integers(n_items, size=(len(users), 1))
        stride = rng.integers(1, n_items // DEPTH, size=(len(users), 1))
        items = ((start + stride * np.arange(DEPTH)) % n_items).astype(np.int32)
        ease = np.random.default_rng(0).beta(0.5, 2.0, size=len(users))
        first = truth.indices[truth.indptr[users]]
        found = rng.random(len(users)) < ease * self.quality
        already = (items == first[:, None]).any(axis=1)
        place = (DEPTH * rng.random(len(users)) ** 2).astype(np.int64)
        placed = np.flatnonzero(found & ~already)
        items[placed, place[placed]] = first[placed]
        return Ranking(users, items, np.tile(np.linspace(1, 0, DEPTH, dtype=np.float32), (len(users), 1)))


def dataset(size: Size) -> Dataset:
    """A market skewed towards heavy users and popular items, in which every user has something held out."""
    rng = np.random.default_rng(0)
    rest = size.interactions - 2 * size.users
    drawn = np.concatenate([np.tile(np.arange(size.users), 2), size.users * rng.random(rest) ** 1.5])
    rows = pd.DataFrame({"user": drawn, "item": size.items * rng.random(size.interactions) ** 2.5}).astype(np.int32)
    rows["part"] = np.repeat(["test", "train"], [size.users, size.interactions - size.users])
    later = rows.index >= 2 * size.users
    rows.loc[later, "part"] = rng.choice(["train", "valid"], rest, p=[0.88, 0.12])
    rows = rows.drop_duplicates(["user", "item"], ignore_index=True)
    items = pd.DataFrame({"image_path": None}, index=range(size.items), dtype=object)
    users = pd.DataFrame({"user_id": [str(user) for user in range(size.users)]})
    return Dataset(rows, users, items, quarantine=pd.DataFrame())


def study(size: Size) -> Study:
    """Two sources, and as many models as asked for; that many of them take no content is passed over."""
    spec = {
        "source": {"reader": "market"},
        "content": {source: {"encoder": "tfidf_svd"} for source in ("text", "image")},
        "questions": [{"ask": "Is text better than the image?", "better": "text", "than": "image"}],
    }
    return Study.model_validate(
        {
            "name": NAME,
            "title": TITLE,
            "datasets": {NAME: spec},
            "models": sorted(registry.load_all())[: size.models],
            "tuning": {"trials": N_TRIALS},
            "repeats": size.repeats,
            "statistics": {"resamples": size.resamples},
        }
    )


def results(planned: Study) -> tuple[ModelResult, dict[str, float]]:
    """Every (model, arm), with the quality of each final cell's lists by fingerprint; one model was left out."""
    rng = np.random.default_rng(1)
    spec, arms = planned.datasets[NAME], []
    qualities: dict[str, float] = {}
    for model, base in zip(planned.models, rng.uniform(0.2, 0.45, len(planned.models)), strict=True):
        for arm in spec.arms(planned.controls):
            quality = base * (1 + GAINS.get(arm.name, -0.02))
            finals = [f"{model}-{arm.name}-{repeat}" for repeat in range(planned.n_repeats)]
            qualities |= dict.fromkeys(finals, quality)
            curve = np.maximum.accumulate(quality * (1 - rng.exponential(0.08, N_TRIALS)))
            arms.append(
                ArmResult(
                    model=model,
                    arm=arm.name,
                    sources=arm.sources,
                    control=arm.control,
                    altered=arm.altered,
                    settings=[{} for _ in finals],
                    valid=quality,
                    valid_by_repeat=[quality for _ in finals],
                    content_used=bool(arm.sources),
                    seeded=True,
                    trials=[Tried({}, float(value), seconds=60.0) for value in curve],
                    n_nested=0,
                    exhausted=False,
                    finals=finals,
                    seconds=3600.0,
                )
            )
    lost = [LeftOutArm(model="BM3", arm=arm, reason="out of memory: 4.1 GiB asked for") for arm in ("text", "both")]
    return ModelResult(arms=arms, left_out=lost), qualities


def selection(results: ModelResult) -> Selection:
    """The best model on validation; its one shuffled control stands for all of them, noise for popularity."""
    best = max(results.arms, key=lambda arm: arm.valid).model
    content, shuffled = (best, "both"), (best, "shuffled")
    sources = {
        source: SourcePairs(
            own=(best, source), own_shuffled=shuffled, own_untuned=shuffled, full=content, full_altered=shuffled
        )
        for source in ("text", "image")
    }
    return Selection(
        content=content,
        rival=(best, INTERACTIONS_ONLY),
        shuffled=shuffled,
        untuned=shuffled,
        popularity=(best, "noise"),
        removed=None,
        itself=(best, INTERACTIONS_ONLY),
        sources=SourceDesign(sources=sources),
        tried=tally(results.arms),
    )


def vectors(planned: Study, n_items: int, folder: Path) -> dict[str, Path]:
    """Random ones for each source; gives their folders as analyses ask for them."""
    rng, folders = np.random.default_rng(2), {}
    for source in planned.datasets[NAME].content:
        folders[f"embeddings/{source}"] = folder / source
        folders[f"embeddings/{source}"].mkdir()
        drawn = Features(rng.normal(size=(n_items, 16)).astype(np.float32), np.ones(n_items, dtype=bool))
        drawn.save(folder / source / FEATURES, [str(item) for item in range(n_items)])
    return folders
