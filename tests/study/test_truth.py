"""What was planted in a market, beside what was found."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from recsys.evidence.source_verdicts import WhichSources
from recsys.study.file import load_study
from recsys.study.judgement import Judgement
from recsys.study.truth import TruthRow, planted

DEMO = Path(__file__).resolve().parents[2] / "studies" / "demo.yaml"


def sources_row(market: str, drivers: list[str], *named: str) -> TruthRow:
    found = [SimpleNamespace(source=source, named=True) for source in named]
    judgement = SimpleNamespace(
        overall=SimpleNamespace(name="helps"), sources=WhichSources(found, [], None, ""), questions=[]
    )
    spec = load_study(DEMO).datasets[market]
    return planted({"truth": {"drivers": drivers}}, spec, cast(Judgement, judgement))[1]


@pytest.mark.parametrize(
    ("named", "agrees"),
    [
        (["image"], True),
        (["descriptions"], True),
        (["lvlm", "descriptions"], True),
        (["image", "text"], False),
        ([], False),
    ],
)
def test_a_market_of_images_wants_sources_made_of_them_and_no_others(named, agrees):
    row = sources_row("image_market", ["image"], *named)
    assert (row.expected, row.agrees) == ("all made of the image", agrees)
    assert row.found == (", ".join(named) or "none")


def test_an_indifferent_market_wants_none():
    row = sources_row("indifferent_market", [])
    assert (row.expected, row.found, row.agrees) == ("none", "none", True)
