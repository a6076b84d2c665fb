"""Tiny models of every family, made from their own configurations, with weights drawn at random."""

from pathlib import Path
from string import ascii_letters
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing
from transformers import (
    AlignConfig,
    AlignModel,
    AlignProcessor,
    AltCLIPConfig,
    AltCLIPModel,
    AltCLIPProcessor,
    BitImageProcessor,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    ConvNextConfig,
    ConvNextImageProcessor,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    DINOv3ViTConfig,
    DINOv3ViTImageProcessor,
    DINOv3ViTModel,
    EfficientNetImageProcessor,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2ImageProcessor,
    Siglip2Model,
    Siglip2Processor,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipProcessor,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SQUARE = {"image_size": 32, "patch_size": 8}
SIDE = {"height": 32, "width": 32}
REGISTERS = 3
DIM, LIMIT = 12, 10
TEXT = {**SMALL, "vocab_size": 56, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 55}


def save(folder: Path, *parts: Any) -> Path:
    """A folder of a model and of what prepares its inputs."""
    for part in parts:
        part.save_pretrained(folder)
    return folder


def vit(folder: Path) -> Path:
    return save(folder, ViTModel(ViTConfig(**SMALL, **SQUARE)), ViTImageProcessor(size=SIDE))


def dinov2(folder: Path) -> Path:
    processor = BitImageProcessor(size={"shortest_edge": 36}, crop_size=SIDE)
    return save(folder, Dinov2Model(Dinov2Config(**SMALL, **SQUARE)), processor)


def dinov3(folder: Path) -> Path:
    config = DINOv3ViTConfig(**SMALL, **SQUARE, num_register_tokens=REGISTERS)
    return save(folder, DINOv3ViTModel(config), DINOv3ViTImageProcessor(size=SIDE))


def convnext(folder: Path) -> Path:
    config = ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)
    return save(folder, ConvNextModel(config), ConvNextImageProcessor(size={"shortest_edge": 32}))


def clip(folder: Path) -> Path:
    text = TEXT | {"max_position_embeddings": LIMIT}
    config = CLIPConfig(text_config=text, vision_config=SMALL | SQUARE, projection_dim=DIM)
    processor = CLIPProcessor(CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SIDE), letters())
    return save(folder, CLIPModel(config), processor)


def siglip(folder: Path) -> Path:
    text = TEXT | {"max_position_embeddings": LIMIT, "projection_size": DIM, "hidden_size": DIM}
    config = SiglipConfig(text_config=text, vision_config=SMALL | SQUARE | {"hidden_size": DIM})
    return save(folder, SiglipModel(config), SiglipProcessor(SiglipImageProcessor(size=SIDE), letters()))


def siglip2(folder: Path) -> Path:
    """The variant that keeps a picture's proportions: as many patches as it takes, and a mask."""
    text = TEXT | {"max_position_embeddings": LIMIT, "projection_size": DIM, "hidden_size": DIM}
    vision = SMALL | {"hidden_size": DIM, "patch_size": 8, "num_patches": 16}
    images = Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
    model = Siglip2Model(Siglip2Config(text_config=text, vision_config=vision))
    return save(folder, model, Siglip2Processor(images, letters()))


def align(folder: Path) -> Path:
    vision = {"image_size": 32, "in_channels": [32, 16], "out_channels": [16, DIM], "kernel_sizes": [3, 3]}
    vision |= {"strides": [1, 2], "num_block_repeats": [1, 1], "expand_ratios": [1, 2], "depth_divisor": 4}
    vision |= {"width_coefficient": 1.0, "depth_coefficient": 1.0, "squeeze_expansion_ratio": 0.25}
    config = AlignConfig(text_config=TEXT | {"max_position_embeddings": 80}, vision_config=vision, projection_dim=DIM)
    images = EfficientNetImageProcessor(size=SIDE, do_center_crop=False)
    return save(folder, AlignModel(config), AlignProcessor(images, letters()))


def altclip(folder: Path) -> Path:
    """Its text half counts positions from behind the padding's, as RoBERTa does."""
    text = TEXT | {"max_position_embeddings": LIMIT + 1, "project_dim": DIM, "pad_token_id": 0}
    config = AltCLIPConfig(text_config=text, vision_config=SMALL | SQUARE, projection_dim=DIM)
    processor = AltCLIPProcessor(CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SIDE), letters())
    return save(folder, AltCLIPModel(config), processor)


def letters() -> Any:
    """A tokenizer of letters; the end of a text has the highest number, as in CLIP."""
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<s>", "<unk>", *ascii_letters, "</s>"])}
    backend = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = Split("", "isolated")
    special = [(token, vocabulary[token]) for token in ("<s>", "</s>")]
    backend.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=special)
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)
