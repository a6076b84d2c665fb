"""Which columns of the items are text that may be content: none that users made, for it tells who chose what."""

from dataclasses import dataclass, field

import pandas as pd

from orchestration.cli.own_data import names, values
from recsys.data.users_in_text import share_naming_users
from recsys.wording import whole_percent


@dataclass(frozen=True)
class Text:
    """The columns that are text.

    Attributes:
        columns: in the order of the table.
        why: what decided.
        from_users: columns of text that are left out since users made them, and what shows that.
    """

    columns: tuple[str, ...]
    why: str
    from_users: dict[str, str] = field(default_factory=dict)


def find_text(items: pd.DataFrame, free: list[str], key: str, pairs: pd.DataFrame) -> Text:
    """The columns of text among those without another role.

    Args:
        items: a table of strings.
        free: its columns that have no other role.
        key: its column of ids.
        pairs: `user_id` and `item_id` of the interactions, normalised.
    """
    speaking = {*names.named("text", free), *(n for n in free if names.declared_type(n) == "token_seq")}
    by_value = {name for name in free if name not in speaking and values.are_words(items[name])}
    found = [name for name in free if name in speaking | by_value]
    ids = values.same_ids(items[key])
    by_id = items.loc[ids.index[~ids.duplicated()]].set_axis(ids[~ids.duplicated()])
    from_users = {name: said for name in found if (said := _made_by_users(name, by_id[name], pairs))}
    text = tuple(name for name in found if name not in from_users)
    return Text(text, f"by name{' or values' if by_value & set(text) else ''}", from_users)


def _made_by_users(name: str, texts: pd.Series, pairs: pd.DataFrame) -> str:
    """What shows that users made a text; empty where nothing does."""
    if names.speaks_of_users(name):
        return "its name suggests that users made it"
    if share := share_naming_users(texts, pairs):
        return f"in {whole_percent(share)} of the items it names users who took that very item"
    return ""


def left_out(name: str, why: str) -> str:
    """The warning about a column of text that users made."""
    return (
        f"! '{name}' of the items: no content, since {why}, and what users made may tell who chose what; "
        f"--text-columns takes it all the same"
    )
