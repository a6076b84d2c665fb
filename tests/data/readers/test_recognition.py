"""Folders as they are downloaded are recognised as one layout each, and read to the right titles by it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.content.encoders import encode
from recsys.data.cleaning import CleaningRules
from recsys.data.dataset import Dataset
from recsys.data.prepare import prepare
from recsys.data.raw import RawData
from recsys.data.readers import read, recognise, registry
from recsys.data.splits import SplitRule
from recsys.errors import UserError
from tests.data.readers.layout import write

ITEMS = {str(number): f"Title {number}" for number in range(100, 112)}
PAIRS = [(str(user), item) for user in range(1, 9) for item in list(ITEMS)[user % 3 :: 3]]
ASINS = {f"B000000{item}": title for item, title in ITEMS.items()}


def table(header: str, pattern: str) -> str:
    """A line for each pair, the pattern filled with user and item."""
    return header + "".join(pattern.format(user=user, item=item) + "\n" for user, item in PAIRS)


def names(header: str, pattern: str) -> str:
    return header + "".join(pattern.format(item=item, title=title) + "\n" for item, title in ITEMS.items())


def records(*fields: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in fields)


def lists() -> str:
    users = dict.fromkeys(user for user, _ in PAIRS)
    return "".join(f"{user}\t{' '.join(item for other, item in PAIRS if other == user)}\n" for user in users)


def review(user: str, item: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """A review, its fields called as one edition does."""
    return dict(zip(keys, (user, f"B000000{item}", 4.0, 1588687728), strict=True))


OLD = ("reviewerID", "asin", "overall", "unixReviewTime")
NEW = ("user_id", "parent_asin", "rating", "timestamp")
BOOKS = '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher"\n'
LAYOUTS: dict[str, tuple[str, dict[str, str | bytes]]] = {
    "ml-100k": (
        "movielens",
        {
            "u.data": table("", "{user}\t{item}\t4\t881250949"),
            "u.item": names("", "{item}|{title}|01-Jan-1995|||" + "|".join("0" * 19)),
        },
    ),
    "ml-1m": (
        "movielens",
        {
            "ratings.dat": table("", "{user}::{item}::4::978300760"),
            "movies.dat": names("", "{item}::{title}::Drama"),
            "users.dat": "1::F::1::10::48067\n",
        },
    ),
    "ml-latest": (
        "movielens",
        {
            "ratings.csv": table("userId,movieId,rating,timestamp\n", "{user},{item},4.0,978300760"),
            "movies.csv": names("movieId,title,genres\n", "{item},{title},Drama"),
            "tags.csv": "userId,movieId,tag,timestamp\n",
            "README.txt": "Summary\n",
        },
    ),
    "recbole": (
        "recbole",
        {
            "shop.inter": table("user_id:token\titem_id:token\trating:float\n", "{user}\t{item}\t4"),
            "shop.item": names("item_id:token\ttitle:token_seq\tclass:token_seq\n", "{item}\t{title}\tNew Old"),
        },
    ),
    "elliot": ("elliot", {"dataset.tsv": table("", "{user}\t{item}\t4\t978300760")}),
    "elliot split": (
        "elliot",
        {
            "train.tsv": table("", "{user}\t{item}\t4"),
            "val.tsv": "1\t100\t4\n2\t101\t4\n",
            "test.tsv": "1\t101\t4\n2\t100\t4\n",
        },
    ),
    "mmrec": (
        "mmrec",
        {
            "baby.inter": "userID\titemID\tx_label\n0\t0\t0\n0\t1\t1\n1\t1\t2\n",
            "i_id_mapping.csv": "asin\titemID\nB1\t0\nB2\t1\n",
        },
    ),
    "amazon 2014": (
        "amazon",
        {
            "reviews_Baby_5.json.gz": records(*(review(user, item, OLD) for user, item in PAIRS)),
            "meta_Baby.json.gz": "".join(f"{ {'asin': asin, 'title': title} }\n" for asin, title in ASINS.items()),
        },
    ),
    "amazon 2018": (
        "amazon",
        {
            "Baby_5.json.gz": records(*(review(user, item, OLD) for user, item in PAIRS)),
            "meta_Baby.json.gz": records(
                *({"asin": asin, "title": title, "category": ["Baby", "Cups"]} for asin, title in ASINS.items())
            ),
        },
    ),
    "amazon 2023": (
        "amazon",
        {
            "Baby.jsonl": records(*(review(user, item, NEW) for user, item in PAIRS)),
            "meta_Baby.jsonl": records(*({"parent_asin": asin, "title": title} for asin, title in ASINS.items())),
        },
    ),
    "microlens": (
        "microlens",
        {
            "MicroLens-50k_pairs.csv": table("user,item,timestamp\n", "{user},{item},1583378629552"),
            "MicroLens-50k_pairs.tsv": lists(),
            "MicroLens-50k_titles.csv": names("item,title\n", "{item},{title}"),
        },
    ),
    "microlens lists": ("microlens", {"MicroLens-50k_pairs.tsv": lists()}),
    "book-crossing": (
        "bookcrossing",
        {
            "BX-Book-Ratings.csv": table('"User-ID";"ISBN";"Book-Rating"\n', '"{user}";"{item}";"8"'),
            "BX-Books.csv": names(BOOKS, '"{item}";"{title}";"Ann";"2002";"House"'),
            "BX-Users.csv": '"User-ID";"Location";"Age"\n"1";"here";NULL\n',
        },
    ),
    "yelp": (
        "yelp",
        {
            "yelp_academic_dataset_review.json": records(
                *({"user_id": u, "business_id": i, "stars": 4.0, "date": "2018-07-07 22:09:11"} for u, i in PAIRS)
            ),
            "yelp_academic_dataset_business.json": records(
                *({"business_id": item, "name": title, "categories": "Bars, Pubs"} for item, title in ITEMS.items())
            ),
        },
    ),
    "mind": (
        "mind",
        {
            "behaviors.tsv": table("", "1\tU{user}\t11/11/2019 9:05:58 AM\t\t{item}-1 105-0"),
            "news.tsv": names("", "{item}\tnews\tworld\t{title}\t\thttps://x\t[]\t[]"),
        },
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_folder_is_one_layout_and_its_titles_are_those_of_the_files(tmp_path: Path, name: str) -> None:
    reader, files = LAYOUTS[name]
    write(tmp_path, files)
    found = recognise(tmp_path)
    assert [layout.reader for layout in found] == [reader]
    assert found[0].why and found[0].feedback
    raw = read(reader, found[0].options, tmp_path, tmp_path)
    titles = raw.items.set_index("item_id")["title"].dropna()
    expected = {} if name in {"elliot", "elliot split", "mmrec", "microlens lists"} else ITEMS
    expected = ASINS if reader == "amazon" else expected
    assert {str(item): title for item, title in titles.items()} == expected
    if name not in {"mmrec", "elliot split"}:
        assert len(raw.interactions) == len(PAIRS)


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("ml-1m", "genres", 1),
        ("recbole", "class", 2),
        ("amazon 2018", "categories", 2),
        ("yelp", "categories", 2),
        ("mind", "category", 1),
    ],
)
def test_attributes_survive_in_the_dataset_as_what_the_encoder_reads(
    tmp_path: Path, name: str, column: str, values: int
) -> None:
    reader, files = LAYOUTS[name]
    raw = read(reader, {}, write(tmp_path / "source", files), tmp_path)
    data = prepare(raw, CleaningRules(), SplitRule())
    data.save(tmp_path)
    items = Dataset.load(tmp_path).items
    assert len(items) == len(ITEMS)
    assert encode("attributes", {"columns": [column]}, items).matrix.shape == (len(ITEMS), values)


@pytest.mark.parametrize("files", [{}, {"a.csv": "user,item\n1,2\n"}, {"u.data": ""}, {"train.tsv": "x\n"}])
def test_other_folders_are_no_layout(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert recognise(write(tmp_path, files)) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        recognise(tmp_path / "nowhere")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    place=st.floats(0, 1),
    noise=st.one_of(st.binary(max_size=6), st.sampled_from([b"\0", b'"', b"\t", b"\n", b"\xff\xfe", b"::", b"{'"])),
    cut=st.booleans(),
)
def test_damaged_files_are_read_or_refused_in_a_line(
    tmp_path_factory: pytest.TempPathFactory, layout: str, place: float, noise: bytes, cut: bool
) -> None:
    """Bytes are put into each file, or take the place of its rest."""
    reader, files = LAYOUTS[layout]
    folder = write(tmp_path_factory.mktemp("damaged"), files)
    for path in folder.iterdir():
        data = path.read_bytes()
        at = int(place * len(data))
        path.write_bytes(data[:at] + noise + (b"" if cut else data[at:]))
    for found in recognise(folder):
        assert found.reader in registry.names()
    try:
        raw = read(reader, {}, folder, folder)
    except UserError as error:
        assert str(error).count("\n") == 0
    else:
        assert isinstance(raw, RawData)
        assert raw.interactions["user_id"].notna().all()
