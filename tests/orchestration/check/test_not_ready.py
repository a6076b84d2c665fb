"""What nobody checked first: a run gives no verdict where `check` would have warned."""

import pytest

from orchestration.settings import Settings
from recsys.run import run
from recsys.study.file import load_study
from recsys.study.judgement import Judgement
from tests.orchestration.check.catalogue import ITEMS, data, write
from tests.orchestration.command_line import call, printed


def answered(settings: Settings) -> Judgement:
    """What the study says where nobody checks it first: a run by the library alone."""
    file = settings.studies / "shop.yaml"
    text = file.read_text(encoding="utf-8").replace("  TopPop:\n", "  Random:\n  TopPop:\n  EASE:\n")
    file.write_text(text, encoding="utf-8")
    judgement = run(load_study(str(file)), settings.home, data=str(settings.studies), workers=1)["shop"].judgement
    assert judgement is not None
    return judgement


def test_no_verdict_is_given_on_pictures_that_nobody_has(settings: Settings) -> None:
    write(settings, "image: {encoder: visual_descriptors}")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert judgement.overall.sentence.startswith("Not ready to be answered. None of 40 items has image.")


def test_no_verdict_is_given_where_all_items_are_alike(settings: Settings) -> None:
    rows = "\n".join(f"{i},Same,words" for i in range(ITEMS))
    (data(settings) / "i.csv").write_text(f"item_id,title,description\n{rows}", encoding="utf-8")
    write(settings, "text: {encoder: tfidf_svd}")
    assert "all are the same: no verdict can rest on 'text'" in printed(settings, "check", "shop")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert "The 40 items with text have one row in common." in judgement.overall.sentence


def test_no_verdict_is_given_where_anything_is_right(settings: Settings) -> None:
    """Three people with one candidate left for each: Random is as good as the best."""
    rows = "\n".join(f"{u},{i}" for u in range(3) for i in range(3))
    (data(settings) / "r.csv").write_text(f"user_id,item_id\n{rows}", encoding="utf-8")
    (data(settings) / "i.csv").write_text("item_id,title,description\n0,a,\n1,b,\n2,c,", encoding="utf-8")
    write(settings, "text: {encoder: attributes, columns: [title]}")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert any(gate.message.startswith("Nothing beats Random") for gate in judgement.gates if gate.colour == "red")


def test_trials_that_are_too_few_for_a_verdict_are_said_before_anything_is_trained(settings: Settings) -> None:
    line = "will not do for a verdict, since the best model without content may be one that has more settings ("
    write(settings, "text: {encoder: tfidf_svd}")
    file = settings.studies / "shop.yaml"
    text = file.read_text(encoding="utf-8")
    for trials, enough in ((1, False), (8, False), (9, True)):
        file.write_text(text.replace("trials: 1", f"trials: {trials}"), encoding="utf-8")
        assert (f"! tuning: {trials} trial" in printed(settings, "check", "shop")) is not enough
        assert (line in call(settings, "run", "shop", "--dry-run").stderr) is not enough
    file.write_text(text.replace("ItemKNN: {n_neighbours: 20}", "EASE: {l2: 10}"), encoding="utf-8")
    assert f"{line}AttributeItemKNN): give 9 trials at least" in printed(settings, "check", "shop")
    file.write_text(text.replace("  AttributeItemKNN:\n", ""), encoding="utf-8")  # it has no verdict
    assert line not in printed(settings, "check", "shop")


@pytest.mark.parametrize(
    "model", ["BM3@published/baby:", "BM3@published/baby: {n_layer: 2}", "AttributeItemKNN: {l: 2}"]
)
def test_more_trials_are_asked_for_no_model_that_is_not_tuned_or_cannot_be(settings: Settings, model: str) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    file = settings.studies / "shop.yaml"
    text = file.read_text(encoding="utf-8")
    for rival, warned in (("EASE: {l2: 10}", False), ("EASE:", True)):
        models = text.replace("ItemKNN: {n_neighbours: 20}", rival).replace("AttributeItemKNN:", model)
        file.write_text(models, encoding="utf-8")
        said = call(settings, "check", "shop").stdout
        assert ("trial will not do for a verdict" in said) is warned
        assert "(EASE): give 9 trials at least" in " ".join(said.split()) or not warned
