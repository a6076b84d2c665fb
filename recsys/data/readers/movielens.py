"""MovieLens as GroupLens lays it out, with posters and plots where they stand beside it.

Source: F. Maxwell Harper and Joseph A. Konstan, The MovieLens Datasets: History and Context, TiiS 2015.
"""

from pathlib import Path

import pandas as pd

from recsys.data.ids import normalised
from recsys.data.images import attach_images, files_by_stem
from recsys.data.options import SourceOptions
from recsys.data.quarantine import Sieve, collect
from recsys.data.raw import RawData
from recsys.data.readers.catalogue import usable_interactions, usable_items
from recsys.data.readers.tables import existing, read_table
from recsys.errors import UserError


class MovieLensOptions(SourceOptions):
    """Options of MovieLens.

    Attributes:
        posters: folder of posters named by movie id, such as `posters/1.jpg`; None looks for `posters`.
        plots: table of `movieId` and `plot`; None looks for `plots.csv`.
    """

    posters: str | None = None
    plots: str | None = None


def read(options: MovieLensOptions, folder: Path, workdir: Path) -> RawData:
    """Read `ratings.csv` and `movies.csv`; all movies are items, `genres` is an attribute, plots are the text."""
    items, out_items = _movies(folder)
    items, out_plots = _with_plots(items, options, folder)
    items, out_images = _with_posters(items, options, folder)
    ratings = read_table(existing(folder, "ratings.csv", "folder"), "interactions")
    names = {"userId": "user_id", "movieId": "item_id", "rating": "rating", "timestamp": "timestamp"}
    ratings.need(list(names))
    frame = ratings.frame[list(names)].rename(columns=names).assign(row=ratings.rows)
    interactions, out_ratings = usable_interactions(frame, items["item_id"])
    quarantine = collect([out_items, out_plots, out_images, ratings.quarantine, out_ratings])
    return RawData(items, interactions, quarantine)


def _movies(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    movies = read_table(existing(folder, "movies.csv", "folder"), "items")
    movies.need(["movieId", "title", "genres"])
    frame = movies.frame[["movieId", "title", "genres"]].rename(columns={"movieId": "item_id"})
    items, quarantine = usable_items(frame, movies.rows)
    return items, collect([movies.quarantine, quarantine])


def _with_plots(items: pd.DataFrame, options: MovieLensOptions, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    if options.plots is None and not (folder / "plots.csv").is_file():
        return items.assign(text=None), collect([])
    plots = read_table(existing(folder, options.plots or "plots.csv", "plots"), "plots")
    plots.need(["movieId", "plot"])
    sieve = Sieve("plots", plots.frame.assign(movieId=normalised(plots.frame["movieId"])), ("movieId",), plots.rows)
    sieve.reject(~sieve.kept["movieId"].isin(items["item_id"]), "unknown item")
    sieve.reject(sieve.kept.duplicated("movieId"), "plot of the same movie again: the first was kept")
    text = sieve.kept.set_index("movieId")["plot"]
    return items.assign(text=items["item_id"].map(text)), collect([plots.quarantine, sieve.quarantine()])


def _with_posters(items: pd.DataFrame, options: MovieLensOptions, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    posters = folder / (options.posters or "posters")
    if options.posters and not posters.is_dir():
        raise UserError(f"{posters}: there is no such folder; put it there or leave the option 'posters' out")
    files = files_by_stem(posters) if posters.is_dir() else {}
    return attach_images(items, items["item_id"].map(files).astype("object"))
