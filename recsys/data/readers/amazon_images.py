"""The pictures of a product of 2023, which `meta_*` lists by their addresses, among the files that were fetched.

JSON lines have `images: [{variant, thumb, large, hi_res}, ...]`, Parquet `images: {variant: [...], large: [...]}`; the
main one stands first.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pandas as pd

from recsys.data.ids import normalised
from recsys.data.picture_names import picture_files
from recsys.data.readers.decoding import unpacked

SIZES = ("hi_res", "large", "thumb")
"""The addresses of one picture, the largest first."""


def listed_pictures(meta: Path, items: pd.DataFrame, folder: Path) -> pd.Series:
    """Files in a folder that are called as the addresses of each item's pictures end, in their order.

    Args:
        meta: JSON lines or Parquet; without a column of pictures there are none.
        items: with `item_id`.
        folder: of what was fetched.

    Returns:
        Tuples of paths, aligned with the items.
    """
    files = {file.name: file for file in reversed(picture_files(folder))}
    found = {item: tuple(_files(json.loads(images), files)) for item, images in _cells(meta).items() if images}
    return items["item_id"].map(lambda item: found.get(item, ())).astype("object")


def _cells(meta: Path) -> dict[str, str]:
    """The column `images` as JSON, by item."""
    columns = "columns = {parent_asin: 'VARCHAR', images: 'JSON'}, format = 'newline_delimited', ignore_errors = true"
    with TemporaryDirectory() as scratch, duckdb.connect() as con:
        name = str(unpacked(meta, Path(scratch))[0]).replace("'", "''")
        source = f"read_parquet('{name}')" if meta.suffix == ".parquet" else f"read_json('{name}', {columns})"
        try:
            rows = con.sql(f"SELECT parent_asin, to_json(images) AS images FROM {source}").df()
        except duckdb.Error:  # an edition without these columns
            return {}
    return dict(zip(normalised(rows["parent_asin"]), rows["images"].where(rows["images"].notna(), None), strict=True))


def _files(images: Any, files: dict[str, Path]) -> Iterator[Path]:
    """A file for each picture of which one was fetched."""
    if isinstance(images, dict):
        lists = {size: images.get(size) or [] for size in SIZES}
        length = max(map(len, lists.values()))
        images = [{size: of[n] if n < len(of) else None for size, of in lists.items()} for n in range(length)]
    for picture in images if isinstance(images, list) else []:
        addresses = [picture.get(size) for size in SIZES] if isinstance(picture, dict) else []
        names = [PurePosixPath(urlsplit(each).path).name for each in addresses if isinstance(each, str)]
        if fetched := next((files[name] for name in names if name in files), None):
            yield fetched
