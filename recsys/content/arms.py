"""Arms: what a model is shown, and the controls of the same shape that carry no content.

Terms are those of the evidence the program prints: `shuffled` permutes rows among items (same values, same
capacity, link broken), `noise` draws Gaussians with each column's mean and spread, `constant` gives one row
to all items.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.content.features import Content, Features

Control = Literal["shuffled", "noise", "constant"]
INTERACTIONS_ONLY = "interactions_only"


@dataclass(frozen=True)
class Arm:
    """A choice of sources, with a control put in the place of some of them.

    Attributes:
        name: what tables call it.
        sources: the sources shown, in the study's order; none for `interactions_only`.
        control: what replaces the altered sources; None for honest content.
        altered: the sources replaced; all of `sources` unless said otherwise.
    """

    name: str
    sources: tuple[str, ...] = ()
    control: Control | None = None
    altered: tuple[str, ...] = ()

    def show(self, features: Content, seed: int) -> Content:
        """The content a model is shown, a pure function of the features and the seed."""
        shown = {source: features[source] for source in self.sources}
        if self.control is None:
            return shown
        # One draw serves all altered sources, so that what correlates among them stays correlated.
        order = np.random.default_rng(seed).permutation(len(next(iter(shown.values())).matrix))
        for source in self.altered:
            shown[source] = _replace(shown[source], self.control, order, seed)
        return shown


def honest(name: str, sources: Sequence[str]) -> Arm:
    """An arm that shows real content."""
    return Arm(name, tuple(sources))


def controlled(arm: Arm, control: Control, altered: Sequence[str] | None = None, name: str | None = None) -> Arm:
    """The same arm with all its sources, or only those in `altered`, replaced by a control."""
    replaced = arm.sources if altered is None else tuple(altered)
    suffix = control if replaced == arm.sources else "_".join((*replaced, control))
    return Arm(name or f"{arm.name}_{suffix}", arm.sources, control, replaced)


def _replace(features: Features, control: Control, order: np.ndarray, seed: int) -> Features:
    if control == "shuffled":
        return Features(features.matrix[order], features.present[order])
    known = features.matrix[features.present]
    if not len(known):
        return features
    if control == "constant":
        row = known.mean(axis=0, dtype=np.float64).astype(np.float32)
        return _fill(features, np.broadcast_to(row, features.matrix.shape))
    draw = np.random.default_rng((seed, features.dim)).standard_normal(features.matrix.shape)
    noise = known.mean(axis=0, dtype=np.float64) + draw * known.std(axis=0, dtype=np.float64)
    return _fill(features, noise.astype(np.float32))


def _fill(features: Features, values: np.ndarray) -> Features:
    return Features(np.where(features.present[:, None], values, np.float32(0)), features.present)
