"""An item's words on their way into a turn of a chat."""

import re
from typing import Any


def without_marks(tokenizer: Any, text: str) -> str:
    """Words without what a model would take for the mark of an image or the end of a turn."""
    marks = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    return re.sub("|".join(map(re.escape, sorted(marks, key=len, reverse=True))), " ", text) if marks else text


def first_tokens(tokenizer: Any, text: str, n: int) -> str:
    """As much of a text as its first `n` tokens stand for, the whole of a character that the last one is a part of."""
    if len(text.encode()) <= n:  # a token is a byte at least
        return text
    ends = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return text if len(ends) <= n else text[: ends[n - 1][1]]
