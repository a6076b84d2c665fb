"""Yelp's dataset: reviews, businesses, photos."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, picture, quarantined, rows, seconds, write

PREFIX = "yelp_academic_dataset_"


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def review(user: str | None, business: str, stars: float, date: str) -> dict[str, Any]:
    fields = {"review_id": "r", "user_id": user, "business_id": business, "stars": stars, "date": date}
    return {**fields, "useful": 0, "funny": 0, "cool": 0, "text": 'A "good" one.\nReally.'}


BUSINESSES = lines(
    {
        "business_id": "b1",
        "name": "Café Zoë",
        "city": "Reno",
        "state": "NV",
        "stars": 4.5,
        "review_count": 9,
        "attributes": {"WiFi": "u'free'"},
        "categories": "Cafes, Coffee & Tea",
        "hours": None,
    },
    {"business_id": "b2", "name": "Bar", "city": "Reno", "state": "NV", "attributes": None, "categories": None},
)


@pytest.fixture
def yelp(tmp_path: Path) -> Path:
    reviews = lines(
        review("u1", "b1", 3.0, "2018-07-07 22:09:11"),
        review("u2", "b2", 5.0, "2018-07-08 00:00:00"),
        review("u2", "b9", 5.0, "2018-07-08 00:00:00"),
        review(None, "b1", 5.0, "2018-07-08 00:00:00"),
    )
    files = {f"{PREFIX}review.json": reviews + '{"review_id": "cut', f"{PREFIX}business.json": BUSINESSES}
    return write(tmp_path, files)


def test_stars_dates_and_names_are_read_and_what_reviews_make_is_not(yelp: Path) -> None:
    raw = read("yelp", {}, yelp, yelp)
    assert rows(raw, "rating") == [("u1", "b1", 3.0), ("u2", "b2", 5.0)]
    assert seconds(raw) == [1531001351, 1531008000]
    assert column(raw, "title") == {"b1": "Café Zoë", "b2": "Bar"}
    assert column(raw, "categories") == {"b1": ["Cafes", "Coffee & Tea"]}
    assert column(raw, "text") == {"b1": "Cafes, Coffee & Tea\nReno", "b2": "Reno"}
    assert not {"stars", "review_count"} & set(raw.items)
    assert sorted(row for _, row, *_ in quarantined(raw)) == [3, 4, 5]


def test_the_photos_of_a_business_are_its_pictures_in_the_order_of_the_list(yelp: Path) -> None:
    photo = picture(yelp / "photos" / "p2.jpg")
    Image.new("RGB", (9, 9)).save(yelp / "photos" / "p1.jpg")
    listing = lines(
        {"photo_id": "p2", "business_id": "b1", "caption": "", "label": "food"},
        {"photo_id": "p3", "business_id": "b1", "caption": "", "label": "inside"},
        {"photo_id": "p1", "business_id": "b1", "caption": "", "label": "inside"},
    )
    raw = read("yelp", {}, write(yelp, {"photos.json": listing}), yelp)
    assert column(raw, "image_path") == {"b1": str(photo)}
    assert column(raw, "further_image_paths") == {"b1": [str(yelp / "photos" / "p1.jpg")]}


def test_it_is_recognised_or_refused_in_a_line(yelp: Path, tmp_path: Path) -> None:
    assert [layout.reader for layout in recognise(yelp)] == ["yelp"]
    (yelp / f"{PREFIX}business.json").unlink()
    assert recognise(yelp) == []
    with pytest.raises(UserError, match="there is no yelp_academic_dataset_business.json"):
        read("yelp", {}, yelp, yelp)
