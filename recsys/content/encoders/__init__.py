"""Encoders: the look-up in `registry`, then one file an encoder by kind; the contract is `recsys.content.encoder`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.content.encoder import Checkpoint, Context, Modality, OnProgress
from recsys.content.encoders import registry
from recsys.content.features import Features

__all__ = ["EncoderInfo", "encode", "encoder_info", "encoder_infos", "remarks", "share_isolated"]


@dataclass(frozen=True)
class EncoderInfo:
    """What a person must know to choose an encoder; the fields are those of `Encoder`."""

    name: str
    modality: Modality
    description: str
    licence: str
    needs_weights: bool
    options: tuple[str, ...]
    known: tuple[Checkpoint, ...]

    def has(self, checkpoint: Checkpoint) -> bool:
        """Whether the weights of a known checkpoint are on this machine."""
        return registry.load(self.name).has(checkpoint)


def encode(
    encoder: str,
    options: dict[str, Any],
    items: pd.DataFrame,
    *,
    folder: Path | None = None,
    corpus: pd.DataFrame | None = None,
    hidden: Path | None = None,
    work: Path | None = None,
    progress: OnProgress | None = None,
) -> Features:
    """Vectors of the items by the encoder of this name.

    Args:
        encoder: its name, such as `tfidf_svd`.
        options: its options; those left out take their defaults.
        items: the item table of a dataset (see `recsys.data.raw`); row order is the order of the vectors.
        folder: what file names in the options are relative to.
        corpus: a description corpus (`item_id`, `answer`), for encoders that read one.
        hidden: the folder of that corpus' hidden states, for encoders that read them.
        work: where finished batches are kept, so that a killed encoding goes on where it was.
        progress: called with (done, total) while a long encoding goes on.

    Raises:
        UserError: there is no such encoder, an option is wrong, a file it names cannot be used, or none of the vectors
            can be computed with.
    """
    worker = registry.load(encoder).from_options(encoder, options)
    features = worker.vectors(items, Context(folder, corpus, hidden, work, progress))
    assert len(features.matrix) == len(items), f"encoder '{encoder}' broke its contract: a row for each item"
    return features


def share_isolated(
    encoder: str,
    options: dict[str, Any],
    items: pd.DataFrame,
    *,
    folder: Path | None = None,
    corpus: pd.DataFrame | None = None,
) -> float | None:
    """Share of the items with content that have none of it, such as a word, in common with any other item.

    Arguments and errors are those of `encode`. None where the encoder cannot say.
    """
    return registry.load(encoder).from_options(encoder, options).share_isolated(items, Context(folder, corpus))


def remarks(
    encoder: str,
    options: dict[str, Any],
    items: pd.DataFrame,
    *,
    folder: Path | None = None,
    listed_by_id: bool = True,
) -> list[str]:
    """What makes one doubt that a file belongs to these items, a line each.

    Arguments and errors are those of `encode`; `listed_by_id` says whether the items' source lists them by their ids.
    """
    context = Context(folder, listed_by_id=listed_by_id)
    return registry.load(encoder).from_options(encoder, options).remarks(items, context)


def encoder_infos() -> list[EncoderInfo]:
    """All encoders whose file can be used; imports every one of them."""
    return [encoder_info(name) for name in registry.load_all()]


def encoder_info(name: str) -> EncoderInfo:
    """The encoder of this name; UserError where there is none, or its file cannot be used."""
    cls = registry.load(name)
    options = tuple(cls.Options.model_fields)
    return EncoderInfo(name, cls.modality, cls.description, cls.licence, cls.needs_weights, options, cls.known)
