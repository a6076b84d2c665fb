"""Tiny models of every family, made from their own configurations, with weights drawn at random."""

from pathlib import Path
from typing import Any

from transformers import (
    BitImageProcessor,
    ConvNextConfig,
    ConvNextImageProcessor,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    DINOv3ViTConfig,
    DINOv3ViTImageProcessor,
    DINOv3ViTModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SQUARE = {"image_size": 32, "patch_size": 8}
SIDE = {"height": 32, "width": 32}
REGISTERS = 3


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
