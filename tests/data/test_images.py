"""Image files: matched to items by name, proved to open, hashed; or quarantined with the reason."""

import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from recsys.data.images import attach_images, files_by_stem, match_images
from recsys.errors import UserError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def matched(folder: Path, *ids: str) -> tuple[dict[str, str], list[list[str]]]:
    """By id the file it takes, and (key, reason) of the pictures that are not used."""
    paths, aside = match_images(pd.Series(ids), folder)
    taken = {name: path.relative_to(folder).as_posix() for name, path in zip(ids, paths, strict=True) if path}
    return taken, aside[["key", "reason"]].to_numpy().tolist()


def test_missing_is_ordinary_and_broken_is_set_aside(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    items = pd.DataFrame({"item_id": ["a", "b", "c", "d"]}, index=[5, 6, 7, 8])
    paths = pd.Series([tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "gone.png", None], index=items.index)
    attached, quarantine = attach_images(items, paths)
    assert attached["image_path"].notna().tolist() == [True, False, False, False]
    assert attached["image_digest"].notna().tolist() == [True, False, False, False]
    assert quarantine[["table", "key", "reason"]].to_numpy().tolist() == [["images", "b", "empty file"]]


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
    _, quarantine = attach_images(items, match_images(items["item_id"], tmp_path)[0])
    assert quarantine["key"].tolist() == ids
    assert set(quarantine["reason"]) == {"picture is truncated"}


def test_files_by_stem_takes_images_only_and_the_first_of_two(tmp_path: Path) -> None:
    touch(tmp_path, "7.JPG", "7.png", "8.txt", "9.webp", "._9.webp", ".hidden/5.jpg", "__MACOSX/4.jpg")
    assert files_by_stem(tmp_path) == {"7": tmp_path / "7.JPG", "9": tmp_path / "9.webp"}
    with pytest.raises(UserError, match="No such file or directory; name an existing folder"):
        files_by_stem(tmp_path / "gone")
    with pytest.raises(UserError, match="Not a directory; name an existing folder"):
        files_by_stem(tmp_path / "7.JPG")


def test_pictures_in_subfolders_are_found_and_those_further_up_come_first(tmp_path: Path) -> None:
    touch(tmp_path, "010/0108775015.jpg", "011/0110000001.JPEG", "b/5.jpg", "5.png")
    taken, aside = matched(tmp_path, "0108775015", "0110000001", "5")
    assert taken == {"0108775015": "010/0108775015.jpg", "0110000001": "011/0110000001.JPEG", "5": "5.png"}
    assert aside == [["b/5.jpg", "a further picture of an item: the first by name is used"]]


def test_of_several_pictures_of_an_item_the_first_is_taken_and_the_others_are_said(tmp_path: Path) -> None:
    touch(tmp_path, "12.jpg", "12_1.jpg", "12_2.png", "13_0.jpg", "13_1.jpg", "14 (1).jpg", "15-2.webp", "1_1.gif")
    taken, aside = matched(tmp_path, "12", "13", "14", "15", "1_1", "1")
    expected = {"12": "12.jpg", "13": "13_0.jpg", "14": "14 (1).jpg", "15": "15-2.webp", "1_1": "1_1.gif"}
    assert taken == expected
    assert [key for key, _ in aside] == ["12_1.jpg", "12_2.png", "13_1.jpg"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_one_however_they_are_composed(tmp_path: Path, form: str) -> None:
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    touch(tmp_path, unicodedata.normalize(other, "caf\u00e9.jpg"))
    taken, aside = matched(tmp_path, unicodedata.normalize(form, "caf\u00e9"))
    assert len(taken) == 1 and aside == []


@pytest.mark.parametrize(
    ("item", "file", "difference"),
    [
        ("108775015", "010/0108775015.jpg", "its leading zeros"),
        ("00007", "7.jpg", "its leading zeros"),
        ("B00AB", "b00ab.JPG", "upper and lower case"),
        ("'7'", "7.jpg", "blanks and quotes"),
    ],
)
def test_names_that_nearly_meet_are_shown_side_by_side_and_not_joined(
    tmp_path: Path, item: str, file: str, difference: str
) -> None:
    touch(tmp_path, file, "zzz.jpg")
    taken, aside = matched(tmp_path, item)
    assert taken == {}
    assert [f"{file} / {item}", f"picture is named by no item's id, but for {difference}"] in aside
    assert ["zzz.jpg", "picture is named by no item's id"] in aside
