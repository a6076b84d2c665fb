"""Odd but realistic tables of a user's own, small enough to be read in a moment."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from orchestration.settings import Settings
from recsys.study.file import load_study
from recsys.study.study import Study
from tests.orchestration.command_line import complaint, printed

N_USERS, N_ITEMS = 60, 40


def taken(user: str = "user_id", item: str = "item_id", first_item: int = 0, **columns: object) -> pd.DataFrame:
    """Each user with ten items, and further columns drawn from given values."""
    rng = np.random.default_rng(1)
    pairs = [(u, first_item + i) for u in range(N_USERS) for i in rng.permutation(N_ITEMS)[:10]]
    frame = pd.DataFrame(pairs, columns=[user, item])
    return frame.assign(**{name: rng.choice(values, len(frame)) for name, values in columns.items()})


def goods(item: str = "item_id", first_item: int = 0, **columns: object) -> pd.DataFrame:
    """One row an item, with a title and a description that tell the items apart."""
    ids = range(first_item, first_item + N_ITEMS)
    titles, texts = [f"Item {n}" for n in ids], [f"words {n % 5} of a thing" for n in ids]
    return pd.DataFrame({item: ids, "title": titles, "description": texts} | columns)


def write(frame: pd.DataFrame, file: Path) -> Path:
    """A table as a file of the kind that its name ends in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_csv(file, index=False, sep="," if file.suffix == ".csv" else "\t")
    return file


def pictures(folder: Path, names: list[str]) -> Path:
    """A folder of small images that differ."""
    folder.mkdir(parents=True)
    for n, name in enumerate(names):
        Image.new("RGB", (8, 8), (n * 7 % 255, n * 3 % 255, n)).save(folder / name)
    return folder


def new(settings: Settings, interactions: Path, items: Path, *more: str | Path) -> tuple[Study, str]:
    """The study that is written, which must pass its own check, and what was said."""
    said = printed(settings, "new", "mine", "--interactions", interactions, "--items", items, *more)
    assert "✗" not in printed(settings, "check", "mine")
    return load_study(settings.studies / "mine.yaml"), said


def of_frames(
    settings: Settings, interactions: pd.DataFrame, items: pd.DataFrame, *more: str | Path
) -> tuple[Study, str]:
    """As `new`, of tables that are written first."""
    folder = settings.studies.parent
    return new(settings, write(interactions, folder / "r.csv"), write(items, folder / "i.csv"), *more)


def refusal(settings: Settings, interactions: pd.DataFrame, items: pd.DataFrame, *more: str | Path) -> str:
    """The line that says why no study is written; nothing may be left behind. Paths are cut to file names."""
    folder = settings.studies.parent
    files = (write(interactions, folder / "r.csv"), write(items, folder / "i.csv"))
    line = complaint(settings, "new", "mine", "--interactions", files[0], "--items", files[1], *more)
    assert list(settings.studies.iterdir()) == []
    return line.replace(f"{folder}/", "")


def options(study: Study) -> dict[str, object]:
    """What the study says of where its data are."""
    return study.datasets["mine"].source.options
