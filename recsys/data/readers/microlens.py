"""MicroLens: who watched which short video and when, their titles, and their covers.

`*_pairs.csv` holds `user`, `item` and `timestamp` (ms; also called `userID`, `videoID`); `*_pairs.tsv` holds a user a
line, a tab, and the user's videos in the order they were watched, separated by blanks: that has no times, so a split
by time cannot be made of it unless `order_as_time` takes the place in the list as the time. Where both are there, the
`.csv` is read. Titles (`*_titles.csv`, `*_title_en.csv`: item, title) come with a header or without;
`tags_to_summary.csv` gives the attribute `category`. Covers are `*_covers/<item>.jpg`. Every row counts: there are no
ratings. Likes, views and comments are made by the people whose choices are predicted, and are left out.

Source: Yongxin Ni et al., A Content-Driven Micro-Video Recommendation Dataset at Scale, arXiv 2309.15379.
"""

from pathlib import Path

import pandas as pd

from recsys.data.ids import normalised
from recsys.data.quarantine import RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import (
    PicturedOptions,
    assemble,
    columns,
    interactions_of,
    items_of,
)
from recsys.data.readers.catalogue import noted
from recsys.data.readers.recognition import Recognised, first_line, folder_of_images
from recsys.data.readers.tables import Layout, Table, existing, read_table
from recsys.errors import UserError

PAIRS = ("*pairs.csv", "*pairs.tsv")
TITLES = ("*title_en.csv", "*titles.csv", "*title*.csv")
TAGS = "tags_to_summary.csv"
COVERS = ("*_covers", "*covers*", "covers")
USERS, ITEMS, TIMES = ("user", "userID", "user_id"), ("item", "videoID", "item_id", "video_id"), ("timestamp",)


class MicroLensOptions(PicturedOptions):
    """Options of MicroLens.

    Attributes:
        pairs: file of pairs; None takes the only `*pairs.csv`, else the only `*pairs.tsv`.
        titles: file of titles; None takes `*title_en.csv`, else `*titles.csv`, and goes without where there is none.
        images: folder of covers named by item; None takes `*_covers`.
        order_as_time: take the place in a user's list as the time (for `*pairs.tsv`, and for splits within a user:
            `temporal` and `leave_one_out`, since places of two users cannot be compared).
    """

    pairs: str | None = None
    titles: str | None = None
    order_as_time: bool = False


def read(options: MicroLensOptions, folder: Path, workdir: Path) -> RawData:
    """Read pairs, titles, categories and covers; items are those of the pairs and of the titles."""
    frame, quarantine, notes = _pairs(options, folder)
    titles, out_titles = _two_columns(folder, _titles(options, folder), "titles", "title")
    tags, out_tags = _two_columns(folder, TAGS if (folder / TAGS).is_file() else None, "tags", "category")
    interactions, out_rows = interactions_of(frame, None)
    ids = pd.concat([interactions["item_id"], titles["item_id"]], ignore_index=True).drop_duplicates()
    items = pd.DataFrame({"item_id": ids.to_numpy()})
    items, _ = items_of(items.merge(titles, on="item_id", how="left").merge(tags, on="item_id", how="left"))
    covers = options.model_copy(update={"images": options.images or folder_of_images(folder, COVERS)})
    return assemble(items, interactions, [out_titles, out_tags, quarantine, out_rows], (folder, covers), notes)


def recognise(folder: Path) -> Recognised | None:
    """By the names that MicroLens gives its files."""
    pairs = [path for pattern in PAIRS for path in sorted(folder.glob(pattern))]
    if not pairs or not (any("microlens" in path.name.lower() for path in pairs) or _is_lists(pairs[0])):
        return None
    tsv = pairs[0].suffix == ".tsv"
    found = [pairs[0].name, *sorted({path.name for pattern in TITLES for path in folder.glob(pattern)})]
    why = f"{', '.join(found)} are called as those of MicroLens"
    if tsv:
        why += "; the videos of a user stand in the order they were watched, which is taken as the time"
    return Recognised("microlens", {"order_as_time": True} if tsv else {}, why, "a video that was watched")


def _is_lists(path: Path) -> bool:
    user, tab, items = first_line(path).partition("\t")
    return bool(tab) and user.strip().isdigit() and len(items.split()) > 1 and all(map(str.isdigit, items.split()))


def _pairs(options: MicroLensOptions, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """User, item and, where known, time, with `row`; the quarantine, and notes."""
    path = existing(folder, options.pairs, "pairs") if options.pairs else _only(folder)
    if path.suffix == ".tsv":
        return _lists(path, order_as_time=options.order_as_time)
    table = read_table(path, "interactions")
    names = {"user_id": _one_of(table, USERS), "item_id": _one_of(table, ITEMS)}
    frame = columns(table, names, {"timestamp": TIMES[0]}).assign(row=table.rows)
    return frame, table.quarantine, noted(table)


def _only(folder: Path) -> Path:
    for pattern in PAIRS:
        found = sorted(folder.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"{folder}: {len(found)} files are called {pattern}; set the option 'pairs'")
    raise UserError(f"{folder}: there is no file called {' or '.join(PAIRS)}; put MicroLens there or set 'pairs'")


def _lists(path: Path, *, order_as_time: bool) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """A row for each item of a user's list, with the line as `row`."""
    layout = Layout(delimiter="\t", names=("user", "items"), header=False, quoted=False)
    table = read_table(path, "interactions", layout)
    row_filter = RowFilter(
        "interactions", columns(table, {"user_id": "user", "items": "items"}), ("user_id",), table.rows
    )
    row_filter.reject(row_filter.kept["items"].isna(), "no items after the tab")
    listed = row_filter.kept.assign(item_id=row_filter.kept["items"].str.split(), row=table.rows)
    frame = listed.drop(columns="items").explode("item_id")
    notes = noted(table)
    if order_as_time:
        frame["timestamp"] = frame.groupby(level=0).cumcount().astype("str")
    else:
        notes += (f"{path.name}: lists give an order and no times; order_as_time: true takes the order as times",)
    return frame.reset_index(drop=True), collect([table.quarantine, row_filter.quarantine()]), notes


def _titles(options: MicroLensOptions, folder: Path) -> str | None:
    if options.titles:
        return options.titles
    return next((path.name for pattern in TITLES for path in sorted(folder.glob(pattern))), None)


def _two_columns(folder: Path, name: str | None, option: str, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items and what a file of two columns says of them; each item once."""
    if name is None:
        return pd.DataFrame({"item_id": [], column: []}, dtype=object), collect([])
    path = existing(folder, name, option)
    first = first_line(path).partition(",")[0].strip().strip('"')
    table = read_table(
        path, option, Layout(delimiter=",", names=("item", column), header=not first.isdigit(), quoted=True)
    )
    found = columns(table, {"item_id": "item", column: column})
    row_filter = RowFilter(option, found.assign(item_id=normalised(found["item_id"])), ("item_id",), table.rows)
    row_filter.reject(row_filter.kept["item_id"].isna(), "no item id")
    row_filter.reject(row_filter.kept.duplicated("item_id"), f"{column} of the same item again: the first was kept")
    return row_filter.kept, collect([table.quarantine, row_filter.quarantine()])


def _one_of(table: Table, names: tuple[str, ...]) -> str:
    found = next((name for name in names if name in table.frame), None)
    if found is None:
        table.need([names[0]])
    return str(found)
