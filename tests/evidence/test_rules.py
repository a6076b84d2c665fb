"""The rules as a whole, over many draws whose truth is known: scores are drawn, no model is trained."""

import numpy as np
from scipy import stats

from recsys.evidence.scores import Scores
from recsys.evidence.verdict import choose, decide

N_USERS, N_SEEDS, N_DRAWS = 400, 3, 100
IRRELEVANT = {"no_effect", "inconclusive", "content_not_chosen", "model_harms"}


def market(gain, rng):
    """The verdict on one draw: content lifts what users get out of their lists by `gain`, relatively.

    Models differ in what they are good at, so each has its own deviation per user and seed; validation sees
    the same models with deviations of its own, so choosing among them favours the lucky.
    """
    ease = rng.beta(1.2, 2.5, N_USERS) * (rng.random(N_USERS) < 0.5)

    def scored(model, arm, lift):
        served = (ease > 0) * ease.mean()
        shape = (N_SEEDS, N_USERS)
        test, valid = (
            ease * (1 + lift) + served * (rng.normal(0, 0.5, N_USERS) + rng.normal(0, 0.2, shape)) for _ in range(2)
        )
        return Scores(model, arm, np.arange(N_USERS), test, float(valid.mean()))

    content = choose([scored(model, arm, gain) for model in ("FREEDOM", "VBPR") for arm in ("both", "text", "image")])
    rival = choose([scored(model, "interactions_only", 0.0) for model in ("EASE", "ItemKNN", "LightGCN")])
    return decide(content, rival, scored(content.model, f"{content.arm}_shuffled", 0.0), n_resamples=200)


def test_irrelevant_content_seldom_helps():
    rng = np.random.default_rng(0)
    names = [market(0.0, rng).name for _ in range(N_DRAWS)]
    upper = stats.binomtest(names.count("helps"), N_DRAWS, alternative="less").proportion_ci(0.95).high
    assert upper <= 0.05
    assert sum(name in IRRELEVANT for name in names) >= 90


def test_content_that_drives_choice_helps():
    rng = np.random.default_rng(1)
    names = [market(0.3, rng).name for _ in range(N_DRAWS)]
    assert names.count("helps") >= 90


def test_content_that_drives_people_away_harms():
    rng = np.random.default_rng(2)
    names = [market(-0.3, rng).name for _ in range(N_DRAWS)]
    assert names.count("harms") >= 90
