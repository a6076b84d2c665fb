"""Photos as people name them, and what is no photo."""

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


@folder()
def several_photos_an_item(place: Path) -> Truth:
    for n in range(N_ITEMS):
        photo(place / "photos" / f"{n}_1.png", (n + 1) % N_ITEMS)
    return photos(place, lambda n: f"{n}_0.png")


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
    return truth.but(pictures=ALL - set(map(str, bad)), says=("set aside",))


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
