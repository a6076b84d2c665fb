"""Amazon Reviews in the layouts of 2014, 2018 and 2023."""

import json
import lzma
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from recsys.data.images import pictures_of
from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, picture, quarantined, rows, seconds, write


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def review(user: str, item: str, stars: float, when: int) -> dict[str, Any]:
    """A review of 2014 or 2018."""
    fields = {"reviewerID": user, "asin": item, "overall": stars, "unixReviewTime": when}
    return {**fields, "reviewText": 'He said "no".\nTwice.', "helpful": [0, 0], "style": {"Size:": " L"}}


def review_2023(user: str, item: str, stars: float, when: int) -> dict[str, Any]:
    fields = {"user_id": user, "asin": "B0CHILD000", "parent_asin": item, "rating": stars, "timestamp": when}
    return {**fields, "title": "Good", "text": "it is", "images": [{"small_image_url": "https://x/1.jpg"}]}


META_2014 = (
    "{'asin': 'B00000001A', 'title': \"Bob's &amp; cups\", 'price': 9.99, 'categories': [['Baby', 'Cups'], ['Baby']], "
    "'related': {'also_bought': ['B1']}, 'salesRank': {'Baby': 3}, 'description': 'For tea'}\n"
    "{'asin': 'B00000002B', 'imUrl': 'http://x/1.jpg'}\n"
    "__import__('os').system('touch hacked')\n"
    "{'asin': open('/etc/passwd').read()}\n"
    '{{"asin": "B00000003C"}}\n'
)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_2014_has_literals_of_python_that_are_never_run(tmp_path: Path, ending: str) -> None:
    reviews = lines(review("A1", "B00000001A", 5.0, 1370000000), review("A2", "B00000002B", 2.0, 1370000001))
    files = {f"reviews_Baby_5.json{ending}": reviews + "{broken\n", f"meta_Baby.json{ending}": META_2014}
    raw = read("amazon", {}, write(tmp_path, files), tmp_path)
    assert column(raw, "title") == {"B00000001A": "Bob's & cups"}
    assert column(raw, "text") == {"B00000001A": "For tea"}
    assert column(raw, "categories") == {"B00000001A": ["Baby", "Cups"]}
    assert rows(raw, "rating", "timestamp") == [
        ("A1", "B00000001A", 5.0, 1370000000),
        ("A2", "B00000002B", 2.0, 1370000001),
    ]
    assert {("items", 3), ("items", 4), ("items", 5), ("interactions", 3)} == {
        (table, row) for table, row, *_ in quarantined(raw)
    }
    assert not Path("hacked").exists()


def test_2018_has_lists_pages_as_titles_and_repeated_products(tmp_path: Path) -> None:
    meta = lines(
        {"asin": "B00000001A", "title": "Chair", "description": ["Oak", ""], "feature": ["Solid"], "brand": "Acme"},
        {"asin": "B00000002B", "title": "var x = new Date().getTime();", "description": [], "category": ["Home"]},
        {"asin": "B00000001A", "title": "Chair again", "also_buy": ["B1"], "rank": ["1 in Home"]},
    )
    reviews = lines(review("A1", "B00000001A", 5.0, 1500000000), review("A1", "B9", 5.0, 1500000000))
    write(tmp_path, {"Home.json.gz": reviews, "meta_Home.json.gz": meta})
    there = picture(tmp_path / "images" / "B00000001A.jpg")
    raw = read("amazon", {}, tmp_path, tmp_path)
    assert column(raw, "title") == {"B00000001A": "Chair"}
    assert column(raw, "text") == {"B00000001A": "Solid\nOak"}
    assert column(raw, "brand") == {"B00000001A": "Acme"}
    assert column(raw, "categories") == {"B00000002B": ["Home"]}
    assert column(raw, "image_path") == {"B00000001A": str(there)}
    assert quarantined(raw) == [
        ("items", 2, "B00000002B", "title is code of a web page: the item is kept without it"),
        ("items", 3, "B00000001A", "item id again: the first row was kept"),
        ("interactions", 2, "A1 / B9", "unknown item"),
    ]


def test_2023_joins_by_parent_asin_and_its_times_are_milliseconds(tmp_path: Path) -> None:
    meta = lines(
        {
            "main_category": "All Beauty",
            "title": "Howard LC0008",
            "average_rating": 4.8,
            "features": ["Safe", "Mild"],
            "description": [],
            "images": [{"thumb": "https://x/1.jpg", "variant": "MAIN", "hi_res": None}],
            "videos": [],
            "store": "Howard",
            "categories": ["Beauty", "Skin"],
            "details": {"Size": "L"},
            "parent_asin": "B01CUPMQZE",
            "bought_together": None,
        },
        {"title": "No id", "parent_asin": None},
    )
    reviews = lines(
        review_2023("AGK", "B01CUPMQZE", 5.0, 1588687728923),
        review_2023("AGK", "B01CUPMQZE", 0.0, 1588687728924),
        review_2023("AGL", "B01CUPMQZE", 1.0, 1588687729000),
    )
    raw = read("amazon", {}, write(tmp_path, {"Beauty.jsonl": reviews, "meta_Beauty.jsonl": meta}), tmp_path)
    assert column(raw, "title") == {"B01CUPMQZE": "Howard LC0008"}
    assert column(raw, "text") == {"B01CUPMQZE": "Safe\nMild"}
    assert column(raw, "brand") == {"B01CUPMQZE": "Howard"}
    assert column(raw, "categories") == {"B01CUPMQZE": ["Beauty", "Skin"]}
    assert "average_rating" not in raw.items
    assert raw.interactions["rating"].tolist() == [5.0, 1.0]
    assert seconds(raw) == [1588687728.923, 1588687729]
    assert ("interactions", 2, "AGK / B01CUPMQZE", "rating of 0, which is none of 1 to 5 stars") in quarantined(raw)


@pytest.mark.parametrize("kind", ["lines", "lines.gz", "lines.xz", "parquet"])
def test_2023_lists_the_pictures_of_a_product_and_those_that_were_fetched_are_used(tmp_path: Path, kind: str) -> None:
    def listed(*names: tuple[str, str | None]) -> list[dict[str, str | None]]:
        return [
            {
                "variant": variant,
                "thumb": f"https://m/{name}._SS40_.jpg?x=1",
                "large": f"https://m/{name}.jpg",
                "hi_res": high,
            }
            for variant, (name, high) in zip(("MAIN", "PT01", "PT02", "PT03"), names, strict=False)
        ]

    products = {
        "B01CUPMQZE": listed(("a", "https://m/a_hi.jpg"), ("z", None), ("b", None), ("c", None)),
        "B01CUPMQZF": listed(("gone", None)),
        "B01CUPMQZG": [],
    }
    names = ["a.jpg", "a_hi.jpg", "b._SS40_.jpg", "c.jpg", "B01CUPMQZF_2.jpg", "B01CUPMQZF_10.jpg", "B01CUPMQZE.jpg"]
    for place, name in enumerate(names, start=8):
        Image.new("RGB", (place, 8), "red").save(picture(tmp_path / "images" / name))
    reviews = lines(*(review_2023("AGK", item, 5.0, 1588687728923) for item in products))
    write(tmp_path, {"Beauty.jsonl": reviews})
    rows = [{"parent_asin": item, "title": item, "images": images} for item, images in products.items()]
    if kind == "parquet":
        keys = ("variant", "thumb", "large", "hi_res")
        turned = [row | {"images": {key: [each[key] for each in row["images"]] for key in keys}} for row in rows]
        pd.DataFrame(turned).to_parquet(tmp_path / "meta_Beauty.parquet")
    else:
        packed = lzma.compress(lines(*rows).encode()) if kind == "lines.xz" else lines(*rows)
        write(tmp_path, {f"meta_Beauty.jsonl{kind[5:]}": packed})
    (meta,) = tmp_path.glob("meta_*")
    raw = read("amazon", {"meta": meta.name, "pictures": 2}, tmp_path, tmp_path)
    found = [[Path(each.path).name for each in of_item] for of_item in pictures_of(raw.items)]
    # Of the first picture the largest size; an item none of whose listed pictures is there is found by its name.
    assert found == [["a_hi.jpg", "b._SS40_.jpg"], ["B01CUPMQZF_2.jpg", "B01CUPMQZF_10.jpg"], []]
    aside = {key: reason for table, _, key, reason in quarantined(raw) if table == "images"}
    for further in ("c.jpg", "B01CUPMQZE.jpg"):
        assert aside[f"B01CUPMQZE / {further}"] == "a further picture of an item, of which `pictures: 2` are used"


@pytest.mark.parametrize(
    "content",
    [
        "A2H3JURQZOHVMB,B00000001A,5.0,1370000000\nA3,0764443682,1.0,1370000001\n",
        "B00000001A,A2H3JURQZOHVMB,5.0,1370000000\n0764443682,A3,1.0,1370000001\n",
        "user_id,parent_asin,rating,timestamp\nA2H3JURQZOHVMB,B00000001A,5.0,1370000000000\n"
        "A3,0764443682,1.0,1370000001000\n",
    ],
)
def test_ratings_only_are_in_three_orders(tmp_path: Path, content: str) -> None:
    raw = read("amazon", {}, write(tmp_path, {"ratings_Baby.csv": content}), tmp_path)
    assert rows(raw, "rating") == [("A2H3JURQZOHVMB", "B00000001A", 5.0), ("A3", "0764443682", 1.0)]
    assert seconds(raw) == [1370000000, 1370000001]


def test_ratings_whose_items_cannot_be_told_are_refused_in_a_line(tmp_path: Path) -> None:
    write(tmp_path, {"ratings_Baby.csv": "1,2,5.0,1370000000\n"})
    with pytest.raises(UserError, match="which of the first two columns is the item is not clear"):
        read("amazon", {}, tmp_path, tmp_path)


def test_it_is_recognised_by_the_fields_of_a_review(tmp_path: Path) -> None:
    write(tmp_path, {"Beauty.jsonl": lines(review_2023("u", "B01CUPMQZE", 5.0, 1)), "meta_Beauty.jsonl": "{}\n"})
    assert [(layout.reader, layout.min_rating) for layout in recognise(tmp_path)] == [("amazon", 4)]
