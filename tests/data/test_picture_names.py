"""Whose picture a file is: no file goes to an item that its name or its folder does not name."""

import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.options import Reading
from recsys.data.picture_names import files_by_stem, match_images, natural
from recsys.errors import UserError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def matched(folder: Path, *ids: str, by: Reading | None = None) -> tuple[dict[str, list[str]], list[list[str]]]:
    """By id the files that it takes, in their order, and (key, reason) of the pictures that are not used."""
    found = match_images(pd.Series(ids, dtype="object"), folder, by)
    taken = {
        name: [path.relative_to(folder).as_posix() for path in of_item]
        for name, of_item in zip(ids, found.paths, strict=True)
        if of_item
    }
    return taken, found.unused[["key", "reason"]].to_numpy().tolist()


def test_files_by_stem_takes_images_only_and_the_first_of_two(tmp_path: Path) -> None:
    touch(tmp_path, "7.JPG", "7.png", "8.txt", "9.webp", "._9.webp", ".hidden/5.jpg", "__MACOSX/4.jpg")
    assert files_by_stem(tmp_path) == {"7": tmp_path / "7.JPG", "9": tmp_path / "9.webp"}
    with pytest.raises(UserError, match="No such file or directory; name an existing folder"):
        files_by_stem(tmp_path / "gone")
    with pytest.raises(UserError, match="Not a directory; name an existing folder"):
        files_by_stem(tmp_path / "7.JPG")


def test_what_is_not_read_as_a_picture_is_counted_with_an_example(tmp_path: Path) -> None:
    touch(tmp_path, "1.png", "1.txt", "shelf/2.png", "Thumbs.db", ".DS_Store", "orders.csv")
    ids = pd.Series(["1", "2", "3", "4", "5"])
    assert match_images(ids, tmp_path).doubts == ()
    touch(tmp_path, "3.bin", "shelf/4.svg")
    (tmp_path / "5.png").mkdir()
    (said,) = match_images(ids, tmp_path).doubts
    assert said.startswith("not read, for files of pictures end in .avif") and said.endswith(
        ": 3 named by items without a picture, such as 3.bin"
    )


def test_pictures_in_subfolders_are_found_and_of_one_name_those_further_up_count(tmp_path: Path) -> None:
    touch(tmp_path, "010/0108775015.jpg", "011/0110000001.JPEG", "b/5.jpg", "5.png")
    taken, aside = matched(tmp_path, "0108775015", "0110000001", "5")
    assert taken == {"0108775015": ["010/0108775015.jpg"], "0110000001": ["011/0110000001.JPEG"], "5": ["5.png"]}
    assert aside == [["b/5.jpg", "a further file of the same name: the first is used"]]


def test_several_pictures_of_an_item_stand_in_natural_order_the_bare_id_first(tmp_path: Path) -> None:
    touch(tmp_path, *(f"12_{n}.jpg" for n in (10, 2, 1)), "12.jpg", "13_01.png", "13_00.png", "13_001.png")
    touch(tmp_path, "14 (2).jpg", "14 (1).jpg", "15-2.webp")
    taken, aside = matched(tmp_path, "12", "13", "14", "15")
    assert taken == {
        "12": ["12.jpg", "12_1.jpg", "12_2.jpg", "12_10.jpg"],
        "13": ["13_00.png", "13_001.png", "13_01.png"],
        "14": ["14 (1).jpg", "14 (2).jpg"],
        "15": ["15-2.webp"],
    }
    assert aside == []


def test_words_behind_several_ids_are_views_and_a_single_one_is_another_item(tmp_path: Path) -> None:
    touch(tmp_path, "a-1-front.jpg", "a-1_back2.jpg", "a-2-Front.jpg", "a-2-back.jpg", "a-2-XL.jpg", "a-1-12345.jpg")
    taken, aside = matched(tmp_path, "a-1", "a-2")
    assert taken == {"a-1": ["a-1-front.jpg", "a-1_back2.jpg"], "a-2": ["a-2-Front.jpg", "a-2-back.jpg"]}
    assert [key for key, _ in aside] == ["a-1-12345.jpg", "a-2-XL.jpg"]


def test_an_id_that_reads_like_a_further_picture_wins_and_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "12_1.jpg", "12_2.jpg", "12_1_3.jpg")
    assert matched(tmp_path, "12", "12_1")[0] == {"12": ["12_2.jpg"], "12_1": ["12_1.jpg", "12_1_3.jpg"]}
    (doubt,) = match_images(pd.Series(["12", "12_1"]), tmp_path).doubts
    assert doubt == (
        "items whose ids read like further pictures of another: 1, such as '12_1' beside '12'; 12_1.jpg counts as a "
        "picture of '12_1'"
    )
    assert match_images(pd.Series(["12_1"]), tmp_path).doubts == ()


def test_a_folder_an_item_holds_its_pictures_whatever_they_are_called(tmp_path: Path) -> None:
    touch(tmp_path, "a7/10.jpg", "a7/9.jpg", "a7/9.png", "a8/deep/front.jpg", "other/x.jpg", "a9/a9_1.jpg", "a9.jpg")
    taken, aside = matched(tmp_path, "a7", "a8", "a9")
    assert taken == {"a7": ["a7/9.jpg", "a7/10.jpg"], "a8": ["a8/deep/front.jpg"], "a9": ["a9.jpg", "a9/a9_1.jpg"]}
    assert [key for key, _ in aside] == ["a7/9.png", "other/x.jpg"]


def test_folders_in_which_the_same_names_recur_are_items_and_shelves_are_not(tmp_path: Path) -> None:
    items, shelves = tmp_path / "items", tmp_path / "shelves"
    touch(items, *(f"{item}/{n}.jpg" for item in (1, 2, 3) for n in (1, 2)), "3.jpg")
    taken, _ = matched(items, "1", "2", "3")
    assert taken == {"1": ["1/1.jpg", "1/2.jpg"], "2": ["2/1.jpg", "2/2.jpg"], "3": ["3.jpg", "3/1.jpg", "3/2.jpg"]}
    (doubt,) = match_images(pd.Series(["1", "2", "3"]), items).doubts
    assert doubt == (
        "pictures named like one item in a folder named like another: 4, such as 1/2.jpg; the folder counts, unless "
        "`images_by` says otherwise"
    )
    touch(shelves, *(f"{n % 2}/{n}.jpg" for n in range(6)))
    taken, _ = matched(shelves, *map(str, range(6)))
    assert taken == {str(n): [f"{n % 2}/{n}.jpg"] for n in range(6)}


def test_what_can_be_meant_both_ways_is_refused_until_it_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "1/2.jpg", "1/side.jpg")
    with pytest.raises(
        UserError, match="1/2.jpg can be a picture of item '2' by its name, or of '1' by its folder; se"
    ):
        matched(tmp_path, "1", "2")
    assert matched(tmp_path, "1", "2", by="folder")[0] == {"1": ["1/2.jpg", "1/side.jpg"]}
    assert matched(tmp_path, "1", "2", by="name")[0] == {"2": ["1/2.jpg"]}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_one_however_they_are_composed(tmp_path: Path, form: str) -> None:
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    name = "caf\u00e9"
    touch(
        tmp_path, *(unicodedata.normalize(other, each) for each in (f"{name}.jpg", f"{name}_2.jpg", f"{name}/a.png"))
    )
    taken, aside = matched(tmp_path, unicodedata.normalize(form, name))
    assert [len(of_item) for of_item in taken.values()] == [3] and aside == []


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


IDS = st.lists(st.text("0129ab_-", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)
NAMES = st.text("0129ab_-", min_size=1, max_size=6)


@settings(deadline=None, max_examples=80)
@given(IDS, st.sets(st.tuples(st.none() | NAMES, NAMES), max_size=12), st.sampled_from([None, "name", "folder"]))
def test_every_picture_goes_to_an_item_that_it_names_or_is_set_aside(
    ids: list[str], files: set[tuple[str | None, str]], by: Reading | None
) -> None:
    with TemporaryDirectory() as place:
        folder = touch(
            Path(place), *(f"{name}.jpg" if shelf is None else f"{shelf}/{name}.jpg" for shelf, name in files)
        )
        try:
            taken, aside = matched(folder, *ids, by=by)
        except UserError:
            assert by is None and any(shelf in ids for shelf, _ in files)
            return
        everywhere = [file for of_item in taken.values() for file in of_item]
        # Each picture is used once, or set aside once.
        set_aside = {key.split(" / ")[0] for key, _ in aside}
        assert len(everywhere) == len(set(everywhere)) and set_aside.isdisjoint(everywhere)
        assert set_aside | set(everywhere) == {file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg")}
        for item, of_item in taken.items():
            for file in map(Path, of_item):
                in_its_folder = file.parent.name == item
                if not in_its_folder:
                    # An id that is the whole name wins, and so does the longest.
                    assert file.stem == item or (file.stem not in ids and file.stem.startswith(item))
                    assert not any(file.stem.startswith(f"{longer}_1") for longer in ids if len(longer) > len(item))
                assert not (by == "name" and file.stem in ids and file.stem != item)
                assert not (by == "folder" and file.parent.name in ids and not in_its_folder)


@given(st.lists(st.integers(0, 10**6), min_size=2), st.sampled_from(["12_{}", "a {} b", "{:03d}", "x{}"]))
def test_numbers_in_names_count_by_their_value(numbers: list[int], form: str) -> None:
    assert sorted(map(form.format, sorted(numbers)), key=natural) == sorted(map(form.format, numbers), key=natural)
    assert [natural(form.format(n)) for n in sorted(numbers)] == sorted(natural(form.format(n)) for n in numbers)
