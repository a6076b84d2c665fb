"""A shop with several pictures an item, from its check to its report; each picture is part of what a result is."""

from pathlib import Path

import pytest

from assets import dataset, embeddings
from orchestration.cli.plan import FILES_CHANGED, plan
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.data.dataset import Dataset
from recsys.data.images import pictures_of
from recsys.report.text import typeset
from recsys.study.file import load_study
from tests.corpus.pictures import photo, several_photos_an_item
from tests.orchestration.command_line import printed
from tests.orchestration.conftest import run
from tests.orchestration.new.tables import N_ITEMS, goods, of_frames, pictures, taken

SHOP = """
title: A shop
datasets:
  shop:
    source: {reader: table, folder: shop, interactions: r.csv, items: i.csv, images: photos, pictures: 3}
    content:
      image: {encoder: visual_descriptors, dim: 8}
      text: {encoder: tfidf_svd, dim: 8}
models:
  TopPop:
  AttributeItemKNN: {similarity: cosine}
controls: [shuffled]
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 100}
"""


DECIDED = (
    "images: pictures named like one item in a folder named like another: 1, such as 12/7.png; the name counts, "
    "unless `images_by` says otherwise"
)


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    (tmp_path / "studies/shop").mkdir(parents=True)
    several_photos_an_item(tmp_path / "studies/shop")
    photo(tmp_path / "studies/shop/photos/12/7.png", 0)
    (tmp_path / "studies/shop.yaml").write_text(SHOP, encoding="utf-8")
    return Settings(home=tmp_path / "home", studies=tmp_path / "studies", workers=1)


def test_pictures_of_all_items_are_told_from_those_of_the_items_that_are_left(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    settings = Settings(home=tmp_path / "home", studies=tmp_path / "studies", workers=1)
    photos = pictures(tmp_path / "photos", [f"{item}_{n}.png" for item in range(N_ITEMS) for n in (1, 2)])
    _, said = of_frames(settings, taken().query("item_id < 30"), goods(), "--images", photos)
    assert "40 of 40 items have a picture that can be read, 80 pictures in all" in said
    assert "leaves 60 users, 30 items with 60 pictures and " in said
    assert "60 pictures of these items" in printed(settings, "check", "mine")


def test_items_and_pictures_are_counted_apart_and_each_picture_counts(shop: Settings) -> None:
    said = printed(shop, "check", "shop")
    # Items have 1, 2, 3, 3, 3 and 3 pictures, five times over, and 12/7.png is a third of item 7; the further ones
    # are set aside.
    assert "30 items" in said and "76 pictures" in said
    assert "encoder visual_descriptors: 30 of 30 items (100.0 %) have it, with 76 pictures" in said
    assert said.count("with 76 pictures") == 1 and said.count(DECIDED) == 1
    assert "quarantined 30 images: a further picture of an item, of which `pictures: 3` are used (3 / 3_20.png" in said
    study = load_study(shop.studies / "shop.yaml")
    run(study, shop)
    home = Home(shop)
    page = (shop.reports / "shop.html").read_text(encoding="utf-8")
    assert page.count("30 of 30, 76 pictures") == 1 and "<dt>pictures</dt><dd>76</dd>" in page
    assert page.count(typeset(DECIDED)) == 1
    assert dataset.show(home, home.current("shop/dataset"))["note 1"] == DECIDED
    vectors = home.current("shop/embeddings/image")
    content = study.datasets["shop"].content
    assert embeddings.show("shop", content["image"], home, vectors)["encoded"] == "76 pictures"
    assert "encoded" not in embeddings.show("shop", content["text"], home, home.current("shop/embeddings/text"))
    before = pictures_of(Dataset.load(home.folder(home.current("shop/dataset"))).items)

    photo(shop.studies / "shop/photos/5_10.png", 3)
    (step,) = [step for step in plan(study, home) if step.asset == "shop/dataset"]
    assert step.why == FILES_CHANGED
    run(study, shop, '+key:"shop/embeddings/image"')
    after = pictures_of(Dataset.load(home.folder(home.current("shop/dataset"))).items)
    changed = [
        (item, place) for item in range(30) for place, old in enumerate(before[item]) if old != after[item][place]
    ]
    assert changed == [(5, 1)]
    assert home.current("shop/embeddings/image").content_hash != vectors.content_hash
