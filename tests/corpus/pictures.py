"""Photos as people name them, and what is no photo."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.corpus.shop import (
    N_ITEMS,
    ROWS,
    USUAL,
    Truth,
    folder,
    goods,
    lines,
    of,
    orders,
    plain,
    put,
    refused,
    title,
    usual,
)

PHOTOS = (*USUAL.arguments, "--images", "photos")
ALL = frozenset(map(str, range(N_ITEMS)))


def photo(path: Path, item: int) -> None:
    """Red chairs and blue tents, no two alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (24, 24), (200, 40, 40) if item % 2 == 0 else (40, 40, 200))
    for n in range(item + 1):
        picture.putpixel((n % 24, n // 24), (255, 255, 255))
    picture.save(path)


def photos(place: Path, name: Callable[[int], str], items: range = range(N_ITEMS)) -> Truth:
    """The usual files, and a folder of photos."""
    for item in items:
        photo(place / "photos" / name(item), item)
    had = frozenset(map(str, items))
    return usual(place).but(arguments=PHOTOS, pictures=had)


@folder()
def photos_of_all_kinds(place: Path) -> Truth:
    return photos(place, lambda n: f"{n}{('.jpg', '.JPG', '.png', '.jpeg', '.webp')[n % 5]}", range(2, N_ITEMS))


@folder()
def photos_in_subfolders(place: Path) -> Truth:
    return photos(place, lambda n: f"{n % 3:03d}/{n}.jpg")


def numbered(place: Path, name: Callable[[int, int], str]) -> Truth:
    """One to six photos of each item, of which four at most are used."""
    for item in range(N_ITEMS):
        for n in range(item % 6 + 1):
            photo(place / "photos" / name(item, n + 1), (item + 7 * n) % N_ITEMS)
    several = {str(item): min(item % 6 + 1, 4) for item in range(N_ITEMS)}
    says = ("pictures: 3.5 an item, up to 6; those of '5' are, in this order, ", "the first 4 of each are used")
    return usual(place).but(arguments=PHOTOS, pictures=ALL, several=several, says=says)


@folder()
def several_photos_an_item(place: Path) -> Truth:
    truth = numbered(place, lambda item, n: f"{item}_{n * 5}.png")
    return truth.but(says=(*truth.says, "5_5.png, 5_10.png, 5_15.png, ..."))


@folder()
def several_photos_by_view(place: Path) -> Truth:
    views = ("back", "detail", "front", "side", "top", "worn")
    truth = numbered(place, lambda item, n: f"{item}-{views[n - 1]}.jpg")
    return truth.but(says=(*truth.says, "5-back.jpg, 5-detail.jpg, 5-front.jpg, ..."))


@folder()
def a_folder_of_photos_an_item(place: Path) -> Truth:
    truth = numbered(place, lambda item, n: f"{item}/{n}.png")
    return truth.but(says=(*truth.says, "5/1.png, 5/2.png, 5/3.png, ...", "the folder counts"))


@folder()
def ids_that_read_like_further_photos(place: Path) -> Truth:
    """Items 0 to 9 are `a`, `a_1` to `a_9`; `a` has two photos more, which are called `a_10` and `a_11`."""

    def item(n: int) -> str:
        return f"{'abc'[n // 10]}{f'_{n % 10}' if n % 10 else ''}"

    for n in range(N_ITEMS):
        photo(place / "photos" / f"{item(n)}.png", n)
    for n in (10, 11):
        photo(place / "photos" / f"a_{n}.png", n)
    put(place, r_csv=orders(item=lambda row: item(row.item)), i_csv=goods(item=item))
    return USUAL.but(
        arguments=PHOTOS,
        titles={item(n): title(n) for n in range(N_ITEMS)},
        pairs=[(str(row.user), item(row.item)) for row in ROWS],
        pictures=frozenset(map(item, range(N_ITEMS))),
        several={"a": 3},
        says=("items whose ids read like further pictures of another: 9, such as 'a_1' beside 'a'",),
    )


@refused("1/2.png can be a picture of item '2' by its name, or of '1' by its folder; set `images_by` (--images-by)")
def photos_by_name_or_by_folder(place: Path) -> Truth:
    for name in ("1/2.png", "1/side.png", "3/side.png"):
        photo(place / "photos" / name, 1)
    return usual(place).but(arguments=PHOTOS)


@folder()
def several_photos_in_a_list(place: Path) -> Truth:
    """JSON lines with a list of files, as shops export them."""
    records = []
    for item in range(N_ITEMS):
        files = [f"img/p{item}x{n}.jpg" for n in range(item % 3)]
        for n, file in enumerate(files):
            photo(place / file, (item + n) % N_ITEMS)
        records.append({"item_id": item, "title": title(item), "description": plain(item), "images": files})
    put(place, r_csv=orders(), i_jsonl="".join(json.dumps(record) + "\n" for record in records))
    return USUAL.but(
        arguments=of("r.csv", "i.jsonl"),
        pictures=frozenset(str(item) for item in range(N_ITEMS) if item % 3),
        several={str(item): item % 3 for item in range(N_ITEMS) if item % 3},
        says=("pictures: 1.5 an item, up to 2",),
    )


@folder()
def photos_that_macos_named(place: Path) -> Truth:
    def item(n: int) -> str:
        return f"café {n}"

    for n in range(N_ITEMS):
        photo(place / "photos" / f"{unicodedata.normalize('NFD', item(n))}.png", n)
        (place / "photos" / f"._{item(n)}.png").write_bytes(b"\0\5\26\7")
    (place / "photos" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    put(place, r_csv=orders(item=lambda row: item(row.item)), i_csv=goods(item=item))
    return USUAL.but(
        arguments=PHOTOS,
        titles={item(n): title(n) for n in range(N_ITEMS)},
        pairs=[(str(row.user), item(row.item)) for row in ROWS],
        pictures=frozenset(map(item, range(N_ITEMS))),
    )


@folder()
def broken_photos(place: Path) -> Truth:
    truth = photos(place, lambda n: f"{n}.png")
    bad = {
        3: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n{ } loop\nshowpage\n",
        4: b"",
        5: (place / "photos" / "5.png").read_bytes()[:50],
        6: b"<html>404 Not Found</html>",
    }
    for n, content in bad.items():
        (place / "photos" / f"{n}.png").write_bytes(content)
    return truth.but(pictures=ALL - set(map(str, bad)), says=("quarantined",))


@folder()
def photos_in_a_column(place: Path) -> Truth:
    for n in range(N_ITEMS):
        photo(place / "img" / f"p{n * 7}.jpg", n)
    cells = [[n, title(n), plain(n), f"img/p{n * 7}.jpg"] for n in range(N_ITEMS)]
    put(place, r_csv=orders(), i_csv=lines(cells, head=("item_id", "title", "description", "image")))
    return USUAL.but(pictures=ALL)


@folder()
def photos_by_names_in_a_column(place: Path) -> Truth:
    for n in range(N_ITEMS):
        photo(place / "photos" / f"p{n * 7}.jpg", n)
    cells = [[n, title(n), plain(n), f"p{n * 7}.jpg"] for n in range(N_ITEMS)]
    put(place, r_csv=orders(), i_csv=lines(cells, head=("item_id", "title", "description", "photo")))
    return USUAL.but(pictures=ALL, arguments=PHOTOS)


@folder()
def photos_only_as_addresses(place: Path) -> Truth:
    cells = [[n, title(n), plain(n), f"https://x.example/{n}.jpg"] for n in range(N_ITEMS)]
    put(place, r_csv=orders(), i_csv=lines(cells, head=("item_id", "title", "description", "image_url")))
    return USUAL


@folder()
def photos_alone(place: Path) -> Truth:
    """Items of which nothing is known but how they look."""
    truth = photos(place, lambda n: f"{n}.png")
    put(place, i_csv=lines([[n] for n in range(N_ITEMS)], head=("item_id",)))
    return truth.but(titles={})


@refused("no file is named by an item id")
def photos_of_something_else(place: Path) -> Truth:
    return photos(place, lambda n: f"IMG_{n + 2000}.jpg")


@refused("No such file or directory")
def no_photos(place: Path) -> Truth:
    return usual(place).but(arguments=PHOTOS)
