"""What of the items a model is shown, and by which hash equal contents are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from recsys.content.texts import text_key
from recsys.data.decoding import digest_of
from recsys.data.images import pictures_of


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
        by_item: texts, paths of files, or `Captioned` pictures, by the hash of what they hold, in item order; an item
            may have none, and several pictures.
    """

    of: Literal["texts", "pictures", "recordings"]
    by_item: list[dict[str, Any]]

    @classmethod
    def texts(cls, texts: pd.Series) -> "Contents":
        """Words of the items; empty ones are none."""
        return cls("texts", [{text_key(text): text} if text else {} for text in map(str, texts)])

    @classmethod
    def pictures(cls, items: pd.DataFrame) -> "Contents":
        """Picture files of the items; a file whose digest the table does not know is read for it."""
        known = pictures_of(items)
        return cls("pictures", [{digest or _digest(path): path for path, digest in of_item} for of_item in known])

    @classmethod
    def captioned(cls, items: pd.DataFrame, texts: pd.Series) -> "Contents":
        """Picture files of the items, each with the item's words; items without a picture have none."""
        pairs = zip(cls.pictures(items).by_item, map(str, texts), strict=True)
        by_item = [
            {f"{digest} {text_key(text)}": Captioned(path, text) for digest, path in of_item.items()}
            for of_item, text in pairs
        ]
        return cls("pictures", by_item)

    @classmethod
    def recordings(cls, paths: list[str | None]) -> "Contents":
        """Audio files of the items, which are read for their digests."""
        return cls("recordings", [{} if path is None else {_digest(path): path} for path in paths])

    @property
    def keys(self) -> list[str | None]:
        """A key of all that an item has, the same for items that have the same; None where it has nothing."""
        return [" ".join(of_item) or None for of_item in self.by_item]

    @property
    def distinct(self) -> dict[str, Any]:
        """Each content once, by its key: texts of like length stand together, the longest first."""
        found: dict[str, Any] = {}
        for of_item in self.by_item:
            found |= of_item
        if self.of != "texts":
            return found
        return dict(sorted(found.items(), key=lambda entry: -len(entry[1])))


def _digest(path: str) -> str:
    try:
        return digest_of(Path(path).read_bytes())
    except OSError:
        return path
