"""Metric, cut-off and mask from the stored lists of a small trained study."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.analyses.base import Inputs
from recsys.analyses.sensitivity import Sensitivity
from recsys.evaluation.evaluate import evaluate
from tests.analyses.conftest import CONTENT, DATASETS, PROTOCOL, RIVAL


def test_every_setting_is_compared_and_the_headline_agrees_with_itself(trained: Inputs) -> None:
    tables = Sensitivity().compute(trained)
    settings = tables["settings"]
    assert len(settings) == 6 * 4 * 2
    headline = settings.set_index(["metric", "mask"]).loc[("ndcg_at_10", "seen")]
    assert headline["agrees"]
    a, b = (trained.scores[pair].values.mean() for pair in (CONTENT, RIVAL))
    assert headline["lift"] == pytest.approx(a / b - 1)
    assert tables["agreement"]["n_agree"].iloc[0] == settings["agrees"].sum()
    assert len(tables["repeats"]) == 3


def test_a_further_cut_off_changes_no_other_figure(trained: Inputs) -> None:
    lists = trained.lists(CONTENT)
    lists = replace(lists, protocol=PROTOCOL.model_copy(update={"ndcg": "retrieved"}))
    alone = lists.measure(["ndcg_at_10"])["ndcg_at_10"].values
    beside = lists.measure(["ndcg_at_10", "ndcg_at_50"])
    np.testing.assert_array_equal(beside["ndcg_at_10"].values, alone)
    assert beside["ndcg_at_50"].values.max() <= 1


@pytest.mark.parametrize("mask", ["seen", "train"])
def test_either_mask_is_what_ranking_anew_under_it_gives(trained: Inputs, mask: str) -> None:
    lists = trained.lists(CONTENT)
    found = lists.measure(["recall_at_5"], mask=mask)["recall_at_5"]  # type: ignore[arg-type]
    model = trained.cell(trained.arm(CONTENT).finals[1]).model()
    assert model is not None
    anew = evaluate(model, DATASETS[1], "test", PROTOCOL.model_copy(update={"mask": mask})).per_user.set_index("user")
    np.testing.assert_allclose(found.values[1], anew.loc[lists.scores.users, "recall_at_5"])


def test_one_row_a_metric_and_mask(trained: Inputs) -> None:
    analysis = Sensitivity()
    (table,) = analysis.show(analysis.compute(trained))
    assert table.columns == ["Metric", "Mask", "@5", "@10", "@20", "@50"]
    assert len(table.rows) == 12
    assert (
        table.caption.startswith("In ")
        and "content compares with its rival and with its shuffled control" in table.caption
    )
