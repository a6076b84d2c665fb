"""What of the items a model is shown, and by which hash equal contents are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from recsys.content.texts import text_key
from recsys.data.images import digest_of


@dataclass(frozen=True)
class Contents:
    """One modality of the items.

    Attributes:
        of: texts are cheap to prepare and go best with others of their length; pictures and recordings are
            costly to prepare.
        values: texts, or paths of files, in item order; None where an item has none.
        keys: hashes of the contents; None likewise.
    """

    of: Literal["texts", "pictures", "recordings"]
    values: list[str | None]
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
    def recordings(cls, paths: list[str | None]) -> "Contents":
        """Audio files of the items, which are read for their digests."""
        return cls("recordings", paths, [None if path is None else _digest(path) for path in paths])

    @property
    def distinct(self) -> dict[str, str]:
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
