"""Ratings that are no stars, and times in every spelling."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.corpus.shop import ROWS, USUAL, Bought, Truth, folder, goods, lines, orders, put


def rated(value: Callable[[Bought], object], name: str = "rating") -> Callable[[Path], Truth]:
    """Orders with other ratings, which are read as they are."""

    def write(place: Path) -> Truth:
        put(place, r_csv=orders(head=("user_id", "item_id", name, "timestamp"), rating=value), i_csv=goods())
        return USUAL.but(ratings=[float(str(value(row))) for row in ROWS])

    return write


def timed(value: Callable[[Bought], object], seconds: Callable[[Bought], float], name: str) -> Callable[[Path], Truth]:
    """Orders with other times."""

    def write(place: Path) -> Truth:
        put(place, r_csv=orders(head=("user_id", "item_id", "rating", name), time=value), i_csv=goods())
        return USUAL.but(times=[seconds(row) for row in ROWS])

    return write


def _register(**folders: Callable[[Path], Truth]) -> None:
    for name, write in folders.items():
        write.__name__ = name
        folder()(write)


def when(row: Bought) -> datetime:
    return datetime.fromtimestamp(row.time, UTC)


def exactly(row: Bought) -> float:
    return float(row.time)


_register(
    ratings_in_percent=rated(lambda row: row.rating * 20, "score"),
    ratings_below_one=rated(lambda row: f"0.{row.rating}5"),
    ratings_of_half_stars=rated(lambda row: row.rating - 0.5, "Book-Rating"),
    thumbs_up_and_down=rated(lambda row: 1 if row.rating > 3 else -1),
    counts_of_plays=rated(lambda row: 10 ** (row.rating - 3) + row.item, "play_count"),
    zeros_that_are_no_ratings=rated(lambda row: 0 if row.rating == 4 else row.rating),
    ratings_all_alike=rated(lambda row: 5),
    times_in_milliseconds=timed(lambda row: row.time * 1000 + 250, lambda row: row.time + 0.25, "timestamp"),
    times_in_nanoseconds=timed(lambda row: row.time * 10**9, exactly, "ts"),
    times_with_a_fraction=timed(lambda row: f"{row.time}.5", lambda row: row.time + 0.5, "unix_timestamp"),
    times_in_iso=timed(
        lambda row: when(row).isoformat().replace("+00:00", ".125Z"), lambda row: row.time + 0.125, "date"
    ),
    times_of_another_zone=timed(
        lambda row: f"{when(row):%Y-%m-%d %H:%M:%S}+02:00", lambda row: row.time - 7200, "when"
    ),
    days=timed(lambda row: f"{when(row):%Y%m%d}", lambda row: row.time // 86400 * 86400.0, "day"),
)


@folder()
def times_of_which_many_are_missing(place: Path) -> Truth:
    put(place, r_csv=orders(time=lambda row: row.time if row.item % 5 else ""), i_csv=goods())
    return USUAL.but(times=None, says=("! column 'timestamp'",))


@folder()
def times_of_which_few_are_missing(place: Path) -> Truth:
    put(place, r_csv=orders(time=lambda row: "" if row.item == 5 else row.time), i_csv=goods())
    return USUAL.but(times=[float("nan") if row.item == 5 else float(row.time) for row in ROWS])


@folder()
def times_all_alike(place: Path) -> Truth:
    put(place, r_csv=orders(time=lambda row: 1_600_000_000), i_csv=goods())
    return USUAL.but(times=[1_600_000_000.0] * len(ROWS), says=("! split: ratio",))


@folder()
def dates_that_are_not_read(place: Path) -> Truth:
    head = ("user_id", "item_id", "rating", "date")
    put(place, r_csv=orders(head=head, time=lambda row: f"{when(row):%d.%m.%Y}"), i_csv=goods())
    return USUAL.but(times=None, says=("! ", "date"))


@folder()
def kinds_of_action(place: Path) -> Truth:
    kinds = {3: "view", 4: "addtocart", 5: "purchase"}
    head = ("visitorid", "itemid", "event", "timestamp")
    put(
        place,
        r_csv=orders(head=head, rating=lambda row: kinds[row.rating]),
        i_csv=goods(head=("itemid", "title", "text")),
    )
    return USUAL.but(ratings=None, says=("'event'",))


@folder()
def words_for_ratings(place: Path) -> Truth:
    words = {3: "ok", 4: "good", 5: "great"}
    put(place, r_csv=orders(rating=lambda row: words[row.rating]), i_csv=goods())
    return USUAL.but(ratings=None, says=("! ", "'rating'"))


@folder()
def some_ratings_are_no_numbers(place: Path) -> Truth:
    put(place, r_csv=orders() + "1,2,many,1600000000\n", i_csv=goods())
    return USUAL.but(says=("rating is not a number",))


@folder()
def nothing_but_pairs(place: Path) -> Truth:
    put(place, r_csv=orders(head=("user_id", "item_id")), i_csv=goods())
    return USUAL.but(ratings=None, times=None)


@folder("comparison")
def items_without_words(place: Path) -> Truth:
    cells = [[n, n % 7] for n in range(30)]
    put(place, r_csv=orders(), i_csv=lines(cells, head=("item_id", "price")))
    return USUAL.but(titles={})
