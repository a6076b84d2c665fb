"""What a person sees of an embedding set: its figures, the space as a map, and what is near to what."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from PIL import Image

from orchestration.dagster_metadata import plot
from recsys.content import provenance
from recsys.content.features import Features
from recsys.content.images import open_rgb
from recsys.data.images import pictures_of

FIGURES = (
    "dim",
    "coverage",
    "finite",
    "distinct",
    "largest_group",
    "effective_rank",
    "mean_cosine",
    "norm_median",
    "norm_spread",
)
SAMPLE = 3000
N_THUMBNAILS = 60
N_ASKED = 4


def shown(facts: dict[str, Any], items: pd.DataFrame, features: Features) -> dict[str, object]:
    """Figures, a map of the space, and neighbours; the figures alone where there is little to draw, or all alike."""
    figures = {name: facts[name] for name in FIGURES}
    if absent := sum(not Path(path).is_file() for of_item in pictures_of(items) for path, _ in of_item):
        figures["pictures"] = f"{absent} are no longer where they were, and not drawn"
    present = np.flatnonzero(features.present)
    if len(present) < 6 or features.dim < 2:
        return figures
    sample = np.random.default_rng(0).permutation(present)[:SAMPLE]
    if (features.matrix[sample] == features.matrix[sample[0]]).all():
        return figures
    return {
        **figures,
        "space": _space(items, features, sample),
        "neighbours": _near(items, features, sample[:N_ASKED]),
    }


def recorded(facts: Mapping[str, Any]) -> dg.MetadataValue:
    """Where vectors or descriptions come from, as a list."""
    return dg.MetadataValue.md(
        "\n".join(f"- {what}: {words}" for what, words in provenance.lines(facts.get("provenance", {})))
    )


def _space(items: pd.DataFrame, features: Features, sample: np.ndarray) -> dg.MetadataValue:
    """The first two principal components, with the pictures of some items where they stand."""
    from matplotlib.figure import Figure
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from sklearn.decomposition import PCA

    plane = PCA(n_components=2, random_state=0).fit_transform(features.matrix[sample].astype(np.float64))
    figure = Figure(figsize=(7, 5.6))
    axes = figure.subplots()
    axes.scatter(plane[:, 0], plane[:, 1], s=4, alpha=0.4, linewidths=0)
    pictured = [row for row, item in enumerate(sample) if not pd.isna(items["image_path"].iloc[item])]
    for row in pictured[:N_THUMBNAILS]:
        if thumbnail := _thumbnail(items.iloc[sample[row]], 28):
            box = AnnotationBbox(OffsetImage(np.asarray(thumbnail)), tuple(plane[row]), frameon=False)
            axes.add_artist(box)
    axes.set(title="The space, two principal components", xticks=[], yticks=[])
    return plot(figure)


def _near(items: pd.DataFrame, features: Features, asked: np.ndarray) -> dg.MetadataValue:
    """A few items and what the vectors say is like them, with their pictures where they have any."""
    from recsys.content.neighbours import nearest

    near = nearest(features, asked.tolist(), k=4).groupby("item", sort=False)["neighbour"]
    lines = ["| item | nearest by cosine | | | |", "| --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(card(items.iloc[i]) for i in (item, *others)) + " |" for item, others in near]
    return dg.MetadataValue.md("\n".join(lines))


def card(item: pd.Series) -> str:
    """An item's title, with its picture where it has one, for a cell of a Markdown table."""
    title = str(item["item_id"] if pd.isna(item["title"]) else item["title"])[:40].replace("|", "/")
    thumbnail = _thumbnail(item, 72)
    if thumbnail is None:
        return title
    buffer = io.BytesIO()
    thumbnail.save(buffer, format="JPEG", quality=70)
    return f"![{title}](data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}) {title}"


def _thumbnail(item: pd.Series, side: int) -> Image.Image | None:
    """The item's picture, small; None where it has none, or none that is still there."""
    picture = None if pd.isna(item["image_path"]) else open_rgb(Path(item["image_path"]))
    if picture is not None:
        picture.thumbnail((side, side))
    return picture
