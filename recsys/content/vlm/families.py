"""What differs between families of vision-language models: how one is loaded, and how a question is put to it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForMultimodalLM, AutoProcessor, GenerationConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES

from recsys.content.pretrained.encoder import quietly
from recsys.content.pretrained.words import without_marks
from recsys.errors import UserError

NEED_CODE = {
    "phi3_v": "Phi-3.5-vision runs only with code from the hub, which is not executed; take Phi-4-multimodal, or "
    "serve it behind an endpoint",
    "phi4mm": "this revision of Phi-4-multimodal runs only with code from the hub, which is not executed; take the "
    "revision that was converted for transformers (refs/pr/70 on the hub), or serve it behind an endpoint",
}
PHI4, BLIP2 = "phi4_multimodal", "blip-2"
VISION_ADAPTER = "vision-lora"


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to answer.

    Attributes:
        kind: its family, as its configuration names it.
        processor: turns pictures and words into what it reads; pads on the left.
        network: the model.
        ends: the tokens that end an answer.
        image_tokens: the tokens that stand for parts of an image; none where the model has none of its own.
    """

    kind: str
    processor: Any
    network: Any
    ends: list[int]
    image_tokens: list[int]

    @property
    def speaker(self) -> Any:
        """The part whose passes generate an answer: BLIP-2 hands that on to its language model."""
        return self.network.language_model if self.kind == BLIP2 else self.network

    def question(self, prompt: str, text: str | None, *, n_images: int) -> str:
        """One item's turn in the model's own chat format, up to where the answer begins.

        Without an image there is no trace of one. A model without a chat format is given the words alone, after
        the marks of the images.
        """
        words = f"{prompt}\n\n{without_marks(self.processor.tokenizer, text)}" if text else prompt
        marks = str(getattr(self.processor, "image_token", "")) * n_images
        if self.kind == BLIP2:  # its processor marks the image itself
            return words
        if self.kind == PHI4:  # its template takes words only
            return f"<|user|>{marks}{words}<|end|><|assistant|>"
        if self.processor.chat_template is None:
            return f"{marks}\n{words}" if n_images else words
        turn = [*([{"type": "image"}] * n_images), {"type": "text", "text": words}]
        return self.processor.apply_chat_template([{"role": "user", "content": turn}], add_generation_prompt=True)


def load(model: str, place: Path, device: torch.device, dtype: torch.dtype) -> Loaded:
    """The model of a local folder.

    The settings of generation that come with a model (sampling, penalties) are ignored but for the tokens that
    end an answer: what is asked of every model is the same.

    Args:
        model: what a user calls it.
        place: the folder of its weights.
        device: where it is to run.
        dtype: of its weights.

    Raises:
        UserError: the folder holds no vision-language model that runs without code of its own.
    """
    kind = _kind(model, place)
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = AutoProcessor.from_pretrained(place, **local)
        with quietly():
            network, report = AutoModelForMultimodalLM.from_pretrained(
                place, dtype=dtype, use_safetensors=True, output_loading_info=True, **local
            )
    except ImportError as error:
        raise UserError(f"model '{model}': {_line(error)}") from None
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(f"model '{model}': cannot be loaded from {place} ({_line(error)}); fix the copy") from None
    if report["missing_keys"]:
        first = sorted(report["missing_keys"])[0]
        raise UserError(f"model '{model}': {place} lacks weights, first of all '{first}'; fix the copy")
    if not hasattr(processor, "tokenizer"):
        raise UserError(f"model '{model}': {place} says nothing of images (processor_config.json); fix the copy")
    if network.config.is_encoder_decoder:
        raise UserError(
            f"model '{model}': '{kind}' keeps prompt and answer apart; choose one that reads both in a row"
        )
    if kind == PHI4:
        _give_sight(network, place)
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    own = network.generation_config.eos_token_id
    ends = {*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id} - {None}
    network.generation_config = GenerationConfig(pad_token_id=tokenizer.pad_token_id)
    loaded = Loaded(kind, processor, network.to(device).eval(), sorted(ends), _image_tokens(network.config, processor))
    loaded.speaker.generation_config = network.generation_config
    return loaded


def _image_tokens(config: Any, processor: Any) -> list[int]:
    """The tokens that a model replaces by what it sees.

    Its configuration knows: a processor's `image_token_id` may be the token that begins an image (Gemma 3).
    """
    for owner, name in [
        (config, "image_token_id"),
        (config, "image_token_index"),
        (processor, "image_token_ids"),
        (processor, "image_token_id"),
    ]:
        found = getattr(owner, name, None)
        if found is not None:
            return sorted(set(found)) if isinstance(found, list | tuple) else [int(found)]
    return []


def _give_sight(network: Any, place: Path) -> None:
    """Phi-4 with the low-rank weights with which it was taught to see, where they stand beside the others."""
    if (place / VISION_ADAPTER).is_dir():
        network.load_adapter(str(place / VISION_ADAPTER), adapter_name="vision")
        network.set_adapter("vision")
    # transformers (5.23) marks these as causal. A mask hides it, and a picture that fills its square has none: each
    # patch would see only those before it, unless another picture of the batch brings a mask.
    for module in network.model.embed_tokens_extend.image_embed.img_processor.modules():
        if hasattr(module, "is_causal"):
            module.is_causal = False


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _kind(model: str, place: Path) -> str:
    try:
        kind = json.loads((place / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError):
        raise UserError(f"model '{model}': {place}/config.json names no model type; fix the copy") from None
    if kind in NEED_CODE:
        raise UserError(f"model '{model}': {NEED_CODE[kind]}")
    if kind not in MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES:
        raise UserError(
            f"model '{model}': '{kind}' is no kind of vision-language model that runs without code of its own; choose "
            "another, or serve it behind an endpoint"
        )
    return kind
