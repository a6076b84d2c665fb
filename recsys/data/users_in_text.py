"""Whether a text of the items names the users who took them, as pasted reviews and lists of buyers do.

Such a text tells who chose what, those choices too that are held out for the test, so that it is no content. An id is
found where its letters and digits stand in a row, whatever separates them from the rest of the text and from each
other. Short ids such as `12` stand in texts by chance, hence only a text counts in which the users that it names took
that very item far more often than users of their activity take items of that popularity, and not a few of them only.
A few users count where they took nearly every item that names them and nobody else took many of these.
"""

import re
import unicodedata
from collections import defaultdict

import numpy as np
import pandas as pd

_GLUED = "\u0e01-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts in which a name and the words around it may be one run of letters: each letter counts alone."""
_PART = re.compile(rf"0*([{_GLUED}]|[^\W_{_GLUED}]+)")
"""Without the zeros before a number, which spreadsheets drop."""
FEWEST, LEAST = 5, 0.01
"""Items, and share of the items with a text, that must name one of their users."""
SURE = 5.0
"""Standard errors by which the users who are named must exceed chance; they must be twice as many, too."""
SURE_OVER_USERS = 2.8
"""The same over users: tastes cluster, so that a size that is an id by chance may fit all items of its user."""
NEARLY_ALL, OTHERS_MOST, FEWEST_ALONE = 0.9, 0.5, 3
"""Of the items that name a user: the share taken by that user, and at most by any other; and how many such users."""
MOST = 20_000
"""Items that are looked at."""


def share_naming_users(texts: pd.Series, pairs: pd.DataFrame) -> float:
    """Share of the items with a text whose text names a user who took that very item; 0 where chance may explain it.

    Users whose ids have the same letters and digits, case and leading zeros aside, count as one. Texts that name one
    or two users only are not found, nor are those that name fewer than eight who did not take most items naming them.

    Args:
        texts: a text for each item, missing where it has none, by item id.
        pairs: `user_id` and `item_id`, one row an interaction.
    """
    known = texts.dropna().astype("str")
    known = known.sample(MOST, random_state=0) if len(known) > MOST else known
    folded = {user: " ".join(_parts(str(user))) for user in pairs["user_id"].unique()}
    pairs = pairs.assign(user_id=pairs["user_id"].map(folded))[["user_id", "item_id"]].drop_duplicates()
    named = _named(known, set(folded.values())).merge(pairs.assign(took=1.0), on=["item_id", "user_id"], how="left")
    n_items = named["item_id"][named["took"].notna()].nunique()
    if n_items < max(FEWEST, LEAST * len(known)) or not _is_beyond_chance(named.fillna({"took": 0.0}), pairs):
        return 0.0
    return n_items / len(known)


def _parts(text: str) -> list[str]:
    """The runs of letters and digits of a text, in compatibility form and small letters."""
    return _PART.findall(unicodedata.normalize("NFKC", text).casefold())


def _named(texts: pd.Series, users: set[str]) -> pd.DataFrame:
    """Each `item_id` with each `user_id` that stands in its text; users are their parts with blanks between."""
    lengths: dict[str, set[int]] = defaultdict(set)
    for user in users - {""}:
        parts = user.split()
        lengths[parts[0]].add(len(parts))
    named: set[tuple[str, str]] = set()
    for item, text in texts.items():
        parts = _parts(text)
        for start, first in enumerate(parts):
            if first in lengths:
                runs = (" ".join(parts[start : start + length]) for length in lengths[first])
                named.update((str(item), run) for run in runs if run in users)
    return pd.DataFrame(sorted(named), columns=["item_id", "user_id"])


def _is_beyond_chance(named: pd.DataFrame, pairs: pd.DataFrame) -> bool:
    """Whether neither activity and popularity nor common tastes explain how many of the named `took` the item."""
    of_user, of_item = pairs["user_id"].value_counts(), pairs["item_id"].value_counts()
    chance = of_user.reindex(named["user_id"]).to_numpy() * of_item.reindex(named["item_id"], fill_value=0).to_numpy()
    chance = np.minimum(chance / len(pairs), 1)
    beyond = (named["took"] - chance).groupby(named["user_id"]).sum()
    if named["took"].sum() <= 2 * chance.sum() or beyond.sum() <= SURE * np.sqrt((chance * (1 - chance)).sum()):
        return False
    is_of_many = bool(beyond.sum() > SURE_OVER_USERS * np.sqrt((beyond**2).sum()))
    return is_of_many or (named["took"].mean() >= NEARLY_ALL and _taken_by_them_alone(named, pairs))


def _taken_by_them_alone(named: pd.DataFrame, pairs: pd.DataFrame) -> bool:
    """Whether a few of the named users, and nobody else, took most of the items that name them.

    An id that stands by chance in all items of a series is as often that of any other user, and those who like a
    series are several.
    """
    takers = named.merge(pairs, on="item_id", suffixes=("", "_taking"))
    shares = takers.groupby(["user_id", "user_id_taking"]).size().rename("n").reset_index()
    n_naming = named["user_id"].value_counts()
    shares["share"] = shares["n"] / shares["user_id"].map(n_naming)
    own = shares["user_id"] == shares["user_id_taking"]
    by_self = shares[own].set_index("user_id")["share"]
    by_others = shares[~own].groupby("user_id")["share"].max().reindex(by_self.index, fill_value=0)
    enough = n_naming.reindex(by_self.index) >= FEWEST
    return int(((by_self >= NEARLY_ALL) & (by_others <= OTHERS_MOST) & enough).sum()) >= FEWEST_ALONE
