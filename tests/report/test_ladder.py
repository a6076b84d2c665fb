"""The ladder shows who is compared with content, in which repeats, and which number decides."""

from dataclasses import replace

import pytest

from recsys.report.ladder import Rung, Scale, rungs
from recsys.report.render import render
from recsys.report.text import typeset
from recsys.wording import percent
from tests.evidence.studies import study
from tests.report.page import Page


def test_every_side_of_the_verdict_is_a_rung_with_its_repeats(baby):
    shown = rungs(baby)
    assert [rung.name for rung in shown] == [
        "EASE",
        "FREEDOM",
        "FREEDOM (both_shuffled)",
        "FREEDOM (both_shuffled_untuned)",
        "FREEDOM (popularity)",
        "FREEDOM (both)",
    ]
    for rung in shown:
        assert len(rung.repeats) == 3
        assert sum(rung.repeats) / 3 == pytest.approx(rung.mean)
    assert all(rung.below and rung.below.mean_a == shown[-1].mean for rung in shown[:-1])
    assert shown[-1].below is None


def test_a_rival_that_is_the_same_model_stands_once(baby):
    itself = baby.verdict.against_itself
    verdict = replace(baby.verdict, against_rival=itself)
    shown = rungs(baby.model_copy(update={"verdict": verdict}))
    assert [rung.name for rung in shown].count("FREEDOM") == 1
    assert shown[0].what == "Best without content, which is the same model: the rival"


def test_without_a_verdict_there_is_no_ladder(baby):
    assert rungs(baby.model_copy(update={"verdict": None})) == []


def test_every_dot_lies_on_the_scale(baby):
    shown = rungs(baby)
    scale = Scale.of(shown)
    for value in (each for rung in shown for each in (rung.mean, *rung.repeats)):
        assert 0 < float(scale.at(value).removesuffix("%")) < 100
    flat = Scale.of([Rung("a", "a", 0.0, [0.0], None)])
    assert flat.low == 0 < flat.high


def test_the_page_says_which_p_decides_and_reads_the_dots_aloud(baby):
    html = render(study(baby))
    text = Page(html).text
    for said in (
        "One number decides a row: the 95\u00a0% interval of the lift",
        "so p is not corrected here",
        "it is for readers who expect it and decides nothing",
        "“p, Holm” corrects it over the rows of this table and decides whether a row counts as shown",
    ):
        assert said in " ".join(text.split(" ")).replace("\n    ", " ")
    rival = rungs(baby)[0]
    spoken = ", ".join(f"{value:.4f}" for value in rival.repeats)
    assert f'aria-label="mean {rival.mean:.4f}; repeats {spoken}"' in html
    assert typeset(percent(rival.below.lift_low, signed=True)) in text
