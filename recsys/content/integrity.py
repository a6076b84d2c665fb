"""Whether a table of vectors can be content at all, before a number that rests on it is believed.

A content table in which every item had the same row has been published as content; its "lift" was shrinkage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.content.features import NOT_COMPUTABLE, Features
from recsys.errors import UserError
from recsys.wording import count

SAMPLE = 2048
"""Effective rank is that of so many rows at most, evenly spaced: enough to see collapse, and quick."""
EXAMPLES = 3
"""Items that are named of those that something is said of."""
LEAST_COVERED = 0.5
OVERLONG = 100
"""Median lengths from which on a row is taken for a placeholder such as -999: real vectors come nowhere near, and in
squares such a row weighs as much as 10,000 others."""


@dataclass(frozen=True)
class Integrity:
    """What can be said of vectors without a model.

    Attributes:
        n_items: items of the catalogue.
        dim: columns.
        coverage: share of items with a vector.
        finite: every value is a finite number.
        distinct: share of distinct rows among the items with a vector.
        largest_group: number of items that share the most common row.
        examples: titles (or ids) of some of those, where there are several.
        mean_cosine: mean cosine between two items: 1 where all point the same way.
        effective_rank: number of directions that matter, between 1 and `dim`: the exponential of the entropy
            of the centred rows' normalised singular values (Roy and Vetterli 2007).
        norm_median: median length of a row.
        norm_spread: the 99th percentile of the lengths over the 1st.
        n_overlong: rows that are more than `OVERLONG` times as long as the median row.
        overlong: titles (or ids) of some of those.
    """

    n_items: int
    dim: int
    coverage: float
    finite: bool
    distinct: float
    largest_group: int
    examples: tuple[str, ...]
    mean_cosine: float
    effective_rank: float
    norm_median: float
    norm_spread: float
    n_overlong: int
    overlong: tuple[str, ...]


def inspect(features: Features, items: pd.DataFrame) -> Integrity:
    """Measure the vectors of these items; `items` has `item_id` and `title`, in the vectors' order."""
    if len(items) != len(features.matrix):
        raise UserError(f"{len(features.matrix)} vectors for {len(items)} items; encode the items anew")
    rows = features.matrix[features.present] + np.float32(0)  # makes -0 the same bytes as 0
    group = pd.factorize(np.array([row.tobytes() for row in rows], dtype="object"))[0]
    sizes = np.bincount(group) if len(rows) else np.zeros(1, dtype=np.int64)
    norms = np.linalg.norm(rows, axis=1)
    low, median, high = np.percentile(norms, [1, 50, 99]) if len(rows) else (0.0, 0.0, 0.0)
    long = overlong(features)
    alike = items[features.present][group == sizes.argmax()] if sizes.max() > 1 else items[:0]
    return Integrity(
        n_items=len(items),
        dim=features.dim,
        coverage=float(features.present.mean()) if len(items) else 0.0,
        finite=bool(np.isfinite(features.matrix).all()),
        distinct=float(np.count_nonzero(sizes) / max(len(rows), 1)),
        largest_group=int(sizes.max()),
        examples=_names(alike),
        mean_cosine=_mean_cosine(rows, norms),
        effective_rank=_effective_rank(rows),
        norm_median=float(median),
        norm_spread=float(high / low) if low > 0 else 1.0 if high == 0 else float("inf"),
        n_overlong=len(long),
        overlong=_names(items.iloc[long]),
    )


def overlong(features: Features) -> np.ndarray:
    """Items whose row is more than `OVERLONG` times as long as the median row, ascending, shape (n,)."""
    present = np.flatnonzero(features.present)
    lengths = np.linalg.norm(features.matrix[present], axis=1)
    return present[lengths > OVERLONG * np.median(lengths)] if lengths.any() else present[:0]


def _names(items: pd.DataFrame) -> tuple[str, ...]:
    return tuple(items["title"].fillna(items["item_id"]).head(EXAMPLES))


def covers_most(share: float) -> bool:
    """Whether enough items have content for a catalogue to be judged by it: half of them."""
    return share >= LEAST_COVERED


def problems(integrity: Integrity) -> list[str]:
    """Why these vectors should not be believed, a sentence each; empty where nothing is wrong."""
    if integrity.coverage == 0:
        return ["No item has a vector."]
    n_present = round(integrity.coverage * integrity.n_items)
    found = []
    if not integrity.finite:
        found.append("Some values are not finite.")
    if not covers_most(integrity.coverage):
        found.append(f"Only {n_present:,} of {integrity.n_items:,} items have a vector.")
    if integrity.distinct < 0.1:
        n_distinct = round(integrity.distinct * n_present)
        examples = ", ".join(f"'{title}'" for title in integrity.examples)
        found.append(
            f"All items look alike: only {count(n_distinct, 'distinct row')} among {n_present:,} items, "
            f"and {integrity.largest_group:,} share one row ({examples})."
        )
    elif integrity.mean_cosine > 0.99:
        found.append(f"All items look alike: two of them have a cosine of {integrity.mean_cosine:.3f} on average.")
    elif integrity.effective_rank < min(2, integrity.dim):
        found.append(f"The vectors vary along {integrity.effective_rank:.1f} of {integrity.dim:,} directions only.")
    if math.isinf(integrity.norm_spread):
        found.append("The lengths of the vectors cannot be compared: some are 0, or too large for a float.")
    elif integrity.norm_spread > 100:
        found.append(f"The lengths of the vectors differ by a factor of {integrity.norm_spread:,.0f}: a few dominate.")
    if integrity.n_overlong:
        which = f"{count(integrity.n_overlong, 'vector')} {'is' if integrity.n_overlong == 1 else 'are'}"
        examples = ", ".join(f"'{title}'" for title in integrity.overlong)
        found.append(f"{which} more than {OVERLONG} times as long as the median one ({examples}).")
    return found


def oddities(features: Features, items: pd.DataFrame) -> list[str]:
    """What a person should know of these items' rows before a run, a line each."""
    kinds: dict[str, Sequence[int] | np.ndarray] = {
        f"rows that hold {NOT_COMPUTABLE} count as missing": features.dropped,
        f"rows more than {OVERLONG} times as long as the median one, such as a placeholder -999": overlong(features),
    }
    return [f"{said}: {_counted(items, which)}" for said, which in kinds.items() if len(which)]


def _counted(items: pd.DataFrame, which: Sequence[int] | np.ndarray) -> str:
    examples = ", ".join(f"'{name}'" for name in items["item_id"].iloc[list(which[:EXAMPLES])])
    return f"{len(which):,} ({examples}{', ...' if len(which) > EXAMPLES else ''})"


def _mean_cosine(rows: np.ndarray, norms: np.ndarray) -> float:
    """Over pairs of different items, by the length of the mean unit row; 1 by definition for fewer than two."""
    n = len(rows)
    if n < 2:
        return 1.0
    mean = (rows / np.where(norms > 0, norms, 1)[:, None]).mean(axis=0, dtype=np.float64)
    n_nonzero = np.count_nonzero(norms)
    return float((n * n * (mean @ mean) - n_nonzero) / (n * (n - 1)))


def _effective_rank(rows: np.ndarray) -> float:
    if len(rows) < 2:
        return float(len(rows))
    sample = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(int)].astype(np.float64)
    sample -= sample.mean(axis=0)
    gram = sample @ sample.T if len(sample) < sample.shape[1] else sample.T @ sample
    singular = np.sqrt(np.clip(np.linalg.eigvalsh(gram), 0, None))
    if not singular.any():
        return 1.0
    shares = singular / singular.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
