"""The synthetic market: reproducible to the byte, and true to its dials."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from recsys.data.cleaning import CleaningRules
from recsys.data.market.attributes import VALUES, draw_items, draw_liking
from recsys.data.market.choices import choose
from recsys.data.market.rendering import SIDE, render
from recsys.data.market.writing import WORDS, write
from recsys.data.prepare import prepare
from recsys.data.raw import RawData
from recsys.data.readers import read
from recsys.data.splits import SplitRule

SMALL = {"n_users": 60, "n_items": 50, "image_weight": 2.5, "seed": 3}


def market(folder: Path, **options: object) -> RawData:
    folder.mkdir(exist_ok=True)
    return read("market", SMALL | options, None, folder)


def test_same_seed_gives_same_bytes(tmp_path: Path) -> None:
    first, second = market(tmp_path / "a"), market(tmp_path / "b")
    pd.testing.assert_frame_equal(first.items, second.items)
    pd.testing.assert_frame_equal(first.interactions, second.interactions)
    files = sorted(path.name for path in (tmp_path / "a" / "images").iterdir())
    assert len(files) == first.items["image_path"].notna().sum()
    for name in files:
        assert (tmp_path / "a/images" / name).read_bytes() == (tmp_path / "b/images" / name).read_bytes()
    assert not market(tmp_path / "c", seed=4).items["text"].equals(first.items["text"])


def test_a_dial_of_choice_leaves_the_catalogue_as_it_is(tmp_path: Path) -> None:
    first, second = market(tmp_path / "a"), market(tmp_path / "b", image_weight=0, text_weight=2.5)
    pd.testing.assert_frame_equal(first.items, second.items)
    assert not first.interactions["item_id"].equals(second.interactions["item_id"])


def test_truth_names_what_drives_choice(tmp_path: Path) -> None:
    assert market(tmp_path).truth == {"drivers": ["image"], "weights": {"image": 2.5, "text": 0.0, "hidden": 1.0}}
    assert market(tmp_path, text_weight=1).truth["drivers"] == ["image", "text"]
    assert market(tmp_path, image_weight=0).truth["drivers"] == []


def test_images_are_distinct_and_readable(tmp_path: Path) -> None:
    items = market(tmp_path).items.dropna(subset="image_path")
    assert items["image_digest"].is_unique
    with Image.open(tmp_path / items["image_path"].iloc[0]) as image:
        assert (image.size, image.mode) == ((SIDE, SIDE), "RGB")


def test_shares_of_missing_content(tmp_path: Path) -> None:
    items = market(tmp_path, n_items=400, missing_image=0.3, missing_text=0.2).items
    assert items["image_path"].isna().mean() == pytest.approx(0.3, abs=0.07)
    assert items["text"].isna().mean() == pytest.approx(0.2, abs=0.06)
    assert items["title"].isna().equals(items["text"].isna())
    assert items[[f"image_{name}" for name in VALUES["image"]]].notna().all().all()


def test_a_picture_shows_its_colour_and_background() -> None:
    rng = np.random.default_rng(0)
    for colour, channel in (("red", 0), ("green", 1), ("blue", 2)):
        attributes = {"colour": colour, "shape": "square", "pattern": "plain", "background": "black"}
        file = render(attributes, rng)
        pixels = np.asarray(Image.open(BytesIO(file)))
        assert pixels[SIDE // 2, SIDE // 2].argmax() == channel
        assert pixels[0, 0].max() < 60


def test_a_text_says_its_attributes_in_words_of_theirs_alone() -> None:
    rng = np.random.default_rng(0)
    attributes = {"theme": "sea", "material": "wood", "style": "rustic", "mood": "bold", "use": "gift"}
    texts = [" ".join(write(attributes, rng)).lower() for _ in range(40)]
    for name, value in attributes.items():
        assert np.mean([any(word in text for word in WORDS[name][value]) for text in texts]) > 0.8
    for other in WORDS["theme"].keys() - {"sea"}:
        assert not any(word in text.split() for text in texts for word in WORDS["theme"][other])


def test_every_value_has_words() -> None:
    assert {name: set(words) for name, words in WORDS.items()} == {
        name: set(values) for name, values in VALUES["text"].items()
    }


def test_liking_depends_on_attributes_alone() -> None:
    rng = np.random.default_rng(0)
    codes = draw_items(300, rng)["image"]
    twins = {name: np.concatenate([values, values]) for name, values in codes.items()}
    liking = draw_liking(twins, 5, rng)
    np.testing.assert_allclose(liking[:, :300], liking[:, 300:])
    np.testing.assert_allclose(liking.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(liking.std(axis=1), 1)


def test_choices_follow_softmax_without_replacement() -> None:
    utility = np.tile(np.log([1.0, 2.0, 3.0, 4.0] + [1e-9] * 16), (4000, 1))
    chosen = choose(utility, mean_interactions=5, rng=np.random.default_rng(0))
    assert not chosen.duplicated(["user_id", "item_id"]).any()
    assert chosen.groupby("user_id").size().min() == 5
    first_by_time = chosen.groupby("user_id")["timestamp"].is_monotonic_increasing
    assert first_by_time.all()


def test_the_market_follows_its_dials(tmp_path: Path) -> None:
    """Items that a user chose share more of the attributes that drive choice than chance would give."""

    def agreement(raw: RawData, column: str) -> float:
        value = raw.interactions.merge(raw.items, on="item_id")[["user_id", column]]
        shares = value.groupby("user_id")[column].value_counts(normalize=True).pow(2).groupby("user_id").sum()
        return float(shares.mean())

    columns = {"image": "image_shape", "text": "text_material"}
    for driver, other in (("image", "text"), ("text", "image")):
        weights = {f"{driver}_weight": 2.5, f"{other}_weight": 0}
        raw = market(tmp_path, n_users=200, n_items=300, mean_interactions=20, **weights)
        assert agreement(raw, columns[driver]) > agreement(raw, columns[other]) + 0.1


def test_the_market_makes_a_dataset(tmp_path: Path) -> None:
    dataset = prepare(market(tmp_path), CleaningRules(), SplitRule(protocol="temporal"))
    assert (dataset.n_users, dataset.n_items) == (60, 50)
    assert (dataset.test.sum(axis=1) >= 1).all()
