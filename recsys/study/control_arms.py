"""The arms by which a choice and its sources are judged: what is shuffled or left out, and what sources are combined.

Pure functions of a dataset's spec; which of these arms are trained is decided in `recsys.study.controls`.
"""

from collections.abc import Sequence
from itertools import combinations

from recsys.content.arms import UNTUNED, Arm, control_arm
from recsys.evidence.shapley import MOST_SOURCES
from recsys.study.dataset_spec import DatasetSpec


def are_combined(spec: DatasetSpec) -> bool:
    """Whether sources are so few that all combinations of them are trained, as Shapley shares need them."""
    return len(spec.content) <= MOST_SOURCES


def most_arms(spec: DatasetSpec) -> int:
    """Arms of controls that are trained for a verdict, at most.

    Those of the choice. Of several sources also, for each, its own two and all together with it shuffled; and what it
    is added to: all combinations of sources, and all together with some shuffled that stand in for each other, or
    where sources are many only those beside which it is judged.
    """
    of_choice, n = 4, len(spec.content)
    if n == 1:
        return of_choice
    if not are_combined(spec):
        return of_choice + 4 * n
    return of_choice + 3 * n + len(subsets(spec)) + len(same_reading(spec)) + 1


def fused(spec: DatasetSpec) -> Arm:
    """The arm that shows the raw modalities together, of a dataset that has content."""
    assert spec.fused is not None
    return spec.fused


def of(spec: DatasetSpec, sources: Sequence[str]) -> Arm:
    """The arm that shows these sources, by the name that it has in tables."""
    chosen = tuple(source for source in spec.content if source in sources)
    return fused(spec) if set(chosen) == set(fused(spec).sources) else Arm("+".join(chosen), chosen)


def together(spec: DatasetSpec, wanted: Sequence[str]) -> Arm:
    """All sources, or where they are many the raw modalities and those that are wanted beside them."""
    return of(spec, list(spec.content) if are_combined(spec) else [*fused(spec).sources, *wanted])


def subsets(spec: DatasetSpec) -> list[Arm]:
    """One arm for each combination of sources."""
    names = list(spec.content)
    return [of(spec, chosen) for size in range(1, len(names) + 1) for chosen in combinations(names, size)]


def same_reading(spec: DatasetSpec) -> list[tuple[str, ...]]:
    """Sources that read one and the same raw thing, such as an image and what a model wrote about it."""
    raw = sorted(frozenset().union(*(spec.reads(source) for source in spec.content)))
    groups = [tuple(source for source in spec.content if thing in spec.reads(source)) for thing in raw]
    return list(dict.fromkeys(group for group in groups if len(group) > 1))


def shuffled(spec: DatasetSpec, arm: Arm) -> Arm:
    """An arm with the rows of all its sources shuffled."""
    return control_arm(arm, "shuffled", name="shuffled" if arm == fused(spec) else None)


def shuffled_untuned(arm: Arm) -> Arm:
    """The same at the settings of the arm itself."""
    return control_arm(arm, "shuffled", name=f"{arm.name}_shuffled{UNTUNED}")


def together_without(spec: DatasetSpec, members: Sequence[str]) -> Arm:
    """All sources together, with the rows of some of them shuffled."""
    whole = together(spec, members)
    if set(members) == set(whole.sources):
        return shuffled(spec, whole)
    return control_arm(whole, "shuffled", members)
