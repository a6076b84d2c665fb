"""`<dataset>/dataset`: interactions read, cleaned, split and indexed; what could not be used stands in quarantine."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.dagster_metadata import plot, preview, table
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.settings import Settings
from recsys.data.dataset import PARTS, Dataset
from recsys.data.images import PICTURE_COLUMNS
from recsys.data.readers import registry
from recsys.fingerprints import code_of, fingerprint
from recsys.study.checks import DISJOINT
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.record import AssetRecord


def node(name: str, spec: DatasetSpec, n_repeats: int) -> Node:
    """The asset of one dataset of a study."""
    settings = [part.model_dump() for part in (spec.source, spec.cleaning, spec.split)]
    code = code_of("recsys.study.preparing:prepare_dataset", registry.module(spec.source.reader))
    return Node(
        asset=keys.dataset(name),
        group=name,
        inputs=[],
        version=fingerprint(settings, n_repeats, code),
        make=partial(make, name, spec, n_repeats),
        show=show,
        description=f"Catalogue and interactions of {name}, read by `{spec.source.reader}`, cleaned and split by "
        f"`{spec.split.protocol}`.",
        kinds=frozenset({"parquet", "duckdb"}),
        checks={DISJOINT: "No pair stands in two parts"},
        files=partial(files, name, spec),
    )


def files(name: str, spec: DatasetSpec, settings: Settings) -> str:
    """Signature of the source's files, and where they are: a dataset refers to its pictures by path."""
    folder = settings.source_folder(name, spec)
    return fingerprint(str(folder), signature(settings.digests, *spec.source.places(folder))) if folder else ""


def make(name: str, spec: DatasetSpec, n_repeats: int, making: Making) -> AssetRecord:
    """Read, clean, split for each repeat and check."""
    from recsys.study.preparing import prepare_dataset

    return prepare_dataset(spec, making.home.settings.source_folder(name, spec), making.out, n_repeats)


def show(home: Home, event: Event) -> Mapping[str, object]:
    """Counts, quarantine, a few items, and how interactions are spread."""
    from matplotlib.figure import Figure

    data = Dataset.load(home.folder(event))
    counts = data.facts["counts"]
    figure = Figure(figsize=(6, 2.6))
    axes = figure.subplots(1, 2)
    popularity = data.interactions["item"].value_counts().to_numpy()
    axes[0].plot(range(1, len(popularity) + 1), popularity)
    axes[0].set(title="Interactions by item, most popular first", xscale="log", yscale="log")
    axes[1].hist(data.interactions["user"].value_counts(), bins=40)
    axes[1].set(title="Interactions by user")
    reasons = data.quarantine["reason"].value_counts().rename_axis("reason").reset_index(name="rows")
    return {
        "users": data.n_users,
        "items": data.n_items,
        "density": round(len(data.interactions) / (data.n_users * data.n_items), 6),
        **{part: int((data.interactions["part"] == part).sum()) for part in PARTS},
        **{name: counts[name] for name in ("with_image", "pictures", "with_text") if name in counts},
        **{f"note {place}": note for place, note in enumerate(data.facts.get("notes", []), 1)},
        "quarantine": table(reasons if len(reasons) else pd.DataFrame({"reason": ["none"], "rows": [0]})),
        "items_preview": preview(data.items.drop(columns=list(PICTURE_COLUMNS), errors="ignore")),
        "interactions": plot(figure),
    }
