"""Encoders are found by their files, and mistakes in naming them are one line."""

import subprocess
import sys

import pytest

from recsys.content.encoders import encode, encoder_infos, registry
from recsys.errors import UserError
from tests.content.conftest import item_table


def test_looking_up_imports_no_encoder():
    program = (
        "import sys; from recsys.content.encoders import registry; registry.check('tfidf_svd'); registry.names();"
        "print([name for name in ('sklearn', 'skimage', 'torch', 'joblib', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_encoder_is_described():
    found = encoder_infos()
    names = {"tfidf_svd", "visual_descriptors", "matrix_file", "keywords", "attributes"}
    assert names <= {info.name for info in found} == set(registry.names())
    for info in found:
        assert info.description and "\n" not in info.description and info.licence
        assert not (info.needs_weights and info.name in names)
        assert bool(info.known) == info.needs_weights
        for checkpoint in info.known:
            assert checkpoint.dim > 0 and checkpoint.megabytes > 0 and checkpoint.licence


@pytest.mark.parametrize(
    ("encoder", "options", "reads"),
    [
        ("visual_descriptors", {}, True),
        ("image_text", {"part": "mean"}, True),
        ("image_text", {"part": "text"}, False),
        ("instructed", {"fields": []}, True),
        ("instructed", {"image": False}, False),
        ("tfidf_svd", {}, False),
    ],
)
def test_an_encoder_of_words_and_pictures_reads_pictures_unless_it_is_to_read_words_alone(encoder, options, reads):
    assert registry.load(encoder).from_options(encoder, options).reads_pictures == reads


@pytest.mark.parametrize(
    ("encoder", "options", "message"),
    [
        ("tfidf", {}, "there is no encoder 'tfidf'; did you mean 'tfidf_svd'?"),
        ("xyz", {}, "there is no encoder 'xyz'; `modalift encoders` lists them"),
        (
            "attributes",
            {"cols": ["genres"]},
            "encoder 'attributes': cols: there is no such key; did you mean 'columns'?",
        ),
        ("matrix_file", {}, "encoder 'matrix_file': file: this key is missing; write it"),
    ],
)
def test_mistakes_are_one_line(encoder, options, message):
    with pytest.raises(UserError) as error:
        encode(encoder, options, item_table(1))
    assert str(error.value) == message
