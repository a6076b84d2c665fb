"""Yelp's open dataset: `yelp_academic_dataset_review.json` and `yelp_academic_dataset_business.json`, a record a line.

A rating is `stars` (1 to 5), a time `date`. Items are businesses: the title is `name`, the text their `categories`
and city; `categories`, `city` and `state` are attributes. Where the photos were downloaded too (`photos.json` and
`photos/`), the images of a business are the first of its photos. Left out are reviews' texts and votes, and what
reviews make of a business (`stars`, `review_count`). Users, tips and check-ins are not read. Files without the prefix
are found too.

Source: Yelp Open Dataset.
"""

from collections import defaultdict
from pathlib import Path

import pandas as pd

from recsys.data.images import attach_images
from recsys.data.quarantine import RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import (
    PicturedOptions,
    columns,
    interactions_of,
    items_of,
    joined_text,
    with_pictures,
)
from recsys.data.readers.catalogue import is_list, noted
from recsys.data.readers.pictures import Pictured
from recsys.data.readers.recognition import Recognised, first_line
from recsys.data.readers.tables import read_table
from recsys.errors import UserError

PREFIX = "yelp_academic_dataset_"
ENDINGS = (".json", ".json.gz", ".jsonl", ".parquet")
REVIEW = {"user_id": "user_id", "item_id": "business_id", "rating": "stars", "timestamp": "date"}
SEPARATOR = ", "


class YelpOptions(PicturedOptions):
    """Options of Yelp's dataset.

    Attributes:
        images: folder of pictures named by business; None takes `photos/` by `photos.json`.
    """


def read(options: YelpOptions, folder: Path, workdir: Path) -> RawData:
    """Read reviews and businesses; all businesses are items."""
    items, out_items, notes = _businesses(_file(folder, "business"))
    reviews = read_table(_file(folder, "review"), "interactions")
    interactions, out_rows = interactions_of(columns(reviews, REVIEW).assign(row=reviews.rows), items)
    photos = _find(folder, "photos") or _find(folder, "photo")
    if photos and options.images is None:
        items, out_images, of_images = _with_photos(items, photos, folder / "photos", options.pictures)
    else:
        items, out_images, of_images = with_pictures(items, folder, options.images, options)
    quarantine = collect([out_items, reviews.quarantine, out_rows, out_images])
    return RawData(items, interactions, quarantine, notes=(*noted(reviews), *notes, *of_images))


def recognise(folder: Path) -> Recognised | None:
    """By a file of reviews with `business_id` and `stars`, and one of businesses."""
    review, business = _find(folder, "review"), _find(folder, "business")
    if review is None or business is None:
        return None
    if review.suffix != ".parquet" and not all(f'"{key}"' in first_line(review) for key in REVIEW.values()):
        return None
    why = f"{review.name} and {business.name} are those of Yelp's dataset"
    return Recognised("yelp", {}, why, "a rating of 4 or more, of 5 stars", 4)


def _find(folder: Path, name: str) -> Path | None:
    paths = [folder / f"{prefix}{name}{ending}" for prefix in (PREFIX, "") for ending in ENDINGS]
    return next((path for path in paths if path.is_file()), None)


def _file(folder: Path, name: str) -> Path:
    found = _find(folder, name)
    if found is None:
        raise UserError(f"{folder}: there is no {PREFIX}{name}.json; put Yelp's files there or set 'folder'")
    return found


def _businesses(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    table = read_table(path, "items")
    found = columns(table, {"item_id": "business_id", "title": "name"}, {"city": "city", "state": "state"})
    categories = table.frame["categories"] if "categories" in table.frame else pd.Series(None, table.frame.index)
    found["categories"] = categories.map(_listed).astype("object")
    words = found["categories"].map(lambda names: SEPARATOR.join(names), na_action="ignore")
    found["text"] = joined_text(found.assign(words=words), ("words", "city"))
    items, quarantine = items_of(found, table.rows)
    return items, collect([table.quarantine, quarantine]), noted(table)


def _listed(cell: object) -> list[str] | None:
    """Categories are one string in newer editions, a list in older ones."""
    if isinstance(cell, str):
        cell = cell.split(SEPARATOR)
    names = cell if is_list(cell) else []
    return [name.strip() for name in names if isinstance(name, str) and name.strip()] or None


def _with_photos(items: pd.DataFrame, listing: Path, folder: Path, most: int) -> Pictured:
    """Photos in the order in which they are listed."""
    table = read_table(listing, "photos")
    listed = columns(table, {"item_id": "business_id", "photo_id": "photo_id"})
    row_filter = RowFilter("photos", listed, ("item_id", "photo_id"), table.rows)
    row_filter.reject(
        row_filter.kept["item_id"].isna() | row_filter.kept["photo_id"].isna(), "no id of the business or the photo"
    )
    row_filter.reject(~row_filter.kept["item_id"].isin(items["item_id"]), "unknown item")
    photos: dict[str, list[Path]] = defaultdict(list)
    for item, photo in row_filter.kept[["item_id", "photo_id"]].itertuples(index=False, name=None):
        photos[item].append(folder / f"{photo}.jpg")
    items, quarantine = attach_images(items, items["item_id"].map(photos.get).astype("object"), most)
    return Pictured(items, collect([table.quarantine, row_filter.quarantine(), quarantine]), noted(table))
