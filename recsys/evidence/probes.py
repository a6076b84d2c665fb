"""Leak probes: whether an item's vector knows who chose the item, before a lift that rests on it is believed.

Vectors that come from a file may have been made from the very interactions that are to be predicted. No single figure
shows that, for three things are easily confused: content that drives choice, vectors made from the training part, and
vectors made from all parts. Three probes, none of which trains a recommender:

- **Similarity.** An item's score for a user is its mean cosine to the user's other training items. Honest vectors rank
  training and test items alike, since a random split makes no difference to them; vectors made from the training part
  rank training items higher. The probe is silent about vectors made from all parts, and means nothing where the split
  is by time, since tastes drift.
- **Ceiling.** What honest vectors know of a user they know through traits of items, and traits show in other users
  too. Let C_u be the matrix of pairs in the basket of user u, centred by popularity, and Theta = E C_u. For any matrix
  M of similarities that was made without these users, <M, Theta>^2 / |M|^2 is at most |Theta|^2 (Cauchy-Schwarz). Two
  users u and v are independent, so <M, C_u><M, C_v> / |M|^2 and <C_u, C_v> estimate the two sides without bias.
  Vectors that memorised single users exceed the bound. It is the noise ceiling of neuroscience (Schoppe et al.,
  Measuring the performance of neural models, Frontiers in Computational Neuroscience 2016), for baskets. It holds for
  any split and however strong content is; it is sharp where interactions are sparse.
- **Reconstruction.** How well kernel ridge regression predicts an item's vector from who chose the item, each item
  left out: once from the training part, once from all parts. Vectors made from the training part are predicted worse
  when rows are added that they do not know. For honest vectors those rows are only more data, with which the error
  cannot be expected to fall much faster than 1/n; for vectors made from all parts it does. It holds for any split, and
  is sharp where interactions are dense.

Limits: vectors made from all parts of a dataset may pass where they differ little from what the training part tells
(few factors of dense data) or where strong bonds between items raise the ceiling (variants of one product). A probe
that is silent proves nothing.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recsys.content.features import Features, unit_rows

MAX_GAP = 0.03
MAX_TEST_AUC = 0.97
MIN_ERROR_RATIO = 0.95
SLACK = 1.07
"""How much faster than 1/n the error may fall, for the ridge adapts too: 1.04 at most in 100 dense markets in which
content drives nearly all choice."""
SURE = 3.0
"""Standard errors by which a figure must exceed its bound."""
FEWEST_ITEMS = 3
"""Training items of a user whose similarities say something."""
FEWEST_USERS = 50
MOST_PAIRS, MOST_USERS, MOST_ITEMS = 10_000, 2_000, 1_500
"""Pairs, users and items (those with the most interactions) that are looked at: seconds for any catalogue."""
N_NEGATIVES = 10
BLOCK = 1_000
RIDGES = np.geomspace(1e-3, 1e2, 6)


@dataclass(frozen=True)
class LeakProbe:
    """What the probes found of one source's vectors.

    Attributes:
        auc_train: probability that a training item is more similar to the user's others than a random item is;
            the lower of two ways to draw that item, evenly and by popularity, so that popularity is no alarm.
        auc_test: the same of test items.
        gap: by how much the first exceeds the second, again the lower of the two ways.
        gap_error: standard error of `gap`.
        ceiling: what the vectors know of baskets over what other users' baskets can tell, at most 1 for honest
            vectors; nan where other users tell nothing. `ceiling_z`: standard errors above 1.
        error_ratio: error of reconstruction from the training part over that from all parts.
        data_ratio: interactions of all parts over those of the training part: about the most that `error_ratio` can
            be for honest vectors.
        random_split: whether training and test items of a user are exchangeable.
    """

    auc_train: float
    auc_test: float
    gap: float
    gap_error: float
    ceiling: float
    ceiling_z: float
    error_ratio: float
    data_ratio: float
    random_split: bool

    @property
    def gap_is_wide(self) -> bool:
        """Whether training items stand out against test items."""
        return self.random_split and self.gap > max(MAX_GAP, SURE * self.gap_error)

    @property
    def above_ceiling(self) -> bool:
        """Whether the vectors know more of baskets than traits of items could tell."""
        return self.ceiling_z > SURE

    @property
    def from_training(self) -> bool:
        """Whether the vectors look made from the training part."""
        return self.gap_is_wide or self.error_ratio < MIN_ERROR_RATIO

    @property
    def error_falls_too_fast(self) -> bool:
        """Whether validation and test rows explain the vectors better than so many more rows could."""
        return self.error_ratio > SLACK * self.data_ratio

    @property
    def saw_test(self) -> bool:
        """Whether the vectors look as if they had seen the test part."""
        too_good = self.auc_test > MAX_TEST_AUC or self.above_ceiling or self.error_falls_too_fast
        return too_good and not self.from_training

    @property
    def fires(self) -> bool:
        """Whether any probe raises an alarm."""
        return self.from_training or self.saw_test


def probe(
    features: Features,
    train: sparse.csr_array,
    valid: sparse.csr_array,
    test: sparse.csr_array,
    *,
    random_split: bool = True,
    seed: int = 0,
) -> LeakProbe | None:
    """Probe one source's vectors; None where fewer than `FEWEST_USERS` users have enough items with a vector.

    Args:
        features: vectors of the items.
        train: training interactions, binary, shape (n_users, n_items).
        valid: validation interactions, likewise.
        test: test interactions, likewise.
        random_split: whether each user's rows were split at random.
        seed: of all sampling.
    """
    known = np.flatnonzero(features.present & features.matrix.any(axis=1))
    train, valid, test = (sparse.csr_array(part)[:, known] for part in (train, valid, test))
    everything = sparse.csr_array(train + valid + test)
    enough = np.diff(train.indptr) >= FEWEST_ITEMS
    if np.count_nonzero(enough & (np.diff(test.indptr) > 0)) < FEWEST_USERS:
        return None
    rng = np.random.default_rng(seed)
    unit = _unit(features.matrix[known])
    by_train, by_test = (_wins(unit, train, part, everything, enough, rng) for part in (train, test))
    auc_train, auc_test = by_train.mean(axis=0), by_test.mean(axis=0)
    gap_error = np.sqrt(sum(wins.var(axis=0).max() / len(wins) for wins in (by_train, by_test)))
    popularity = np.bincount(train.indices, minlength=len(known))
    common = np.sort(np.argsort(-popularity, kind="stable")[:MOST_ITEMS])
    common = common[popularity[common] > 0]
    unit, train, everything = _unit(features.matrix[known[common]]), train[:, common], everything[:, common]
    ceiling, ceiling_z = _ceiling(unit, everything, rng)
    return LeakProbe(
        auc_train=float(auc_train.min()),
        auc_test=float(auc_test.min()),
        gap=float((auc_train - auc_test).min()),
        gap_error=float(gap_error),
        ceiling=ceiling,
        ceiling_z=ceiling_z,
        error_ratio=_reconstruction_error(unit, train) / _reconstruction_error(unit, everything),
        data_ratio=everything.nnz / train.nnz,
        random_split=random_split,
    )


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows about their mean, of unit length: without centring, vectors that share a direction are all alike."""
    centred = rows.astype(np.float32) - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return unit_rows(centred)


def _wins(
    unit: np.ndarray,
    train: sparse.csr_array,
    part: sparse.csr_array,
    everything: sparse.csr_array,
    enough: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Share of negatives that a part's sampled pairs beat, drawn evenly and by popularity: shape (n_pairs, 2)."""
    users, items = part.nonzero()
    chosen = np.flatnonzero(enough[users])
    chosen = rng.permutation(chosen)[:MOST_PAIRS]
    users, items = users[chosen], items[chosen]
    n_items = train.shape[1]
    blocks = []
    for start in range(0, len(users), BLOCK):
        user, item = users[start : start + BLOCK], items[start : start + BLOCK]
        taste = train[user] @ unit
        if part is train:
            taste -= unit[item]  # the item itself is left out
        positive = np.einsum("pd,pd->p", taste, unit[item])
        wins, counted = np.zeros((len(user), 2)), np.zeros((len(user), 2))
        for _ in range(N_NEGATIVES):
            drawn = rng.integers(n_items, size=len(user)), rng.choice(train.indices, size=len(user))
            for way, negative in enumerate(drawn):
                fresh = ~np.asarray(everything[user, negative]).ravel().astype(bool)
                score = np.einsum("pd,pd->p", taste, unit[negative])
                wins[:, way] += fresh * ((positive > score) + 0.5 * (positive == score))
                counted[:, way] += fresh
        blocks.append((wins / np.maximum(counted, 1))[counted.all(axis=1)])
    return np.concatenate(blocks)


def _ceiling(unit: np.ndarray, baskets: sparse.csr_array, rng: np.random.Generator) -> tuple[float, float]:
    """What the vectors know of pairs in baskets over its bound, and by how many standard errors it exceeds it.

    Pairs of an item with itself are left out. Items are weighted by one over the root of their popularity, as in
    correspondence analysis. Both sides are means over pairs of users (a U-statistic), and the standard error is that
    of Hoeffding's projection.
    """
    popularity = np.bincount(baskets.indices, minlength=baskets.shape[1]).astype(np.float64)
    sizes = np.diff(baskets.indptr)
    users = rng.permutation(np.flatnonzero(sizes >= 2))[:MOST_USERS]
    if len(users) < FEWEST_USERS:
        return float("nan"), 0.0
    expected = sizes[users][:, None] * (popularity / popularity.sum())
    rows = ((baskets[users].toarray() - expected) / np.sqrt(popularity)).astype(np.float32)
    squares = rows**2
    shared = (rows @ rows.T).astype(np.float64) ** 2 - squares @ squares.T
    np.fill_diagonal(shared, 0)
    own = ((rows @ unit) ** 2).sum(axis=1, dtype=np.float64) - squares @ (unit**2).sum(axis=1)
    size = ((unit.T @ unit).astype(np.float64) ** 2).sum() - ((unit**2).sum(axis=1) ** 2).sum()
    if size <= 0:  # no two items have anything in common
        return float("nan"), 0.0
    others = len(users) - 1
    told = own * (own.sum() - own) / size / others
    bound = shared.sum(axis=1) / others
    excess = told - bound
    error = 2 * excess.std(ddof=1) / np.sqrt(len(users))
    ratio = float(told.mean() / bound.mean()) if bound.mean() > 0 else float("nan")
    return ratio, float(excess.mean() / error) if error > 0 else 0.0


def _reconstruction_error(unit: np.ndarray, interactions: sparse.csr_array) -> float:
    """Share of the vectors' variance that who chose the items does not tell, each item left out, at the best ridge."""
    users = np.maximum(interactions.sum(axis=1), 1) ** -0.5
    items = np.maximum(interactions.sum(axis=0), 1) ** -0.5
    columns = sparse.csr_array(interactions * users[:, None] * items[None, :])
    values, directions = np.linalg.eigh((columns.T @ columns).toarray().astype(np.float64))
    centred = (unit - unit.mean(axis=0)).astype(np.float64)  # squares of what is tiny vanish in float32
    variance = (centred**2).sum()
    if variance == 0:
        return float("nan")
    turned, squares = directions.T @ centred, directions**2
    errors = []
    for ridge in RIDGES:
        left = ridge / (np.maximum(values, 0) + ridge)
        residuals = directions @ (left[:, None] * turned) / (squares @ left)[:, None]
        errors.append(float((residuals**2).sum() / variance))
    return min(errors)
