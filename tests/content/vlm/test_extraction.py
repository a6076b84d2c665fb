"""An extraction asks about each content once, keeps what it did, and gives rows in the order of the items."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from recsys.content.encoders import encode
from recsys.content.features import Features
from recsys.content.vlm.contents import shown
from recsys.content.vlm.extraction import VlmOptions, _fingerprint, extract
from recsys.content.vlm.prompts import load_prompt
from recsys.content.vlm.transformers_describer import TransformersDescriber
from recsys.errors import UserError
from tests.content.conftest import item_table, pictured

PROMPT = "name: mine\nversion: 1\ndomain: toys\nfields: []\ntext: What is this?\n"


@pytest.fixture
def given(tiny, pictures, tmp_path) -> tuple[pd.DataFrame, dict]:
    """Seven items: two equal, one of words alone, one without anything, one with a picture that does not open."""
    (tmp_path / "mine.yaml").write_text(PROMPT)
    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:200])
    paths = [pictures[0], pictures[1], pictures[0], None, None, broken, pictures[2]]
    table = item_table(
        7,
        title=["a", "b", "a", "words", None, None, "c"],
        image_path=[None if path is None else str(path) for path in paths],
        image_digest=[None if path is None else path.stem for path in paths],
    )
    options = {"model": str(tiny("idefics3")), "prompt": "mine.yaml", "max_new_tokens": 5, "batch_size": 2}
    return table, options


def run(given, tmp_path, **changed):
    items, options = given
    work, progress = changed.pop("work", None), changed.pop("progress", None)
    return extract(items, VlmOptions(**(options | changed)), folder=tmp_path, work=work, progress=progress)


def test_images_alone(given, tmp_path, caplog):
    told = []
    with caplog.at_level(logging.WARNING):
        made = run(given, tmp_path, progress=lambda *steps: told.append(steps))
    assert made.answers["item_id"].tolist() == ["0", "1", "2", "6"]
    assert made.answers["answer"][0] == made.answers["answer"][2]
    features = made.hidden["answer_end"]
    assert features.present.tolist() == [True, True, True, False, False, False, True]
    np.testing.assert_array_equal(features.matrix[0], features.matrix[2])
    assert told == [(2, 4), (4, 4)]
    assert caplog.messages == ["pictures that could not be read: 1"]
    facts = made.facts
    assert (facts["items"], facts["answered"], facts["contents"], facts["equal_items"]) == (7, 4, 3, 1)
    assert facts["unreadable_images"] == 1 and facts["kept"] == 0 and facts["seconds"] > 0
    assert 0 < facts["tokens"] <= 3 * 5 and facts["cut_off"] <= 3
    assert (facts["tokens"] == 3 * 5) == (facts["cut_off"] == 3)


def test_an_excuse_is_no_answer_and_leaves_what_was_seen(given, tmp_path, monkeypatch):
    describe = TransformersDescriber.describe

    def excused(self, prompt, batch):
        said = describe(self, prompt, batch)
        excuse = "I'm sorry, but I can't help with that."
        first = given[0]["image_path"][1]
        answers = [excuse if str(each.images[0]) == first else said.answers[row] for row, each in enumerate(batch)]
        return replace(said, answers=answers)

    monkeypatch.setattr(TransformersDescriber, "describe", excused)
    made = run(given, tmp_path, poolings=("answer_end", "image_mean"))
    assert made.answers["item_id"].tolist() == ["0", "2", "6"]
    assert made.hidden["answer_end"].present.tolist() == [True, False, True, False, False, False, True]
    assert made.hidden["image_mean"].present.tolist() == [True, True, True, False, False, False, True]
    assert made.refusals == {"the model declines in words": 1}


def test_words_join_the_image_and_stand_in_for_it(given, tmp_path):
    made = run(given, tmp_path, inputs=("image", "text"), poolings=("prompt_end", "image_mean"))
    assert made.answers["item_id"].tolist() == ["0", "1", "2", "3", "6"]
    assert made.hidden["prompt_end"].present.tolist() == [True, True, True, True, False, False, True]
    assert made.hidden["image_mean"].present.tolist() == [True, True, True, False, False, False, True]
    alone = run(given, tmp_path, poolings=("prompt_end",)).hidden["prompt_end"]
    assert not np.allclose(alone.matrix[0], made.hidden["prompt_end"].matrix[0], atol=1e-3)


def test_an_item_whose_picture_does_not_open_is_asked_about_its_words(given, tmp_path):
    given[0].loc[5, "title"] = "words"
    made = run(given, tmp_path, inputs=("image", "text"))
    answers = made.answers.set_index("item_id")["answer"]
    assert answers["5"] == answers["3"]
    assert made.facts["unreadable_images"] == 1


def test_a_picture_that_is_a_line_is_none(given, tmp_path):
    Image.new("RGB", (410, 10)).save(tmp_path / "broken.png")
    assert run(given, tmp_path).facts["unreadable_images"] == 1
    Image.new("RGB", (400, 10)).save(tmp_path / "broken.png")
    assert run(given, tmp_path).facts["unreadable_images"] == 0


def test_words_alone(given, tmp_path):
    made = run(given, tmp_path, inputs=("text",), text_fields=("title",))
    assert made.answers["item_id"].tolist() == ["0", "1", "2", "3", "6"]
    assert made.facts["unreadable_images"] == 0


def test_a_catalogue_with_nothing_to_show(given, tmp_path):
    given[0].loc[:4, "image_path"] = None
    with pytest.raises(UserError, match="none of the 6 items has image to show the model"):
        run((given[0][:6], given[1]), tmp_path)


def test_what_is_kept_is_not_asked_again_and_other_options_are(given, tmp_path, monkeypatch):
    asked = []
    describe = TransformersDescriber.describe

    def counted(self, prompt, batch):
        asked.append(len(batch))
        return describe(self, prompt, batch)

    monkeypatch.setattr(TransformersDescriber, "describe", counted)
    first = run(given, tmp_path, work=tmp_path / "work")
    assert sum(asked) == 3
    again = run(given, tmp_path, work=tmp_path / "work", batch_size=3)
    assert sum(asked) == 3 and again.facts["kept"] == 3
    pd.testing.assert_frame_equal(first.answers, again.answers)
    assert first.hidden["answer_end"].digest == again.hidden["answer_end"].digest
    given[0].loc[4, ["image_path", "image_digest"]] = given[0].loc[1, "image_path"], "new"
    run(given, tmp_path, work=tmp_path / "work")
    assert sum(asked) == 4  # the new content alone
    run(given, tmp_path, work=tmp_path / "work", layer=1)
    assert sum(asked) == 8
    (tmp_path / "mine.yaml").write_text(PROMPT.replace("text: ", "text: Now, "))
    run(given, tmp_path, work=tmp_path / "work")
    assert sum(asked) == 12


def several(pictures, folder) -> pd.DataFrame:
    """Three pictures, of which one does not open; two of these; the first alone; none."""
    broken = folder / "broken.png"
    broken.write_bytes(b"no picture")
    files = [[pictures[0], broken, pictures[1]], [pictures[0], pictures[1]], [pictures[0]], []]
    digests = [[file.stem for file in of_item] for of_item in files]
    return pictured(*([str(file) for file in of_item] for of_item in files), digests=digests)


def test_all_pictures_of_an_item_are_shown_but_for_broken_ones(given, pictures, tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text(PROMPT)
    seen = []
    describe = TransformersDescriber.describe

    def noted(self, prompt, batch):
        seen.extend([path.stem for path in what.images] for what in batch)
        return describe(self, prompt, batch)

    monkeypatch.setattr(TransformersDescriber, "describe", noted)
    options = (several(pictures, tmp_path), given[1])
    made = run(options, tmp_path, work=tmp_path / "work")
    assert sorted(seen) == [["0"], ["0", "1"], ["0", "1"]]
    assert made.answers["item_id"].tolist() == ["0", "1", "2"]
    assert (made.facts["pictures"], made.facts["unreadable_images"], made.facts["contents"]) == (6, 1, 3)
    np.testing.assert_allclose(*made.hidden["answer_end"].matrix[:2], atol=2e-4)
    # The first pictures alone are another content, which the third item has shown already.
    alone = run(options, tmp_path, work=tmp_path / "work", pictures=1)
    assert len(seen) == 3 and "pictures" not in alone.facts
    np.testing.assert_array_equal(alone.hidden["answer_end"].matrix[0], made.hidden["answer_end"].matrix[2])


def test_every_picture_that_is_shown_is_part_of_what_an_answer_is_known_by(pictures, tmp_path):
    def keys(*digests: str, **changed) -> str:
        items = pictured([f"{digest}.png" for digest in digests], digests=[list(digests)])
        return shown(items, VlmOptions(model="m", prompt="movies_fields", **changed))[0][0]

    assert len({keys("a"), keys("a", "b"), keys("b", "a"), keys("a", "b", "c")}) == 4
    assert keys("a", "b", "c", pictures=2) == keys("a", "b") and keys("a", "b", pictures=1) == keys("a")


def test_answers_about_one_picture_an_item_are_found_under_the_keys_of_earlier_versions():
    items = item_table(3, title=["a", None, "b"], image_path=["p", "q", None], image_digest=["d", None, None])
    options = VlmOptions(model="m", prompt="movies_fields", inputs=("image", "text"))
    assert [key for key, _ in shown(items, options)] == KEYS
    without = VlmOptions(**(options.model_dump() | {"pictures": 1}))
    prompt = load_prompt(options.prompt, None)
    assert _fingerprint(options, prompt, None) == _fingerprint(without, prompt, None)


KEYS = ["a993303174c684d5d88879eee2edf8b9", "eb193e966057f822ae11bddeeeb1a109", "c9e028755efe33420daf3e6669b395ae"]
"""Digests of the first picture and the words `a`, of the second picture alone, and of the words `b` alone."""


def test_it_is_saved_and_an_encoder_reads_it_by_item(given, tmp_path):
    made = run(given, tmp_path, poolings=("prompt_end", "answer_mean"))
    made.save(tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "answers.parquet"), made.answers, check_dtype=False)
    assert Features.load(tmp_path / "prompt_end.safetensors").digest == made.hidden["prompt_end"].digest
    turned = given[0][::-1].reset_index(drop=True)
    read = encode("hidden_states", {"pooling": "answer_mean"}, turned, hidden=tmp_path)
    np.testing.assert_array_equal(read.matrix, made.hidden["answer_mean"].matrix[::-1])
    np.testing.assert_array_equal(read.present, made.hidden["answer_mean"].present[::-1])


def test_a_corpus_without_such_hidden_states_is_one_line(given, tmp_path):
    with pytest.raises(UserError) as error:
        encode("hidden_states", {}, given[0])
    assert "needs a description corpus that a model of this study writes" in str(error.value)
    run(given, tmp_path, poolings=("prompt_end", "answer_mean")).save(tmp_path)
    with pytest.raises(UserError) as error:
        encode("hidden_states", {}, given[0], hidden=tmp_path)
    assert "no 'answer_end'; set `pooling` to one of answer_mean, prompt_end" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": ("text",), "text_fields": ("name",)}, "`text_fields`: items have no column 'name' (known: "),
        ({"model": "/nowhere"}, "model '/nowhere': there is no such folder"),
        ({"prompt": "baby_field"}, "there is no prompt 'baby_field', nor a file of that name; did you mean 'baby_"),
        ({"device": "cuda"}, "device 'cuda': there is no CUDA device here"),
    ],
)
def test_mistakes_are_one_line(given, tmp_path, changed, message, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError) as error:
        run(given, tmp_path, **changed)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


@pytest.mark.parametrize("n", [0, 101])
def test_so_many_pictures_are_refused_before_anything_is_asked(n):
    assert VlmOptions(model="m", prompt="p", pictures=100).pictures == 100
    with pytest.raises(UserError, match="descriptions: pictures: must be "):
        VlmOptions.read({"model": "m", "prompt": "p", "pictures": n})


def test_a_layer_is_counted_and_a_share_is_written_with_a_point():
    counted, share = (VlmOptions(model="m", prompt="p", layer=layer) for layer in (1, 1.0))
    assert isinstance(counted.layer, int) and isinstance(share.layer, float)
    for wrong in ({"layer": 1.5}, {"inputs": ()}, {"inputs": ("sound",)}, {"poolings": ("eos",)}, {"top_k": 1}):
        with pytest.raises(ValidationError):
            VlmOptions(**({"model": "m", "prompt": "p"} | wrong))
