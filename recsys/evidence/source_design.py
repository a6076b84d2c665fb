"""Which (model, arm)s answer which source of content it is that helps."""

from pydantic import BaseModel

from recsys.evidence.scores import Pair


class SourcePairs(BaseModel, frozen=True):
    """Which (model, arm)s a source is judged by.

    Attributes:
        own: the best model, chosen on validation, over this source alone.
        own_shuffled: the same with its rows shuffled, tuned anew.
        own_untuned: the same with its rows shuffled, at the settings of `own`.
        full: the best model over all sources; None where the dataset has one source only.
        full_altered: `full` without what this source says: with only its rows shuffled, or without the source, tuned
            anew, whichever is better on validation; None where there is one source only.
    """

    own: Pair
    own_shuffled: Pair
    own_untuned: Pair
    full: Pair | None = None
    full_altered: Pair | None = None

    @property
    def pairs(self) -> list[Pair]:
        """All that it names."""
        return [each for each in (self.own, self.own_shuffled, self.own_untuned, self.full, self.full_altered) if each]


class GroupPairs(BaseModel, frozen=True):
    """Sources that may stand in for each other, and which (model, arm)s they are judged by together.

    Attributes:
        sources: the members, two at least, each of them among the sources that are judged.
        full: the best model over all sources.
        full_altered: `full` with the rows of all members shuffled, or without them, tuned anew, whichever is better on
            validation.
    """

    sources: tuple[str, ...]
    full: Pair
    full_altered: Pair


class SourceDesign(BaseModel, frozen=True):
    """What the question which source helps is answered by.

    Attributes:
        sources: by name, in the order of the study.
        groups: candidates.
        subsets: one model over every subset of the sources, by `recsys.evidence.shapley.subset_name`; empty where
            these were not trained.
    """

    sources: dict[str, SourcePairs]
    groups: list[GroupPairs] = []
    subsets: dict[str, Pair] = {}

    @property
    def pairs(self) -> list[Pair]:
        """All that it names, each once."""
        single = [pair for each in self.sources.values() for pair in each.pairs]
        grouped = [pair for each in self.groups for pair in (each.full, each.full_altered)]
        return list(dict.fromkeys([*single, *grouped, *self.subsets.values()]))
