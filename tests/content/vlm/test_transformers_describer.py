"""Every family answers, and its pooled hidden states are those of a plain pass over prompt and answer."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image

from recsys.content.images import open_rgb
from recsys.content.vlm import transformers_describer
from recsys.content.vlm.describer import VlmInput, VlmOutput
from recsys.content.vlm.generation import Draws
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.transformers_describer import TransformersDescriber
from recsys.errors import UserError
from tests.content.vlm.tiny import FAMILIES

POOLINGS = ("prompt_end", "answer_end", "answer_mean", "image_mean")
PROMPT = "What?"
LIMIT = 5


def describer(place: Path, **changed) -> TransformersDescriber:
    options = {"model": str(place), "prompt": "x", "poolings": POOLINGS, "max_new_tokens": LIMIT, "device": "cpu"}
    return TransformersDescriber(place, VlmOptions(**(options | changed)))


@pytest.fixture
def shown(pictures) -> list[VlmInput]:
    """Pictures with and without words of unlike length, and words alone."""
    texts = [None, "a rather long text about a thing", "b", None, "c"]
    pictured = [VlmInput((picture,), text) for picture, text in zip(pictures, texts, strict=True)]
    return [*pictured, VlmInput(text="words"), VlmInput(text="other and longer words")]


def assert_same(ours: VlmOutput, row: int, theirs: VlmOutput, other: int = 0) -> None:
    assert ours.answers[row] == theirs.answers[other]
    assert ours.n_tokens[row] == theirs.n_tokens[other]
    for pooling in POOLINGS:
        np.testing.assert_allclose(ours.hidden[pooling][row], theirs.hidden[pooling][other], atol=2e-4)


class Oracle:
    """transformers' own greedy answer to one question, and one plain pass over prompt and answer."""

    def __init__(self, place: Path) -> None:
        self.processor = hf.AutoProcessor.from_pretrained(place)
        self.network = hf.AutoModelForMultimodalLM.from_pretrained(place, attn_implementation="eager").eval()

    def tokens(self, question: str, shown: VlmInput, ends: list[int]) -> tuple[dict, list[int]]:
        images = None if not shown.images else [[open_rgb(image) for image in shown.images]]
        # Every template writes the beginning of the text itself, so that the tokenizer must not.
        inputs = self.processor(text=[question], images=images, add_special_tokens=False, return_tensors="pt")
        settings = {"do_sample": False, "max_new_tokens": LIMIT, "eos_token_id": ends}
        # Phi-4 loses its picture in a model that is asked for hidden states later than for its first answer.
        given = self.network.generate(**inputs, **settings, output_hidden_states=True)
        return inputs, given[0, inputs["input_ids"].shape[1] :].tolist()

    @torch.no_grad()
    def say(self, question: str, shown: VlmInput, ends: list[int], layer: int = -1) -> VlmOutput:
        inputs, answer = self.tokens(question, shown, ends)
        start = inputs["input_ids"].shape[1]
        inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([answer])], dim=1)
        for name, filler in {"attention_mask": 1, "mm_token_type_ids": 0}.items():
            if name in inputs:
                inputs[name] = torch.nn.functional.pad(inputs[name], (0, len(answer)), value=filler)
        states = self.network(**inputs, output_hidden_states=True).hidden_states[layer][0]
        words = answer[:-1] if answer[-1] in ends else answer
        is_image = inputs["input_ids"][0, :start] == self.processor.image_token_id
        pooled = {
            "prompt_end": states[start - 1],
            "answer_end": states[-1],
            "answer_mean": states[start : start + len(words)].mean(dim=0),
            "image_mean": states[:start][is_image].mean(dim=0),
        }
        said = self.processor.tokenizer.decode(words, skip_special_tokens=True).strip()
        return VlmOutput([said], {name: vector.numpy()[None] for name, vector in pooled.items()}, [len(words)])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_is_answered_as_each_item_alone_and_as_by_a_plain_pass(family, tiny, shown, pictures):
    if family == "phi4_multimodal":  # whose pictures are of 448 pixels whatever the model's size
        shown = [shown[0], shown[1], shown[6]]
    # Two pictures of an item are in one turn, and their order counts.
    shown = [VlmInput(tuple(pictures[:2]), "both"), VlmInput(tuple(pictures[1::-1]), "both"), *shown]
    ours, oracle = describer(tiny(family)), Oracle(tiny(family))
    questions = [ours.loaded.question(PROMPT, item.text, n_images=len(item.images)) for item in shown]
    # Random models seldom end. This one ends with the third token of one answer and the first of another.
    free = [oracle.tokens(question, item, [])[1] for question, item in zip(questions, shown, strict=True)]
    ends = sorted({free[0][2], free[-1][0]})
    ours.loaded = dataclasses.replace(ours.loaded, ends=ends)
    together = ours.describe(PROMPT, shown)
    assert together.hidden["answer_end"].dtype == np.float32
    assert min(together.n_tokens) == 0 and max(together.n_tokens) >= 2
    for row, (question, item) in enumerate(zip(questions, shown, strict=True)):
        assert_same(together, row, ours.describe(PROMPT, [item]))
        assert_same(together, row, oracle.say(question, item, ends))
        assert np.isnan(together.hidden["image_mean"][row]).all() == (not item.images)
        assert np.isnan(together.hidden["answer_mean"][row]).all() == (together.n_tokens[row] == 0)
    assert np.abs(together.hidden["prompt_end"][0] - together.hidden["prompt_end"][1]).max() > 1e-3


def test_layers_by_index_and_by_share(tiny, shown):
    place, oracle = tiny("idefics3"), Oracle(tiny("idefics3"))
    for layer, index in [(0, 0), (1, 1), (-2, -2), (0.34, 1), (1.0, -1)]:
        ours = describer(place, layer=layer)
        question = ours.loaded.question(PROMPT, None, n_images=1)
        assert_same(ours.describe(PROMPT, shown[:1]), 0, oracle.say(question, shown[0], ours.loaded.ends, index))
    with pytest.raises(UserError, match="`layer` is 4; '.*' has layers -4 to 3"):
        describer(place, layer=4).describe(PROMPT, shown)


def test_what_is_drawn_hangs_on_the_seed_and_not_on_the_batch(tiny, shown):
    ours = describer(tiny("qwen2_vl"), temperature=1.0)
    together = ours.describe(PROMPT, shown)
    for row, item in enumerate(shown):
        assert_same(together, row, ours.describe(PROMPT, [item]))
    other = describer(tiny("qwen2_vl"), temperature=1.0, seed=1).describe(PROMPT, shown)
    assert all(one != two for one, two in zip(together.answers, other.answers, strict=True))
    cold = describer(tiny("qwen2_vl"), temperature=1e-4).describe(PROMPT, shown)
    assert cold.answers == describer(tiny("qwen2_vl")).describe(PROMPT, shown).answers


def test_tokens_are_drawn_with_their_probabilities():
    scores = torch.tensor([2.0, 1.0, 0.0, -5.0])
    n = 4000
    drawn = Draws(0.5, range(n), torch.device("cpu"))(torch.empty(0), scores.expand(n, 4)).argmax(dim=1)
    expected = torch.softmax(scores / 0.5, dim=0)
    spread = (expected * (1 - expected) / n).sqrt()
    assert ((drawn.bincount(minlength=4) / n - expected).abs() < 4 * spread + 1e-9).all()


def test_without_poolings_there_are_answers_alone(tiny, shown):
    said = describer(tiny("smolvlm"), poolings=()).describe(PROMPT, shown)
    assert said.answers == describer(tiny("smolvlm")).describe(PROMPT, shown).answers and said.hidden == {}


def test_an_items_words_cannot_end_its_turn_or_pose_as_an_image(tiny, pictures):
    text = "a <image> b <end> c <bos>"
    ours = describer(tiny("idefics3"))
    assert ours.loaded.question(PROMPT, text, n_images=1).endswith("a   b   c  <end>assistant: ")
    assert ours.describe(PROMPT, [VlmInput((pictures[0],), text)]).n_tokens


def test_without_a_chat_template_the_words_stand_alone(tiny, tmp_path, shown):
    place = shutil.copytree(tiny("idefics3"), tmp_path / "plain")
    (place / "chat_template.jinja").unlink()
    ours = describer(place)
    assert ours.loaded.question(PROMPT, "text", n_images=1) == "<image>\nWhat?\n\ntext"
    assert ours.loaded.question(PROMPT, None, n_images=0) == PROMPT
    together = ours.describe(PROMPT, shown)
    for row, item in enumerate(shown):
        assert_same(together, row, ours.describe(PROMPT, [item]))


def test_phi4_is_asked_in_its_own_format(tiny):
    loaded = describer(tiny("phi4_multimodal")).loaded
    assert loaded.question(PROMPT, "text", n_images=1) == "<|user|><|image|>What?\n\ntext<|end|><|assistant|>"
    assert loaded.question(PROMPT, None, n_images=0) == "<|user|>What?<|end|><|assistant|>"


def test_phi4_sees_with_its_low_rank_weights(tiny, tmp_path, shown):
    peft = pytest.importorskip("peft")
    place = shutil.copytree(tiny("phi4_multimodal"), tmp_path / "phi4")
    network = hf.AutoModelForMultimodalLM.from_pretrained(place)
    config = peft.LoraConfig(r=2, target_modules=r"model\.layers\..*qkv_proj", init_lora_weights=False)
    peft.get_peft_model(network, config).save_pretrained(place / "vision-lora")
    seen, blind = (describer(where).describe(PROMPT, shown[:1]) for where in (place, tiny("phi4_multimodal")))
    assert not np.allclose(seen.hidden["prompt_end"], blind.hidden["prompt_end"], atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_of_any_shape(family, tiny, tmp_path):
    paths = [tmp_path / f"{width}.png" for width in (1, 3, 400)]
    for path, size in zip(paths, [(1, 1), (3, 2), (400, 10)], strict=True):
        Image.new("RGB", size, "red").save(path)
    said = describer(tiny(family), max_new_tokens=1).describe(PROMPT, [VlmInput((path,)) for path in paths])
    assert all(np.isfinite(said.hidden[pooling]).all() for pooling in ("prompt_end", "image_mean"))


def test_large_pictures_are_scaled_down(tiny, tmp_path):
    Image.new("RGB", (84, 84), "red").save(tmp_path / "large.png")
    lengths = []
    for side in (None, 28):
        ours = describer(tiny("qwen2_vl"), max_side=side, max_new_tokens=1)
        ours.loaded.network.register_forward_pre_hook(
            lambda module, args, inputs: lengths.append(inputs["input_ids"].shape[1]), with_kwargs=True
        )
        ours.describe(PROMPT, [VlmInput((tmp_path / "large.png",))])
    prompts = [length for length in lengths if length > 1]
    assert prompts[0] - prompts[1] == 3 * 3 - 1  # one token for each 28 x 28 pixels


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("phi3_v", "Phi-3.5-vision runs only with code from the hub, which is not executed; take Phi-4-multimodal"),
        ("phi4mm", "this revision of Phi-4-multimodal runs only with code from the hub"),
        ("bert", "'bert' is no kind of vision-language model that runs without code of its own"),
        (None, "config.json names no model type"),
    ],
)
def test_a_model_that_cannot_be_run_is_one_line(kind, message, tmp_path, shown):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind} if kind else {}))
    with pytest.raises(UserError) as error:
        describer(tmp_path).describe(PROMPT, shown)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_half_a_copy_is_one_line(tiny, tmp_path, shown):
    place = shutil.copytree(tiny("idefics3"), tmp_path / "half")
    config = json.loads((place / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] += 1
    (place / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="lacks weights, first of all 'model.text_model.layers.3"):
        describer(place).describe(PROMPT, shown)
    weights = place / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be loaded from .*; fix the copy"):
        describer(place).describe(PROMPT, shown)
    (place / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="cannot be loaded from .*; fix the copy"):
        describer(place).describe(PROMPT, shown)


def test_a_copy_that_says_nothing_of_images_is_one_line(tiny, tmp_path, shown):
    place = shutil.copytree(tiny("idefics3"), tmp_path / "deaf")
    (place / "processor_config.json").unlink()
    with pytest.raises(UserError) as error:
        describer(place).describe(PROMPT, shown)
    assert "fix the copy" in str(error.value) and "\n" not in str(error.value)


def test_poolings_that_a_model_cannot_give_are_one_line(tiny, shown, monkeypatch):
    plain = describer(tiny("idefics3")).loaded
    monkeypatch.setattr(transformers_describer, "load", lambda *_: dataclasses.replace(plain, image_tokens=[]))
    with pytest.raises(UserError, match="does not mark its image's tokens; leave out image_mean"):
        describer(tiny("idefics3")).describe(PROMPT, shown)
    assert describer(tiny("idefics3"), poolings=("prompt_end",)).describe(PROMPT, shown).answers


@pytest.mark.gpu
@pytest.mark.parametrize("family", FAMILIES)
def test_on_a_gpu_it_is_the_same(family, tiny, shown):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    here, there = (describer(tiny(family), device=device, precision="float32") for device in ("cpu", "cuda"))
    ours, theirs = here.describe(PROMPT, shown), there.describe(PROMPT, shown)
    for row in range(len(shown)):
        np.testing.assert_allclose(ours.hidden["prompt_end"][row], theirs.hidden["prompt_end"][row], atol=1e-2)
    half = describer(tiny(family), device="auto")
    assert half.precision == "bfloat16"
    together = half.describe(PROMPT, shown)
    assert np.isfinite(together.hidden["answer_end"]).all()
