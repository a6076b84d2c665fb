"""Films as people have them: tabs in a `.csv`, cp1252, accents and commas, repeats, pictures of all kinds and none."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from orchestration.settings import Settings
from recsys.data.readers import read
from tests.orchestration.new.tables import new

N_USERS, N_FILMS = 40, 60


def messy(folder: Path) -> tuple[Path, Path, Path]:
    """Interactions, items, and a folder of photos."""
    rng = np.random.default_rng(5)
    pairs = [(u, i) for u in range(1, N_USERS + 1) for i in rng.permutation(N_FILMS)[:15]]
    rows = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    rows["rating"] = rng.integers(1, 6, len(rows))
    rows["timestamp"] = 880_000_000 + rng.permutation(len(rows))
    rows.to_csv(folder / "interactions.csv", sep="\t", index=False)
    films = pd.DataFrame({"item_id": range(N_FILMS)})
    films["title"] = [f"Amélie, part {n}" for n in range(N_FILMS)]
    films["description"] = [f"A café, a “lamp” and words {n % 7}" for n in range(N_FILMS)]
    films["price"] = [f"{n}.99" for n in range(N_FILMS)]
    films = pd.concat([films, films.head(3)])
    (folder / "items.csv").write_bytes(films.to_csv(index=False).encode("cp1252"))
    photos = folder / "photos"
    photos.mkdir()
    for n in range(3, N_FILMS):
        suffix = (".jpg", ".JPG", ".png")[n % 3]
        Image.new("RGB", (32, 48), (n * 4, 255 - n * 4, n * 9 % 255)).save(photos / f"{n}{suffix}")
    for n in (10, 11, 12):
        file = next(photos.glob(f"{n}.*"))
        file.write_bytes(file.read_bytes()[:60])
    return folder / "interactions.csv", folder / "items.csv", photos


def test_messy_films_need_no_edit(settings: Settings, tmp_path: Path) -> None:
    interactions, items, photos = messy(tmp_path)
    study, said = new(settings, interactions, items, "--images", photos, "--yes")
    spec = study.datasets["mine"]
    for line in (
        "interactions.csv: separated by tabs",
        "items.csv: read as cp1252, since it is not UTF-8",
        "3 rows of the items with an id that is there already",
        "57 of 60 items have a file named by their id",
        "quarantined 3 images: picture is truncated",
        "images: 54 of 60 items have a picture that can be read",
        "not used, of the items: 'price'",
    ):
        assert line in said
    assert set(spec.content) == {"text", "image"} and spec.split.protocol == "temporal"
    raw = read("table", spec.source.options, tmp_path, tmp_path)
    assert (raw.items["title"] == "Amélie, part " + raw.items["item_id"]).all()
    assert raw.items["text"].str.contains("“lamp”").all()
