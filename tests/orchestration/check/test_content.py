"""What files of content and their encoders would stop a run at, hours later, is one line before it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from orchestration.settings import Settings
from tests.orchestration.check.catalogue import ITEMS, KEYWORDS, data, refused, write
from tests.orchestration.command_line import call, printed

Prepare = Callable[[Path], object]
CORPUS = "words: {file: d.csv, fields: [Type]}"


def corpus(text: str, encoding: str = "utf-8") -> Prepare:
    return lambda folder: (folder / "d.csv").write_bytes(text.encode(encoding))


def matrix(array: np.ndarray) -> Prepare:
    return lambda folder: np.save(folder / "m.npy", array, allow_pickle=True)


def nothing(folder: Path) -> None:
    """The files are there already."""


@pytest.mark.parametrize(
    ("prepare", "descriptions", "content", "line"),
    [
        (
            corpus("item_id,answer\n" + "\n".join(f"x{i},[Type] {{a}}" for i in range(ITEMS))),
            CORPUS,
            KEYWORDS,
            "descriptions shop/words: {data}/d.csv: none of its 40 answers is about an item of the dataset",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}, [Style] {{b}}" for i in range(ITEMS))),
            CORPUS,
            KEYWORDS,
            "descriptions shop/words: {data}/d.csv: no row can be used: 40 of 40 rows have 3 fields where",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{\u304b\u3070}}" for i in range(ITEMS)), "cp932"),
            CORPUS,
            KEYWORDS,
            "descriptions shop/words: {data}/d.csv: is not UTF-8, and its encoding cannot be detected; name it",
        ),
        (
            matrix(np.random.default_rng(0).standard_normal((ITEMS - 1, 4))),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: has 39 rows, and item '39' needs row 39, counted from 0",
        ),
        (
            lambda folder: (folder / "m.npy").mkdir(),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: is a folder, not a file; give a file that exists",
        ),
        (
            matrix(np.array([{"a": 1}] * ITEMS)),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: damaged, or made of Python objects",
        ),
        (
            matrix(np.full((ITEMS, 4), np.nan)),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: no row can be used: 40 hold NaN, an infinity, a number above 1e15 or",
        ),
        (
            matrix(1e30 * np.random.default_rng(0).standard_normal((ITEMS, 4))),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: no row can be used: 40 hold NaN, an infinity, a number above 1e15 or",
        ),
        (
            matrix(np.zeros((ITEMS, 4))),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: encoder matrix_file: 0 of 40 items (0.0 %) have it: m.npy has no row for them",
        ),
        (
            nothing,
            "",
            "image: {encoder: matrix_file, file: gone.npy}",
            "content shop/image: {data}/gone.npy: there is no such file",
        ),
        (
            nothing,
            "",
            "kind: {encoder: attributes, columns: [genres]}",
            "content shop/kind: encoder 'attributes': items have no column 'genres' (known: item_id, title",
        ),
        (
            nothing,
            "",
            "text: {encoder: tfidf_svd, fields: [categori]}",
            "content shop/text: encoder 'tfidf_svd': items have no column 'categori'; did you mean 'category'?",
        ),
        (
            nothing,
            "",
            "text: {encoder: sentence_transformer, model: nobody/no-model, revision: abcdef0}",
            "content shop/text: model 'nobody/no-model': cannot fetch model.safetensors from the hub (",
        ),
        (
            nothing,
            "",
            "text: {encoder: sentence_transformer, model: nobody/no-model}",
            "content shop/text: model 'nobody/no-model': add `revision`, the commit on the hub that pins it",
        ),
        (
            nothing,
            "",
            "text: {encoder: sentence_transformer, model: models/of/mine}",
            "content shop/text: model 'models/of/mine': there is no such folder with a config.json",
        ),
        (
            nothing,
            "",
            "image: {encoder: visual_descriptors}",
            "content shop/image: encoder visual_descriptors: 0 of 40 items (0.0 %) have it: give the reader `images`",
        ),
        (
            nothing,
            "",
            "image: {encoder: torchvision_backbone, model: resnet51}",
            "content shop/image: model 'resnet51': torchvision has no such classification model; did you mean",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}" for i in range(ITEMS))),
            CORPUS,
            "said: {encoder: hidden_states, corpus: words}",
            "content shop/said: encoder 'hidden_states': needs a description corpus that a model of this study writes",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}" for i in range(ITEMS))),
            "words: {file: d.csv, fields: [Type], truth: {Type: kategory}}",
            KEYWORDS,
            "descriptions shop/words: `truth`: items have no column 'kategory'; did you mean 'category'?",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}" for i in range(ITEMS))),
            "words: {file: d.csv, fields: [Type], truth: {Tipe: category}}",
            KEYWORDS,
            "descriptions shop/words: `truth`: `fields` has no field 'Tipe'; did you mean 'Type'?",
        ),
    ],
)
def test_broken_content_is_one_line_before_any_training(
    settings: Settings, prepare: Prepare, descriptions: str, content: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    prepare(data(settings))
    write(settings, content, descriptions)
    (found,) = refused(settings)
    assert found.startswith(line.format(data=data(settings)))


def test_a_study_without_its_data_says_so_once(settings: Settings) -> None:
    write(settings, "\n".join(f"s{n}: {{encoder: tfidf_svd, dim: {n + 2}}}" for n in range(13)))
    data(settings).rename(settings.studies / "elsewhere")
    result = call(settings, "check", "shop")
    assert result.exit_code == 2
    assert result.stdout.count("is not there") == 1
    assert result.stderr == "study shop cannot be run as it is: fix dataset shop\n"


def test_a_run_that_has_nothing_to_encode_reads_no_content(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    printed(settings, "run", "shop", "--select", '+key:"shop/embeddings/text"')

    def fail(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("recsys.study.checking.check_content", fail)
    printed(settings, "run", "shop", "--select", '+key:"shop/embeddings/text" or key:"shop/models/TopPop"')
