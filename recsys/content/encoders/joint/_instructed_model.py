"""A model that is asked by a chat, the system message saying what its vectors are for."""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from torch import Tensor
from torch.nn import functional

from recsys.content.pretrained.contents import Captioned
from recsys.content.pretrained.encoder import loading
from recsys.content.pretrained.loading import SAFELY, refuse_incomplete
from recsys.content.pretrained.pictures import open_all
from recsys.content.pretrained.running import Inputs, Prepared, Tower
from recsys.content.pretrained.words import first_tokens, without_marks
from recsys.content.weights import digest
from recsys.errors import UserError
from recsys.runtime import Runtime

if TYPE_CHECKING:
    from recsys.content.encoders.joint.instructed import InstructedOptions

UNCUT = {"text": {"truncation": False}}
"""Words are cut before they stand in a turn: cut behind, it would lose its end, whose state is the vector."""


@dataclass(frozen=True)
class Format:
    """How a family is asked by the script that its authors publish.

    Attributes:
        kind: of the network, as its configuration names it.
        instruction: where a study gives none.
        ending: stands behind the turn. The state of the last token is the vector.
        pixels: fewest and most of a picture, which is scaled to lie between.
    """

    kind: str
    instruction: str
    ending: str
    pixels: tuple[int, int]


FORMATS = {
    "gme": Format("qwen2_vl", "You are a helpful assistant.", "<|endoftext|>", (256 * 28**2, 1280 * 28**2)),
    "qwen3_vl_embedding": Format("qwen3_vl", "Represent the user's input.", "", (4 * 32**2, 1800 * 32**2)),
}


class InstructedModel:
    """The model on its device.

    Attributes:
        of_pictures: makes vectors of `Captioned` pictures.
        of_texts: makes vectors of words.
    """

    def __init__(self, folder: Path, options: "InstructedOptions", runtime: Runtime) -> None:
        """Load it; UserError where the folder holds no such model, or does not say how it is asked."""
        self.options = options
        self.model = _load(folder, options.format, runtime)
        self.transformer: Any = self.model[0]
        self.instruction = self._instruction()
        self._check(folder)
        asked = (str(self.instruction), str(options.format), str(options.max_tokens), str(options.max_side))
        identity = ("instructed", digest(folder), *asked)
        self.of_pictures = Tower(self._prepare_pictures, self._forward, identity, unit=True)
        self.of_texts = Tower(self._prepare_texts, self._forward, identity)

    def _instruction(self) -> str | None:
        """The system message, which ends in a full stop, as in the published scripts."""
        given = (self.options.instruction or "").strip()
        if given:
            return given if unicodedata.category(given[-1]).startswith("P") else f"{given}."
        if self.options.format is not None:
            return FORMATS[self.options.format].instruction
        return self.model.prompts.get(self.model.default_prompt_name or "") or None

    def _check(self, folder: Path) -> None:
        """UserError where the model cannot be asked in the way that the options say."""
        if not self.model.supports("message"):
            raise UserError(f"{folder}: does not take turns of a chat; use encoder 'sentence_transformer'")
        if self.options.image and not self.model.supports("image"):
            raise UserError(f"{folder}: reads no pictures; set `image: false`")
        with loading(folder):
            asked, unasked = (self._turns([self._turn("x")], said)["input_ids"] for said in (self.instruction, None))
        if self.options.instruction is not None and torch.equal(asked, unasked):
            raise UserError(f"{folder}: its chat format leaves the instruction out; do so too, or take another model")

    def _prepare_pictures(self, shown: list[Captioned]) -> Prepared:
        opened = open_all([each.picture for each in shown])
        pairs = zip(shown, opened, strict=True)
        turns = [self._turn(each.words, picture) for each, picture in pairs if picture is not None]
        return Prepared([picture is not None for picture in opened], self._inputs(turns) if turns else {})

    def _prepare_texts(self, texts: list[str]) -> Prepared:
        return Prepared([True] * len(texts), self._inputs([self._turn(text) for text in texts]))

    def _turn(self, words: str, picture: Image.Image | None = None) -> list[dict[str, Any]]:
        """What the user says about an item: its picture, then its words."""
        content: list[dict[str, Any]] = []
        if picture is not None:
            if self.options.max_side is not None:
                picture.thumbnail((self.options.max_side, self.options.max_side))
            content.append({"type": "image", "image": picture})
        if words:
            tokenizer = self.transformer.tokenizer
            kept = first_tokens(tokenizer, without_marks(tokenizer, words), self.options.max_tokens)
            content.append({"type": "text", "text": kept})
        return [{"role": "user", "content": content}]

    def _turns(self, turns: list[list[dict[str, Any]]], instruction: str | None) -> Inputs:
        return dict(self.transformer.preprocess(turns, prompt=instruction, processing_kwargs=UNCUT))

    def _inputs(self, turns: list[list[dict[str, Any]]]) -> Inputs:
        """What the model reads. Qwen's patches come as rows of one tensor, which are split by picture here."""
        inputs = self._turns(turns, self.instruction)
        if "image_grid_thw" in inputs:
            n_patches = inputs["image_grid_thw"].prod(dim=1).tolist()
            inputs["pixel_values"] = list(inputs["pixel_values"].split(n_patches))
        return inputs

    def _forward(self, inputs: Inputs) -> Tensor:
        patches = inputs.get("pixel_values")
        read = {**inputs, "pixel_values": torch.cat(patches)} if isinstance(patches, list) else dict(inputs)
        return functional.normalize(self.model(read)["sentence_embedding"].float(), dim=1)


def _load(folder: Path, format_name: str | None, runtime: Runtime) -> SentenceTransformer:
    """The model with its pooling, in the precision that it is run in: float32 would not fit on many cards."""
    weights = {"dtype": runtime.dtype, "use_safetensors": True}
    with loading(folder):
        if format_name is not None:
            model = _by_script(folder, FORMATS[format_name], weights, format_name)
        elif _says_itself(folder):
            model = SentenceTransformer(
                str(folder), device="cpu", trust_remote_code=False, local_files_only=True, model_kwargs=weights
            )
        else:
            raise UserError(
                f"{folder}: does not say how the model is asked, or by code of its own, which is not executed (its "
                f"modules.json); set `format` to {' or '.join(FORMATS)}, as the model's authors say"
            )
    if isinstance(model[0], Transformer):
        refuse_incomplete(folder, model[0].model)
    return model.to(runtime.device).eval()


def _by_script(folder: Path, asked: Format, weights: dict[str, Any], name: str) -> SentenceTransformer:
    fewest, most = asked.pixels
    transformer = Transformer(
        str(folder),
        model_kwargs={**weights, **SAFELY},
        processor_kwargs=dict(SAFELY),
        config_kwargs=dict(SAFELY),
        processing_kwargs={
            "chat_template": {"add_generation_prompt": True},
            "image": {"size": {"shortest_edge": fewest, "longest_edge": most}},
        },
    )
    if transformer.config.model_type != asked.kind:
        raise UserError(f"{folder}: holds a {transformer.config.model_type}; `format: {name}` is of a {asked.kind}")
    if not isinstance(transformer.processor.chat_template, str):
        raise UserError(f"{folder}: has no chat format; take another copy of the model")
    transformer.processor.chat_template += asked.ending
    transformer.tokenizer.padding_side = "right"
    pooling = Pooling(transformer.get_embedding_dimension(), "lasttoken")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")


def _says_itself(folder: Path) -> bool:
    """Whether the folder describes the model in terms of the sentence-transformers library alone."""
    file = folder / "modules.json"
    if not file.is_file():
        return False
    return all(part["type"].startswith("sentence_transformers.") for part in json.loads(file.read_text("utf-8")))
