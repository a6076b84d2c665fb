"""Content that was made from interactions, as a service that has seen a customer's data may make it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from calibration.markets import N_FACETS, Market, Source, standardised, vectors
from recsys.data.splits import SplitRule, assign_parts

LEAK = "leaked"
SHARES = SplitRule(valid=0.15, test=0.2)


def split(market: Market, seed: int) -> Market:
    """The same market with a split that is a fact, so that content can be made from one part of it."""
    rows = market.interactions
    numbers = rows[["user_id", "item_id"]].astype(int).set_axis(["user", "item"], axis=1)
    rule = SHARES.model_copy(update={"seed": seed})
    return replace(market, interactions=rows.assign(part=assign_parts(numbers, rule)))


def with_singular_vectors(parts: Sequence[str], n_factors: int, market: Market, seed: int) -> Market:
    """A market that was split, with one source more: singular vectors of the interactions of these parts."""
    rows = market.interactions[market.interactions["part"].isin(parts)]
    users, items = rows["user_id"].astype(int), rows["item_id"].astype(int)
    taken = sparse.csr_array((np.ones(len(rows)), (users, items)), shape=(users.max() + 1, market.n_items))
    _, values, directions = svds(taken, k=n_factors, rng=np.random.default_rng(seed))
    return replace(market, content={**market.content, LEAK: Source.of(directions.T * values)})


def with_text_of_what_sells(market: Market, seed: int) -> Market:
    """A market that was split, in which the text says how often an item was taken in training, and nothing else."""
    rng = np.random.default_rng((seed, 3))
    taken = market.interactions.loc[market.interactions["part"] == "train", "item_id"].astype(int)
    selling = standardised(np.log1p(np.bincount(taken, minlength=market.n_items)))
    bent = np.tanh(selling[:, None] * rng.uniform(0.5, 2, N_FACETS) + rng.standard_normal(N_FACETS))
    return replace(market, content={**market.content, "text": vectors(standardised(bent), rng)}, drivers=frozenset())
