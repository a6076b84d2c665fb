"""What the parts of a study file share: a part knows all of its keys, or hands further ones on as options."""

import math
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from recsys.content.weights import own_folder

NO_PLACES = ("model", "delimiter", "encoding")
"""Options that are texts and name no file."""
LONGEST_NAME = 255
"""Bytes of the name of a file or folder."""


class Strict(BaseModel):
    """A part of a study file that knows all of its keys, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Open(BaseModel):
    """A part of a study file whose further keys are options of what it names.

    Attributes:
        sentences: options that are texts of any length, and name no file either.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    sentences: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        """Refuse what no option can mean, whoever reads it: what it names is asked much later."""
        for key, value in self:
            is_name = isinstance(value, str) and key not in self.sentences
            if is_name and any(len(part.encode()) > LONGEST_NAME for part in value.split("/")):
                raise ValueError(f"'{key}' is longer than the name of a file can be: shorten it")
            if is_name and "\0" in value:
                raise ValueError(f"'{key}' has a character in it (NUL) that no name of a file or a column can have")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"'{key}' is {value}: write a finite number")
            if key == "seed" and isinstance(value, int) and not 0 <= value < 2**32:
                raise ValueError(f"'seed' is {value}: write a number from 0 to {2**32 - 1}")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """Options of the reader, the encoder or the asked model itself."""
        return dict(self.model_extra or {})

    def places(self, folder: Path) -> list[Path]:
        """The files and folders under `folder` that the options name, and the folder of a model's own weights."""
        options = self.options
        # A delimiter such as "/" would be the root of all files.
        texts = {*NO_PLACES, *self.sentences}
        named = [folder / value for key, value in options.items() if isinstance(value, str) and key not in texts]
        weights = own_folder(str(options["model"]), folder) if "model" in options else None
        return [place for place in (*named, weights) if place is not None and place.exists()]
