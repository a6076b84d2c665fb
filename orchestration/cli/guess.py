"""Which column of a user's own tables is what, by name and by value, with the reason in words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from recsys.errors import UserError

SAMPLE = 20_000
NAMES = {
    "user": "user userid uid username customer customerid cust custid buyer buyerid reviewer reviewerid client "
    "clientid account accountid member memberid visitor visitorid profile profileid person personid reader readerid "
    "listener listenerid player playerid session sessionid",
    "item": "item itemid iid product productid prod prodid asin parentasin sku movie movieid film filmid book bookid "
    "isbn song songid track trackid artist artistid video videoid game gameid steamid app appid recipe recipeid news "
    "newsid article articleid business businessid course courseid listing listingid gid id",
    "rating": "rating ratings stars star starrating score overall rate grade userrating reviewrating overallrating",
    "timestamp": "timestamp ts time unixtime unixreviewtime date datetime createdat created reviewedat reviewtime "
    "eventtime eventdate purchasedat purchasedate orderdate ratedat viewedat interactiontime tdat when day",
    "title": "title name productname itemname producttitle itemtitle movietitle booktitle songname trackname gamename "
    "articletitle prodname displayname headline label",
    "text": "description desc text summary plot overview synopsis abstract body content longdescription "
    "shortdescription productdescription detaildesc details features about story review lyrics tagline subtitle "
    "genres genre tags tag keywords category categories brand author authors",
    "image": "image img imagepath imagefile imagename picture pic photo poster posterpath cover coverpath thumbnail "
    "thumb filename file path",
}
KNOWN = {role: names.split() for role, names in NAMES.items()}


@dataclass(frozen=True)
class Guess:
    """Columns by role, None where there is none, and for each a line that says why."""

    user: str
    item: str
    catalogue_item: str
    rating: str | None
    timestamp: str | None
    title: str | None
    text: tuple[str, ...]
    image: str | None
    reasons: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """A column's name in small letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def named(role: str, columns: Iterable[str]) -> list[str]:
    """The columns whose names speak for a role, the likeliest first."""
    known = KNOWN[role]
    found = [column for column in columns if plain(column) in known]
    return sorted(found, key=lambda column: known.index(plain(column)))


def guess(interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str]) -> Guess:
    """Guess the columns of two tables of strings; `where` names their files for errors.

    Raises:
        UserError: no column can be the user's or the item's id.
    """
    reasons: list[str] = []
    sample = interactions.head(SAMPLE)
    columns, item_columns = map(str, interactions), map(str, items)
    item, catalogue_item = _items(sample, items, where, reasons)
    left = [column for column in columns if column != item]
    rating = next((c for c in named("rating", left) if _numeric(sample[c])), None)
    timestamp = next((c for c in named("timestamp", left) if c != rating and _times(sample[c])), None)
    user = _user(sample, [c for c in left if c not in (rating, timestamp)], where[0], reasons)
    described = [column for column in item_columns if column != catalogue_item]
    title = next((c for c in named("title", described) if not _numeric(items[c])), None)
    text = tuple(c for c in described if c in named("text", described) and c != title and not _numeric(items[c]))
    image = next((c for c in named("image", described) if c not in text and _files(items[c])), None)
    for role, column in (("rating", rating), ("timestamp", timestamp), ("title", title)):
        if column is not None:
            reasons.append(f"{role}: '{column}', by its name and values")
    if text:
        reasons.append(f"text: {', '.join(repr(column) for column in text)}, by name")
    return Guess(user, item, catalogue_item, rating, timestamp, title, text, image, reasons)


def _items(
    interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str], reasons: list[str]
) -> tuple[str, str]:
    """The pair of columns that share most ids; names decide between equals."""
    columns, item_columns = list(map(str, interactions)), list(map(str, items))
    candidates = [c for c in item_columns if items[c].notna().all() and items[c].is_unique] or item_columns
    shares = {
        (column, ids): float(interactions[column].dropna().isin(set(items[ids])).mean())
        for ids in candidates
        for column in columns
        if column not in named("rating", columns) + named("timestamp", columns)
    }
    speaking = (set(named("item", columns)), set(named("item", item_columns)))

    def likely(pair: tuple[str, str]) -> tuple[float, int, int]:
        by_name = (pair[0] in speaking[0]) + (pair[1] in speaking[1]) + (plain(pair[0]) == plain(pair[1]))
        return (round(shares[pair], 1), by_name, -named("user", columns).count(pair[0]))

    best = max(shares, key=likely)
    if not shares[best] > 0:
        raise UserError(
            f"{where[0]} and {where[1]} share no item id in any column: give tables whose item ids are the same"
        )
    reasons.append(f"item: '{best[0]}', whose values are in column '{best[1]}' of the items for {shares[best]:.0%}")
    return best


def _user(interactions: pd.DataFrame, columns: list[str], where: str, reasons: list[str]) -> str:
    speaking = named("user", columns) or [c for c in columns if re.search("user|customer|reviewer|member", plain(c))]
    if speaking:
        reasons.append(f"user: '{speaking[0]}', by its name")
        return speaking[0]
    repeated = [c for c in columns if 1 < interactions[c].nunique() < len(interactions)]
    if not repeated:
        has = ", ".join(map(str, interactions))
        raise UserError(f"{where}: no column looks like a user's id (it has {has}); rename one to 'user_id'")
    best = max(repeated, key=lambda column: interactions[column].nunique())
    reasons.append(f"user: '{best}', the column with most values that repeat")
    return best


def _numeric(values: pd.Series) -> bool:
    known = values.dropna()
    return bool(len(known)) and bool(pd.to_numeric(known, errors="coerce").notna().mean() > 0.9)


def _times(values: pd.Series) -> bool:
    known = values.dropna()
    if _numeric(known):
        return True
    parsed = pd.to_datetime(known, errors="coerce", utc=True, format="ISO8601")
    return bool(len(known)) and bool(parsed.notna().mean() > 0.9)


def _files(values: pd.Series) -> bool:
    known = values.dropna().astype(str)
    local = known.str.fullmatch(r"(?i)(?!https?://).+\.(jpe?g|png|webp|gif|bmp)")
    return bool(len(known)) and bool(local.mean() > 0.5)
