"""Prompts: those that come with the program, and a user's own, one YAML file each."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.errors import UserError, hint
from recsys.mistakes import first_mistake

SHIPPED = Path(__file__).parent / "prompts"


class Prompt(BaseModel):
    """An instruction that is the same for all items.

    Attributes:
        name: what it is called in lists.
        version: goes up whenever the text changes, so that answers to different texts are told apart.
        domain: what kind of items it is about.
        fields: the labels that it asks to fill in, in order; none where it asks for free text.
        text: the instruction itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1)
    version: int = Field(ge=1)
    domain: str
    fields: tuple[str, ...]
    text: str = Field(min_length=1)


def names() -> list[str]:
    """Names of the prompts that come with the program."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def load_prompt(name_or_file: str, folder: Path | None = None) -> Prompt:
    """A prompt that comes with the program, by name, or one from a file.

    Args:
        name_or_file: a name of `names()`, or a YAML file with the keys of `Prompt`.
        folder: what a file is relative to.

    Raises:
        UserError: there is no such prompt, or the file is not one; one line with the remedy.
    """
    if name_or_file in names():
        return _read(SHIPPED / f"{name_or_file}.yaml")
    file = (folder or Path()) / name_or_file
    if file.is_file():
        return _read(file)
    if file.suffix in (".yaml", ".yml"):
        raise UserError(f"{file}: there is no such prompt file; give one relative to the dataset's folder")
    raise UserError(f"there is no prompt '{name_or_file}', nor a file of that name{hint(name_or_file, names())}")


def _read(file: Path) -> Prompt:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{file}: cannot be read as YAML ({reason}); fix it") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UserError(f"{file}: not a prompt; give the keys {', '.join(Prompt.model_fields)}")
    try:
        return Prompt(**content)
    except ValidationError as error:
        raise UserError(f"{file}: {first_mistake(error, Prompt)}") from None
