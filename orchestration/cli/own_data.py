"""A first look at a user's own tables: what to tell the `table` reader, and which settings suit their size."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from orchestration.cli.guess import Guess, guess
from recsys.data.cleaning import CleaningRules, clean
from recsys.data.images import SUFFIXES, files_by_stem
from recsys.data.raw import RawData
from recsys.data.readers import read
from recsys.data.readers.tables import Table, read_table
from recsys.errors import UserError

CORES = (5, 3, 2)
KEPT = 0.5
LIKED = 0.7
DENSE_ITEMS = 20_000
PLAIN = ("Random", "TopPop", "ItemKNN", "UserKNN")
WITH_CONTENT = ("AttributeItemKNN", "HybridItemKNN")


@dataclass(frozen=True)
class OwnData:
    """What a study of a user's own data says.

    Attributes:
        source, cleaning, content: as the study file has them.
        split: the protocol.
        feedback: what an interaction is, in words.
        models: which suit the size.
        reasons: each guess and why, one line each.
    """

    source: dict[str, Any]
    cleaning: dict[str, Any]
    content: dict[str, dict[str, Any]]
    split: str
    feedback: str
    models: list[str]
    reasons: list[str]


def look_at(interactions: Path, items: Path, images: Path | None, split: str) -> OwnData:
    """Read both tables and guess; UserError where an id cannot be found or a file cannot be read."""
    tables = [_table(interactions, "interactions"), _table(items, "items")]
    frames = [table.frame for table in tables]
    found = guess(frames[0], frames[1], [str(interactions), str(items)])
    if split in ("temporal", "global_time") and found.timestamp is None:
        raise UserError(f"{interactions}: --split {split} needs a column of times, and none was found")
    reasons = list(found.reasons)
    folder = _folder([interactions, items, *([images] if images else [])])
    source = _source(found, folder, interactions, items)
    pictures = _pictures(found, frames[1], folder, images, reasons)
    with TemporaryDirectory() as scratch:
        raw = read("table", source, folder, Path(scratch))
    reasons += _set_aside(raw)
    threshold = _threshold(raw, found, reasons)
    cleaning = _cleaning(raw, threshold, reasons)
    content = _content(found, pictures, reasons)
    feedback = "every row" if threshold is None else f"a rating of {threshold:g} or more"
    return OwnData(
        source={"reader": "table", "folder": str(folder), **source, **pictures},
        cleaning=cleaning,
        content=content,
        split=split,
        feedback=feedback,
        models=_models(len(raw.items), bool(content)),
        reasons=reasons,
    )


def _table(file: Path, what: str) -> Table:
    if not file.exists():
        raise UserError(f"{file}: there is no such file; --{what} takes a CSV, TSV or Parquet file")
    return read_table(file, what)


def _folder(paths: Iterable[Path]) -> Path:
    return Path(os.path.commonpath([path.absolute().parent for path in paths]))


def _relative(path: Path, folder: Path) -> str:
    return path.absolute().relative_to(folder).as_posix()


def _source(found: Guess, folder: Path, interactions: Path, items: Path) -> dict[str, Any]:
    options = {
        "interactions": _relative(interactions, folder),
        "items": _relative(items, folder),
        "user_column": found.user,
        "item_column": found.item,
        "rating_column": found.rating,
        "timestamp_column": found.timestamp,
        "title_column": found.title,
        "text_columns": list(found.text),
    }
    if found.item != found.catalogue_item:
        options["items_id_column"] = found.catalogue_item
    return {key: value for key, value in options.items() if value}


def _pictures(
    found: Guess, items: pd.DataFrame, folder: Path, images: Path | None, reasons: list[str]
) -> dict[str, str]:
    """Options that find the pictures: files named by id, or a column that names them."""
    ids = items[found.catalogue_item].dropna()
    if images is None:
        if found.image is None:
            return {}
        there = [name for name in items[found.image].dropna() if (folder / name).is_file()]
        if not there:
            reasons.append(f"image: '{found.image}' names no file under {folder}, so it is not used; try --images DIR")
            return {}
        reasons.append(f"image: column '{found.image}' names {len(there)} files under {folder}")
        return {"image_column": found.image}
    by_id = files_by_stem(images)
    if matched := int(ids.isin(by_id.keys()).sum()):
        reasons.append(f"images: {matched} of {len(ids)} items have a file named by their id in {images}")
        return {"images": _relative(images, folder)}
    files = {file.name for file in by_id.values()}
    for column in map(str, items):
        if matched := int(items[column].isin(files).sum()):
            reasons.append(f"images: column '{column}' names files in {images} for {matched} of {len(ids)} items")
            return {"image_column": column, "images": _relative(images, folder)}
    kinds = ", ".join(sorted(SUFFIXES))
    raise UserError(
        f"{images}: no file is named by an item id (such as {ids.iloc[0]}.jpg) or in a column of the items "
        f"({len(files)} files of kinds {kinds}): rename them, or leave --images out"
    )


def _set_aside(raw: RawData) -> list[str]:
    reasons = raw.quarantine["reason"].value_counts()
    return [f"read {len(raw.interactions):,} interactions and {len(raw.items):,} items"] + [
        f"set aside {n:,} rows: {reason}" for reason, n in reasons.items()
    ]


def _threshold(raw: RawData, found: Guess, reasons: list[str]) -> float | None:
    """Ratings from this one up are positive: the upper part of the scale."""
    if found.rating is None:
        return None
    low, high = raw.interactions["rating"].min(), raw.interactions["rating"].max()
    if low == high:
        reasons.append(f"min_rating: none, since every rating is {low:g}")
        return None
    threshold = float(math.ceil(low + LIKED * (high - low)))
    share = (raw.interactions["rating"] >= threshold).mean()
    reasons.append(f"min_rating: {threshold:g} on a scale of {low:g} to {high:g}, which {share:.0%} of the rows reach")
    return threshold


def _cleaning(raw: RawData, threshold: float | None, reasons: list[str]) -> dict[str, Any]:
    """The largest core that keeps at least half of the positive interactions."""
    rules: dict[str, Any] = {} if threshold is None else {"min_rating": threshold}
    for core in CORES:
        try:
            steps = clean(raw, CleaningRules.model_validate(rules | {"k_core": core})).steps
        except UserError:
            continue
        positive = steps["read"] - steps["duplicates"] - steps["min_rating"]
        left = positive - steps["k_core"]
        if left >= KEPT * positive:
            reasons.append(f"k_core: {core}, which keeps {left:,} of {positive:,} interactions")
            return {**rules, "k_core": core}
    reasons.append("k_core: none, since even 2 would leave out more than half of the interactions")
    return {**rules, "k_core": 0}


def _content(found: Guess, pictures: dict[str, str], reasons: list[str]) -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = {}
    if found.title or found.text:
        content["text"] = {"encoder": "tfidf_svd", "dim": 128}
    if pictures:
        content["image"] = {"encoder": "visual_descriptors", "dim": 128}
    if not content:
        reasons.append("content: none found, so the study compares models but can give no verdict on content")
    return content


def _models(n_items: int, has_content: bool) -> list[str]:
    """What trains in moments on this size; a closed form over all pairs of items does so for some items only."""
    closed = ("EASE",) if n_items <= DENSE_ITEMS else ()
    return [*PLAIN, *closed, *(WITH_CONTENT if has_content else ())]
