"""Families that mark images otherwise or need one; several layers; hidden states without an answer."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import pytest
import torch

from recsys.content.encoders import encode
from recsys.content.vlm.describer import VlmInput
from recsys.content.vlm.extraction import UnusableError, extract
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.transformers_describer import TransformersDescriber
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.content.vlm.tiny import ODD

PROMPT = "What?"


def describer(place, **changed) -> TransformersDescriber:
    options = {"model": str(place), "prompt": "x", "max_new_tokens": 3, "device": "cpu"}
    return TransformersDescriber(place, VlmOptions(**(options | changed)))


@pytest.mark.parametrize("family", ODD)
@pytest.mark.parametrize("n_tokens", [0, 3])
def test_the_image_is_seen_and_an_item_without_one_ends_nothing(family, n_tokens, tiny, pictures):
    shown = [*(VlmInput((picture,), "words") for picture in pictures[:3]), VlmInput((), "words alone")]
    poolings = ("prompt_end", "image_mean", *(["answer_end"] if n_tokens else []))
    said = describer(tiny(family), poolings=poolings, max_new_tokens=n_tokens).describe(PROMPT, shown)
    assert len(np.unique(said.hidden["image_mean"][:3], axis=0)) == 3
    assert np.isnan(said.hidden["image_mean"][3]).all()
    if family == "gemma3":
        assert said.refused == [""] * 4 and np.isfinite(said.hidden["prompt_end"]).all()
    else:
        assert said.refused[:3] == [""] * 3 and said.refused[3].endswith("cannot be asked without a picture")
        assert np.isnan(said.hidden["prompt_end"][3]).all()


@pytest.mark.parametrize("family", ODD)
def test_several_pictures_are_shown_or_refused_in_a_line_that_says_what_to_do(family, tiny, pictures):
    ours, shown = describer(tiny(family), poolings=("prompt_end",)), VlmInput(tuple(pictures[:2]), "words")
    if family == "blip_2":
        with pytest.raises(
            UserError, match=r"cannot be shown 2 pictures of an item at once \(it takes one\); set `pict"
        ):
            ours.describe(PROMPT, [shown])
        return
    said = ours.describe(PROMPT, [shown, VlmInput(shown.images[::-1], "words"), VlmInput(shown.images[:1], "words")])
    assert said.n_prompt[0] == said.n_prompt[1] > said.n_prompt[2]
    assert len(np.unique(said.hidden["prompt_end"], axis=0)) == 3


def test_the_token_that_begins_an_image_is_not_taken_for_it(tiny):
    loaded = describer(tiny("gemma3")).loaded
    assert loaded.image_tokens == [loaded.network.config.image_token_index] != [loaded.processor.image_token_id]


@pytest.mark.parametrize("family", ["qwen2_vl", "idefics3"])
def test_hidden_states_without_an_answer_are_those_of_the_prompt(family, tiny, pictures):
    shown = [VlmInput((pictures[0],), "words"), VlmInput((pictures[1],), "other words"), VlmInput((), "alone")]
    poolings = ("prompt_end", "image_mean")
    answered = describer(tiny(family), poolings=poolings).describe(PROMPT, shown)
    ours = describer(tiny(family), poolings=poolings, max_new_tokens=0)
    calls = []
    ours.loaded.network.register_forward_hook(lambda *_: calls.append(1))
    said = ours.describe(PROMPT, shown)
    assert said.answers == [""] * 3 and len(calls) == 2  # with and without a picture, one pass each
    for pooling in poolings:
        np.testing.assert_allclose(said.hidden[pooling], answered.hidden[pooling], atol=2e-4)


def test_several_layers_in_one_pass_are_those_of_several_passes(tiny, pictures):
    shown, place = [VlmInput((picture,)) for picture in pictures[:2]], tiny("qwen2_vl")
    together = describer(place, layers=(0, 0.5, -1), poolings=("prompt_end", "answer_mean")).describe(PROMPT, shown)
    assert len(together.hidden) == 6
    for layer in (0, 0.5, -1):
        alone = describer(place, layer=layer, poolings=("prompt_end", "answer_mean")).describe(PROMPT, shown)
        for pooling, vectors in alone.hidden.items():
            np.testing.assert_allclose(together.hidden[f"{pooling}@{layer}"], vectors, atol=1e-6)


def test_a_source_reads_one_of_several_layers(tiny, pictures, tmp_path):
    items = item_table(2, image_path=[str(picture) for picture in pictures[:2]])
    given = {"model": str(tiny("qwen2_vl")), "prompt": "movies_sentence", "max_new_tokens": 0, "device": "cpu"}
    made = extract(items, VlmOptions(**given, layers=(0.5, -1)))
    made.save(tmp_path)
    read = encode("hidden_states", {"pooling": "prompt_end", "layer": 0.5}, items, hidden=tmp_path)
    assert read.digest == made.hidden["prompt_end@0.5"].digest != made.hidden["prompt_end@-1"].digest
    with pytest.raises(UserError, match="`layer` is what stands behind the @"):
        encode("hidden_states", {"pooling": "prompt_end"}, items, hidden=tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {"max_new_tokens": 0, "poolings": ("answer_end",)},
        {"max_new_tokens": 0, "poolings": ()},
        {"engine": "vllm", "poolings": ("answer_end",)},
    ],
)
def test_poolings_that_cannot_be_had_are_refused(options):
    with pytest.raises(UserError, match="poolings"):
        VlmOptions.read({"model": "m", "prompt": "p", **options})
    assert VlmOptions(model="m", prompt="p", max_new_tokens=0).poolings == ("prompt_end",)


@pytest.mark.parametrize("asked", [{"engine": "vllm"}, {"endpoint": {"address": "http://localhost:8000/v1"}}])
def test_no_answer_is_refused_where_answers_are_all_there_is(asked):
    with pytest.raises(UserError, match="answers are all there is; set `max_new_tokens` to 1 or more"):
        VlmOptions.read({"model": "m", "prompt": "p", "max_new_tokens": 0, **asked})
    assert VlmOptions.read({"model": "m", "prompt": "p", **asked}).poolings == ()


BLIND = {
    "nothing": (torch.zeros_like, "is one and the same vector for 5 different items"),
    "noise of batches": (lambda states: 1 + 1e-6 * torch.randn_like(states), "is one and the same vector for 5"),
    "no image tokens": (None, "is nothing for 5 items, none of which has such hidden states"),
}


@pytest.mark.parametrize("seen", BLIND)
def test_one_vector_for_all_pictures_stops_the_run(tiny, pictures, tmp_path, seen):
    change, line = BLIND[seen]

    def blind(module, args, output):
        output.hidden_states = tuple(change(layer) for layer in output.hidden_states)
        return output

    items = item_table(len(pictures), image_path=[str(picture) for picture in pictures])
    options = VlmOptions(
        model=str(tiny("qwen2_vl")), prompt="movies_sentence", poolings=("image_mean",), max_new_tokens=1,
        min_compliance=0, device="cpu",
    )  # fmt: skip
    loaded = TransformersDescriber.loaded.func

    def broken(self):
        made = loaded(self)
        if change is None:
            return replace(made, image_tokens=[10**6])
        made.network.register_forward_hook(blind)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransformersDescriber, "loaded", cached_property(broken))
        TransformersDescriber.loaded.__set_name__(TransformersDescriber, "loaded")
        with pytest.raises(UnusableError, match=f"'image_mean' {line}"):
            extract(items, options, work=tmp_path)
