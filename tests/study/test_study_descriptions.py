"""What a study says of descriptions, of the content made from them, and of the questions it asks."""

from pathlib import Path

import pytest

from recsys.content.weights import SHIPPED
from recsys.errors import UserError
from recsys.study.control_arms import same_reading
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.file import load_study

GOOD = """
title: T
datasets:
  d:
    source: {reader: market}
    descriptions:
      written: {file: answers.csv, fields: [Colour], truth: {Colour: image_colour}}
      asked: {model: market_describer, prompt: market_fields, poolings: [prompt_end]}
      both_asked: {model: market_describer, prompt: market_fields, inputs: [image, text]}
    content:
      text: {encoder: tfidf_svd}
      image: {encoder: visual_descriptors}
      words: {encoder: keywords, corpus: written}
      states: {encoder: hidden_states, corpus: asked, pooling: prompt_end}
      all: {encoder: keywords, corpus: both_asked}
    questions:
      - {ask: "Is A better?", better: states, than: image}
      - {ask: "Is A more than chance?", better: states, than: shuffled}
models: {TopPop: }
"""
MORE_SOURCES = """\
      plot: {encoder: tfidf_svd, fields: [text]}
      clip: {encoder: image_text}
      clip_image: {encoder: image_text, part: image}
      told: {encoder: instructed, image: false, fields: [title]}
      bought: {encoder: matrix_file, file: vectors.npy}
"""


def read(folder: Path, text: str) -> DatasetSpec:
    file = folder / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return load_study(file).datasets["d"]


def test_descriptions_are_read_or_asked(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD)
    assert (spec.descriptions["written"].file, spec.descriptions["written"].model) == ("answers.csv", None)
    assert spec.descriptions["asked"].options == {
        "model": "market_describer",
        "prompt": "market_fields",
        "poolings": ["prompt_end"],
    }


def test_a_source_reads_what_its_encoder_or_the_model_behind_it_is_shown(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD.replace("    questions:", f"{MORE_SOURCES}    questions:"))
    reads = {source: sorted(spec.reads(source)) for source in spec.content}
    assert reads == {
        "text": ["text", "title"],
        "image": ["image"],
        "words": ["words"],
        "states": ["image"],
        "all": ["image", "text", "title"],
        "plot": ["text"],
        "clip": ["image", "text", "title"],
        "clip_image": ["image"],
        "told": ["title"],
        "bought": ["bought"],
    }
    by_image, by_text = ("image", "states", "all", "clip", "clip_image"), ("text", "all", "plot", "clip")
    assert same_reading(spec) == [by_image, by_text, ("text", "all", "clip", "told")]


def test_the_weights_of_a_model_count_as_its_data(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD)
    assert spec.descriptions["asked"].places(tmp_path) == [SHIPPED["market_describer"]]
    own = tmp_path / "own_model"
    own.mkdir()
    (own / "config.json").write_text("{}")
    mine = read(tmp_path, GOOD.replace("asked: {model: market_describer", "asked: {model: own_model", 1))
    assert mine.descriptions["asked"].places(tmp_path) == [own]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{file: answers.csv,", "{", "descriptions.written: descriptions come from a 'file' or from a 'model'"),
        ("{file: answers.csv,", "{file: a.csv, model: m,", "give one of the two"),
        ("{file: answers.csv,", "{file: a.csv, layer: 3,", "'layer' means nothing to descriptions from a file"),
        ("asked: {", "asked: {fields: [X], ", "a model has those of its prompt"),
        ("than: image", "than: picture", "question 'Is A better?' names 'picture' (known: all, both, image"),
        ("better: states, than: shuffled", "better: shuffled, than: states", "names 'shuffled'"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
