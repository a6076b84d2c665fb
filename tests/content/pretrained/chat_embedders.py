"""Tiny models that are asked by a chat, with the chat format of the Qwen models."""

from pathlib import Path

from transformers import AutoProcessor

from tests.content.vlm import tiny

CHAT = (
    "{% for message in messages %}{% if loop.first and message.role != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def qwen(folder: Path, family: str, *, chat: str | None = CHAT, padding: str = "left") -> str:
    """A model of this family, in a folder that says nothing of embeddings; its tokenizer pads on this side."""
    tiny.FAMILIES[family](folder)
    processor = AutoProcessor.from_pretrained(folder)
    processor.chat_template = processor.tokenizer.chat_template = chat
    processor.tokenizer.padding_side = padding
    (folder / "chat_template.jinja").unlink()
    processor.save_pretrained(folder)
    return str(folder)


def described(folder: Path, family: str, *, chat: str = CHAT, padding: str = "right", prompt: str = "") -> str:
    """The same in a folder that the sentence-transformers library has written, with a default prompt."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    place = qwen(folder / "bare", family, chat=chat, padding=padding)
    asked = Transformer(place, processing_kwargs={"chat_template": {"add_generation_prompt": True}})
    pooling = Pooling(asked.get_embedding_dimension(), "lasttoken")
    prompts = {"prompts": {"own": prompt}, "default_prompt_name": "own"} if prompt else {}
    model = SentenceTransformer(modules=[asked, pooling, Normalize()], device="cpu", **prompts)
    model.save(str(folder / "described"))
    return str(folder / "described")
