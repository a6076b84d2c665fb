"""What a vision-language model is shown of each item: its pictures, its words, or both."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from recsys.content.images import open_rgb
from recsys.content.vlm.describer import VlmInput
from recsys.content.vlm.options import VlmOptions
from recsys.data.images import pictures_of
from recsys.data.raw import lacks_column

NOTHING = VlmInput()
STRIP = 40
"""A picture so many times longer than broad is a line. Phi-4 refuses those above 44, Qwen those above 200."""


def shown(items: pd.DataFrame, options: VlmOptions) -> list[tuple[str, VlmInput]]:
    """What the model is to see of each item.

    Args:
        items: the item table of a dataset (see `recsys.data.raw`).
        options: which inputs there are, and the fields that make the text.

    Returns:
        An entry for each item: a digest that items of equal content share, and the content, `NOTHING` where the item
        has none of the inputs.

    Raises:
        UserError: a field of the text is no column of the items.
    """
    texts = _texts(items, options.text_fields) if "text" in options.inputs else [None] * len(items)
    listed = []
    for pictures, text in zip(pictures_of(items), texts, strict=True):
        seen = pictures[: options.pictures] if "image" in options.inputs else ()
        digests = [digest or path for path, digest in seen]
        what = digests if len(digests) > 1 else next(iter(digests), None)
        key = hashlib.blake2b(json.dumps([what, text]).encode(), digest_size=16).hexdigest()
        listed.append((key, VlmInput(tuple(Path(path) for path, _ in seen), text)))
    return listed


def _texts(items: pd.DataFrame, fields: Sequence[str]) -> list[str | None]:
    unknown = [field for field in fields if field not in items]
    if unknown:
        raise lacks_column("`text_fields`", unknown[0], items)
    rows = items[list(fields)].itertuples(index=False)
    lines = ([str(cell).strip() for cell in row if pd.notna(cell)] for row in rows)
    return ["\n".join(filter(None, row)) or None for row in lines]


@contextmanager
def opened(images: Sequence[tuple[Path, ...]]) -> Iterator[Iterator[tuple[Path, ...]]]:
    """Those of each item's pictures that open, found out ahead by other threads while the model works."""
    pool = ThreadPoolExecutor(2)
    try:
        yield pool.map(lambda of_item: tuple(filter(_opens, of_item)), images)
    finally:
        pool.shutdown(cancel_futures=True)


def _opens(image: Path) -> bool:
    picture = open_rgb(image)
    return picture is not None and max(picture.size) <= STRIP * min(picture.size)
