"""Trained encoders: items a second by the whole way from files to vectors, and by the bare forward pass.

The bare pass runs on the same batches, prepared and in memory before the clock starts: what an encoder would reach if
reading, decoding, scaling, tokenising and keeping cost nothing. Networks are of their real size with random weights,
but for the sentence encoder, whose weights are those of all-MiniLM-L6-v2. Pictures are MovieLens posters and texts are
the tags of Last.fm where MODALIFT_DATA names the folder that has them, else pictures and words drawn at random.

MODALIFT_DATA=... python benchmarks/encoders.py --items 256 --encoders resnet50 --device auto
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _baby import console
from PIL import Image
from rich.table import Table
from safetensors.torch import save_file
from torchvision import models
from transformers import (
    AutoTokenizer,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from recsys.content.encoder import Context
from recsys.content.encoders import registry
from recsys.content.pretrained.contents import Contents
from recsys.content.pretrained.running import BATCH_SIZES, Tower, vectors
from recsys.content.weights import locate
from recsys.memory import keep_freed_memory
from recsys.runtime import Runtime

MINI_LM = "sentence-transformers/all-MiniLM-L6-v2"


def resnet50(folder: Path) -> tuple[str, dict[str, Any]]:
    """Torchvision's ResNet-50 at `avgpool`."""
    save_file(models.resnet50().state_dict(), folder / "resnet50.safetensors")
    return "torchvision_backbone", {"weights": str(folder / "resnet50.safetensors")}


def vit_base(folder: Path) -> tuple[str, dict[str, Any]]:
    """ViT-B/16 at 224 pixels."""
    for part in (ViTModel(ViTConfig()), ViTImageProcessor()):
        part.save_pretrained(folder)
    return "vision_transformer", {"model": str(folder)}


def clip_base(folder: Path) -> tuple[str, dict[str, Any]]:
    """CLIP ViT-B/32 with 77 tokens of text."""
    words = AutoTokenizer.from_pretrained(locate(MINI_LM), model_max_length=77)
    ends = {"bos_token_id": words.cls_token_id, "eos_token_id": words.sep_token_id, "pad_token_id": words.pad_token_id}
    for part in (CLIPModel(CLIPConfig(text_config=ends)), CLIPProcessor(CLIPImageProcessor(), words)):
        part.save_pretrained(folder)
    return "image_text", {"model": str(folder)}


def mini_lm(folder: Path) -> tuple[str, dict[str, Any]]:
    """all-MiniLM-L6-v2 with its own weights."""
    return "sentence_transformer", {"model": MINI_LM}


CASES: dict[str, tuple[Callable[[Path], tuple[str, dict[str, Any]]], str]] = {
    "resnet50": (resnet50, "pictures"),
    "vit_base": (vit_base, "pictures"),
    "clip_base_image": (clip_base, "pictures"),
    "clip_base_text": (clip_base, "texts"),
    "mini_lm": (mini_lm, "texts"),
}


def pictures(n: int, folder: Path) -> Contents:
    """Posters, or pictures of their size drawn at random."""
    data = os.environ.get("MODALIFT_DATA")
    paths = sorted((Path(data) / "movielens-small" / "posters").glob("*.jpg"))[:n] if data else []
    random = np.random.default_rng(0)
    for number in range(n - len(paths)):
        coarse = Image.fromarray(random.integers(0, 256, (30, 20, 3), dtype=np.uint8))
        coarse.resize((200, 300)).save(folder / f"{number}.jpg")
        paths.append(folder / f"{number}.jpg")
    return Contents("pictures", [{str(path): str(path)} for path in paths])


def texts(n: int) -> Contents:
    """Listeners' tags, or words of their number drawn at random."""
    data = os.environ.get("MODALIFT_DATA")
    if data:
        return Contents.texts(pd.read_csv(Path(data) / "lastfm-2k" / "items.csv", dtype=str)["text"].head(n))
    random = np.random.default_rng(0)
    words = np.array(["rock", "pop", "electronic", "seen live", "female vocalists", "indie", "ambient", "dance"])
    return Contents.texts(pd.Series([",".join(random.choice(words, random.integers(1, 60))) for _ in range(n)]))


def bare_pass(contents: Contents, tower: Tower, runtime: Runtime, size: int) -> Callable[[], object]:
    """The forward pass alone, on batches that are prepared and, for a GPU, wait in its memory."""
    shown = list(contents.distinct.values())
    batches = [runtime.move(tower.prepare(shown[start : start + size]).inputs) for start in range(0, len(shown), size)]

    def run() -> None:
        with torch.inference_mode(), runtime.autocast():
            torch.cat([tower.forward(batch) for batch in batches]).float().cpu()

    return run


def cost(work: Callable[[], object]) -> np.ndarray:
    """Seconds on the clock and of processors, those of worker processes among them."""
    before = np.array([time.perf_counter(), sum(os.times()[:4])])
    work()
    return np.array([time.perf_counter(), sum(os.times()[:4])]) - before


def measure(name: str, n: int, device: str, repeats: int) -> tuple[str, ...]:
    """A row of the table; the two ways take turns, so that other work on the machine hits both."""
    build, of = CASES[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        encoder_name, options = build(folder)
        encoder: Any = registry.load(encoder_name).from_options(encoder_name, {**options, "device": device})
        tower = encoder.towers(Context())[of] if hasattr(encoder, "towers") else encoder.tower(Context())
        contents = pictures(n, folder) if of == "pictures" else texts(n)
        size = BATCH_SIZES[encoder.runtime.device.type]
        keep_freed_memory()  # as our way does
        bare = bare_pass(contents, tower, encoder.runtime, size)
        bare()
        times = [(cost(lambda: vectors(contents, tower, encoder.runtime)), cost(bare)) for _ in range(repeats)]
    (ours, our_work), (theirs, their_work) = np.min(times, axis=0)
    n = len(contents.distinct)
    ratios = f"{theirs / ours:.2f}", f"{their_work / our_work:.2f}"
    return name, str(n), str(size), f"{n / ours:.1f}", f"{n / theirs:.1f}", *ratios


def main() -> None:
    """Time the encoders asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=256)
    parser.add_argument("--encoders", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    cuda = torch.cuda.is_available() and asked.device != "cpu"
    console.print(torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} thread(s)")
    table = Table("", "items", "batch", "items/s", "bare pass, items/s", "ratio", "ratio by processor time")
    for name in asked.encoders:
        table.add_row(*measure(name, asked.items, asked.device, asked.repeats))
    console.print(table)


if __name__ == "__main__":
    main()
