"""What stands in every folder of the corpus, however it is written there: a shop whose people buy chairs or tents.

Each folder is a function that writes it and says what is true of it. It is registered under its name by `folder`, with
the way it must end: in a verdict, in a comparison of models where nothing is known of the items, or in a refusal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

N_USERS, N_ITEMS, EACH = 40, 30, 8
FIRST_TIME, STEP = 1_600_000_000, 3600
WOODS = ("oak", "pine", "beech", "walnut", "ash")
CLOTHS = ("cotton", "nylon", "canvas", "felt", "jute")


@dataclass(frozen=True)
class Bought:
    """A row of the interactions: numbers of the person and of the item, stars, and seconds since 1970."""

    user: int
    item: int
    rating: int
    time: int


def _bought() -> list[Bought]:
    rng = np.random.default_rng(3)
    rows = []
    for user in range(1, N_USERS + 1):
        own = rng.permutation(np.arange(user % 2, N_ITEMS, 2))[: EACH - 1]
        other = rng.integers(0, N_ITEMS // 2) * 2 + 1 - user % 2
        stars = rng.choice([3, 4, 5], EACH, p=[0.1, 0.4, 0.5])
        rows += [(user, int(item), int(rating)) for item, rating in zip([*own, other], stars, strict=True)]
    order = rng.permutation(len(rows))
    return [Bought(*rows[n], FIRST_TIME + STEP * place) for place, n in enumerate(order)]


ROWS = _bought()


def title(item: int) -> str:
    """No two items have the same, and those of one kind share words."""
    return f"Chair of {WOODS[item // 2 % 5]} {item}" if item % 2 == 0 else f"Tent of {CLOTHS[item // 2 % 5]} {item}"


def text(item: int) -> str:
    """A sentence on an item."""
    return f"To {'sit on at a table' if item % 2 == 0 else 'sleep in on a meadow'}, number {item} of the shop"


def plain(item: int) -> str:
    """The sentence without its comma, for a cell that no quotes stand around."""
    return text(item).replace(",", "")


TITLES = {str(item): title(item) for item in range(N_ITEMS)}
PAIRS = [(str(row.user), str(row.item)) for row in ROWS]


@dataclass(frozen=True)
class Truth:
    """What is true of a folder.

    Attributes:
        arguments: of `modalift new NAME --yes`; files are relative to the folder.
        titles: by the id of each item that can be read, the title, or what its text begins with; empty where the
            folder has no words.
        pairs: person and item of each row that can be read, in the order of the files.
        ratings: of each row; None where they are not read.
        times: of each row, in seconds since 1970; None where they are not read.
        pictures: items with a picture that can be read.
        several: how many pictures are used of these items; of all others with a picture, one.
        says: parts of what `new` must print.
    """

    arguments: tuple[str, ...] = ("--interactions", "r.csv", "--items", "i.csv")
    titles: Mapping[str, str] = field(default_factory=lambda: TITLES)
    pairs: Sequence[tuple[str, str]] = field(default_factory=lambda: PAIRS)
    ratings: Sequence[float] | None = field(default_factory=lambda: [float(row.rating) for row in ROWS])
    times: Sequence[float] | None = field(default_factory=lambda: [float(row.time) for row in ROWS])
    pictures: frozenset[str] = frozenset()
    several: Mapping[str, int] = field(default_factory=dict)
    says: tuple[str, ...] = ()

    def but(self, **changes: object) -> "Truth":
        """The same with other attributes."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def of_rows(self, rows: Sequence[Bought]) -> "Truth":
        """The same where these rows can be read, in this order."""
        return self.but(
            pairs=[(str(row.user), str(row.item)) for row in rows],
            ratings=[float(row.rating) for row in rows],
            times=[float(row.time) for row in rows],
        )


USUAL = Truth()


def of(interactions: str, items: str, *more: str) -> tuple[str, ...]:
    """Arguments that name two files."""
    return ("--interactions", interactions, "--items", items, *more)


@dataclass(frozen=True)
class Folder:
    """A folder of the corpus.

    Attributes:
        write: writes the files and says what is true.
        ends: `verdict`, `comparison`, or a part of the line in which it must be refused.
    """

    write: Callable[[Path], Truth]
    ends: str

    @property
    def is_refused(self) -> bool:
        """Whether it must end in a line and exit code 2."""
        return self.ends not in ("verdict", "comparison")


FOLDERS: dict[str, Folder] = {}


def folder(ends: str = "verdict") -> Callable[[Callable[[Path], Truth]], Callable[[Path], Truth]]:
    """Register a function as a folder of the corpus."""

    def register(write: Callable[[Path], Truth]) -> Callable[[Path], Truth]:
        assert write.__name__ not in FOLDERS
        FOLDERS[write.__name__] = Folder(write, ends)
        return write

    return register


def refused(line: str) -> Callable[[Callable[[Path], Truth]], Callable[[Path], Truth]]:
    """Register a function as a folder that must be refused in a line with these words."""
    return folder(line)


def lines(rows: Sequence[Sequence[object]], delimiter: str = ",", head: Sequence[str] = (), end: str = "\n") -> str:
    """Rows as delimited text, as they are; no cell is quoted."""
    every = [head, *rows] if head else rows
    return "".join(delimiter.join(map(str, row)) + end for row in every)


def in_quotes(rows: Sequence[Sequence[object]], delimiter: str = ",", mark: str = '"') -> str:
    """Rows as delimited text with all cells between quotation marks."""
    return lines([[f"{mark}{cell}{mark}" for cell in row] for row in rows], delimiter)


ORDERS_HEAD = ("user_id", "item_id", "rating", "timestamp")
GOODS_HEAD = ("item_id", "title", "description")


def orders(
    delimiter: str = ",", head: Sequence[str] = ORDERS_HEAD, end: str = "\n", **change: Callable[[Bought], object]
) -> str:
    """The interactions as delimited text; `change` gives other values of `user`, `item`, `rating` or `time`."""
    columns = {
        "user": lambda row: row.user,
        "item": lambda row: row.item,
        "rating": lambda row: row.rating,
        "time": lambda row: row.time,
    } | change
    chosen = list(columns.values())[: len(head) or 4]
    return lines([[value(row) for value in chosen] for row in ROWS], delimiter, head, end)


def goods(
    delimiter: str = ",",
    head: Sequence[str] = GOODS_HEAD,
    end: str = "\n",
    item: Callable[[int], object] = lambda number: number,
    name: Callable[[int], str] = title,
    words: Callable[[int], str] = plain,
) -> str:
    """The items as delimited text."""
    return lines([[item(n), name(n), words(n)] for n in range(N_ITEMS)], delimiter, head, end)


def put(place: Path, **files: str | bytes) -> None:
    """Write files, `_csv` and the like at the end of a name being its suffix."""
    for name, content in files.items():
        path = place / name.replace("_", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def usual(place: Path) -> Truth:
    """`r.csv` and `i.csv` by the book."""
    put(place, r_csv=orders(), i_csv=goods())
    return USUAL
