"""The contract of an encoder: what turns the content of items into vectors.

A new encoder is one file in the folder of its kind: a class with its options, a line that describes it, and
`encode`. It is known by the name of its file.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.content.features import NOT_COMPUTABLE, Features
from recsys.content.texts import WORDS
from recsys.content.weights import on_this_machine
from recsys.errors import UserError
from recsys.mistakes import first_mistake

Modality = Literal["text", "image", "audio", "joint", "descriptions", "attributes", "any"]
OnProgress = Callable[[int, int], None]
"""Called with (done, total) now and then while a long encoding goes on."""
SAMPLE = 32
"""Items that a check encodes where encoding all of them would take long."""


class EncoderOptions(BaseModel):
    """Options of an encoder; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Context:
    """What an encoder may use beside the item table.

    Attributes:
        folder: what file names in the options are relative to.
        corpus: a description corpus: `item_id`, `answer` (see `recsys.content.descriptions`).
        hidden: the folder of the hidden states that came with the corpus, `<pooling>.safetensors` each.
        work: where finished batches of a long encoding are kept until all are done (see `recsys.content.batch_store`);
            None: nowhere, a killed encoding starts anew.
        progress: called while the work goes on.
        poolings: the hidden states that a corpus will come with which is still to be made; None: it is there.
        listed_by_id: whether the source lists its items in the order of their ids.
    """

    folder: Path | None = None
    corpus: pd.DataFrame | None = None
    hidden: Path | None = None
    work: Path | None = None
    progress: OnProgress | None = None
    poolings: tuple[str, ...] | None = None
    listed_by_id: bool = True

    def after(self, done: int, total: int) -> "Context":
        """The context of a part of the work, whose progress counts what was done before it."""
        tell = self.progress
        if tell is None:
            return self
        return replace(self, progress=lambda now, _: tell(done + now, total))

    def find(self, name: str) -> Path:
        """The file of this name, which must exist."""
        path = (self.folder or Path()) / name
        if not path.is_file():
            what = "is a folder, not a file" if path.is_dir() else "there is no such file"
            raise UserError(f"{path}: {what}; give a file that exists, relative to the dataset's folder")
        return path


@dataclass(frozen=True)
class Checkpoint:
    """Trained weights that are known to serve an encoder.

    Attributes:
        model: what the option `model` takes: the id of a model on the hub, or the name of an architecture.
        dim: length of the vectors, by the encoder's other options as they are by default.
        megabytes: size of the weights' file.
        licence: of the weights.
        revision: what pins them: the commit on the hub, or the name that torchvision gives them. None: they are
            pinned by the package that carries them, or a study must name a commit.
    """

    model: str
    dim: int
    megabytes: int
    licence: str
    revision: str | None = None


class Encoder(ABC):
    """Turns the content of items into vectors.

    Attributes:
        modality: what of an item it reads.
        description: what it does, in one line.
        licence: of the weights or the method, in one line.
        needs_weights: whether it must be given trained weights.
        known: weights that serve it, those of published studies first.
        quick: whether it encodes a whole catalogue in moments, so that a check may do so.
        reduces: whether its columns are directions among the contents themselves, as those of a principal component
            analysis are, so that there are at most as many as there are contents.
    """

    Options: ClassVar[type[EncoderOptions]] = EncoderOptions
    modality: ClassVar[Modality]
    description: ClassVar[str]
    licence: ClassVar[str] = "free of rights: no trained weights"
    needs_weights: ClassVar[bool] = False
    known: ClassVar[tuple[Checkpoint, ...]] = ()
    quick: ClassVar[bool] = False
    reduces: ClassVar[bool] = False

    def __init__(self, options: EncoderOptions | None = None) -> None:
        """An encoder with default options unless some are given."""
        self.options: Any = options if options is not None else self.Options()

    @classmethod
    def from_options(cls, name: str, options: dict[str, Any]) -> Self:
        """An encoder with these options; UserError names the first that is wrong."""
        try:
            return cls(cls.Options(**options))
        except ValidationError as error:
            raise UserError(f"encoder '{name}': {first_mistake(error, cls.Options)}") from None

    @property
    def reads_pictures(self) -> bool:
        """Whether it reads the items' pictures: not where an encoder of both is to read the words alone."""
        return self.modality in ("image", "joint") and getattr(self.options, "part", "image") != "text"

    @property
    def reads(self) -> frozenset[str]:
        """What of an item its vectors are made of: `image`, and columns of words; empty where it is something else."""
        words = self.modality in ("text", "joint") and getattr(self.options, "part", "text") != "image"
        columns = (getattr(self.options, "fields", None) or WORDS) if words else ()
        return frozenset({*columns, *(("image",) if self.reads_pictures else ())})

    def width(self, folder: Path | None) -> int | None:
        """Columns of its vectors, or the most there can be, as far as that is known before anything is encoded.

        Args:
            folder: what file names in the options are relative to.
        """
        given = getattr(self.options, "dim", None) or getattr(self.options, "dimensions", None)
        # Of another layer, or of one part, the vectors of known weights have another length.
        if given or self.options.model_fields_set & {"layer", "part"}:
            return given
        model = getattr(self.options, "model", None)
        return next((checkpoint.dim for checkpoint in self.known if checkpoint.model == model), None)

    @classmethod
    def has(cls, checkpoint: Checkpoint) -> bool:
        """Whether the weights of a known checkpoint are on this machine."""
        return on_this_machine(checkpoint.model, checkpoint.revision) is not None

    def contents(self, items: pd.DataFrame, context: Context) -> Sequence[Hashable | None]:
        """What `encode` finds of each item, in moments: all that it reads but the encoding itself.

        Args:
            items: as `encode` takes them.
            context: as `encode` takes it.

        Returns:
            A key of each item's content, the same for items that will be encoded alike; None where an item has none.
            Unless a subclass knows better these are the rows that `encode` gives, of the first `SAMPLE` items
            only where it is not `quick`.

        Raises:
            UserError: whatever `encode` would stop at, as far as it can be known before.
        """
        return self.vectors(items if self.quick else items.head(SAMPLE), context).keys()

    def vectors(self, items: pd.DataFrame, context: Context) -> Features:
        """What `encode` gives, without rows that cannot be computed with.

        Arguments are those of `encode`.

        Raises:
            UserError: what `encode` raises, or no row is left.
        """
        features = self.encode(items, context).checked()
        if features.dropped and not features.present.any():
            name = type(self).__module__.rsplit(".", 1)[1]
            raise UserError(
                f"encoder '{name}': no vector can be used: {len(features.dropped):,} hold {NOT_COMPUTABLE}; use "
                "another model or precision"
            )
        return features

    @abstractmethod
    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items, a row each, in their order; items without this content are absent.

        Args:
            items: `item_id`, `title`, `text`, `image_path` (ready to open), `image_digest` and attributes; all the
                pictures of each item are `recsys.data.images.pictures_of(items)`.
            context: what else may be read.
        """

    def remarks(self, items: pd.DataFrame, context: Context) -> list[str]:
        """What makes one doubt that a file belongs to these items, a line each; arguments are those of `encode`."""
        return []

    def share_isolated(self, items: pd.DataFrame, context: Context) -> float | None:
        """Share of the items with content that have none of it in common with any other item.

        None where the encoder cannot say: only what is counted, such as words, can be found nowhere else.
        """
        return None
