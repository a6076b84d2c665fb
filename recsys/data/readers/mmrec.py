"""MMRec's folders: an `.inter` file, the mapping of its numbers to the source's ids, and matrices of features.

`<name>.inter` holds `userID`, `itemID`, often `rating` and `timestamp`, and `x_label` (0 train, 1 valid, 2 test).
Numbers of items are rows of `image_feat.npy` and `text_feat.npy`, so they stay the item ids, and all that the mapping
has are items. `i_id_mapping.csv` (tab-separated) gives the id in the source of each number: the attribute
`source_id`, by which an item table and pictures of the source find their items. Features are named as content, with
the encoder `matrix_file`.

Source: Xin Zhou, MMRec: Simplifying Multimodal Recommendation, MMAsia Workshops 2023.
"""

from pathlib import Path

import pandas as pd

from recsys.data.ids import normalised
from recsys.data.picture_names import match_images
from recsys.data.quarantine import RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers import inter
from recsys.data.readers.assembly import columns
from recsys.data.readers.catalogue import ItemTableOptions, noted, standard_items, with_images
from recsys.data.readers.pictures import Pictured, pictures_from, with_matched
from recsys.data.readers.recognition import Recognised, first_line
from recsys.data.readers.tables import existing, read_table
from recsys.errors import UserError

MAPPING = "i_id_mapping.csv"
FEATURES = ("image_feat.npy", "text_feat.npy", "audio_feat.npy", "video_feat.npy")


class MMRecOptions(ItemTableOptions):
    """Options of MMRec's folders.

    Attributes:
        file: the `.inter` file; None takes the only one in the folder.
        user_column: the user's number.
        item_column: the item's number, in the interactions, the mapping, and the item table if that has it.
        label_column: 0, 1 or 2 for train, valid or test.
        mapping: of numbers to ids of the source; None looks for `i_id_mapping.csv`.
        items: item table, by the item's number or by its id in the source.
        source_column: the id in the source, in the item table; None takes the name it has in the mapping.
        images: folder of pictures, named by the id in the source or by number.
    """

    file: str | None = None
    user_column: str = "userID"
    item_column: str = "itemID"
    label_column: str = "x_label"
    mapping: str | None = None
    source_column: str | None = None


def read(options: MMRecOptions, folder: Path, workdir: Path) -> RawData:
    """Read the interactions and their split; join what is known of the source's items by the mapping."""
    shared = ("file", "user_column", "item_column", "label_column", "encoding", "delimiter", "header")
    names = {key: getattr(options, key) for key in shared}
    raw = inter.read(inter.InterOptions(**names), folder, workdir)
    items, source_column, out_mapping = _numbered(options, folder, raw.items[["item_id"]])
    items, out_items, notes = _described(options, folder, items, source_column)
    items, out_images, of_images = _pictured(options, folder, items)
    quarantine = collect([raw.quarantine, out_mapping, out_items, out_images])
    return RawData(items, raw.interactions, quarantine, notes=(*raw.notes, *notes, *of_images))


def recognise(folder: Path) -> Recognised | None:
    """By one `.inter` file without types in its header, with labels of a split, a mapping, or matrices beside it."""
    files = sorted(folder.glob("*.inter"))
    if len(files) != 1:
        return None
    header = first_line(files[0]).split("\t")
    beside = [name for name in (MAPPING, *FEATURES) if (folder / name).is_file()]
    if not {"userID", "itemID"} <= set(header) or not ("x_label" in header or beside):
        return None
    why = f"{files[0].name} has the columns {', '.join(header)}" + (f", with {', '.join(beside)}" if beside else "")
    return Recognised("mmrec", {}, f"{why}, as MMRec's datasets")


def _numbered(options: MMRecOptions, folder: Path, items: pd.DataFrame) -> tuple[pd.DataFrame, str, pd.DataFrame]:
    """All numbers that interactions or the mapping have, with `source_id`, and what the mapping calls that."""
    if options.mapping is None and not (folder / MAPPING).is_file():
        return items.assign(source_id=None), options.source_column or "", collect([])
    table = read_table(existing(folder, options.mapping or MAPPING, "mapping"), "mapping")
    table.need([options.item_column])
    others = [str(name) for name in table.frame if name != options.item_column]
    if len(others) != 1:
        raise UserError(
            f"{table.path}: has the columns {', '.join(map(str, table.frame))} where a mapping has "
            f"'{options.item_column}' and one other; leave only these two in it"
        )
    mapping = columns(table, {"item_id": options.item_column, "source_id": others[0]}).apply(normalised)
    row_filter = RowFilter("mapping", mapping, ("item_id",), table.rows)
    whole = row_filter.kept["item_id"].str.fullmatch(r"[0-9]{1,9}").fillna(False)
    row_filter.reject(~whole.astype(bool), "number of the item is not a whole number")
    row_filter.kept = row_filter.kept.assign(item_id=row_filter.kept["item_id"].astype("int64").astype("str"))
    n_items = max(len(items), int(row_filter.kept["item_id"].astype("int64").max()) + 1 if len(row_filter.kept) else 0)
    row_filter.reject(row_filter.kept["source_id"].isna(), "no id of the source")
    row_filter.reject(row_filter.kept.duplicated("item_id"), "number again: the first row was kept")
    row_filter.reject(row_filter.kept.duplicated("source_id"), "id of the source again: the first row was kept")
    if n_items > max(1000, inter.MAX_SPARSITY * max(len(items), len(row_filter.kept))):
        raise UserError(
            f"{table.path}: numbers go up to {n_items - 1} for {len(row_filter.kept)} items; fix the mapping"
        )
    numbers = pd.DataFrame({"item_id": [str(number) for number in range(n_items)]})
    joined = numbers.merge(row_filter.kept[["item_id", "source_id"]], on="item_id", how="left", validate="one_to_one")
    quarantine = collect([table.quarantine, row_filter.quarantine()])
    return joined, options.source_column or others[0], quarantine


def _described(
    options: MMRecOptions, folder: Path, items: pd.DataFrame, source_column: str
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Items with title, text and attributes of the item table, by number where it has that, else by source id."""
    if not options.items:
        return items.assign(title=None, text=None, image_path=None), collect([]), ()
    table = read_table(existing(folder, options.items, "items"), "items", options.layout)
    by_number = options.item_column in table.frame
    id_column = options.item_column if by_number else source_column
    named = [name for name in (options.title_column, *(options.text_columns or ()), options.image_column) if name]
    table.need([id_column, *named])
    key, other = ("item_id", "source_id") if by_number else ("source_id", "item_id")
    described, notes = standard_items(
        table.frame, id_column, options.title_column, options.text_columns, options.image_column
    )
    described = described.drop(columns=["source_id", source_column], errors="ignore")
    described = described.assign(item_id=normalised(described["item_id"])).rename(columns={"item_id": key})
    row_filter = RowFilter("items", described.drop(columns=other, errors="ignore"), (key,), table.rows)
    row_filter.reject(
        ~row_filter.kept[key].isin(items[key].dropna()), "item is not in the interactions or their mapping"
    )
    row_filter.reject(row_filter.kept.duplicated(key), "item again: the first row was kept")
    found = items.merge(row_filter.kept, on=key, how="left", validate="many_to_one")
    return found, collect([table.quarantine, row_filter.quarantine()]), noted(table, notes)


def _pictured(options: MMRecOptions, folder: Path, items: pd.DataFrame) -> Pictured:
    """Items with their pictures; the files of a folder are called by ids of the source, or else by numbers."""
    if not options.images or options.image_column:
        return with_images(items, options, folder)
    matched = match_images(items["source_id"].dropna(), folder / options.images, options.images_by)
    if matched.paths.map(bool).any():
        return with_matched(items, matched, options)
    return pictures_from(items, folder / options.images, options)
