"""How often the headline would have been the same, from scores that are made up."""

import numpy as np

from recsys.evidence.comparison import compare
from recsys.evidence.scores import Scores
from recsys.evidence.sensitivity import Setting, agreement
from tests.evidence.options import QUICK

BASE = np.random.default_rng(0).random((3, 200))


def scored(model: str, shift: float) -> Scores:
    noise = np.random.default_rng(ord(model)).normal(0, 0.02, BASE.shape)
    return Scores(model, "both", np.arange(200), BASE + shift + noise, valid=0.0)


def setting(metric: str, over_rival: float, over_shuffled: float = 0.1) -> Setting:
    content = scored("C", 0.0)
    against = [
        compare(content, scored(name, -shift), options=QUICK)
        for name, shift in (("I", over_rival), ("S", over_shuffled))
    ]
    return Setting(metric, "seen", against[0], against[1])


def test_settings_agree_contradict_or_stay_open() -> None:
    headline = setting("ndcg_at_20", 0.1)
    same, turned = setting("recall_at_20", 0.2), setting("mrr_at_20", -0.1)
    equal, unlike = setting("map_at_20", 0.0), setting("precision_at_20", 0.1, over_shuffled=-0.1)
    counted = agreement([headline, same, turned, equal, unlike], headline)
    assert (counted.n_settings, counted.n_agree, counted.n_contradict) == (5, 2, 2)
    assert (counted.n_repeats, counted.n_repeats_agree) == (3, 3)
    assert counted.sentence == (
        "The answer agrees in 2 of 5 combinations of metric, cut-off and mask, and is contradicted in 2; "
        "the lift has the same sign in 3 of 3 repeats."
    )


def test_a_repeat_that_goes_the_other_way_is_counted() -> None:
    turned = BASE.copy()
    turned[2] += 0.3
    rival = Scores("I", "both", np.arange(200), turned - 0.15, valid=0.0)
    content = scored("C", 0.0)
    headline = Setting("ndcg_at_20", "seen", compare(content, rival, options=QUICK), compare(content, rival))
    assert agreement([headline], headline).n_repeats_agree == 2
