"""Any catalogue kept as CSV, JSON lines or Parquet: the options say which column is what."""

from itertools import combinations
from pathlib import Path
from typing import ClassVar

import pandas as pd
from pydantic import model_validator

from recsys.data.ids import refuse_inexact
from recsys.data.quarantine import collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import items_in
from recsys.data.readers.catalogue import ItemTableOptions, noted, read_items, usable_interactions, with_images
from recsys.data.readers.tables import existing, read_table


class TableOptions(ItemTableOptions):
    """Options of plain tables, beside those of the item table.

    Attributes:
        interactions: file of interactions.
        items_id_column: the item's id in the item table, where it is called otherwise than `item_column` there.
        user_column: the user's id.
        rating_column: an explicit rating, for `min_rating` of the cleaning.
        timestamp_column: seconds, or ms, us or ns, since 1970, or a date and time as ISO 8601.
    """

    names_files: ClassVar[tuple[str, ...]] = ("interactions",)

    interactions: str
    items_id_column: str | None = None
    user_column: str = "user_id"
    rating_column: str | None = None
    timestamp_column: str | None = None

    @model_validator(mode="after")
    def _one_role_each(self) -> "TableOptions":
        roles = ("user_column", "item_column", "rating_column", "timestamp_column")
        for first, second in combinations(roles, 2):
            if getattr(self, first) is not None and getattr(self, first) == getattr(self, second):
                raise ValueError(
                    f"'{first}' and '{second}' are the same column '{getattr(self, first)}': name another"
                )
        return self


def read(options: TableOptions, folder: Path, workdir: Path) -> RawData:
    """Read interactions and, where the options name one, the item table; images by column or by file name."""
    table = read_table(existing(folder, options.interactions, "interactions"), "interactions", options.layout)
    named = {
        "user_id": options.user_column,
        "item_id": options.item_column,
        "rating": options.rating_column,
        "timestamp": options.timestamp_column,
    }
    used = {name: column for name, column in named.items() if column}
    table.need(list(used.values()))
    for column in (options.user_column, options.item_column):
        refuse_inexact(table.frame[column], table.path)
    frame = pd.DataFrame({name: table.frame[column] for name, column in used.items()} | {"row": table.rows})
    if options.items:
        id_column = options.items_id_column or options.item_column
        items, out_items, notes = read_items(options.model_copy(update={"item_column": id_column}), folder)
        interactions, out_interactions = usable_interactions(frame, items["item_id"])
    else:
        interactions, out_interactions = usable_interactions(frame, None)
        items, out_items = items_in(interactions), collect([])
        notes = ()
    items, out_images, of_images = with_images(items, options, folder)
    quarantine = collect([out_items, out_images, table.quarantine, out_interactions])
    return RawData(items, interactions, quarantine, notes=(*noted(table), *notes, *of_images))
