"""Markets whose truth is known: from a seed, who chose what, the items' content, and what drives choice.

Users choose by popularity, by what each source of content says of an item, and by a hidden side that no content
tells. The weight of each says how much it drives choice; a weight of 0 makes a source irrelevant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from recsys.data.market.choices import choose

N_FACETS = 6
"""Dimensions of what one source says of an item, and of a user's taste in it."""
DIM = 16
"""Columns of a source's vectors: the facets, turned and blurred."""
CONCENTRATION = 0.5
"""How sharply liking grows with the match of taste and item, as in the demo's market."""
BLUR = 0.3
"""Spread of the noise in vectors, beside facets of spread 1."""
HIDDEN = "hidden"


@dataclass(frozen=True)
class Source:
    """Vectors of one source of content.

    Attributes:
        matrix: float32, shape (n_items, dim).
        present: bool, shape (n_items,); False where the item has no such content.
    """

    matrix: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> "Source":
        """A source that every item has."""
        return cls(matrix.astype(np.float32), np.ones(len(matrix), dtype=bool))


@dataclass(frozen=True)
class Market:
    """Interactions, content, and the truth about them.

    Attributes:
        interactions: strings `user_id` and `item_id` (row numbers of the vectors), `timestamp` in seconds since 1970,
            and `part` where the split is a fact.
        n_items: of the catalogue, items without interactions included.
        content: vectors by source.
        drivers: sources that drive choice.
        losers: users whose choice content misleads, as strings; empty where content costs nobody.
    """

    interactions: pd.DataFrame
    n_items: int
    content: Mapping[str, Source]
    drivers: frozenset[str] = frozenset()
    losers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shape:
    """Dials of a market.

    Attributes:
        n_users: number of users.
        n_items: number of items.
        mean_interactions: mean number of a user's interactions, 5 at least.
        weights: how much each source drives choice, in units of the choice's own noise; 0: not at all.
        hidden: the weight of what no content tells.
        popularity: how much all users agree.
    """

    n_users: int = 300
    n_items: int = 200
    mean_interactions: float = 12
    weights: Mapping[str, float] = field(default_factory=lambda: {"text": 0.0, "image": 0.0})
    hidden: float = 2.0
    popularity: float = 0.7


def market(seed: int, shape: Shape = Shape()) -> Market:
    """Draw a market."""
    rng = np.random.default_rng(seed)
    sides = {name: facets(shape.n_items, rng) for name in (*shape.weights, HIDDEN)}
    utility = _popularity(shape, rng)
    for name, weight in {**shape.weights, HIDDEN: shape.hidden}.items():
        utility = utility + weight * _liking(facets(shape.n_users, rng), sides[name])
    return Market(
        choose(utility, shape.mean_interactions, rng),
        shape.n_items,
        {name: vectors(sides[name], rng) for name in shape.weights},
        frozenset(name for name, weight in shape.weights.items() if weight > 0),
    )


def with_noise_sources(seed: int, n_sources: int, shape: Shape = Shape()) -> Market:
    """A market of the hidden side alone, with so many sources of noise."""
    drawn = market(seed, replace(shape, weights={}))
    rng = np.random.default_rng((seed, 1))
    noise = {f"noise{number}": vectors(facets(shape.n_items, rng), rng) for number in range(1, n_sources + 1)}
    return replace(drawn, content=noise)


def with_same_content_twice(seed: int, shape: Shape, blur: float) -> Market:
    """Choice is driven by what both text and image say: the same vectors (`blur` 0), or noisy copies of them."""
    drawn = market(seed, replace(shape, weights={"text": max(shape.weights.values())}))
    rng = np.random.default_rng((seed, 2))
    text = drawn.content["text"].matrix
    copies = {name: Source.of(text + blur * rng.standard_normal(text.shape)) for name in ("text", "image")}
    return replace(drawn, content=copies, drivers=frozenset(copies))


def with_half_misled(seed: int, shape: Shape, by_activity: bool) -> Market:
    """What the text says drives the choice of one half of the users, and misleads about the other half.

    The others choose by the hidden side, and never two items whose texts say much the same: once one of a kind is
    theirs, they want no other. The halves are drawn at random, or the less active half is the one that content helps.
    """
    rng = np.random.default_rng(seed)
    n, weight = shape.n_users, max(shape.weights.values())
    text, hidden = facets(shape.n_items, rng), facets(shape.n_items, rng)
    helped = np.arange(n) < n // 2 if by_activity else rng.permutation(n) < n // 2
    activity = (0.6, 1.4) if by_activity else (1.0, 1.0)
    popularity = _popularity(shape, rng)
    by_text = popularity + weight * _liking(facets(n // 2, rng), text)
    by_hidden = popularity + shape.hidden * _liking(facets(n - n // 2, rng), hidden)
    kinds = text[:, :5] > 0
    of_kind = kinds @ (1 << np.arange(kinds.shape[1]))
    parts = [
        choose(by_text, activity[0] * shape.mean_interactions, rng),
        _one_of_a_kind(choose(by_hidden, 2 * activity[1] * shape.mean_interactions, rng), of_kind, rng),
    ]
    users = np.flatnonzero(helped).astype(str), np.flatnonzero(~helped).astype(str)
    chosen = [part.assign(user_id=of[part["user_id"].astype(int)]) for part, of in zip(parts, users, strict=True)]
    return Market(
        pd.concat(chosen, ignore_index=True),
        shape.n_items,
        {"text": vectors(text, rng)},
        frozenset({"text"}),
        frozenset(users[1].tolist()),
    )


def _one_of_a_kind(chosen: pd.DataFrame, kinds: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The choices without those of a kind that their user has already."""
    mixed = chosen.sample(frac=1, random_state=rng)
    again = mixed.assign(kind=kinds[mixed["item_id"].astype(int)]).duplicated(["user_id", "kind"])
    return mixed[~again].sort_index()


def facets(n: int, rng: np.random.Generator) -> np.ndarray:
    """Facets of so many items or users, shape (n, N_FACETS)."""
    return rng.standard_normal((n, N_FACETS))


def _popularity(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Shape (1, n_items): the same for all users."""
    return shape.popularity * rng.standard_normal((1, shape.n_items))


def _liking(tastes: np.ndarray, facets: np.ndarray) -> np.ndarray:
    """How much each user likes each item, mean 0 and spread 1 over the items of each user."""
    return standardised(np.exp(CONCENTRATION * standardised(facets @ tastes.T))).T


def standardised(columns: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and spread 1."""
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def vectors(said: np.ndarray, rng: np.random.Generator) -> Source:
    """What an encoder would make of the facets."""
    turned = said @ rng.standard_normal((said.shape[1], DIM)) / np.sqrt(said.shape[1])
    return Source.of(turned + BLUR * rng.standard_normal(turned.shape))
