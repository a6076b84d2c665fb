"""An item's words: which of its columns they come from, and how they are told apart."""

import ast
import hashlib
from collections.abc import Sequence

import pandas as pd

from recsys.content.thinking import without_thinking
from recsys.data.raw import lacks_column

WORDS = ("title", "text")
"""Columns of the item table that are an item's words, unless a study names others."""


def item_texts(
    encoder: str, items: pd.DataFrame, fields: Sequence[str] | None, corpus: pd.DataFrame | None
) -> pd.Series:
    """The words of each item, fields joined by a space; empty where it has none.

    Args:
        encoder: who asks, for the message of an error.
        items: the item table.
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the answer
            where a corpus is given, else title and text.
        corpus: a description corpus (`item_id`, `answer`).

    Raises:
        UserError: the items have no such column.
    """
    fields = fields or (WORDS if corpus is None else ("answer",))
    if corpus is not None:
        answers = corpus.set_index("item_id")["answer"].map(lambda answer: without_thinking(unwrap(answer)))
        items = items.assign(answer=items["item_id"].map(answers))
    unknown = [field for field in fields if field not in items]
    if unknown:
        raise lacks_column(f"encoder '{encoder}'", unknown[0], items)
    return items[list(fields)].astype("string").fillna("").agg(" ".join, axis=1).str.strip()


def text_key(text: str) -> str:
    """Hash of a text: encoders key what they have computed by it."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def unwrap(answer: str) -> str:
    """The answer itself, where a program stored the list of one answer that a model's library returns."""
    text = answer.strip()
    if text.startswith(("['", '["')):
        try:
            parts = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return answer
        if all(isinstance(part, str) for part in parts):
            return "\n".join(parts)
    return answer
