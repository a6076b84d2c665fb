"""Item tables to encode, and the folder of real data."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def frame(**columns: list) -> pd.DataFrame:
    """A table of object columns, as readers give them."""
    return pd.DataFrame({name: pd.Series(cells, dtype="object") for name, cells in columns.items()})


def item_table(n_items: int, **columns: list) -> pd.DataFrame:
    """Items `0`, `1`, ... with the columns every item table has, empty unless given."""
    empty = dict.fromkeys(("title", "text", "image_path", "image_digest"), [None] * n_items)
    return frame(item_id=[str(item) for item in range(n_items)], **(empty | columns))


def pictured(*of_items: list[str], digests: list[list[str | None]] | None = None) -> pd.DataFrame:
    """Items by their pictures, as readers give them."""
    known = digests or [[None] * len(paths) for paths in of_items]
    table = item_table(
        len(of_items),
        image_path=[paths[0] if paths else None for paths in of_items],
        image_digest=[each[0] if each else None for each in known],
    )
    if all(len(paths) < 2 for paths in of_items):
        return table
    further = frame(
        further_image_paths=[paths[1:] or None for paths in of_items],
        further_image_digests=[each[1:] or None for each in known],
    )
    return table.join(further)


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real data."""
    if "MODALIFT_DATA" not in os.environ:
        pytest.skip("MODALIFT_DATA does not name the folder of real data")
    return Path(os.environ["MODALIFT_DATA"])


@pytest.fixture(scope="session")
def movies(real: Path) -> pd.DataFrame:
    """Movies of MovieLens-latest-small with 5 ratings or more, as an item table."""
    folder = real / "movielens-small"
    ratings = pd.read_csv(folder / "ratings.csv")["movieId"].astype(str).value_counts()
    table = pd.read_csv(folder / "movies.csv", dtype=str)
    table = table[table["movieId"].map(ratings).fillna(0) >= 5].reset_index(drop=True)
    plots = pd.read_csv(folder / "plots.csv", dtype=str).set_index("movieId")["plot"]
    posters = [folder / "posters" / f"{movie}.jpg" for movie in table["movieId"]]
    paths = pd.Series([str(path) if path.exists() else None for path in posters], dtype="object")
    return item_table(
        len(table),
        title=table["title"].tolist(),
        text=table["movieId"].map(plots).tolist(),
        image_path=paths.tolist(),
        genres=table["genres"].tolist(),
    ).assign(item_id=table["movieId"].astype(object))


def shared_genres(movies: pd.DataFrame, left: np.ndarray, right: np.ndarray) -> float:
    """Mean cosine of the genre vectors of pairs of movies."""
    genres = movies["genres"].str.get_dummies("|").to_numpy(dtype=float)
    genres = genres / np.linalg.norm(genres, axis=1, keepdims=True)
    return float((genres[left] * genres[right]).sum(axis=1).mean())
