"""Arms: what a model is shown, and the controls of the same shape that carry no content.

Terms are those of the evidence the program prints: `shuffled` permutes rows among items (same values, same
capacity, link broken), `noise` draws Gaussians with each column's mean and spread, `constant` gives one row to all
items, `popularity` says of an item no more than how often it was taken, and `removed` shows nothing. Whether an item
has content at all can say something about it (popular items have more), so no control leaves the mask where it was:
`shuffled` and `noise` permute it with the rows, `constant` and `popularity` drop it.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from recsys.content.features import Content, Features
from recsys.errors import UserError, hint

Control = Literal["shuffled", "noise", "constant", "popularity", "removed"]
POPULARITY_BINS, BIN_WEIGHT = 10, 0.3
"""Bins of the popularity control, and their weight beside a column of spread 1."""
INTERACTIONS_ONLY = "interactions_only"
UNTUNED = "_untuned"
"""How the name of a control ends that has the settings of real content."""
_RANDOM: tuple[Control, ...] = ("shuffled", "noise")


@dataclass(frozen=True)
class Arm:
    """A choice of sources, with a control put in the place of some of them.

    Attributes:
        name: what tables call it.
        sources: the sources shown, in the study's order; none for `interactions_only`.
        control: what replaces the altered sources; None for real content.
        altered: the sources replaced; all of `sources` unless said otherwise.
    """

    name: str
    sources: tuple[str, ...] = ()
    control: Control | None = None
    altered: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in `altered`; refuse a control that would alter nothing or what is not shown."""
        if self.control is not None and not self.altered:
            object.__setattr__(self, "altered", self.sources)
        if self.control is not None and not self.sources:
            raise UserError(f"arm '{self.name}': there is no content to put '{self.control}' in the place of")
        hidden = [source for source in self.altered if source not in self.sources]
        if hidden:
            raise UserError(f"arm '{self.name}': cannot alter '{hidden[0]}', which it does not show; {self.sources}")

    @property
    def is_random(self) -> bool:
        """Whether its control is drawn at random, so that repeats see different content."""
        return self.control in _RANDOM

    @property
    def shown(self) -> tuple[str, ...]:
        """The sources of which a model on this arm is shown anything, real or not."""
        return () if self.control == "removed" else self.sources

    @property
    def shows_content(self) -> bool:
        """Whether there are any."""
        return len(self.shown) > 0

    def show(self, features: Content, seed: int, popularity: np.ndarray) -> Content:
        """The content a model is shown, a pure function of its arguments.

        Args:
            features: real content by source.
            seed: of the control.
            popularity: training interactions of each item, shape (n_items,).
        """
        if self.control == "removed":
            return {}
        missing = [source for source in self.sources if source not in features]
        if missing:
            raise UserError(f"arm '{self.name}': there is no source '{missing[0]}'{hint(missing[0], features)}")
        shown = {source: features[source] for source in self.sources}
        if self.control is not None:
            for source in self.altered:
                shown[source] = _replace(shown[source], self.control, source, seed, popularity)
        return shown


def content_arm(name: str, sources: Sequence[str]) -> Arm:
    """An arm that shows real content."""
    return Arm(name, tuple(sources))


def control_arm(arm: Arm, control: Control, altered: Sequence[str] | None = None, name: str | None = None) -> Arm:
    """The same arm with all its sources, or only those in `altered`, replaced by a control."""
    replaced = arm.sources if altered is None else tuple(altered)
    suffix = control if replaced == arm.sources else "_".join((*replaced, control))
    return Arm(name or f"{arm.name}_{suffix}", arm.sources, control, replaced)


def is_name_of_control(name: str, arms: Iterable[str]) -> bool:
    """Whether a control of one of these arms may be called so (see `control_arm`)."""
    ends = (*(f"_{control}" for control in get_args(Control)), UNTUNED)
    return name.endswith(ends) and any(name.startswith(f"{arm}_") for arm in arms)


def _replace(features: Features, control: Control, source: str, seed: int, popularity: np.ndarray) -> Features:
    if control == "popularity":
        return _popularity(popularity)
    # The order does not depend on the source, so that what correlates among altered sources stays correlated.
    order = _generator(seed, "order").permutation(len(features.matrix))
    if control == "shuffled":
        return Features(features.matrix[order], features.present[order])
    known = features.matrix[features.present]
    if not len(known):
        return features
    mean = known.mean(axis=0, dtype=np.float64)
    if control == "constant":
        return Features(np.tile(mean.astype(np.float32), (len(order), 1)), np.ones(len(order), dtype=bool))
    present = features.present[order]
    noise = np.zeros(features.matrix.shape, dtype=np.float32)
    # Each source draws its own noise: sources of the same width must not be copies of one another.
    draw = _generator(seed, source).standard_normal(known.shape)
    noise[present] = mean + draw * known.std(axis=0, dtype=np.float64)
    return Features(noise, present)


def _popularity(popularity: np.ndarray) -> Features:
    """How popular an item is: the logarithm of its training interactions, standardised, and its tenth among all items.

    The logarithm leads a linear model to what sells as no bins do: with bins alone, a text that said nothing else beat
    this control by up to 10 %. The tenths, ten columns of which one is not 0, serve models that compare items.
    """
    logarithm = np.log1p(popularity, dtype=np.float64)[:, None]
    logarithm = (logarithm - logarithm.mean()) / (logarithm.std() if np.ptp(popularity) else 1.0)
    quantiles = np.quantile(popularity, np.arange(1, POPULARITY_BINS) / POPULARITY_BINS)
    tenth = np.searchsorted(quantiles, popularity, side="left")
    columns = np.concatenate([logarithm, BIN_WEIGHT * np.eye(POPULARITY_BINS)[tenth]], axis=1)
    return Features(columns.astype(np.float32), np.ones(len(columns), dtype=bool))


def _generator(seed: int, purpose: str) -> np.random.Generator:
    # A key beside the seed keeps these draws apart from those of a model given the same seed.
    return np.random.default_rng((seed, zlib.crc32(purpose.encode())))
