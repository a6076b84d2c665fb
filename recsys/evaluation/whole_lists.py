"""Whether lists of the primary metric's length are a choice among the items that are ranked for a user."""

import numpy as np

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.evaluate import Evaluator, Part
from recsys.evaluation.metrics.registry import metrics
from recsys.evaluation.protocol import Protocol
from recsys.wording import whole_percent

WHERE: dict[Part, str] = {"test": "at test", "valid": "at validation, where settings are chosen"}
WORTH_SAYING = 0.1
"""The share of users from which on it is said that their lists hold everything."""


def whole_lists(dataset: Dataset, protocol: Protocol) -> list[str]:
    """A line where the lists of many users hold all items that are ranked for them, so that every model does alike.

    Raises:
        UserError: those of all users do, or there are too few items to draw negatives from.
    """
    n_negatives, k = protocol.n_negatives, protocol.primary_k
    if n_negatives is not None and n_negatives >= dataset.n_items:
        raise UserError(
            f"evaluation.n_negatives: {n_negatives:,} items cannot be drawn from the {dataset.n_items:,} that there "
            "are; write fewer, or leave it out to rank all items"
        )
    if not metrics()[protocol.primary_name].ignores_order:
        return []
    ranked = {part: _n_ranked(Evaluator(dataset, part, protocol)) for part in WHERE}
    shares = {part: float((k >= n_ranked).mean()) for part, n_ranked in ranked.items()}
    part = max(shares, key=shares.__getitem__)
    if shares[part] == 1:
        raise UserError(
            f"evaluation.primary: {protocol.primary} is the same for every model {WHERE[part]}, since a list of {k:,} "
            f"holds all of the {ranked[part].max():,} items at most that are ranked for a user; write a smaller number"
        )
    if shares[part] < WORTH_SAYING:
        return []
    return [
        f"{protocol.primary} is the same for every model {WHERE[part]} for {whole_percent(shares[part])} of the "
        f"users, whose lists of {k:,} hold all items that are ranked for them; a smaller number tells models apart"
    ]


def _n_ranked(evaluator: Evaluator) -> np.ndarray:
    """Items that are ranked for each user of a part, shape (n_users,)."""
    if evaluator.candidates is not None:
        return np.diff(evaluator.candidates.indptr)[evaluator.users]
    return evaluator.dataset.n_items - np.diff(evaluator.masked.indptr)[evaluator.users]
