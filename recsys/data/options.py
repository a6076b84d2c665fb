"""Options of readers: what a study file may say about a source, checked before a file is opened."""

from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.errors import UserError
from recsys.mistakes import first_mistake

Reading = Literal["name", "folder"]
"""What says whose picture a file is, where its name and its folder say two things."""
MOST_PICTURES = 100
"""The largest number of an item's pictures that a study may ask for."""


class SourceOptions(BaseModel):
    """Options of a reader; a key it does not know is an error.

    Attributes:
        reads_files: whether the source is a folder of files, or is made from the options alone.
        names_files: the options that must be given for all files to be named; empty where the reader finds its files
            in the folder itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reads_files: ClassVar[bool] = True
    names_files: ClassVar[tuple[str, ...]] = ()


Options = TypeVar("Options", bound=SourceOptions)


def parse(model: type[Options], reader: str, options: dict[str, Any]) -> Options:
    """Options as the reader knows them; UserError names the first wrong key or value."""
    try:
        return model(**options)
    except ValidationError as error:
        raise UserError(f"reader '{reader}': {first_mistake(error, model)}") from None
