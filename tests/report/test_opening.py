"""The first screen tells a reader who does not know the program what to do, and what to beware of."""

import re
from dataclasses import replace

import numpy as np
import pytest

from recsys.evidence.comparison import compare
from recsys.evidence.gates import Gate
from recsys.evidence.sensitivity import Agreement
from recsys.evidence.verdict import VerdictName
from recsys.evidence.verdict_wording import ADVICE
from recsys.report.opening import BADGES, key_figures, why_unnamed
from recsys.report.render import render
from recsys.report.text import typeset
from recsys.wording import DASH
from tests.evidence.studies import scores, study, taste, without_content
from tests.report.page import Page

RED = Gate(name="baselines", colour="red", message="Nothing beats Random.", remedy="Tune more.")


def opening(dataset):
    """What stands before the evidence."""
    text = Page(render(study(dataset))).text
    return text[: text.index("What could overturn it")].split("The ladder")[0]


def test_it_opens_with_advice_then_the_verdict_losers_figures_gates_and_scenario(baby):
    said = opening(baby)
    order = [
        BADGES["helps"],
        baby.verdict.advice,
        typeset(baby.sentence).unescape(),
        typeset(baby.losers[0]),
        "14 of 18",
        "3 of 3",
        typeset(baby.stands("amber")[0].message).unescape(),
        "Baby products",
    ]
    places = [said.index(each) for each in order]
    assert places == sorted(places)


@pytest.mark.parametrize("name", [name for name in ADVICE if name != "not_ready"])
def test_every_verdict_has_a_badge_and_its_advice(baby, name: VerdictName):
    verdict = replace(baby.verdict, name=name, advice=ADVICE[name])
    said = opening(baby.model_copy(update={"verdict": verdict}))
    assert BADGES[name] in said and typeset(ADVICE[name]).unescape() in said


def test_a_question_that_is_not_ready_shows_no_lift(baby):
    verdict = replace(baby.verdict, name="not_ready", advice=ADVICE["not_ready"], sentence="Not ready: fix it.")
    stopped = baby.model_copy(update={"verdict": verdict, "gates": [RED], "losers": []})
    assert key_figures(stopped) == []
    assert "Not ready: fix it." in opening(stopped) and " %" not in opening(stopped).replace("\u00a0", " ")
    assert "stops the verdict" in Page(render(study(stopped))).text


def test_many_amber_gates_are_counted_and_lead_to_all(baby):
    gates = [Gate(name=f"gate {n}", colour="amber", message=f"Found number {n}.", remedy="Look.") for n in range(5)]
    html = render(study(baby.model_copy(update={"gates": gates})))
    said = Page(html).text.split("The ladder")[0]
    assert "Found number 2." in said and "Found number 3." not in said and "2 more." in said
    assert 'href="#overturn-1"' in html and 'id="overturn-1"' in html
    assert all(f"Found number {n}." in Page(html).text for n in range(5))


@pytest.mark.parametrize(("n", "said"), [(0, "none says the opposite"), (1, "1 says the"), (2, "2 say the opposite")])
def test_settings_that_contradict_are_counted(baby, n, said):
    agreement = Agreement(n_settings=18, n_agree=14, n_contradict=n, n_repeats=3, n_repeats_agree=3)
    figures = {each.what: each for each in key_figures(baby.model_copy(update={"agreement": agreement}))}
    assert figures["Settings that agree"].figure == "14 of 18"
    assert said in figures["Settings that agree"].beside


def test_one_repeat_has_no_interval_and_still_a_page(baby):
    rng = np.random.default_rng(0)
    ease = taste(300, rng)
    once = compare(*(scores(model, "both", 0.1, ease, rng, n_repeats=1) for model in ("A", "B")))
    verdict = replace(baby.verdict, against_rival=once, against_shuffled=once, against_untuned=once)
    html = render(study(baby.model_copy(update={"verdict": verdict, "comparisons": [], "questions": []})))
    said = Page(html).text
    assert "in the only repeat; an interval takes two or more" in said
    assert not re.search(r"undefined|\binf\b|\bnan\b", said)
    row = said[said.index("Its content shuffled, tuned anew") : said.index("Its content shuffled, same settings")]
    assert row.count(DASH) == 2 and "1.000" not in row


def test_of_one_model_alone_no_others_are_counted():
    dataset = without_content("Amazon Baby")
    alone = replace(dataset.leaderboard, comparisons=[])
    figures = key_figures(dataset.model_copy(update={"leaderboard": alone}))
    assert [each.what for each in figures] == ["Best model", "nDCG@20 on test"]
    assert figures[0].beside == "the only one"


def test_who_loses_is_not_said_where_no_figure_answers(baby):
    stopped = replace(baby.verdict, name="not_ready")
    assert "Who loses." in opening(baby)
    assert "Who loses." not in opening(baby.model_copy(update={"verdict": stopped}))


def test_a_budget_of_one_trial_and_one_repeat_agrees_with_its_nouns(baby):
    report = study(baby)
    run = report.run.model_copy(update={"repeats": 1, "budget": "1 trial"})
    said = " ".join(Page(render(report.model_copy(update={"run": run}))).text.split())
    assert "A budget of 1 trial for the tuning" in said and "and 1 repeat with its own split" in said


def test_where_content_helps_and_no_source_is_named_the_page_says_how_both_can_be(baby):
    """The sources are judged over all of them in another model than the one that the verdict is about."""
    assert why_unnamed(baby) == ""
    added = replace(baby.sources.by_source[0].added_last, model_a="HybridItemKNN")
    sources = [replace(each, named=False, added_last=added) for each in baby.sources.by_source]
    groups = [replace(each, named=False, together=added) for each in baby.sources.groups]
    unnamed = baby.model_copy(update={"sources": replace(baby.sources, by_source=sources, groups=groups)})
    said = opening(unnamed)
    assert "none named" in said and "the verdict is about FREEDOM (both)" in said
    assert "be missed by HybridItemKNN, the best model over all sources" in said
    text = " ".join(Page(render(study(unnamed))).text.split())
    assert "alone in FREEDOM, all in HybridItemKNN" in text
    assert "All sources over all but this group, in HybridItemKNN" in text
    worse = replace(baby.verdict, name="used_but_does_not_pay")
    assert why_unnamed(unnamed.model_copy(update={"verdict": worse})) == ""
