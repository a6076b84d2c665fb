"""Book-Crossing: `BX-Book-Ratings.csv` and `BX-Books.csv` (semicolons, cp1252), or `Ratings.csv` and `Books.csv`.

Ratings go from 1 to 10. A rating of 0 is none: it says that somebody has the book ("implicit"), as 62 % of the rows
do. With `feedback: explicit` these rows are quarantined and the others have their rating; with `feedback: implicit`
every row counts and none has a rating, since a 0 beside a 3 would be a dislike that nobody expressed. There are no
times. Title and author are the book's; author, year and publisher are attributes, the text is title, author and
publisher. Covers are addresses in these files: those that were fetched are found in a folder of files named by ISBN.
Users are not read.

Source: Cai-Nicolas Ziegler et al., Improving Recommendation Lists Through Topic Diversification, WWW 2005.
"""

from pathlib import Path
from typing import Literal

import pandas as pd

from recsys.data.quarantine import RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import (
    PicturedOptions,
    assemble,
    columns,
    interactions_of,
    items_of,
    joined_text,
    text_of,
)
from recsys.data.readers.catalogue import noted
from recsys.data.readers.recognition import Recognised, first_line
from recsys.data.readers.tables import Layout, existing, read_table
from recsys.errors import UserError

FILES = (("BX-Book-Ratings.csv", "BX-Books.csv"), ("Ratings.csv", "Books.csv"), ("Book-Ratings.csv", "Books.csv"))
RATING = ("Book-Rating", "Rating")
BOOK = {
    "title": ("Book-Title", "Title"),
    "author": ("Book-Author", "Author"),
    "year": ("Year-Of-Publication", "Year"),
    "publisher": ("Publisher",),
}
NO_YEAR = "0"


class BookCrossingOptions(PicturedOptions):
    """Options of Book-Crossing.

    Attributes:
        feedback: `explicit` reads the ratings from 1 to 10, `implicit` all rows without a rating.
        images: folder of covers named by ISBN.
    """

    feedback: Literal["explicit", "implicit"] = "explicit"


def read(options: BookCrossingOptions, folder: Path, workdir: Path) -> RawData:
    """Read ratings and books; all books are items, and ratings of other ISBNs are quarantined."""
    ratings_file, books_file = _files(folder)
    items, out_books, notes = _books(existing(folder, books_file, "folder"))
    table = read_table(folder / ratings_file, "interactions", _layout(folder / ratings_file))
    rating = next((name for name in RATING if name in table.frame), RATING[0])
    frame = columns(table, {"user_id": "User-ID", "item_id": "ISBN", "rating": rating})
    row_filter = RowFilter("interactions", frame.assign(row=table.rows), ("user_id", "item_id"), table.rows)
    if options.feedback == "explicit":
        reason = "rating of 0: not rated (feedback: implicit counts it)"
        row_filter.reject(pd.to_numeric(row_filter.kept["rating"], errors="coerce") == 0, reason)
    else:
        row_filter.kept = row_filter.kept.drop(columns="rating")
    interactions, out_rows = interactions_of(row_filter.kept, items)
    quarantine = [out_books, table.quarantine, row_filter.quarantine(), out_rows]
    return assemble(items, interactions, quarantine, (folder, options), (*noted(table), *notes))


def recognise(folder: Path) -> Recognised | None:
    """By the names of both files and the header of the ratings."""
    for ratings, books in FILES:
        if (folder / ratings).is_file() and (folder / books).is_file() and "ISBN" in first_line(folder / ratings):
            why = (
                f"{ratings} and {books} are those of Book-Crossing; its ratings of 0 mean 'not rated' and are left "
                "out (feedback: implicit counts every row instead)"
            )
            return Recognised("bookcrossing", {"feedback": "explicit"}, why, "a rating of 7 or more, of 10", 7)
    return None


def _files(folder: Path) -> tuple[str, str]:
    for pair in FILES:
        if (folder / pair[0]).is_file():
            return pair
    raise UserError(f"{folder}: there is no {FILES[0][0]} nor {FILES[1][0]}; put Book-Crossing there or set 'folder'")


def _layout(path: Path) -> Layout:
    return Layout(delimiter=";" if ";" in first_line(path) else ",", header=True, quoted=True)


def _books(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    table = read_table(path, "items", _layout(path))
    frame = columns(table, {"item_id": "ISBN"})
    for name, places in BOOK.items():
        place = next((place for place in places if place in table.frame), places[0])
        table.need([place])
        frame[name] = [text_of(cell) for cell in table.frame[place]]
    frame["year"] = frame["year"].mask(frame["year"] == NO_YEAR, None)
    frame["text"] = joined_text(frame, ("title", "author", "publisher"))
    items, quarantine = items_of(frame, table.rows)
    return items, collect([table.quarantine, quarantine]), noted(table)
