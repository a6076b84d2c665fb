"""Published layouts, as they are downloaded, of the same shop."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.corpus.pictures import photo
from tests.corpus.shop import (
    N_ITEMS,
    PAIRS,
    ROWS,
    USUAL,
    Bought,
    Truth,
    folder,
    in_quotes,
    lines,
    orders,
    put,
    refused,
    text,
    title,
    usual,
)

FOLDER = USUAL.but(arguments=("--folder", "."))


def rows(*values: Callable[[Bought], object], delimiter: str = "\t", head: tuple[str, ...] = ()) -> str:
    return lines([[value(row) for value in values] for row in ROWS], delimiter, head)


def user(row: Bought) -> int:
    return row.user


def item(row: Bought) -> int:
    return row.item


def rating(row: Bought) -> int:
    return row.rating


def time(row: Bought) -> int:
    return row.time


def goods(delimiter: str, *more: object, head: tuple[str, ...] = ()) -> str:
    return lines([[n, title(n), *more] for n in range(N_ITEMS)], delimiter, head)


def records(found: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in found)


@folder()
def movielens_100k(place: Path) -> Truth:
    put(place, u_data=rows(user, item, rating, time), u_item=goods("|", "01-Jan-1995", "", "", *"0100000000000000000"))
    (place / "u.genre").write_text("unknown|0\n", encoding="utf-8")
    return FOLDER


@folder()
def movielens_1m(place: Path) -> Truth:
    put(place, ratings_dat=rows(user, item, rating, time, delimiter="::"), movies_dat=goods("::", "Drama|War"))
    put(place, users_dat="1::F::1::10::48067\n")
    return FOLDER


@folder()
def movielens_latest(place: Path) -> Truth:
    head = ("userId", "movieId", "rating", "timestamp")
    put(place, ratings_csv=rows(user, item, lambda row: row.rating - 0.5, time, delimiter=",", head=head))
    put(place, movies_csv=goods(",", "Drama|War", head=("movieId", "title", "genres")), README_txt="Summary\n")
    return FOLDER.but(ratings=[row.rating - 0.5 for row in ROWS])


@folder()
def recbole(place: Path) -> Truth:
    head = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    put(place, shop_inter=rows(user, item, rating, lambda row: f"{row.time}.0", head=head))
    put(place, shop_item=goods("\t", "New Old", head=("item_id:token", "title:token_seq", "class:token_seq")))
    return FOLDER


@folder()
def recbole_with_a_split(place: Path) -> Truth:
    head = "user_id:token\titem_id:token\n"
    parts = {"train": range(240), "valid": range(240, 280), "test": range(280, len(ROWS))}
    for part, places in parts.items():
        body = "".join(f"{ROWS[n].user}\t{ROWS[n].item}\n" for n in places)
        (place / f"shop.{part}.inter").write_text(head + body, encoding="utf-8")
    put(place, shop_item=goods("\t", head=("item_id:token", "title:token_seq")))
    return FOLDER.but(ratings=None, times=None, says=("split: fixed",))


@folder("comparison")
def elliot(place: Path) -> Truth:
    put(place, dataset_tsv=rows(user, item, rating, time))
    return FOLDER.but(titles={})


@folder("comparison")
def elliot_with_a_header_and_a_split(place: Path) -> Truth:
    head = "userId\titemId\trating\n"
    written = rows(user, item, rating).splitlines(keepends=True)
    put(place, train_tsv=head + "".join(written[:280]), test_tsv=head + "".join(written[280:]))
    return FOLDER.but(titles={}, times=None, says=("! the data come with a split that has no part for valid",))


@folder()
def mmrec(place: Path) -> Truth:
    label = {n: 0 if n < 240 else 1 + n % 2 for n in range(len(ROWS))}
    cells = [[row.user - 1, row.item, row.rating, row.time, label[n]] for n, row in enumerate(ROWS)]
    head = ("userID", "itemID", "rating", "timestamp", "x_label")
    put(place, shop_inter=lines(cells, "\t", head))
    mapping = lines([[f"B{n:09d}", n] for n in range(N_ITEMS)], "\t", ("asin", "itemID"))
    (place / "i_id_mapping.csv").write_text(mapping, encoding="utf-8")
    rng = np.random.default_rng(2)
    kind = np.arange(N_ITEMS)[:, None] % 2
    for name in ("image", "text"):
        np.save(place / f"{name}_feat.npy", (kind + rng.normal(0, 0.3, (N_ITEMS, 6))).astype("float32"))
    return FOLDER.but(titles={}, pairs=[(str(row.user - 1), str(row.item)) for row in ROWS], says=("split: fixed",))


def asin(n: int) -> str:
    return f"B{n:09d}"


OF_AMAZON = FOLDER.but(
    titles={asin(n): title(n) for n in range(N_ITEMS)},
    pairs=[(f"A{row.user}", asin(row.item)) for row in ROWS],
)


@folder()
def amazon_2014(place: Path) -> Truth:
    reviews = [
        {
            "reviewerID": f"A{row.user}",
            "asin": asin(row.item),
            "overall": float(row.rating),
            "unixReviewTime": row.time,
        }
        for row in ROWS
    ]
    meta = [
        {"asin": asin(n), "title": title(n), "categories": [["Home", "Seats"]], "imUrl": "http://x"}
        for n in range(N_ITEMS)
    ]
    (place / "reviews_Home_5.json.gz").write_bytes(gzip.compress(records(reviews).encode()))
    (place / "meta_Home.json.gz").write_bytes(gzip.compress("".join(f"{record}\n" for record in meta).encode()))
    return OF_AMAZON


@folder()
def amazon_2018(place: Path) -> Truth:
    reviews = [
        {
            "overall": float(row.rating),
            "reviewerID": f"A{row.user}",
            "asin": asin(row.item),
            "unixReviewTime": row.time,
        }
        for row in ROWS
    ]
    meta = [
        {"asin": asin(n), "title": title(n), "description": [text(n)], "also_buy": [asin(0)], "image": []}
        for n in range(N_ITEMS)
    ]
    put(place, Home_5_json=records(reviews))
    (place / "Home.5.json").rename(place / "Home_5.json")
    (place / "meta_Home.json").write_text(records([*meta, meta[0]]), encoding="utf-8")
    return OF_AMAZON


@folder()
def amazon_2023(place: Path) -> Truth:
    reviews = [
        {
            "rating": float(row.rating),
            "text": 'It "sits", well\nand long',
            "images": [],
            "asin": "other",
            "parent_asin": asin(row.item),
            "user_id": f"A{row.user}",
            "timestamp": row.time * 1000,
        }
        for row in ROWS
    ]
    meta = [
        {
            "title": title(n),
            "features": [text(n)],
            "images": [{"large": "https://x", "hi_res": None}],
            "parent_asin": asin(n),
            "average_rating": 4.5,
            "price": None if n % 2 else "12.00",
        }
        for n in range(N_ITEMS)
    ]
    put(place, Home_jsonl=records(reviews))
    (place / "meta_Home.jsonl").write_text(records(meta), encoding="utf-8")
    return OF_AMAZON


@folder()
def amazon_2023_with_the_pictures_that_it_lists(place: Path) -> Truth:
    """Zero to two pictures of each product, called as their addresses end."""
    truth, meta = amazon_2023(place), place / "meta_Home.jsonl"
    products = [json.loads(line) for line in meta.read_text(encoding="utf-8").splitlines()]
    for n, product in enumerate(products):
        names = [f"{n}x{view}._AC_.jpg" for view in range(n % 3)]
        product["images"] = [{"variant": "MAIN", "large": f"https://x/I/{name}", "hi_res": None} for name in names]
        for view, name in enumerate(names):
            photo(place / "images" / name, (n + view) % N_ITEMS)
    meta.write_text(records(products), encoding="utf-8")
    several = {asin(n): n % 3 for n in range(N_ITEMS) if n % 3}
    return truth.but(pictures=frozenset(several), several=several, says=("30 pictures in all",))


@folder()
def microlens(place: Path) -> Truth:
    pairs = rows(user, item, lambda row: row.time * 1000, delimiter=",", head=("user", "item", "timestamp"))
    (place / "MicroLens-50k_pairs.csv").write_text(pairs, encoding="utf-8")
    (place / "MicroLens-50k_titles.csv").write_text(goods(",", head=("item", "title")), encoding="utf-8")
    return FOLDER.but(ratings=None)


@folder()
def book_crossing(place: Path) -> Truth:
    ratings = [["User-ID", "ISBN", "Book-Rating"], *([row.user, f"00{row.item}X", row.rating * 2] for row in ROWS)]
    head = ["ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher"]
    books = [head, *([f"00{n}X", title(n), "Ann", 2002, "House &amp; Co"] for n in range(N_ITEMS))]
    for name, cells in (("BX-Book-Ratings.csv", ratings), ("BX-Books.csv", books)):
        (place / name).write_bytes(in_quotes(cells, ";").encode("latin-1"))
    return FOLDER.but(
        titles={f"00{n}X": title(n) for n in range(N_ITEMS)},
        pairs=[(str(row.user), f"00{row.item}X") for row in ROWS],
        ratings=[row.rating * 2.0 for row in ROWS],
        times=None,
    )


YELP_TIME, MIND_TIME = "2018-07-07 22:09:11", "11/11/2019 9:05:58 AM"


@folder()
def yelp(place: Path) -> Truth:
    reviews = [
        {
            "user_id": str(row.user),
            "business_id": str(row.item),
            "stars": float(row.rating),
            "date": YELP_TIME,
        }
        for row in ROWS
    ]
    businesses = [
        {"business_id": str(n), "name": title(n), "city": "X", "categories": "Bars, Pubs"} for n in range(N_ITEMS)
    ]
    (place / "yelp_academic_dataset_review.json").write_text(records(reviews), encoding="utf-8")
    (place / "yelp_academic_dataset_business.json").write_text(records(businesses), encoding="utf-8")
    return FOLDER.but(times=[1531001351.0] * len(ROWS))


@folder()
def mind(place: Path) -> Truth:
    shown = [
        [n, f"U{row.user}", MIND_TIME, "", f"N{row.item}-1 N{(row.item + 1) % N_ITEMS}-0"]
        for n, row in enumerate(ROWS)
    ]
    news = [
        [f"N{n}", "news", "world", ('"' if n == 5 else "") + title(n), text(n), "https://x", "[]", "[]"]
        for n in range(N_ITEMS)
    ]
    put(place, behaviors_tsv=lines(shown, "\t"), news_tsv=lines(news, "\t"))
    return FOLDER.but(
        titles={f"N{n}": ('"' if n == 5 else "") + title(n) for n in range(N_ITEMS)},
        pairs=[(f"U{row.user}", f"N{row.item}") for row in ROWS],
        ratings=None,
        times=[1573463158.0] * len(ROWS),
    )


@folder()
def atomic_files_as_tables(place: Path) -> Truth:
    head = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    put(place, r_inter=rows(user, item, rating, time, head=head))
    put(place, i_csv=goods(",", head=("item_id:token", "title:token_seq")))
    return USUAL.but(arguments=("--interactions", "r.inter", "--items", "i.csv"))


@refused("is in no known layout")
def a_folder_in_no_layout(place: Path) -> Truth:
    usual(place)
    return FOLDER


@refused("no interaction")
def a_layout_whose_items_are_others(place: Path) -> Truth:
    put(
        place,
        ratings_dat=orders("::", ()),
        movies_dat=lines([[f"x{n}", title(n), "Drama"] for n in range(N_ITEMS)], "::"),
    )
    return FOLDER.but(pairs=PAIRS)
