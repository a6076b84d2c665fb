"""`modalift encoders`: what turns content into vectors, and trained weights that serve."""

import inspect
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer

from orchestration.cli.app import command
from orchestration.cli.console import print_list, print_rows, say, tick
from orchestration.cli.meanings import default_of, meanings, shown
from recsys.errors import UserError, near

if TYPE_CHECKING:
    from pydantic import BaseModel

    from recsys.content.encoder import Checkpoint, Encoder
    from recsys.content.encoders import EncoderInfo


@command("encoders", "modalift encoders", "modalift encoders image_text")
def encoders(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this encoder, with its options.")] = None,
) -> None:
    """List the encoders that turn text, images, descriptions and attributes into vectors, and weights for them."""
    from recsys.content.encoders import encoder_info, encoder_infos, registry

    if name:
        _refuse_unknown(name)
        _show_encoder(name, registry.load(name))
        known = list(_known_to([encoder_info(name)]))
    else:
        found = encoder_infos()
        rows = [
            {
                "encoder": info.name,
                "reads": info.modality,
                "what it does": info.description,
                "options": ", ".join(info.options),
                "weights": "needed" if info.needs_weights else "none",
                "licence": info.licence,
            }
            for info in found
        ]
        print_rows(rows, "licence", "options", "weights")
        known = list(_known_to(found))
    if known:
        print_rows(known, "reads", "licence", ">dim", ">size", title="Weights that are known to serve")
        say("Weights that are not here are fetched when a study first needs them, or put where docs/encoders.md says.")


def _refuse_unknown(name: str) -> None:
    """UserError that proposes an encoder by a word of its description, such as CLIP, where no name is near."""
    from recsys.content.encoders import encoder_infos, registry

    names = registry.names()
    if name in names or near(name, names):
        return
    words = {word: info.name for info in encoder_infos() for word in re.findall(r"\w{3,}", info.description.lower())}
    if found := get_close_matches(name.lower(), words, n=1):
        raise UserError(f"there is no encoder '{name}'; did you mean '{words[found[0]]}'?")


def _show_encoder(name: str, cls: "type[Encoder]") -> None:
    say(f"{name}: {cls.description}")
    for line in ("", *inspect.cleandoc(cls.__doc__ or "").splitlines(), ""):
        say(line)
    say(f"Reads: {cls.modality}; weights: {'needed' if cls.needs_weights else 'none'}; licence: {cls.licence}")
    if cls.Options.model_fields:
        print_list("Options, under `content` in a study:", _options(cls.Options))
    else:
        say("Options: it has none")


def _options(options: "type[BaseModel]") -> Iterator[str]:
    meant = meanings(options)
    for option, field in options.model_fields.items():
        choices = ", ".join(map(shown, _choices(field.annotation)))
        default = default_of(field) if field.is_required() else f"default {default_of(field)}"
        yield f"{option} ({default}{choices and f'; one of {choices}'}): {meant.get(option, '')}"


def _choices(annotation: Any) -> list[Any]:
    """The values that a type names, alone or beside other types."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _known_to(infos: "list[EncoderInfo]") -> Iterator[dict[str, str]]:
    """Weights that are known to serve these encoders; hidden states come from the models that describe items."""
    from recsys.content.vlm.known import KNOWN
    from recsys.content.weights import on_this_machine

    for info in infos:
        for checkpoint in info.known:
            yield {"encoder": info.name, "reads": info.modality} | _weights(checkpoint, here=info.has(checkpoint))
    if any(info.name == "hidden_states" for info in infos):
        for checkpoint in KNOWN:
            here = on_this_machine(checkpoint.model, checkpoint.revision) is not None
            yield {"encoder": "hidden_states", "reads": "image, text"} | _weights(checkpoint, here=here)


def _weights(checkpoint: "Checkpoint", *, here: bool) -> dict[str, str]:
    return {
        "model": checkpoint.model,
        ">dim": str(checkpoint.dim),
        ">size": _size(checkpoint.megabytes),
        "licence": checkpoint.licence,
        "here": tick(here),
    }


def _size(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
