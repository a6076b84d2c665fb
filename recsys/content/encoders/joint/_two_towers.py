"""The two halves of a joint model of the transformers library."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoProcessor

from recsys.content.pretrained.encoder import loading
from recsys.content.pretrained.loading import SAFELY, load_model
from recsys.content.pretrained.pictures import prepare_pictures
from recsys.content.pretrained.running import Inputs, Prepared, Tower
from recsys.content.weights import digest
from recsys.errors import UserError


def load_towers(folder: Path, device: torch.device) -> dict[str, Tower]:
    """What makes vectors of pictures, and what makes vectors of texts, in one space."""
    model = load_model(folder, device)
    if not hasattr(model, "get_image_features") or not hasattr(model, "get_text_features"):
        raise UserError(
            f"{folder}: not a model of pictures and texts; use encoder 'vision_transformer' or 'sentence_transformer'"
        )
    with loading(folder):
        processor = AutoProcessor.from_pretrained(folder, **SAFELY)
    identity = ("image_text", digest(folder))
    prepare = partial(_tokenise, processor.tokenizer, _token_limit(model, processor), _is_siglip(model))
    return {
        "pictures": Tower(
            prepare=partial(prepare_pictures, partial(processor.image_processor, return_tensors="pt")),
            forward=lambda inputs: _pooled(model.get_image_features(**inputs)),
            identity=(*identity, "pictures"),
            unit=True,
        ),
        "texts": Tower(
            prepare=prepare,
            forward=lambda inputs: _pooled(model.get_text_features(**inputs)),
            identity=(*identity, "texts"),
        ),
    }


def _is_siglip(model: Any) -> bool:
    return model.config.model_type.startswith("siglip")


def _token_limit(model: Any, processor: Any) -> int:
    """The longest text that the model was made for, in tokens."""
    named = model.text_model.named_modules()
    positions = next(module for name, module in named if name.endswith(("position_embedding", "position_embeddings")))
    # Models after RoBERTa count positions from behind the padding's.
    usable = positions.num_embeddings - (0 if positions.padding_idx is None else positions.padding_idx + 1)
    stated = getattr(processor, "text_kwargs", {}).get("max_length", usable)
    return min(usable, stated, processor.tokenizer.model_max_length)


def _tokenise(tokenizer: Any, limit: int, is_siglip: bool, texts: list[str]) -> Prepared:
    # SigLIP was trained on small letters, on texts filled up to the limit, and without a mask over what fills them.
    shown = [text.lower() for text in texts] if is_siglip else texts
    inputs: Inputs = tokenizer(
        shown,
        truncation=True,
        max_length=limit,
        padding="max_length" if is_siglip else "longest",
        return_attention_mask=not is_siglip,
        return_tensors="pt",
    )
    return Prepared([True] * len(texts), dict(inputs))


def _pooled(output: Any) -> Tensor:
    """The projected vector, which some models give bare."""
    return output if isinstance(output, Tensor) else output.pooler_output
