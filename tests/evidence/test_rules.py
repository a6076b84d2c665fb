"""The rules as a whole, over many draws whose truth is known: scores are drawn, no model is trained."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from scipy import stats

from recsys.evidence.decision import Sides, decide
from recsys.evidence.scores import Scores, best_on_validation
from recsys.evidence.verdict import HELPS
from tests.evidence.options import QUICK

N_USERS, N_REPEATS, N_DRAWS = 500, 5, 60


class Market:
    """One draw of a market whose models lift what users get out of their lists, relatively.

    Models differ in what they are good at, so each has its own deviation per user, per user and repeat, and per
    repeat; validation sees the same models with deviations of its own, so choosing among them favours the lucky.

    Args:
        rng: of the draw.
        noise: of a user, relative to what users get on average; that of a repeat is a fiftieth of it.
    """

    def __init__(self, rng, noise):
        self.rng, self.noise = rng, noise
        self.ease = rng.beta(1.2, 2.5, N_USERS) * (rng.random(N_USERS) < 0.5)

    def scored(self, model, arm, lift):
        test, valid = (self.ease * (1 + lift) + self.deviation() for _ in range(2))
        return Scores(model, arm, np.arange(N_USERS), test, float(valid.mean()), held_out=0.125)

    def deviation(self):
        of_users = self.rng.normal(0, self.noise, N_USERS)
        within = self.rng.normal(0, self.noise / 2, (N_REPEATS, N_USERS))
        of_repeats = self.rng.normal(0, self.noise / 50, (N_REPEATS, 1))
        return (self.ease > 0) * self.ease.mean() * (of_users + within + of_repeats)


@cache
def verdicts(content=0.0, shuffled=0.0, popularity=0.0, noise=0.5, n_draws=N_DRAWS):
    """How often each verdict is given where content, its shuffled rows and popularity lift by so much."""
    rng, found = np.random.default_rng(0), Counter()
    for _ in range(n_draws):
        market = Market(rng, noise)
        arms = [(model, arm) for model in ("FREEDOM", "VBPR") for arm in ("both", "text", "image")]
        chosen = best_on_validation([market.scored(model, arm, content) for model, arm in arms])
        rivals = [market.scored(model, "interactions_only", 0.0) for model in ("EASE", "ItemKNN", "LightGCN")]
        controls = {"shuffled": shuffled, "untuned": shuffled - 0.01, "popularity": popularity}
        drawn = {name: market.scored(chosen.model, name, lift) for name, lift in controls.items()}
        found[decide(Sides(content=chosen, rival=best_on_validation(rivals), **drawn), options=QUICK).name] += 1
    return found


def helped(found):
    return sum(found[name] for name in HELPS)


def rare(count, share=0.05):
    """Whether so few draws are to be expected where the true share is this."""
    return count <= stats.binom.ppf(0.999, N_DRAWS, share)


def test_irrelevant_content_seldom_helps():
    found = verdicts(n_draws=120)
    assert stats.binomtest(helped(found), 120, alternative="less").proportion_ci(0.95).high <= 0.05


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.5])
def test_irrelevant_content_is_not_called_anything_that_it_is_not(noise):
    """The shuffled control equals the rival: a gain of capacity was once seen in half of such draws."""
    found = verdicts(noise=noise)
    assert rare(N_DRAWS - found["no_effect"] - found["inconclusive"])
    assert found["capacity_not_content"] <= 1


def test_precise_scores_show_that_irrelevant_content_has_no_effect():
    assert verdicts(noise=0.03)["no_effect"] >= 0.8 * N_DRAWS


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.5])
@pytest.mark.parametrize("lift", [0.10, 0.19])
def test_content_that_pays_is_not_said_not_to(lift, noise):
    found = verdicts(content=lift, noise=noise)
    false = ("used_but_does_not_pay", "no_effect", "capacity_not_content", "popularity_not_content", "harms")
    assert rare(sum(found[name] for name in (*false, "model_harms")))


def test_a_lift_of_the_margin_is_seldom_called_nothing():
    """At the margin itself equivalence is false in at most 5 %."""
    found = verdicts(content=0.02, shuffled=-0.02, popularity=-0.02, noise=0.05)
    assert rare(found["no_effect"] + found["used_but_does_not_pay"])
    assert helped(found) >= 0.8 * N_DRAWS


def test_content_that_drives_choice_helps():
    assert verdicts(content=0.3)["helps"] >= 0.9 * N_DRAWS


def test_content_that_drives_people_away_harms():
    assert verdicts(content=-0.3)["harms"] >= 0.9 * N_DRAWS


def test_a_model_that_loses_with_any_content_is_to_blame():
    found = verdicts(content=-0.3, shuffled=-0.3, popularity=-0.3, noise=0.05)
    assert found["model_harms"] >= 0.8 * N_DRAWS
    assert rare(found["harms"])


def test_capacity_is_told_from_content():
    found = verdicts(content=0.3, shuffled=0.3, noise=0.05)
    assert found["capacity_not_content"] >= 0.8 * N_DRAWS
    assert rare(helped(found))


@pytest.mark.parametrize("noise", [0.05, 0.5])
def test_what_sells_is_told_from_content(noise):
    found = verdicts(content=0.3, popularity=0.3, noise=noise)
    assert rare(helped(found))
    if noise < 0.1:
        assert found["popularity_not_content"] >= 0.8 * N_DRAWS
