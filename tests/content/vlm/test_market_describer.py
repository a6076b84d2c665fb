"""The describer that is shipped sees what it should, and the way it was made works."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import fisher_exact
from transformers import AutoModelForImageTextToText, AutoProcessor, Idefics3Processor
from typer.testing import CliRunner

import recsys
from recsys.content.vlm.market_describer.__main__ import app
from recsys.content.vlm.market_describer.architecture import make_processor, question
from recsys.content.vlm.market_describer.card import write_card
from recsys.content.vlm.market_describer.measuring import Measurement, describe, measure
from recsys.content.vlm.market_describer.pictures import VISIBLE, WORDS, answer, market_pictures
from recsys.content.vlm.market_describer.training import Recipe, normalised, train
from recsys.data.market.reader import MarketOptions, read

SHIPPED = Path(recsys.__file__).parent / "content" / "vlm" / "shipped" / "market_describer"
UNSEEN = 3_000_000


@pytest.fixture(autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def measured():
    return measure(SHIPPED, n_pictures=320, seed=UNSEEN)


def test_pictures_are_those_of_the_market(tmp_path):
    catalogue = read(MarketOptions(n_items=20, n_users=10, seed=7, missing_image=0), tmp_path, tmp_path).items
    pictures = market_pictures(7, 20)
    for item, pixels, values in zip(catalogue.itertuples(), pictures.pixels, pictures.values(), strict=True):
        assert (np.asarray(Image.open(tmp_path / item.image_path)) == pixels).all()
        truth = [item.image_colour, item.image_shape, item.image_pattern, item.image_background, item.text_material]
        assert values == truth


def test_visible_fields_are_seen_and_the_material_is_guessed(measured):
    assert min(measured.accuracy[field] for field in VISIBLE) >= 0.95
    # 320 guesses at a sixth: four standard deviations are 0.083.
    assert abs(measured.accuracy["Material"] - 1 / 6) < 0.083
    assert measured.exact == 1


def test_the_card_says_what_is_measured_again(measured):
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    stated = {field: float(share) / 100 for field, share in re.findall(r"^\| (\w+) \| ([\d.]+)% \|", card, re.M)}
    n_stated = int(re.search(r"On ([\d,]+) pictures", card)[1].replace(",", ""))
    assert list(stated) == list(WORDS)
    for field, share in measured.accuracy.items():
        right = [round(stated[field] * n_stated), round(share * measured.n_pictures)]
        wrong = [n_stated - right[0], measured.n_pictures - right[1]]
        assert fisher_exact([right, wrong]).pvalue > 1e-3, field


def test_what_is_shipped_is_small_and_safe():
    files = {file.name: file.stat().st_size for file in SHIPPED.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "processor_config.json", "README.md"} <= set(files)
    assert sum(files.values()) < 10e6
    assert not [name for name in files if name.endswith((".py", ".bin", ".pt"))]


def test_pictures_of_other_sizes_and_batches_get_the_same_answers():
    pictures = [Image.fromarray(pixels) for pixels in market_pictures(UNSEEN + 1, 6).pixels]
    answers = describe(SHIPPED, pictures)
    assert [describe(SHIPPED, [picture])[0] for picture in pictures[:2]] == answers[:2]
    large = [picture.resize((300, 300), Image.Resampling.BICUBIC) for picture in pictures]
    seen = [text.rsplit(",", 1)[0] for text in answers]
    assert [text.rsplit(",", 1)[0] for text in describe(SHIPPED, large)] == seen


def test_hidden_states_of_the_whole_answer_come_with_it():
    processor = AutoProcessor.from_pretrained(SHIPPED, local_files_only=True)
    model = AutoModelForImageTextToText.from_pretrained(SHIPPED, local_files_only=True)
    assert isinstance(processor, Idefics3Processor)
    assert model.dtype == torch.float32
    inputs = processor(images=[[Image.new("RGB", (64, 64))]], text=[question(processor)], return_tensors="pt")
    given = model.generate(**inputs, output_hidden_states=True, return_dict_in_generate=True)
    n_answered = given.sequences.shape[1] - inputs["input_ids"].shape[1]
    assert len(given.hidden_states) == n_answered == 12  # five labels, five values, the last bracket, the end
    assert (inputs["input_ids"] == processor.image_token_id).sum() == 16


def test_answers_survive_the_tokeniser_and_strange_words_do_not_break_it():
    tokeniser = make_processor().tokenizer
    said = answer([words[-1] for words in WORDS.values()])
    assert tokeniser.decode(tokeniser(said)["input_ids"]) == said
    strange = tokeniser("Zweiundvierzig [Weight] {heavy}\n\t\u4e2d").input_ids
    assert tokeniser.unk_token_id in strange


def test_every_word_of_the_question_is_known():
    processor = AutoProcessor.from_pretrained(SHIPPED, local_files_only=True)
    assert processor.tokenizer.unk_token_id not in processor.tokenizer(question(processor)).input_ids


def test_training_sees_what_the_processor_gives():
    pixels = market_pictures(0, 3).pixels
    processor = make_processor()
    inputs = processor(images=[[picture] for picture in pixels], text=[question(processor)] * 3, return_tensors="pt")
    assert torch.allclose(inputs["pixel_values"], normalised(pixels), atol=1e-6)


def test_a_short_training_learns():
    lines = []
    _, model, losses = train(Recipe(n_steps=20, n_pictures=256, batch_size=16), lines.append)
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])
    assert not model.training
    assert lines[-1].startswith("step   20 of 20   loss ")


def test_equal_recipes_give_equal_weights():
    recipe = Recipe(n_steps=3, n_pictures=16, batch_size=4)
    first, second = (train(recipe, say=lambda line: None)[1].state_dict() for _ in range(2))
    assert all(torch.equal(weights, second[name]) for name, weights in first.items())


def test_the_card_is_filled_in_from_the_measurement():
    measured = Measurement(123, dict.fromkeys(WORDS, 0.5) | {"Shape": 0.875}, 0.25, ("clay", 0.4), seconds=3)
    size = {"n_parameters": 1_234_567, "n_tokens": 66, "n_bytes": 2_500_000}
    card = write_card(Recipe(seed=5), measured, **size, training_seconds=90)
    for words in (
        "1,234,567",
        "2.5 MB",
        "On 123 pictures",
        "| Shape | 87.5% | 16.7% |",
        "'clay' in 40%",
        "1.5 minutes",
    ):
        assert words in card
    assert "{" not in card.replace(answer(["red", "star", "dots", "teal", "wood"]), "")


@pytest.mark.parametrize("arguments", [[], ["--out", "a", "--measure", "b"], ["--out", "."]])
def test_the_command_says_what_is_wrong(arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "give" in result.output
