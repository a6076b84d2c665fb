"""What of the items a model is shown, and by which hash equal contents are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from recsys.content.texts import text_key
from recsys.data.images import digest_of, pictures_of


@dataclass(frozen=True)
class Contents:
    """One modality of the items.

    Attributes:
        of: texts are cheap to prepare and go best with others of their length; pictures and recordings are
            costly to prepare.
        by_item: texts, or paths of files, by the hash of what they hold, in item order; an item may have none, and
            several pictures.
    """

    of: Literal["texts", "pictures", "recordings"]
    by_item: list[dict[str, str]]

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
    def recordings(cls, paths: list[str | None]) -> "Contents":
        """Audio files of the items, which are read for their digests."""
        return cls("recordings", [{} if path is None else {_digest(path): path} for path in paths])

    @property
    def keys(self) -> list[str | None]:
        """A key of all that an item has, the same for items that have the same; None where it has nothing."""
        return [" ".join(of_item) or None for of_item in self.by_item]

    @property
    def distinct(self) -> dict[str, str]:
        """Each content once, by its key: texts of like length stand together, the longest first."""
        found: dict[str, str] = {}
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
