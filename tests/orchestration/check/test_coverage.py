"""How many items each source covers, and what is warned of."""

import numpy as np
import pytest
from PIL import Image

from orchestration.home import Home
from orchestration.settings import Settings
from recsys.content.encoders.text.tfidf_svd import TfidfSvd
from recsys.study.checks import COVERS
from tests.orchestration.check.catalogue import ITEMS, data, pictures, refused, write
from tests.orchestration.command_line import call, printed


def test_covered_items_are_counted_and_broken_pictures_are_named(settings: Settings) -> None:
    pictures(settings, *range(36))
    for i in (3, 4, 5):
        file = data(settings) / "photos" / f"{i}.png"
        file.write_bytes(file.read_bytes()[:-30])
    (data(settings) / "photos" / "6.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n{ } loop\n")
    (data(settings) / "photos" / "039.png").write_bytes(b"")
    write(settings, "text: {encoder: tfidf_svd}\nimage: {encoder: visual_descriptors}", source="images: photos")
    shown = printed(settings, "check", "shop")
    assert "✓ content shop/text: encoder tfidf_svd: 40 of 40 items (100.0 %) have it" in shown
    assert "✓ content shop/image: encoder visual_descriptors: 32 of 40 items (80.0 %) have it" in shown
    assert "quarantined 3 images: picture is truncated (3, 4, 5)" in shown
    assert "quarantined 1 image: not a picture of a known format (JPEG, PNG, WEBP, GIF, BMP, AVIF, TIFF) (6)" in shown
    assert "picture is named by no item's id, but for its leading zeros (039.png / 39)" in shown


def test_few_covered_items_and_items_that_are_all_alike_are_warned_of(settings: Settings) -> None:
    pictures(settings, 0, 1, 2, 3, 4)
    write(settings, "image: {encoder: visual_descriptors}", source="images: photos")
    shown = printed(settings, "check", "shop")
    assert (
        "! content shop/image: encoder visual_descriptors: 5 of 40 items (12.5 %) have it; such as '5', '6', '7' have"
        in shown
    )
    for i in range(ITEMS):
        Image.new("RGB", (40, 40)).save(data(settings) / "photos" / f"{i}.png")
    alike = "40 of 40 items (100.0 %) have it, but all are the same: no verdict can"
    assert f"! content shop/image: encoder visual_descriptors: {alike}" in printed(settings, "check", "shop")


@pytest.mark.parametrize(("n_covered", "mark", "passed"), [(ITEMS // 2, "✓", True), (ITEMS // 2 - 1, "!", False)])
def test_check_and_run_call_the_same_coverage_too_low(
    settings: Settings, n_covered: int, mark: str, passed: bool
) -> None:
    pictures(settings, *range(n_covered))
    write(settings, "image: {encoder: visual_descriptors}", source="images: photos")
    shown = printed(settings, "check", "shop")
    assert f"{mark} content shop/image: encoder visual_descriptors: {n_covered} of 40 items" in shown
    printed(settings, "run", "shop", "--select", '+key:"shop/embeddings/image"')
    (check,) = (each for each in Home(settings).current("shop/embeddings/image").checks if each.name == COVERS)
    assert check.passed is passed


def test_rows_that_cannot_be_computed_with_are_counted_and_named_by_check_and_run(settings: Settings) -> None:
    rows = np.random.default_rng(0).standard_normal((ITEMS, 4))
    rows[[3, 7, 8, 20, 30], 0] = 3.4e38, np.nan, np.inf, 1e16, -1e300
    np.save(data(settings) / "m.npy", rows)
    write(settings, "image: {encoder: matrix_file, file: m.npy}")
    said = (
        "rows that hold NaN, an infinity, a number above 1e15 or none above 1e-15 count as missing: 5 ('3', '7', '8', "
        "...)"
    )
    shown = printed(settings, "check", "shop")
    assert "✓ content shop/image: encoder matrix_file: 35 of 40 items (87.5 %) have it" in shown
    assert f"! content shop/image: {said}" in shown
    run = call(settings, "run", "shop", "--select", '+key:"shop/embeddings/image"')
    assert run.exit_code == 0 and said in run.stderr
    (check,) = (each for each in Home(settings).current("shop/embeddings/image").checks if each.name == COVERS)
    assert check.message == f"87.5 % of 40 items have content; {said}"


def test_more_negatives_than_items_are_refused(settings: Settings) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    file = settings.studies / "shop.yaml"
    file.write_text(file.read_text(encoding="utf-8") + f"evaluation: {{n_negatives: {ITEMS}}}\n", encoding="utf-8")
    (line,) = refused(settings)
    assert line.startswith("dataset shop: evaluation.n_negatives: 40 items cannot be drawn from the 40 that there are")


def test_a_list_that_holds_all_items_is_refused_where_its_order_is_nothing(settings: Settings) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    file = settings.studies / "shop.yaml"
    study = file.read_text(encoding="utf-8")
    file.write_text(f"{study}evaluation: {{primary: recall_at_{ITEMS}}}\n", encoding="utf-8")
    (line,) = refused(settings)
    assert line.startswith(
        "dataset shop: evaluation.primary: recall_at_40 is the same for every model at test, since a list "
    )
    file.write_text(f"{study}evaluation: {{primary: ndcg_at_{ITEMS}}}\n", encoding="utf-8")
    assert "✓ dataset shop" in printed(settings, "check", "shop")
    assert call(settings, "run", "shop", "--select", 'key:"shop/dataset"').exit_code == 0
    file.write_text(f"{study}evaluation: {{primary: recall_at_{ITEMS}}}\n", encoding="utf-8")
    run = call(settings, "run", "shop")
    assert run.exit_code == 2 and line in run.stderr


def test_a_matrix_with_more_rows_than_items_is_asked_about(settings: Settings) -> None:
    np.save(data(settings) / "m.npy", np.random.default_rng(0).standard_normal((ITEMS + 1, 4)))
    write(settings, "image: {encoder: matrix_file, file: m.npy}")
    asked = f"{data(settings)}/m.npy: 41 rows for 40 items of ids 0 to 39; is row 0 item 0? If not, or if in doubt"
    assert f"! content shop/image: {asked}" in printed(settings, "check", "shop")


def test_an_encoder_that_takes_long_is_tried_on_some_items(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TfidfSvd, "quick", False)
    write(settings, "text: {encoder: tfidf_svd}")
    tried = "32 of 32 items (100.0 %) have it, of those that were tried"
    assert f"✓ content shop/text: encoder tfidf_svd: {tried}" in printed(settings, "check", "shop")


@pytest.mark.parametrize("part", ["image", "text", "concat"])
def test_trained_encoders_count_what_they_will_be_shown_without_being_loaded(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.content.pretrained.encoder.find", lambda *_: None)
    pictures(settings, *range(30))
    write(settings, f"joint: {{encoder: image_text, part: {part}, device: cpu}}", source="images: photos")
    n = {"image": "30 of 40 items (75.0 %)"}.get(part, "40 of 40 items (100.0 %)")
    assert f"✓ content shop/joint: encoder image_text: {n} have it" in printed(settings, "check", "shop")
