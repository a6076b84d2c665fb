"""MovieLens 100K, 1M, 10M, 20M, 25M, 32M and latest as GroupLens lays them out, with posters and plots beside them.

A rating is 1 to 5 stars, from 10M on in halves; a time is in seconds since 1970. All movies are items, those without
a rating too. Genres are the attribute `genres`, such as `Drama|War`; the text is the plot, where there are plots.
Left out are what is known of users, tags, links, and the release dates and addresses of 100K.

Source: F. Maxwell Harper and Joseph A. Konstan, The MovieLens Datasets: History and Context, TiiS 2015.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recsys.data.ids import normalised
from recsys.data.quarantine import RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import columns, interactions_of, items_of, with_pictures
from recsys.data.readers.catalogue import noted
from recsys.data.readers.pictures import PictureOptions
from recsys.data.readers.recognition import Recognised, first_line
from recsys.data.readers.tables import Layout, existing, read_table
from recsys.errors import UserError

RATING = ("userId", "movieId", "rating", "timestamp")
MOVIE = ("movieId", "title", "genres")
GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
"""The last fields of a line of `u.item`, each 1 or 0."""
NO_GENRES = ("(no genres listed)", "unknown", "")


@dataclass(frozen=True)
class Edition:
    """The two files of an edition and how they are written; columns are called as in the latest one."""

    name: str
    ratings: str
    ratings_layout: Layout
    movies: str
    movies_layout: Layout


def _without_header(delimiter: str, *names: str) -> Layout:
    return Layout(delimiter=delimiter, names=names, header=False, quoted=False)


EDITIONS = (
    Edition("20M or later", "ratings.csv", Layout(), "movies.csv", Layout()),
    Edition(
        "1M or 10M",
        *("ratings.dat", _without_header("::", *RATING)),
        *("movies.dat", _without_header("::", *MOVIE)),
    ),
    Edition(
        "100K",
        *("u.data", _without_header("\t", *RATING)),
        *("u.item", _without_header("|", "movieId", "title", "released", "video_released", "imdb_url", *GENRES)),
    ),
)


class MovieLensOptions(PictureOptions):
    """Options of MovieLens.

    Attributes:
        posters: folder of posters named by movie id, such as `posters/1.jpg`; None looks for `posters`, `images` and
            the like.
        plots: table of `movieId` and `plot`; None looks for `plots.csv`.
    """

    posters: str | None = None
    plots: str | None = None


def read(options: MovieLensOptions, folder: Path, workdir: Path) -> RawData:
    """Read ratings and movies of the edition that the files belong to."""
    edition = _edition(folder)
    items, out_items, notes = _movies(folder, edition)
    items, out_plots, of_plots = _with_plots(items, options, folder)
    if options.posters and not (folder / options.posters).is_dir():
        where = folder / options.posters
        raise UserError(f"{where}: there is no such folder; put it there or leave the option 'posters' out")
    items, out_images, of_images = with_pictures(items, folder, options.posters, options)
    ratings = read_table(existing(folder, edition.ratings, "folder"), "interactions", edition.ratings_layout)
    named = {"user_id": "userId", "item_id": "movieId", "rating": "rating", "timestamp": "timestamp"}
    interactions, out_ratings = interactions_of(columns(ratings, named).assign(row=ratings.rows), items)
    quarantine = collect([out_items, out_plots, out_images, ratings.quarantine, out_ratings])
    return RawData(items, interactions, quarantine, notes=(*noted(ratings), *notes, *of_plots, *of_images))


def recognise(folder: Path) -> Recognised | None:
    """By the two files of an edition."""
    for edition in EDITIONS:
        if not ((folder / edition.ratings).is_file() and (folder / edition.movies).is_file()):
            continue
        if edition.ratings_layout.header is None:
            headers = (first_line(folder / edition.ratings), first_line(folder / edition.movies))
            if headers != (",".join(RATING), ",".join(MOVIE)):
                continue
        why = f"{edition.ratings} and {edition.movies} are those of MovieLens {edition.name}"
        return Recognised("movielens", {}, why, "a rating of 4 or more, of 5 stars", 4)
    return None


def _edition(folder: Path) -> Edition:
    for edition in EDITIONS:
        if (folder / edition.ratings).is_file():
            return edition
    names = ", ".join(edition.ratings for edition in EDITIONS)
    raise UserError(f"{folder}: there is no file of ratings ({names}); put MovieLens there or set 'folder'")


def _movies(folder: Path, edition: Edition) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    movies = read_table(existing(folder, edition.movies, "folder"), "items", edition.movies_layout)
    found = columns(movies, {"item_id": "movieId", "title": "title"}, {"genres": "genres"})
    if "genres" not in found:
        movies.need(GENRES)
        flags = movies.frame[list(GENRES)] == "1"
        found["genres"] = ["|".join(flags.columns[row]) for row in flags.to_numpy()]
    found["genres"] = found["genres"].mask(found["genres"].isin(NO_GENRES), None)
    items, quarantine = items_of(found, movies.rows)
    return items, collect([movies.quarantine, quarantine]), noted(movies)


def _with_plots(
    items: pd.DataFrame, options: MovieLensOptions, folder: Path
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    if options.plots is None and not (folder / "plots.csv").is_file():
        return items, collect([]), ()
    table = read_table(existing(folder, options.plots or "plots.csv", "plots"), "plots")
    plots = columns(table, {"item_id": "movieId", "plot": "plot"})
    row_filter = RowFilter("plots", plots.assign(item_id=normalised(plots["item_id"])), ("item_id",), table.rows)
    row_filter.reject(~row_filter.kept["item_id"].isin(items["item_id"]), "unknown item")
    row_filter.reject(row_filter.kept.duplicated("item_id"), "plot of the same movie again: the first was kept")
    text = row_filter.kept.set_index("item_id")["plot"]
    quarantine = collect([table.quarantine, row_filter.quarantine()])
    return items.assign(text=items["item_id"].map(text)), quarantine, noted(table)
