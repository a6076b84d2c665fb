"""Amazon Reviews of 2014, 2018 and 2023: reviews (or ratings only) and `meta_*` of one category, also as `.gz`.

| | reviews | user, item, rating, time | products |
| --- | --- | --- | --- |
| 2014 | `reviews_*.json` | `reviewerID`, `asin`, `overall`, `unixReviewTime` (s) | `meta_*.json`, literals of Python |
| 2018 | `*.json` | the same | `meta_*.json` |
| 2023 | `*.jsonl` | `user_id`, `parent_asin`, `rating`, `timestamp` (ms) | `meta_*.jsonl`, by `parent_asin` |

Ratings only are `.csv`: without header in 2014 (user, item, rating, time) and 2018 (item, user, rating, time), with
one in 2023. A rating is 1 to 5 stars; a rating of 0 is none. The title is the product's, the text its features and
description, `brand` (or `store`) and `categories` are attributes. Pictures are addresses in these files: those that
were fetched are found in a folder, called by item or, in 2023, as their addresses end. Left out are the reviews' texts
and votes, and all of a product that its buyers make: rank, average rating, what is bought or viewed with it.

Sources: McAuley et al., SIGIR 2015; Ni, Li and McAuley, EMNLP 2019; Hou et al., arXiv 2403.03952.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from recsys.data.quarantine import RowFilter, collect, quarantine_of
from recsys.data.raw import RawData
from recsys.data.readers.amazon_images import listed_pictures
from recsys.data.readers.assembly import (
    PicturedOptions,
    assemble,
    columns,
    images_folder,
    interactions_of,
    items_in,
    items_of,
    joined_text,
    text_of,
)
from recsys.data.readers.catalogue import is_list, noted
from recsys.data.readers.decoding import unpacked
from recsys.data.readers.recognition import Recognised, first_line, first_lines
from recsys.data.readers.structured import python_dict
from recsys.data.readers.tables import Layout, Table, existing, read_table
from recsys.errors import UserError
from recsys.wording import whole_percent

ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz", ".csv", ".csv.gz", ".parquet")
REVIEWS = (
    {"user_id": "user_id", "item_id": "parent_asin", "rating": "rating", "timestamp": "timestamp"},
    {"user_id": "reviewerID", "item_id": "asin", "rating": "overall", "timestamp": "unixReviewTime"},
)
RATINGS_2014 = ("user_id", "item_id", "rating", "timestamp")
RATINGS_2018 = ("item_id", "user_id", "rating", "timestamp")
NO_META = "there is no file meta_*: items have neither title nor text"
TEXTS = ("feature", "features", "description")
ATTRIBUTES = {"brand": ("brand", "store"), "categories": ("categories", "category")}
ASIN = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")
PAGE_CODE = re.compile(r"getTime|<span|function\s*\(")
"""What the titles of some products of 2018 are: code of the page they were taken from."""


class AmazonOptions(PicturedOptions):
    """Options of Amazon Reviews.

    Attributes:
        reviews: file of reviews or ratings; None takes the only one in the folder.
        meta: file of products; None takes the only `meta_*` in the folder, and goes without where there is none.
        images: folder of pictures called by item, such as `images/B00005N7P0.jpg`, or as the addresses end that the
            products of 2023 have in `images`.
    """

    reviews: str | None = None
    meta: str | None = None


def read(options: AmazonOptions, folder: Path, workdir: Path) -> RawData:
    """Read the reviews of one category and its products."""
    frame, quarantine, notes = _reviews(_file(folder, options.reviews, "reviews", meta=False))
    meta = options.meta or next((path.name for path in _files(folder, meta=True)), None)
    place, listed = images_folder(folder, options.images), None
    if meta:
        products = _file(folder, options.meta, "meta", meta=True)
        known, out_items, more = _products(products)
        interactions, out_rows = interactions_of(frame, known)
        items = known
        listed = listed_pictures(products, items, place) if place else None
    else:
        interactions, out_rows = interactions_of(frame, None)
        items, out_items, more = items_in(interactions), collect([]), (NO_META,)
    notes = (*notes, *more)
    return assemble(items, interactions, [out_items, quarantine, out_rows], (folder, options), notes, listed)


def recognise(folder: Path) -> Recognised | None:
    """By the keys of the first review, or `meta_*` beside ratings."""
    reviews, meta = _files(folder, meta=False), _files(folder, meta=True)
    keyed = [
        path for path in reviews if any(all(f'"{key}"' in first_line(path) for key in k.values()) for k in REVIEWS)
    ]
    named = [path for path in reviews if ",".join(REVIEWS[0].values()) in first_line(path)]
    plain = [path for path in reviews if meta and path.name.startswith("ratings_")]
    found = keyed or named or plain
    if not found:
        return None
    more: dict[str, str] = {"reviews": found[0].name} if len(reviews) > 1 else {}
    beside = f" beside {meta[0].name}" if meta else ", and no meta_* beside it"
    why = f"{found[0].name} has the fields of Amazon Reviews{beside}"
    return Recognised("amazon", more, why, "a rating of 4 or more, of 5 stars", 4)


def _files(folder: Path, *, meta: bool) -> list[Path]:
    """The folder's files of products, or all others that reviews may be in."""
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name.endswith(ENDINGS)]
    return [path for path in found if path.name.lower().startswith("meta_") == meta]


def _file(folder: Path, given: str | None, option: str, *, meta: bool) -> Path:
    if given:
        return existing(folder, given, option)
    found = _files(folder, meta=meta)
    if len(found) != 1:
        raise UserError(
            f"{folder}: {len(found)} files may be the {'products' if meta else 'reviews'} where one is needed; set "
            f"the option '{option}'"
        )
    return found[0]


def _reviews(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """User, item, rating and time, with `row`, the quarantine, and notes."""
    if path.name.endswith((".csv", ".csv.gz")):
        table = _ratings(path)
        names: Mapping[str, str] = (
            REVIEWS[0] if "parent_asin" in table.frame else {name: name for name in RATINGS_2014}
        )
    else:
        table = _records(path, "interactions")
        names = next((keys for keys in REVIEWS if set(keys.values()) <= set(table.frame)), REVIEWS[0])
    frame = columns(table, names).assign(row=table.rows)
    row_filter = RowFilter("interactions", frame, ("user_id", "item_id"), table.rows)
    none = pd.to_numeric(row_filter.kept["rating"], errors="coerce") == 0
    row_filter.reject(none, "rating of 0, which is none of 1 to 5 stars")
    return row_filter.kept, collect([table.quarantine, row_filter.quarantine()]), noted(table)


def _ratings(path: Path) -> Table:
    """Ratings only: with the header of 2023, else in the order of 2014 or 2018, which the items' codes tell."""
    if "parent_asin" in first_line(path):
        return read_table(path, "interactions")
    rows = [line.split(",") for line in first_lines(path, 1000)]
    if not rows:
        return read_table(path, "interactions")
    shares = [sum(len(row) == 4 and bool(ASIN.fullmatch(row[place])) for row in rows) / len(rows) for place in (0, 1)]
    if max(shares) < 0.9 or min(shares) > 0.5:
        raise UserError(
            f"{path}: which of the first two columns is the item is not clear (codes such as B00005N7P0 are "
            f"{whole_percent(shares[0])} of the first and {whole_percent(shares[1])} of the second); use "
            "the reader 'table' and name them"
        )
    names = RATINGS_2018 if shares[0] > shares[1] else RATINGS_2014
    return read_table(path, "interactions", Layout(delimiter=",", names=names, header=False))


def _products(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    table = _records(path, "items")
    frame = table.frame
    id_column = "parent_asin" if "parent_asin" in frame else "asin"
    found = columns(table, {"item_id": id_column})
    found["title"] = [text_of(cell) for cell in frame["title"]] if "title" in frame else None
    code = found["title"].str.contains(PAGE_CODE).fillna(False).astype(bool)
    reason = "title is code of a web page: the item is kept without it"
    out_titles = quarantine_of("items", found[code], ("item_id",), reason, table.rows)
    found["title"] = found["title"].mask(code, None)
    found["text"] = joined_text(frame, TEXTS)
    for name, places in ATTRIBUTES.items():
        place = next((place for place in places if place in frame), None)
        if place:
            found[name] = frame[place].map(_flat).astype("object")
    items, quarantine = items_of(found, table.rows)
    return items, collect([table.quarantine, out_titles, quarantine]), noted(table)


def _flat(cell: object) -> object:
    """Categories of 2014 are lists of paths; their names, each once."""
    if not is_list(cell):
        return text_of(cell)
    names = [name for entry in cell for name in (entry if isinstance(entry, list) else [entry])]
    return list(dict.fromkeys(text for name in names if (text := text_of(name)))) or None


def _records(path: Path, table: str) -> Table:
    """Records of JSON, or of the literals of Python that `meta_*` of 2014 has."""
    if first_line(path).lstrip().startswith("{'"):
        return _read_literals(path, table)
    return read_table(path, table)


def _read_literals(path: Path, table: str) -> Table:
    """One dictionary a line, read as data and never run."""
    good, numbers, bad = list[dict[str, object]](), list[int](), dict[int, str]()
    with TemporaryDirectory() as scratch, unpacked(path, Path(scratch))[0].open("rb") as file:
        for number, line in enumerate(file, 1):
            record = _record(line)
            if record is not None:
                good.append(record)
                numbers.append(number)
            elif line.strip():
                bad[number] = line[:80].decode("utf-8", errors="replace").strip()
    if not good:
        raise UserError(f"{path}: no line can be used; each is a dictionary in the files of 2014")
    frame = pd.DataFrame(good, dtype=object)
    kept = frame[[name for name in frame if not frame[name].map(lambda value: isinstance(value, dict)).any()]]
    strings = kept.map(lambda value: value if isinstance(value, list) or pd.isna(value) else str(value))
    lines = pd.DataFrame({"line": list(bad.values())})
    stood = pd.Series(list(bad), dtype="int64")
    quarantine = quarantine_of(table, lines, ("line",), "not a dictionary of Python literals", stood)
    return Table(path, strings, pd.Series(numbers, index=frame.index, dtype="int64"), quarantine, ())


def _record(line: bytes) -> dict[str, object] | None:
    try:
        return python_dict(line.decode("utf-8"))
    except UnicodeDecodeError:
        return None
