"""How well a describer describes pictures of a market that it never saw."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from recsys.content.descriptions import parse_corpus
from recsys.content.vlm.market_describer.architecture import question
from recsys.content.vlm.market_describer.pictures import WORDS, market_pictures

MARKET_SEED = 2_000_000
"""Seed of the market whose pictures are held out."""
BATCH_SIZE = 64


@dataclass(frozen=True)
class Measurement:
    """What a describer said about pictures whose truth is known.

    Attributes:
        n_pictures: number of pictures.
        accuracy: share of pictures whose value is named, by field.
        exact: share of answers in the exact format.
        material_guess: the material named most often, and the share of answers that name it.
        seconds: CPU time of all answers, loading included.
    """

    n_pictures: int
    accuracy: dict[str, float]
    exact: float
    material_guess: tuple[str, float]
    seconds: float


def measure(folder: Path, n_pictures: int = 2000, seed: int = MARKET_SEED) -> Measurement:
    """Ask the describer in a folder about the pictures of the market of this seed, through transformers alone."""
    pictures = market_pictures(seed, n_pictures)
    start = time.process_time()
    answers = describe(folder, list(pictures.pixels))
    seconds = time.process_time() - start
    corpus = pd.DataFrame({"item_id": range(n_pictures), "answer": answers})
    said, compliance = parse_corpus(corpus, list(WORDS))
    right = pd.DataFrame(pictures.values(), columns=list(WORDS))
    accuracy = {field: float((said[field] == right[field]).mean()) for field in WORDS}
    counts = said["Material"].value_counts(normalize=True)
    return Measurement(n_pictures, accuracy, compliance.exact, (str(counts.index[0]), float(counts.iloc[0])), seconds)


@torch.inference_mode()
def describe(folder: Path, pictures: list) -> list[str]:
    """Answers to the describer's own prompt about pictures, given as PIL images or as arrays of pixels."""
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True)
    answers = []
    for first in range(0, len(pictures), BATCH_SIZE):
        batch = [[picture] for picture in pictures[first : first + BATCH_SIZE]]
        inputs = processor(images=batch, text=[question(processor)] * len(batch), return_tensors="pt")
        tokens = model.generate(**inputs)[:, inputs["input_ids"].shape[1] :]
        answers += processor.batch_decode(tokens, skip_special_tokens=True)
    return answers
