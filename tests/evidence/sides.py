"""Made-up sides of a verdict, whose lifts are exactly what a test asks for."""

import numpy as np

from recsys.evidence.decision import Sides, decide
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK

N_USERS = 400
BASE = np.random.default_rng(0).random(N_USERS)
BASE += 0.5 - BASE.mean()


def scored(model, arm, shift=0.0, noise=0.02, seed=1, used=True, times=1):
    """Scores whose mean is exactly 0.5 + shift, of users of whom there are so many `times` as many."""
    deviation = np.random.default_rng(seed).normal(0, 1, N_USERS)
    values = np.tile(BASE + shift + noise * (deviation - deviation.mean()), times)
    return Scores(model, arm, np.arange(len(values)), values[None], 0.0, content_used=used, seeded=False)


def sides(over_rival, over_shuffled, over_untuned=None, over_popularity=0.02, *, noise=0.02, itself=None, used=True):
    """C at 0.5, and by how much it is above each of the others; a margin of 2 % is 0.01."""
    over_untuned = over_shuffled if over_untuned is None else over_untuned
    return Sides(
        content=scored("VBPR", "both", noise=0, used=used),
        rival=scored("EASE", "interactions_only", -over_rival, noise, seed=1),
        shuffled=scored("VBPR", "shuffled", -over_shuffled, noise, seed=2),
        untuned=scored("VBPR", "shuffled_untuned", -over_untuned, noise, seed=3),
        popularity=scored("VBPR", "popularity", -over_popularity, noise, seed=4),
        itself=None if itself is None else scored("VBPR", "interactions_only", -itself, noise, seed=5),
    )


def noisy_sides(over, noise, times=1):
    """C at 0.5, and by how much it is above I, S1, S0 and P; noise of each of these."""
    labels = [
        ("EASE", "interactions_only"),
        ("VBPR", "shuffled"),
        ("VBPR", "shuffled_untuned"),
        ("VBPR", "popularity"),
    ]
    others = [
        scored(*pair, -each, its_noise, seed, times=times)
        for seed, (pair, each, its_noise) in enumerate(zip(labels, over, noise, strict=True), 1)
    ]
    return Sides(scored("VBPR", "both", noise=0, times=times), *others)


def verdict(*over, **how):
    return decide(sides(*over, **how), options=QUICK)
