"""Whether a text of the items names the users who took them, as pasted reviews and lists of buyers do.

Such a text tells who chose what, those choices too that are held out for the test, so that it is no content. An id is
found where it stands as a word. Short ids such as `12` stand in texts by chance, hence only a text counts in which the
users that it names took that very item far more often than users of their activity take items of that popularity, and
not a few of them only.
"""

import numpy as np
import pandas as pd

_BETWEEN = r"[\s,;:|/()\[\]{}\"<>=!?]+"
_AROUND = ".*@#'"
"""What may stand around an id beside what separates words."""
FEWEST, LEAST = 5, 0.01
"""Items, and share of the items with a text, that must name one of their users."""
SURE = 5.0
"""Standard errors by which the users who are named must exceed chance; they must be twice as many, too."""
SURE_OVER_USERS = 2.8
"""The same over users: tastes cluster, so that a size that is an id by chance may fit all items of its user."""
MOST = 20_000
"""Items that are looked at."""


def share_naming_users(texts: pd.Series, pairs: pd.DataFrame) -> float:
    """Share of the items with a text whose text names a user who took that very item; 0 where chance may explain it.

    Args:
        texts: a text for each item, missing where it has none, by item id.
        pairs: `user_id` and `item_id`, one row an interaction.
    """
    known = texts.dropna().astype("str")
    known = known.sample(MOST, random_state=0) if len(known) > MOST else known
    words = known.str.split(_BETWEEN, regex=True).explode().str.strip(_AROUND)
    pairs = pairs[["user_id", "item_id"]].drop_duplicates()
    of_user, of_item = pairs["user_id"].value_counts(), pairs["item_id"].value_counts()
    words = words[words.isin(of_user.index)]
    named = pd.DataFrame({"item_id": words.index, "user_id": words.to_numpy()}).drop_duplicates()
    chance = of_user.reindex(named["user_id"]).to_numpy() * of_item.reindex(named["item_id"], fill_value=0).to_numpy()
    chance = np.minimum(chance / max(len(pairs), 1), 1)
    took = named.merge(pairs.assign(took=1.0), on=["item_id", "user_id"], how="left")["took"].fillna(0).to_numpy()
    n_items = named["item_id"][took > 0].nunique()
    beyond = pd.Series(took - chance).groupby(named["user_id"].to_numpy()).sum()
    is_sure = (
        took.sum() > 2 * chance.sum()
        and beyond.sum() > SURE * float(np.sqrt((chance * (1 - chance)).sum()))
        and beyond.sum() > SURE_OVER_USERS * float(np.sqrt((beyond**2).sum()))
    )
    return n_items / len(known) if n_items >= max(FEWEST, LEAST * len(known)) and is_sure else 0.0
