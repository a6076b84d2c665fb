"""Answers a second of a whole extraction, beside the model's bare `generate` on batches that lie ready on the device.

Whole: pictures opened and processed, hidden states pooled, answers decoded, every batch kept on disk. Bare: greedy
`generate` on the same batches, without hidden states. Qwen2-VL with random weights, so that both write answers of
full length: `tiny` has the layers of a toy, `2b` those of Qwen2-VL-2B-Instruct.

python benchmarks/describing.py [--size tiny|2b] [--items 64] [--batch-size 16] [--tokens 32]
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers as hf
from _baby import compare, console, seconds
from PIL import Image

from recsys.content.images import open_rgb
from recsys.content.vlm import extraction
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.prompts import load_prompt
from recsys.content.vlm.transformers_describer import TransformersDescriber

TEXT_2B = {
    "vocab_size": 151_936,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
}
VISION_2B = {"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16}
SIDES = {"tiny": 112, "2b": 448}
"""Pixels of a picture's side: 16 and 256 tokens."""


def make_model(folder: Path, size: str) -> None:
    """Write a model of this size with random weights; its parts are those of the tests."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.content.vlm import tiny

    if size == "tiny":
        tiny.qwen2_vl(folder)
    else:
        tiny.qwen(folder, hf.Qwen2VLConfig, hf.Qwen2VLProcessor, 14, TEXT_2B, VISION_2B)


def make_items(folder: Path, n_items: int, side: int) -> pd.DataFrame:
    """Photographs of noise, and their item table."""
    random, paths = np.random.default_rng(0), [str(folder / f"{item}.jpg") for item in range(n_items)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
    ids = [str(item) for item in range(n_items)]
    return pd.DataFrame({"item_id": ids, "image_path": paths, "image_digest": ids})


def bare(describer: TransformersDescriber, items: pd.DataFrame, options: VlmOptions) -> Any:
    """The model's own greedy decoding of all items, with its batches prepared before the clock starts."""
    question = describer.loaded.question(load_prompt(options.prompt).text, None, n_images=1)
    paths, size = items["image_path"].tolist(), options.batch_size
    batches = []
    for start in range(0, len(paths), size):
        pictures = [[open_rgb(Path(path))] for path in paths[start : start + size]]
        inputs = describer.loaded.processor(
            text=[question] * len(pictures), images=pictures, padding=True, return_tensors="pt"
        )
        batches.append(inputs.to(describer.runtime.device, describer.loaded.network.dtype))

    def run() -> None:
        for batch in batches:
            describer.loaded.network.generate(**batch, do_sample=False, max_new_tokens=options.max_new_tokens)
        if describer.runtime.device.type == "cuda":
            torch.cuda.synchronize()

    return run


def main() -> None:
    """Make, time, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIDES, default="tiny")
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=32)
    asked = parser.parse_args()
    console.print(torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU")
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder / "model", asked.size)
        items = make_items(folder, asked.items, SIDES[asked.size])
        options = VlmOptions.model_validate(
            {
                "model": str(folder / "model"),
                "prompt": "movies_fields",
                "poolings": ["prompt_end", "answer_end", "answer_mean", "image_mean"],
                "max_new_tokens": asked.tokens,
                "batch_size": asked.batch_size,
                "min_compliance": 0,  # random weights answer nothing of use
            }
        )
        describer = TransformersDescriber(folder / "model", options)
        extraction.choose = lambda *_: describer  # one model for both, loaded before the clock starts
        plain = bare(describer, items, options)
        tokens = extraction.extract(items, options).facts["tokens"]
        ours, theirs = seconds(lambda: extraction.extract(items, options)), seconds(plain)
        row = f"{asked.items} items, {asked.batch_size} a batch", ours, "generate alone", theirs
        compare(f"Qwen2-VL {asked.size}, {asked.tokens} tokens an answer", [row])
        console.print(
            f"{asked.items / ours:.1f} answers and {tokens / ours:.0f} tokens a second; alone "
            f"{asked.items / theirs:.1f} and {asked.items * asked.tokens / theirs:.0f}"
        )


if __name__ == "__main__":
    main()
