"""What nobody checked first: a run gives no verdict where `check` would have warned."""

from orchestration.settings import Settings
from recsys.run import run
from recsys.study.file import load_study
from recsys.study.judgement import Judgement
from tests.orchestration.check.catalogue import ITEMS, data, write
from tests.orchestration.command_line import printed


def answered(settings: Settings) -> Judgement:
    """What the study says where nobody checks it first: a run by the library alone."""
    file = settings.studies / "shop.yaml"
    text = file.read_text(encoding="utf-8").replace("  TopPop:\n", "  Random:\n  TopPop:\n  EASE:\n")
    file.write_text(text, encoding="utf-8")
    judgement = run(load_study(file), settings.home, data=[settings.studies], workers=1)["shop"].judgement
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
    assert "The 40 items with text have 1 distinct row," in judgement.overall.sentence


def test_no_verdict_is_given_where_anything_is_right(settings: Settings) -> None:
    """Three people with one candidate left for each: Random is as good as the best."""
    rows = "\n".join(f"{u},{i}" for u in range(3) for i in range(3))
    (data(settings) / "r.csv").write_text(f"user_id,item_id\n{rows}", encoding="utf-8")
    (data(settings) / "i.csv").write_text("item_id,title,description\n0,a,\n1,b,\n2,c,", encoding="utf-8")
    write(settings, "text: {encoder: attributes, columns: [title]}")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert any(gate.message.startswith("Nothing beats Random") for gate in judgement.gates if gate.colour == "red")
