"""Tables and references for a paper: complete, escaped, and in the form that LaTeX and BibTeX read."""

import math
import re
from dataclasses import replace

import pytest

from recsys.models import registry
from recsys.report.paper import bibliography, comparisons_table, escape, results_table
from recsys.wording import DASH
from tests.evidence.studies import study

HOSTILE = r"\input{/etc/passwd} 50 % & #1 $x_1$ ~ ^ {"


def test_the_results_are_a_table_for_booktabs(baby):
    table = results_table(baby, ["ndcg_at_20", "recall_at_20"])
    lines = table.splitlines()
    assert [line for line in lines if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert r"Model & nDCG@20 & Recall@20 & 95 \% interval of nDCG@20 & Trials \\" in table
    rows = [line for line in lines if line.endswith(r"\\")]
    assert len(rows) == 1 + len(baby.results)
    assert all(len(re.findall(r"(?<!\\)&", row)) == 4 for row in rows)
    best = max(baby.results, key=lambda row: row.metrics["ndcg_at_20"].mean)
    assert rows[1].startswith(f"{best.name} & {best.metrics['ndcg_at_20'].mean:.4f} &")
    assert r"FREEDOM (both\_shuffled)" in table and r"\label{tab:results-amazon-baby}" in table


def test_a_row_without_trials_of_its_own_has_a_dash(baby):
    untried = baby.model_copy(update={"results": [row.model_copy(update={"n_trials": 0}) for row in baby.results]})
    rows = [line for line in results_table(untried, ["ndcg_at_20"]).splitlines() if line.endswith(r"\\")]
    assert len(rows) > 2 and all(row.endswith(r"& -- \\") for row in rows[1:])


def test_failed_trials_stand_beside_the_trials(baby):
    lost = baby.model_copy(update={"results": [row.model_copy(update={"n_failed": 3}) for row in baby.results]})
    assert r"& 20 (3 failed) \\" in results_table(lost, ["ndcg_at_20"])


def test_the_comparisons_have_lifts_with_signs_and_intervals(baby):
    table = comparisons_table(baby)
    assert len(re.findall(r"\\\\$", table, flags=re.MULTILINE)) == 1 + len(baby.deciding)
    assert re.search(r"\+\d+\.\d \\% & \+\d+\.\d \\% to \+\d+\.\d \\%", table)
    worse = baby.model_copy(update={"verdict": None, "comparisons": baby.comparisons[-1:]})
    assert re.search(r"& \$-\$\d+\.\d \\%", comparisons_table(worse))


def test_a_comparison_in_one_repeat_has_neither_interval_nor_p(baby):
    unknown = replace(baby.verdict.against_rival, lift_low=math.nan, lift_high=math.nan, p_value=math.nan)
    once = baby.model_copy(update={"verdict": replace(baby.verdict, against_rival=unknown)})
    assert re.search(rf"\\% & {DASH} & {DASH} & \d", comparisons_table(once))


def test_text_of_a_study_is_no_command(baby):
    hostile = baby.model_copy(
        update={"name": HOSTILE, "results": [baby.results[0].model_copy(update={"model": HOSTILE})]}
    )
    table = results_table(hostile, ["ndcg_at_20"])
    assert table.count(escape(HOSTILE)) == 2 and HOSTILE not in table
    assert escape(HOSTILE) == (
        r"\textbackslash{}input\{/etc/passwd\} 50 \% \& \#1 \$x\_1\$ \textasciitilde{} \textasciicircum{} \{"
    )


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        (
            "Steck: Embarrassingly shallow autoencoders for sparse data, WWW 2019",
            [
                "author = {Steck}",
                "title = {{Embarrassingly shallow autoencoders for sparse data}}",
                "howpublished = {WWW 2019}",
            ],
        ),
        ("Shen et al.: How powerful is it?, CIKM 2021", ["author = {Shen and others}", "year = {2021}"]),
        ("Jeunen, Van Balen: ADMM SLIM: Sparse, RecSys 2020", ["author = {Jeunen and {Van Balen}}"]),
        ("a lecture of 1999", ["title = {{a lecture of 1999}}"]),
    ],
)
def test_references_hold_what_a_source_names(baby, source, fields):
    text = bibliography(study(baby).model_copy(update={"sources": {"EASE": source}}))
    assert "@misc{ease," in text and all(field in text for field in fields)


def test_what_was_never_published_is_no_reference(baby):
    sources = {"Random": "the level of chance", "SLIMBPR": "Ning: SLIM, ICDM 2011; Rendle: BPR, UAI 2009"}
    text = bibliography(study(baby).model_copy(update={"sources": sources}))
    assert re.findall(r"@\w+{(\w+),", text) == ["modalift", "slimbpr1", "slimbpr2"]


def test_every_model_has_references_with_balanced_braces(baby):
    sources = {model.name: model.source for model in registry.model_infos()}
    text = bibliography(study(baby).model_copy(update={"sources": sources}))
    keys = re.findall(r"^@\w+{(\w+),$", text, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) >= len(sources) - 1
    for entry in text.split("\n\n"):
        assert entry.count("{") == entry.count("}")
        assert re.search(r"^  year = {\d{4}},$", entry, flags=re.MULTILINE)
