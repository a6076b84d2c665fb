"""`.inter` files: interactions with dense integer ids and a split by label, as MMRec publishes its datasets.

The number of items is the greatest id plus one over the whole file, so that an item without a training
interaction keeps its row in feature files made for these ids.
"""

from pathlib import Path
from typing import ClassVar

import pandas as pd

from recsys.data.ids import normalised
from recsys.data.quarantine import INTERACTION_KEY, RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers.catalogue import ItemTableOptions, noted, read_items, usable_interactions, with_images
from recsys.data.readers.tables import Table, existing, read_table
from recsys.errors import UserError

LABELS = {"0": "train", "1": "valid", "2": "test"}
MAX_SPARSITY = 10
"""Ids may be at most so many times as many as the items that occur: beyond, they are no row numbers."""


class InterOptions(ItemTableOptions):
    """Options of `.inter` files, beside those of the item table.

    Attributes:
        file: the `.inter` file; None takes the only one in the folder.
        user_column: the user's id.
        label_column: 0, 1 or 2 for train, valid or test; without such a column the file has no split.
    """

    names_files: ClassVar[tuple[str, ...]] = ("file",)

    file: str | None = None
    user_column: str = "userID"
    item_column: str = "itemID"
    label_column: str = "x_label"


def read(options: InterOptions, folder: Path, workdir: Path) -> RawData:
    """Read the interactions, their split, and the item table where the options name one."""
    table = read_table(_path(options, folder), "interactions", options.layout)
    table.need([options.user_column, options.item_column])
    interactions, out_ids = _whole_ids(_standard_columns(table, options))
    interactions, out_labels = _parts(interactions)
    interactions, out_fields = usable_interactions(interactions, None)
    items, out_items, notes = _items(options, folder, _n_items(interactions, table))
    items, out_images, of_images = with_images(items, options, folder)
    quarantine = collect([out_items, out_images, table.quarantine, out_ids, out_labels, out_fields])
    return RawData(items, interactions, quarantine, notes=(*noted(table), *notes, *of_images))


def _path(options: InterOptions, folder: Path) -> Path:
    if options.file:
        return existing(folder, options.file, "file")
    found = sorted(folder.glob("*.inter"))
    if len(found) != 1:
        raise UserError(f"{folder}: {len(found)} files end in .inter where one is needed; set the option 'file'")
    return found[0]


def _standard_columns(table: Table, options: InterOptions) -> pd.DataFrame:
    named = {"user_id": options.user_column, "item_id": options.item_column, "part": options.label_column}
    named |= {"rating": "rating", "timestamp": "timestamp"}
    columns = {name: table.frame[column] for name, column in named.items() if column in table.frame}
    return pd.DataFrame(columns | {"row": table.rows})


def _whole_ids(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = frame.assign(**{column: normalised(frame[column]) for column in INTERACTION_KEY})
    row_filter = RowFilter("interactions", frame, INTERACTION_KEY, frame["row"])
    for column, name in (("user_id", "user id"), ("item_id", "item id")):
        whole = row_filter.kept[column].str.fullmatch(r"[0-9]{1,18}").fillna(False)
        row_filter.reject(~whole.astype(bool), f"{name} is not a whole number")
    numbers = {column: row_filter.kept[column].astype("int64").astype("str") for column in INTERACTION_KEY}
    return row_filter.kept.assign(**numbers), row_filter.quarantine()


def _parts(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    row_filter = RowFilter("interactions", frame, INTERACTION_KEY, frame["row"])
    if "part" in frame:
        row_filter.reject(~row_filter.kept["part"].isin(LABELS), "label is not 0, 1 or 2")
        row_filter.kept = row_filter.kept.assign(part=row_filter.kept["part"].map(LABELS))
    return row_filter.kept, row_filter.quarantine()


def _n_items(interactions: pd.DataFrame, table: Table) -> int:
    if not len(interactions):
        raise UserError(f"{table.path}: no row can be used; ids must be whole numbers and labels 0, 1 or 2")
    ids = interactions["item_id"].astype("int64")
    n_items = int(ids.max()) + 1
    if n_items > 1000 and n_items > MAX_SPARSITY * ids.nunique():
        raise UserError(
            f"{table.path}: item ids go up to {n_items - 1} for {ids.nunique()} items, but ids of an .inter file "
            "number the items from 0; renumber them or use the reader 'table'"
        )
    return n_items


def _items(options: InterOptions, folder: Path, n_items: int) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    ids = pd.DataFrame({"item_id": [str(index) for index in range(n_items)]})
    if not options.items:
        return ids.assign(title=None, text=None, image_path=None), collect([]), ()
    described, out, notes = read_items(options, folder)
    row_filter = RowFilter("items", described, ("item_id",))
    row_filter.reject(~row_filter.kept["item_id"].isin(ids["item_id"]), "id beyond those of the interactions")
    items = ids.merge(row_filter.kept, on="item_id", how="left", validate="one_to_one")
    return items, collect([out, row_filter.quarantine()]), notes
