"""Whether lists of the lengths that a study asks for are a choice among the items that are ranked for a user."""

import numpy as np

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.evaluate import Evaluator, Part
from recsys.evaluation.metrics.registry import metrics
from recsys.evaluation.protocol import Protocol
from recsys.wording import listed, whole_percent

WHERE: dict[Part, str] = {"test": "at test", "valid": "at validation, where settings are chosen"}
WORTH_SAYING = 0.1
"""The share of users from which on it is said that their lists hold everything."""


def whole_lists(dataset: Dataset, protocol: Protocol) -> list[str]:
    """A line each where lists are longer than the catalogue, and where every model does alike for many users.

    Every model does alike where a list holds all items that are ranked for a user and the metric ignores their order.

    Raises:
        UserError: every model does alike for all users, or there are too few items to draw negatives from.
    """
    n_negatives = protocol.n_negatives
    if n_negatives is not None and n_negatives >= dataset.n_items:
        raise UserError(
            f"evaluation.n_negatives: {n_negatives:,} items cannot be drawn from the {dataset.n_items:,} that there "
            "are; write fewer, or leave it out to rank all items"
        )
    alike = _alike(dataset, protocol) if metrics()[protocol.primary_name].ignores_order else []
    return [*_longer(protocol, dataset.n_items), *alike]


def _longer(protocol: Protocol, n_items: int) -> list[str]:
    """Of cut-offs that nobody wrote only the primary metric's counts."""
    written = protocol.ks if "ks" in protocol.model_fields_set else ()
    long = [f"{k:,}" for k in sorted({*written, protocol.primary_k}) if k > n_items]
    return [f"evaluation: lists of {listed(long)} are longer than the catalogue of {n_items:,} items"] if long else []


def _alike(dataset: Dataset, protocol: Protocol) -> list[str]:
    k = protocol.primary_k
    ranked = {part: _n_ranked(Evaluator(dataset, part, protocol)) for part in WHERE}
    shares = {part: float((k >= n_ranked).mean()) for part, n_ranked in ranked.items()}
    part = max(shares, key=shares.__getitem__)
    same = f"{protocol.primary} is the same for every model {WHERE[part]}"
    if shares[part] == 1:
        raise UserError(
            f"evaluation.primary: {same}, since a list of {k:,} holds all of the {ranked[part].max():,} items at most "
            "that are ranked for a user; write a smaller number"
        )
    if shares[part] < WORTH_SAYING:
        return []
    return [
        f"{same} for {whole_percent(shares[part])} of the users, whose lists of {k:,} hold all items that are ranked "
        "for them; a smaller number tells models apart"
    ]


def _n_ranked(evaluator: Evaluator) -> np.ndarray:
    """Items that are ranked for each user of a part, shape (n_users,)."""
    if evaluator.candidates is not None:
        return np.diff(evaluator.candidates.indptr)[evaluator.users]
    return evaluator.dataset.n_items - np.diff(evaluator.masked.indptr)[evaluator.users]
