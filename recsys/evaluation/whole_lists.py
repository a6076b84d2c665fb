"""Whether lists of the primary metric's length are a choice among the items that are ranked for a user."""

import numpy as np

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.metrics.registry import metrics
from recsys.evaluation.protocol import Protocol
from recsys.wording import listed, whole_percent

WORTH_SAYING = 0.1
"""The share of users from which on it is said that their lists hold everything."""


def whole_lists(dataset: Dataset, protocol: Protocol) -> list[str]:
    """A line where lists are longer than the catalogue, and where every model does alike for many users.

    The latter is so where a user's list holds all items that are ranked, and their order does not count.

    Raises:
        UserError: those of all users do, or there are too few items to draw negatives from.
    """
    n_negatives, k = protocol.n_negatives, protocol.primary_k
    if n_negatives is not None and n_negatives >= dataset.n_items:
        raise UserError(
            f"evaluation.n_negatives: {n_negatives:,} items cannot be drawn from the {dataset.n_items:,} that there "
            "are; write fewer, or leave it out to rank all items"
        )
    long = _longer(protocol, dataset.n_items)
    said = (
        [f"evaluation: lists of {listed(long)} are longer than the catalogue of {dataset.n_items:,} items"]
        if long
        else []
    )
    if not metrics()[protocol.primary_name].ignores_order:
        return said
    n_ranked = _n_ranked(Evaluator(dataset, "test", protocol))
    share, most = float((k >= n_ranked).mean()), int(n_ranked.max())
    if share == 1:
        raise UserError(
            f"evaluation.primary: {protocol.primary} is the same for every model, since a list of {k:,} holds all of "
            f"the {most:,} items at most that are ranked for a user; write a smaller number"
        )
    if share < WORTH_SAYING:
        return said
    return [
        *said,
        f"{protocol.primary} is the same for every model for {whole_percent(share)} of the users, whose lists of "
        f"{k:,} hold all items that are ranked for them; a smaller number tells models apart",
    ]


def _longer(protocol: Protocol, n_items: int) -> list[str]:
    """Cut-offs above the number of items; of those that nobody wrote only the primary metric's counts."""
    written = protocol.ks if "ks" in protocol.model_fields_set else ()
    return [f"{k:,}" for k in sorted({*written, protocol.primary_k}) if k > n_items]


def _n_ranked(evaluator: Evaluator) -> np.ndarray:
    """Items that are ranked for each user at test, shape (n_users,)."""
    if evaluator.candidates is not None:
        return np.diff(evaluator.candidates.indptr)[evaluator.users]
    return evaluator.dataset.n_items - np.diff(evaluator.masked.indptr)[evaluator.users]
