"""Vision-language models of every family, with a few thousand random weights, made from their configurations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,
}
"""A wide spread, so that random weights give varied answers."""
VISION = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
CHAT = (
    "<bos>{% for message in messages %}{{ message.role }}: {% for part in message.content %}"
    "{% if part.type == 'image' %}MARK{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "<end>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def tokenizer(*marks: str, **named: str) -> hf.PreTrainedTokenizerFast:
    """A tokenizer of single bytes and a family's special tokens, some of which have a name such as `image_token`."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE({letter: place for place, letter in enumerate(letters)}, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    made = hf.PreTrainedTokenizerFast(
        tokenizer_object=plain, bos_token="<bos>", eos_token="<end>", pad_token="<pad>", extra_special_tokens=named
    )
    made.add_special_tokens({"extra_special_tokens": list(marks)}, replace_extra_special_tokens=False)
    return made


def special(words: hf.PreTrainedTokenizerFast) -> dict[str, Any]:
    """What a text configuration must know of its tokenizer."""
    return {
        "vocab_size": len(words),
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
    }


def save(folder: Path, processor: Any, config: Any) -> None:
    """Write the processor and a model with random weights as a hub would hold them."""
    torch.manual_seed(0)
    network = hf.AutoModelForMultimodalLM.from_config(config)
    for name, weight in network.named_parameters():
        if "mm_input_projection" in name:  # Gemma 3 begins with zeros there, and sees nothing
            torch.nn.init.normal_(weight)
    network.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    network.save_pretrained(folder)
    processor.save_pretrained(folder)


def idefics3(folder: Path) -> None:
    words = tokenizer("<fake_token_around_image>", "<global-img>", "<end_of_utterance>", image_token="<image>")
    pictures = hf.Idefics3ImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    processor = hf.Idefics3Processor(pictures, words, image_seq_len=4, chat_template=CHAT.replace("MARK", "<image>"))
    config = hf.Idefics3Config(
        text_config={"model_type": "llama", **TEXT, **special(words)},
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        image_token_id=words.image_token_id,
        scale_factor=2,
    )
    save(folder, processor, config)


def smolvlm(folder: Path) -> None:
    words = tokenizer(
        image_token="<image>", fake_image_token="<fake_token_around_image>", global_image_token="<global-img>"
    )
    processor = hf.SmolVLMProcessor(
        hf.SmolVLMImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}),
        words,
        hf.SmolVLMVideoProcessor(),
        image_seq_len=4,
        chat_template=CHAT.replace("MARK", "<image>"),
    )
    config = hf.SmolVLMConfig(
        text_config={"model_type": "llama", **TEXT, **special(words)},
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        image_token_id=words.image_token_id,
        scale_factor=2,
    )
    save(folder, processor, config)


def qwen(
    folder: Path, config: type, processor: type, patch: int, text: dict[str, Any], vision: dict[str, Any]
) -> None:
    words = tokenizer("<|vision_start|>", "<|vision_end|>", image_token="<|image_pad|>", video_token="<|video_pad|>")
    side = 2 * patch
    made = processor(
        hf.Qwen2VLImageProcessor(patch_size=patch, size={"shortest_edge": side**2, "longest_edge": 256 * side**2}),
        words,
        hf.Qwen2VLVideoProcessor(),
        chat_template=CHAT.replace("MARK", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    sizes = config(
        text_config={**special(words), **text},
        vision_config={"depth": 2, "num_heads": 4, "patch_size": patch, **vision},
        image_token_id=words.image_token_id,
        video_token_id=words.video_token_id,
        vision_start_token_id=words.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|vision_end|>"),
    )
    save(folder, made, sizes)


ROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]}


def qwen2_vl(folder: Path) -> None:
    vision = {"embed_dim": 32, "hidden_size": 32}
    qwen(folder, hf.Qwen2VLConfig, hf.Qwen2VLProcessor, 14, {**TEXT, "rope_parameters": ROPE}, vision)


def qwen2_5_vl(folder: Path) -> None:
    vision = {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": 32, "fullatt_block_indexes": [1]}
    vision["window_size"] = 56
    qwen(folder, hf.Qwen2_5_VLConfig, hf.Qwen2_5_VLProcessor, 14, {**TEXT, "rope_parameters": ROPE}, vision)


def qwen3_vl(folder: Path) -> None:
    vision = {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": 32, "num_position_embeddings": 16}
    vision["deepstack_visual_indexes"] = [0, 1]
    text = {**TEXT, "rope_parameters": {**ROPE, "mrope_interleaved": True}}
    qwen(folder, hf.Qwen3VLConfig, hf.Qwen3VLProcessor, 16, text, vision)


def phi4_multimodal(folder: Path) -> None:
    words = tokenizer("<|user|>", "<|end|>", "<|assistant|>", image_token="<|image|>", audio_token="<|audio|>")
    processor = hf.Phi4MultimodalProcessor(
        hf.Phi4MultimodalImageProcessor(), hf.Phi4MultimodalFeatureExtractor(), words
    )
    config = hf.Phi4MultimodalConfig(
        **TEXT,
        **special(words),
        vision_config={**VISION, "image_token_id": words.image_token_id},
        audio_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_blocks": 1,
            "num_attention_heads": 4,
            "ext_pw_out_channel": 32,
            "depthwise_separable_out_channel": 32,
            "nemo_conv_channels": 32,
            "audio_token_id": words.audio_token_id,
        },
    )
    save(folder, processor, config)


def gemma3(folder: Path) -> None:
    """Its processor's `image_token_id` is the token that begins an image, and not that of the image itself."""
    words = tokenizer(boi_token="<start_of_image>", image_token="<image_soft_token>", eoi_token="<end_of_image>")
    size = {"height": 32, "width": 32}
    processor = hf.Gemma3Processor(
        hf.Gemma3ImageProcessor(size=size),
        words,
        image_seq_length=4,
        chat_template=CHAT.replace("MARK", "<start_of_image>"),
    )
    config = hf.Gemma3Config(
        text_config={**TEXT, **special(words), "head_dim": 8, "sliding_window": 64},
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        mm_tokens_per_image=4,
        image_token_index=words.image_token_id,
        boi_token_index=words.boi_token_id,
        eoi_token_index=words.eoi_token_id,
    )
    save(folder, processor, config)


def paligemma(folder: Path) -> None:
    """Asks for a picture with every text, and has no chat format."""
    words = tokenizer(image_token="<image>")
    words.add_special_tokens({"extra_special_tokens": ["<image>"]}, replace_extra_special_tokens=False)
    pictures = hf.SiglipImageProcessor(size={"height": 32, "width": 32})
    pictures.image_seq_length = 16
    processor = hf.PaliGemmaProcessor(pictures, words)
    config = hf.PaliGemmaConfig(
        text_config={"model_type": "gemma", **TEXT, **special(words), "head_dim": 8},
        vision_config={**VISION, "image_size": 32, "patch_size": 8, "projection_dim": 32},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        projection_dim=32,
    )
    save(folder, processor, config)


def blip_2(folder: Path) -> None:
    """Its processor puts the marks of the image before the text itself."""
    words = tokenizer()
    processor = hf.Blip2Processor(hf.BlipImageProcessor(size={"height": 32, "width": 32}), words, num_query_tokens=4)
    config = hf.Blip2Config(
        text_config={
            "model_type": "opt",
            **special(words),
            "hidden_size": 32,
            "ffn_dim": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "word_embed_proj_dim": 32,
            "max_position_embeddings": 512,
        },
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        qformer_config={
            "hidden_size": 32,
            "encoder_hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 48,
            "vocab_size": len(words),
        },
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    save(folder, processor, config)


ODD: dict[str, Callable[[Path], None]] = {made.__name__: made for made in (gemma3, paligemma, blip_2)}
"""Families that mark images, or take items without one, otherwise than the rest."""
FAMILIES: dict[str, Callable[[Path], None]] = {
    made.__name__: made for made in (idefics3, smolvlm, qwen2_vl, qwen2_5_vl, qwen3_vl, phi4_multimodal)
}
