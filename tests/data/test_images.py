"""Image files: found, proved to open, hashed; or set aside with the reason."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from recsys.data import images
from recsys.data.images import attach_images, files_by_stem, inspect
from recsys.errors import UserError


def test_digest_is_of_the_files_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 3), "blue").save(path)
    assert inspect(path).digest == hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_files_are_found(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-400])
    seen = inspect(path)
    assert seen.digest is None
    assert "cannot be read" in str(seen.problem)


def test_other_files_and_too_large_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"<html>not found</html>")
    assert inspect(tmp_path / "a.jpg").problem == "image cannot be read (not an image)"
    Image.new("RGB", (30, 20)).save(tmp_path / "b.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 599)
    assert inspect(tmp_path / "b.png").problem == "image of 30 x 20 pixels is too large"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert inspect(tmp_path / "b.png").problem == "image has more pixels than can be decoded safely"


def test_missing_is_ordinary_and_broken_is_set_aside(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    items = pd.DataFrame({"item_id": ["a", "b", "c", "d"]}, index=[5, 6, 7, 8])
    paths = pd.Series([tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "gone.png", None], index=items.index)
    attached, quarantine = attach_images(items, paths)
    assert attached["image_path"].notna().tolist() == [True, False, False, False]
    assert attached["image_digest"].notna().tolist() == [True, False, False, False]
    assert quarantine[["table", "key", "reason"]].to_numpy().tolist() == [
        ["images", "b", "image cannot be read (not an image)"]
    ]


def test_files_by_stem_takes_images_only_and_the_first_of_two(tmp_path: Path) -> None:
    for name in ("7.JPG", "7.png", "8.txt", "9.webp"):
        (tmp_path / name).touch()
    assert files_by_stem(tmp_path) == {"7": tmp_path / "7.JPG", "9": tmp_path / "9.webp"}
    with pytest.raises(UserError, match="No such file or directory; name an existing folder"):
        files_by_stem(tmp_path / "gone")
