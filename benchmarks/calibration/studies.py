"""One draw of a setting: a whole study by `recsys.run` on a market whose truth is known, and what it concluded."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from calibration.markets import Market
from recsys.analyses.base import Inputs
from recsys.analyses.strata import Strata
from recsys.content.encoders import registry as encoders
from recsys.data.readers import registry as readers
from recsys.engine.code import model_code
from recsys.engine.stored import StoredCell
from recsys.evidence.gates import Gate
from recsys.fingerprints import code_of, fingerprint
from recsys.models import registry
from recsys.run import DatasetResult, run
from recsys.study.study import Study

NAME = "market"
PARTS = {"train": 0, "valid": 1, "test": 2}
SPACE: dict[str, Any] = {"weighting": "none", "alpha": 0.5, "beta": 0.5}
LINEAR: dict[str, dict[str, Any]] = {"Random": {}, "TopPop": {}, "EASE": {}, "AddEASE": {}, "CEASE": {}}
"""Without content all of these are one model: where content says nothing, no test is harder to pass."""
CLOSED_FORM: dict[str, dict[str, Any]] = LINEAR | {"ItemKNN": SPACE}
NEIGHBOURS: dict[str, dict[str, Any]] = {
    "Random": {},
    "TopPop": {},
    "ItemKNN": SPACE,
    "EASE": {},
    "HybridItemKNN": SPACE,
    "AddEASE": {},
}
"""Dearer than the others by half: neighbours by content take longest."""
MEMORY = Path("/dev/shm")
"""A study of a thousand small cells writes thousands of small files: in memory where the machine offers it."""
Record = dict[str, Any]
"""What is kept of a draw, as JSON can write it."""
LEAK_GATE = "leak: "
HERE = Path(__file__).parent
DRAWING = ("markets", "from_interactions", "real", "same_model", "studies")
"""Files of this folder that findings depend on; what must hold of them may change without a new draw."""


@dataclass(frozen=True)
class Plan:
    """How a market is studied.

    Attributes:
        models: as a study names them, with what it fixes of their hyper-parameters.
        trials: budget of each (model, arm).
        repeats: of everything.
        asks_who_loses: whether the strata of users are looked at too.
    """

    models: Mapping[str, dict[str, Any]] = field(default_factory=lambda: CLOSED_FORM)
    trials: int = 30
    repeats: int = 5
    asks_who_loses: bool = False


def study_draw(drawn: Callable[[int], Market], plan: Plan, seed: int) -> Record:
    """Draw a market, study it in a folder that is gone afterwards, and give what was found."""
    folder = Path(tempfile.mkdtemp(prefix="modalift-draw-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        market = drawn(seed)
        write(market, folder / "data")
        study = study_of(market, folder / "data", plan, seed)
        result = run(study, folder / "results", workers=1)[NAME]
        found = record(result, market)
        return found | {"losers": losers(study, folder / "results")} if plan.asks_who_loses else found
    finally:
        shutil.rmtree(folder)


def write(market: Market, folder: Path) -> None:
    """Write a market as a user would have it: an interaction table, an item table, and a matrix for each source."""
    folder.mkdir()
    market.interactions.to_parquet(folder / "interactions.parquet", index=False)
    if "part" in market.interactions:
        columns = {"user_id": "userID", "item_id": "itemID"}
        labelled = market.interactions.rename(columns=columns)
        labelled = labelled.assign(x_label=labelled["part"].map(PARTS))[["userID", "itemID", "x_label"]]
        labelled.to_csv(folder / "interactions.inter", sep="\t", index=False)
    pd.DataFrame({"item_id": np.arange(market.n_items).astype(str)}).to_parquet(folder / "items.parquet", index=False)
    for name, source in market.content.items():
        np.save(folder / f"{name}.npy", np.where(source.present[:, None], source.matrix, 0))


def study_of(market: Market, folder: Path, plan: Plan, seed: int) -> Study:
    """The study of a market that `write` wrote into a folder; all that is drawn in it comes from the seed."""
    fixed = "part" in market.interactions
    tables = {"reader": "table", "interactions": "interactions.parquet", "items": "items.parquet"}
    source = {"reader": "inter", "file": "interactions.inter"} if fixed else tables
    split = {"protocol": "fixed"} if fixed else {"protocol": "ratio", "valid": 0.15, "test": 0.2, "seed": seed}
    return Study.model_validate(
        {
            "name": "calibration",
            "title": "A market whose truth is known",
            "datasets": {
                NAME: {
                    "source": {**source, "folder": str(folder)},
                    "split": split,
                    "scenario": {"domain": "synthetic", "feedback": "simulated choices"},
                    "content": {name: {"encoder": "matrix_file", "file": f"{name}.npy"} for name in market.content},
                }
            },
            "models": plan.models,
            "controls": ["shuffled"],
            "evaluation": {"ks": [20]},
            "tuning": {"trials": plan.trials, "seed": seed},
            "statistics": {"resamples": 1000, "seed": seed},
            "repeats": plan.repeats,
            "keep_states": "none",
        }
    )


def code() -> str:
    """Hash of the code that a draw's findings depend on: that of the program, and of what draws the markets."""
    models = [model_code(model, "ndcg") for model in registry.load_all()]
    files = sorted(file.read_bytes().hex() for name in DRAWING for file in HERE.glob(f"{name}.py"))
    modules = [encoders.module("matrix_file"), readers.module("inter"), readers.module("table")]
    return fingerprint(code_of("recsys.run:run", "recsys.analyses.strata:Strata", *modules), models, files)


def record(result: DatasetResult, market: Market) -> Record:
    """What a study concluded of a market, beside what is true of it."""
    means = result.metrics[result.metrics["metric"] == "ndcg_at_20"]
    kept: Record = {
        "drivers": sorted(market.drivers),
        "means": {f"{row['model']} {row['arm']}": row["mean"] for row in means.to_dict("records")},
    }
    if result.judgement is None:
        return kept
    overall, sources = result.judgement.overall, result.judgement.sources
    return kept | {
        "verdict": overall.name,
        "sentence": overall.sentence,
        "content": overall.against_rival.a,
        "rival": overall.against_rival.b,
        "lift": overall.against_rival.lift,
        "relation": overall.against_rival.relation,
        "named": [source.source for source in sources.by_source if source.named],
        "alarms": [gate.name.removeprefix(LEAK_GATE) for gate in result.judgement.gates if suspects(gate)],
        "groups": [list(group.sources) for group in sources.groups if group.named],
        "gates": [[gate.colour, gate.name, gate.message] for gate in result.judgement.gates if gate.colour != "green"],
    }


def suspects(gate: Gate) -> bool:
    """Whether a gate says that vectors look made from interactions; that too few users can tell is no suspicion."""
    return gate.name.startswith(LEAK_GATE) and gate.colour != "green" and not gate.message.startswith("Too few")


def losers(study: Study, folder: Path) -> list[str]:
    """What the headline adds on who loses, a sentence each; `folder` is that of the results."""
    place = folder / NAME
    folders = {kind: place / kind for kind in ("dataset", "controls", "metrics")}
    folders |= {f"embeddings/{source}": place / "embeddings" / source for source in study.datasets[NAME].content}
    inputs = Inputs(study, NAME, folders, lambda fingerprint: StoredCell.load(place / "cells" / fingerprint))
    return Strata().compute(inputs)["losers"]["sentence"].tolist()
