"""Image files: proved to open, hashed, and put into the item table; or quarantined with the reason."""

from pathlib import Path

import pandas as pd
from PIL import Image

from recsys.data.decoding import digest_of
from recsys.data.images import attach_images, n_pictures, pictures_of
from recsys.data.picture_names import match_images


def test_missing_is_ordinary_and_broken_is_set_aside(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    items = pd.DataFrame({"item_id": ["a", "b", "c", "d"]}, index=[5, 6, 7, 8])
    paths = pd.Series([tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "gone.png", None], index=items.index)
    attached, quarantine = attach_images(items, paths)
    assert attached["image_path"].notna().tolist() == [True, False, False, False]
    assert attached["image_digest"].notna().tolist() == [True, False, False, False]
    assert quarantine[["table", "key", "reason"]].to_numpy().tolist() == [["images", "b", "empty file"]]


def test_a_link_that_leads_nowhere_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone" / "a.png")
    items = pd.DataFrame({"item_id": ["a"]})
    attached, quarantine = attach_images(items, match_images(items["item_id"], tmp_path).paths)
    assert attached["image_path"].isna().all()
    assert quarantine["key"].tolist() == ["a"] and "No such file" in quarantine["reason"][0]


def test_what_a_column_names_may_be_no_path_at_all(tmp_path: Path) -> None:
    names = ["x" * 5000, "a\0b", "https://example.org/a.jpg", "", str(tmp_path)]
    items = pd.DataFrame({"item_id": list("abcde")})
    attached, quarantine = attach_images(items, pd.Series([str(tmp_path / name) for name in names]))
    assert attached["image_path"].isna().all()
    assert set(quarantine["reason"]) == {"not a regular file"}  # the folder itself, for the empty name too


def test_truncated_pictures_have_one_reason_and_their_ids(tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 50).convert("RGB").save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    ids = [str(n) for n in range(11)]
    for n in range(11):
        (tmp_path / f"{n}.jpg").write_bytes(whole[: -400 - 37 * n])
    items = pd.DataFrame({"item_id": ids})
    _, quarantine = attach_images(items, match_images(items["item_id"], tmp_path).paths)
    assert quarantine["key"].tolist() == ids
    assert set(quarantine["reason"]) == {"picture is truncated"}


def shown(folder: Path, *colours: str) -> list[Path]:
    """A picture in each of these colours, called 0.png, 1.png, ...; an empty file where there is no colour."""
    files = [folder / f"{n}.png" for n in range(len(colours))]
    for file, colour in zip(files, colours, strict=True):
        Image.new("RGB", (4, 4), colour).save(file) if colour else file.touch()
    return files


def test_an_item_keeps_its_good_pictures_and_the_broken_one_is_named(tmp_path: Path) -> None:
    files = shown(tmp_path, "red", "", "blue", "")
    items = pd.DataFrame({"item_id": ["a", "b", "c"]}, index=[3, 4, 5])
    cells = [tuple(files[:3]), (files[1], files[0]), (files[3],)]
    attached, quarantine = attach_images(items, pd.Series(cells, index=items.index))
    names = [[Path(each.path).name for each in of_item] for of_item in pictures_of(attached)]
    assert names == [["0.png", "2.png"], ["0.png"], []]
    assert [each.digest for each in pictures_of(attached)[0]] == [digest_of(files[n].read_bytes()) for n in (0, 2)]
    assert n_pictures(attached) == 3
    # The item with one file is named as it has always been.
    aside = [("a / 1.png", "empty file"), ("b / 1.png", "empty file"), ("c", "empty file")]
    assert list(quarantine[["key", "reason"]].itertuples(index=False, name=None)) == aside


def test_the_first_pictures_are_used_and_equal_ones_count_once(tmp_path: Path) -> None:
    files = shown(tmp_path, "red", "blue", "red", "green", "white")
    items = pd.DataFrame({"item_id": ["a"]})
    attached, quarantine = attach_images(items, pd.Series([files]), most=3)
    assert [Path(each.path).name for each in pictures_of(attached)[0]] == ["0.png", "1.png"]
    further = "a further picture of an item, of which `pictures: 3` are used"
    aside = [("a / 2.png", "the same picture again"), ("a / 3.png", further), ("a / 4.png", further)]
    assert list(quarantine[["key", "reason"]].itertuples(index=False, name=None)) == aside
    first, _ = attach_images(items, pd.Series([files]), most=1)
    assert list(first) == ["item_id", "image_path", "image_digest"]


def test_a_table_of_one_picture_an_item_has_no_trace_of_further_ones(tmp_path: Path) -> None:
    files = shown(tmp_path, "red", "blue")
    attached, _ = attach_images(pd.DataFrame({"item_id": ["a", "b", "c"]}), pd.Series([(files[0],), files[1], None]))
    assert list(attached) == ["item_id", "image_path", "image_digest"]
    assert [len(of_item) for of_item in pictures_of(attached)] == [1, 1, 0]
