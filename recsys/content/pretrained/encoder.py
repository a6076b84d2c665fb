"""What encoders with trained weights share: which checkpoints serve, where the weights are, and how they are run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from recsys.content.encoder import Context, Encoder
from recsys.content.features import Features
from recsys.content.texts import item_texts
from recsys.content.weights import find, locate
from recsys.errors import UserError

if TYPE_CHECKING:
    from recsys.content.pretrained.contents import Contents
    from recsys.content.pretrained.running import Tower
    from recsys.runtime import Runtime


class PretrainedEncoder(Encoder):
    """An encoder whose options are `RunOptions`, and mostly `ModelOptions`.

    Attributes:
        instead: an encoder of the same content that needs no weights.
    """

    needs_weights = True
    licence = "that of the weights"
    instead: ClassVar[str]

    @cached_property
    def runtime(self) -> "Runtime":
        """Where the model runs, and in which precision."""
        from recsys.runtime import Runtime

        return Runtime.choose(self.options.device, self.options.precision)

    @property
    def remedy(self) -> str:
        """What a person can do who cannot have the weights."""
        return f"use encoder '{self.instead}', which needs no weights"

    def weights(self, context: Context) -> Path:
        """The local folder of the weights, fetched if need be."""
        model, revision = self.options.model, self.options.revision
        pinned = {checkpoint.model: checkpoint.revision for checkpoint in self.known}
        return locate(model, revision or pinned.get(model), context.folder, self.remedy)

    def find_weights(self, context: Context) -> None:
        """UserError where the weights are neither on this machine nor can be fetched; fetches nothing."""
        model, revision = self.options.model, self.options.revision
        pinned = {checkpoint.model: checkpoint.revision for checkpoint in self.known}
        find(model, revision or pinned.get(model), context.folder, self.remedy)

    def contents(self, items: pd.DataFrame, context: Context) -> list[str | None]:
        """Keys of the pictures or texts, or of both where the model takes both; loads no model."""
        from recsys.content.pretrained.contents import Contents

        _ = self.runtime  # the device that is asked for
        self.find_weights(context)
        part = getattr(self.options, "part", self.modality)
        none: list[str | None] = [None] * len(items)
        pictures = none if part == "text" else Contents.pictures(items).keys
        if part == "image":
            return pictures
        name = type(self).__module__.rsplit(".", 1)[1]
        texts = Contents.texts(item_texts(name, items, self.options.fields, context.corpus)).keys
        both = zip(pictures, texts, strict=True)
        return [f"{picture or ''} {text or ''}" if picture or text else None for picture, text in both]

    def run(self, contents: "Contents", tower: "Tower", context: Context) -> Features:
        """Vectors of the contents by a model on its device."""
        from recsys.content.pretrained.running import vectors

        size = self.options.batch_size
        return vectors(contents, tower, self.runtime, batch_size=size, work=context.work, progress=context.progress)


@contextmanager
def quietly() -> Iterator[None]:
    """While weights are loaded: no bars of the loader's own, no table of weights that are not needed, no advice."""
    from transformers.utils import logging as transformers_logging

    sentences, verbosity = logging.getLogger("sentence_transformers"), transformers_logging.get_verbosity()
    level = sentences.level
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    sentences.setLevel(logging.ERROR)
    try:
        yield
    finally:
        sentences.setLevel(level)
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()


@contextmanager
def loading(place: Path) -> Iterator[None]:
    """While a file or folder is loaded: one line where it is not what the loader expects, and nothing else."""
    try:
        with quietly():
            yield
    except UserError:
        raise
    except Exception as error:  # loaders raise almost any type on files that are not what they expect
        first = (str(error).strip().splitlines() or [""])[0]
        raise UserError(
            f"{place}: cannot be loaded as a model ({type(error).__name__}: {first}); give whole weights, of "
            "a kind that this encoder takes"
        ) from error
