"""Do descriptions say what drives choice? How often two items of one user share a value, beside chance.

Chance means two things here, and each answers its own question. How much: beside users and items that have as many
interactions and nothing else in common (the graph rewired). Whether at all: beside the same users, with the
descriptions permuted among items that are taken about as often. The first cannot answer the second: items that
go together whatever is said of them, such as sequels, make real shares vary more than rewired ones.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import MultiLabelBinarizer

from recsys.content.descriptions.synonyms import Synonyms
from recsys.content.descriptions.vocabulary import value_sets, values

SIGNAL = ("field", "n_items", "n_pairs", "share", "rewired", "ratio", "ratio_sd", "user_ratio", "p_value")
"""Columns of `user_signal`; those that cannot be told are missing."""
N_TRADES = 12
"""Rounds of trades of one rewiring; on MovieLens the share of equal values stands still after ten."""
BLOCK = 20
"""Descriptions are permuted anew among so many items that are next to each other in popularity."""
DENSE = 0.05
"""A table with more entries than this share is quicker to multiply by as an array."""


def user_signal(
    fields: pd.DataFrame,
    item_ids: Sequence[str],
    train: sparse.csr_array,
    *,
    n_rewired: int = 20,
    n_permutations: int = 199,
    seed: int = 0,
    synonyms: Synonyms | None = None,
) -> pd.DataFrame:
    """How much more often than by chance two items of one user share a value, field by field.

    Items without the field are left out, of the pairs and of the chance alike.

    Args:
        fields: index `item_id`, a column per field (see `fields_of`).
        item_ids: of the columns of `train`, in their order.
        train: binary, shape (n_users, n_items).
        n_rewired: how often the graph is rewired.
        n_permutations: how often descriptions are permuted; the smallest p-value is 1 / (n_permutations + 1).
        seed: of all draws.
        synonyms: merges near-synonyms.

    Returns:
        A row per field: `field`, `n_items` (that have it), `n_pairs` (of different items of one user), `share` (of
        these pairs, that have a value in common), `rewired` (mean of that share over rewired graphs), `ratio` of the
        two, `ratio_sd`, by how much rewiring alone moves it; `user_ratio`, the ratio where every user counts the same,
        since in the others most pairs are those of the few with most items; and the one-sided `p_value` of dealing.

    Source of the p-value: Phipson and Smyth, "Permutation p-values should never be zero", 2010.
    """
    catalogue = pd.Index(item_ids, name="item_id")
    sets = value_sets(values(fields.reindex(catalogue), synonyms)).reindex(index=catalogue, columns=fields.columns)
    rewired: dict[bytes, list[sparse.csr_array]] = {}
    rows = []
    for field in fields:
        has = sets[field].notna().to_numpy()
        graph = train[:, has].astype(np.float64)
        if has.tobytes() not in rewired:  # fields that the same items have share their graphs
            draws = (np.random.default_rng((seed, draw)) for draw in range(n_rewired))
            rewired[has.tobytes()] = [rewire(graph, rng) for rng in draws]
        rng = np.random.default_rng((seed, n_rewired))
        found = _beside_chance(graph, sets[field][has], rewired[has.tobytes()], n_permutations, rng)
        rows.append({"field": field, "n_items": int(has.sum()), **found})
    return pd.DataFrame(rows, columns=SIGNAL)


def rewire(graph: sparse.csr_array, rng: np.random.Generator) -> sparse.csr_array:
    """Another graph with as many edges of every user and of every item, and no edge twice; all are equally likely.

    Global curveball trades: users are paired at random, and every pair deals out anew what only one of the two has;
    then items likewise. One side alone would be enough, but slow where few users have most of the edges.

    Args:
        graph: binary, shape (n_users, n_items).
        rng: of the draws.

    Source: Carstens, Hamann, Meyer, Penschuck, Tran, Wagner, "Parallel and I/O-efficient randomisation of massive
    networks using global curveball trades", ESA 2018.
    """
    if not graph.nnz:
        return graph
    (user, item), (n_users, n_items) = graph.nonzero(), graph.shape
    for _ in range(N_TRADES // 2):
        user = _traded(user, n_users, item, n_items, rng)
        item = _traded(item, n_items, user, n_users, rng)
    return sparse.csr_array((np.ones(len(user)), (user, item)), shape=graph.shape)


def _traded(
    owner: np.ndarray, n_owners: int, thing: np.ndarray, n_things: int, rng: np.random.Generator
) -> np.ndarray:
    """Who owns each thing after one round of trades between random pairs of owners."""
    pair = (rng.permutation(n_owners) // 2)[owner]
    place = pair * n_things + thing
    order = np.argsort(place)
    second = np.diff(place[order], prepend=-1) == 0  # both of a pair have the thing: nothing to trade
    lone = order[~(second | np.append(second[1:], False))]
    traded = owner.copy()
    traded[lone] = owner[lone[np.argsort(pair[lone] + rng.random(len(lone)))]]
    return traded


def _beside_chance(
    graph: sparse.csr_array,
    sets: pd.Series,
    rewired: list[sparse.csr_array],
    n_permutations: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    n_items = graph.sum(axis=1)
    pairs = n_items * (n_items - 1)
    if not pairs.any():
        return {"n_pairs": 0}
    kinds, distinct = pd.factorize(sets)
    alike = _alike(distinct)
    real = _pairs_alike(graph, kinds, alike)
    chance = np.array([_pairs_alike(other, kinds, alike) for other in rewired])
    popularity = graph.sum(axis=0)
    permuted = [_pairs_alike(graph, _permuted(kinds, popularity, rng), alike).sum() for _ in range(n_permutations)]
    shares, several = chance.sum(axis=1) / pairs.sum(), pairs > 0
    expected = shares.mean() or np.nan  # nothing is no multiple of nothing
    user_expected = (chance[:, several] / pairs[several]).mean() or np.nan
    return {
        "n_pairs": int(pairs.sum()) // 2,
        "share": real.sum() / pairs.sum(),
        "rewired": shares.mean(),
        "ratio": real.sum() / pairs.sum() / expected,
        "ratio_sd": shares.std(ddof=1) / expected,
        "user_ratio": (real[several] / pairs[several]).mean() / user_expected,
        "p_value": (1 + np.sum(permuted >= real.sum())) / (1 + n_permutations),
    }


def _alike(sets: pd.Index) -> sparse.csr_array | np.ndarray:
    """Which sets have a value in common, shape (n_kinds, n_kinds)."""
    binary = sparse.csr_array(MultiLabelBinarizer(sparse_output=True).fit_transform(sets))
    alike = sparse.csr_array((binary @ binary.T > 0).astype(np.float64))
    return alike if alike.nnz < DENSE * len(sets) ** 2 else alike.toarray()


def _pairs_alike(graph: sparse.csr_array, kinds: np.ndarray, alike: sparse.csr_array | np.ndarray) -> np.ndarray:
    """Ordered pairs of different items of each user that have a value in common.

    Args:
        graph: binary, shape (n_users, n_items).
        kinds: of each item, the number of its set of values.
        alike: binary, shape (n_kinds, n_kinds): sets with a value in common.
    """
    members = sparse.csr_array(
        (np.ones(len(kinds)), (np.arange(len(kinds)), kinds)), shape=(len(kinds), alike.shape[0])
    )
    counts = graph @ members
    return sparse.csr_array(counts.multiply(counts @ alike)).sum(axis=1) - counts.sum(axis=1)


def _permuted(kinds: np.ndarray, popularity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same kinds, permuted among items of like popularity."""
    order = np.lexsort((rng.random(len(kinds)), popularity))
    block = np.arange(len(kinds)) // BLOCK
    permuted = np.empty_like(kinds)
    permuted[order] = kinds[order[np.lexsort((rng.random(len(kinds)), block))]]
    return permuted
