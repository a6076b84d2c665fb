"""What of the items a model is shown, and by which hash equal contents are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from recsys.content.texts import text_key
from recsys.data.images import digest_of


class Captioned(NamedTuple):
    """A picture's path, and the words that the model reads beside it, which may be none."""

    picture: str
    words: str

    def __str__(self) -> str:
        """The picture alone names it."""
        return self.picture


@dataclass(frozen=True)
class Contents:
    """What a model sees of the items at one go.

    Attributes:
        of: texts are cheap to prepare and go best with others of their length; pictures and recordings are
            costly to prepare.
        values: texts, paths of files, or `Captioned` pictures, in item order; None where an item has none.
        keys: hashes of the contents; None likewise.
    """

    of: Literal["texts", "pictures", "recordings"]
    values: list[Any]
    keys: list[str | None]

    @classmethod
    def texts(cls, texts: pd.Series) -> "Contents":
        """Words of the items; empty ones are none."""
        values = [str(text) or None for text in texts]
        return cls("texts", values, [text_key(text) if text else None for text in values])

    @classmethod
    def pictures(cls, items: pd.DataFrame) -> "Contents":
        """Picture files of the items; a file whose digest the table does not know is read for it."""
        values = [None if pd.isna(path) else str(path) for path in items["image_path"]]
        known = zip(values, items["image_digest"], strict=True)
        keys = [None if path is None else _digest(path) if pd.isna(digest) else str(digest) for path, digest in known]
        return cls("pictures", values, keys)

    @classmethod
    def captioned(cls, items: pd.DataFrame, texts: pd.Series) -> "Contents":
        """Picture files of the items, each with the item's words; items without a picture have none."""
        pictures = cls.pictures(items)
        values, keys = [], []
        for path, digest, text in zip(pictures.values, pictures.keys, texts, strict=True):
            values.append(None if path is None else Captioned(path, str(text)))
            keys.append(None if digest is None else f"{digest} {text_key(str(text))}")
        return cls("pictures", values, keys)

    @classmethod
    def recordings(cls, paths: list[str | None]) -> "Contents":
        """Audio files of the items, which are read for their digests."""
        return cls("recordings", paths, [None if path is None else _digest(path) for path in paths])

    @property
    def distinct(self) -> dict[str, Any]:
        """Each content once, by its key: texts of like length stand together, the longest first."""
        found = {key: value for key, value in zip(self.keys, self.values, strict=True) if key and value}
        if self.of != "texts":
            return found
        return dict(sorted(found.items(), key=lambda entry: -len(entry[1])))


def _digest(path: str) -> str:
    try:
        return digest_of(Path(path).read_bytes())
    except OSError:
        return path
