"""Gates on the content itself: whether its vectors tell items apart, and what they may have been made from.

What a gate needs that costs time (`probes`, `integrity`, `neighbours`) is computed elsewhere.
"""

from collections.abc import Sequence

from recsys.content.integrity import Integrity, problems
from recsys.evidence.gates import Gate
from recsys.evidence.probes import MIN_ERROR_RATIO, LeakProbe
from recsys.wording import count, listed, percent

FEWEST_ROWS = 5
MOST_IN_ONE_ROW = 0.5
MANY_TWINS = 0.05


def content_rows(source: str, found: Integrity) -> Gate:
    """Red where the vectors cannot tell items apart; amber for all else that `integrity.problems` finds.

    Few distinct rows are no fault by themselves: a genre is content, and thousands of films share twenty of them. A
    table in which most items share one row, or which has fewer than `FEWEST_ROWS` rows, says next to nothing.
    """
    name = f"content rows: {source}"
    n_present = round(found.coverage * found.n_items)
    n_distinct = round(found.distinct * n_present)
    if not n_present:
        return Gate(
            name=name,
            colour="red",
            message=f"None of {found.n_items:,} items has {source}.",
            remedy=f"Check the paths or columns that '{source}' is made from, or leave it out of the study.",
        )
    if look_alike(n_present, n_distinct, found.largest_group):
        return Gate(name=name, colour="red", **_alike(source, n_present, n_distinct, found.largest_group))
    faults = problems(found)
    return Gate(
        name=name,
        colour="amber" if faults else "green",
        message=" ".join(faults)
        or f"{n_present:,} of {found.n_items:,} items have {source}; {n_distinct:,} rows differ.",
        remedy=f"Look at the vectors of '{source}' before trusting what is said of it." if faults else "",
    )


def _alike(source: str, n_present: int, n_distinct: int, largest_group: int) -> dict[str, str]:
    has = f"The {count(n_present, 'item')} with {source} have"
    if largest_group == 1:
        message = f"{has} {count(n_distinct, 'distinct row')}; at least {FEWEST_ROWS} are needed."
        return {"message": message, "remedy": f"Give more items '{source}', or leave it out of the study."}
    several = f"{n_distinct:,} distinct rows, and {largest_group:,} share one"
    return {
        "message": f"{has} {several if n_distinct > 1 else 'one row in common'}.",
        "remedy": f"Find out why so many items look the same to '{source}' (a placeholder picture, an empty text).",
    }


def look_alike(n_present: int, n_distinct: int, largest_group: int) -> bool:
    """Whether contents cannot tell items apart: too few different ones, or most items share one."""
    return n_distinct < FEWEST_ROWS or largest_group > MOST_IN_ONE_ROW * n_present


def near_duplicates(source: str, share: float) -> Gate:
    """Amber where many items have a twin under another id; `share` is that of `neighbours.share_with_twin`."""
    many = share > MANY_TWINS
    return Gate(
        name=f"near-duplicate items: {source}",
        colour="amber" if many else "green",
        message=f"{percent(share)} of the items have nearly the same {source} as an item with another id.",
        remedy="Merge variants of one item: a test item whose twin was seen in training is no recommendation."
        if many
        else "",
    )


def leak(source: str, found: LeakProbe | None) -> Gate:
    """Amber where a leak probe fires (see `probes`), or could not be run."""
    name = f"leak: {source}"
    if found is None:
        message = f"Too few users have enough items with {source} to probe whether it was made from interactions."
        return Gate(name=name, colour="amber", message=message, remedy="Find out what it was made from.")
    signs = _signs(found)
    if not found.fires:
        return Gate(name=name, colour="green", message=f"No sign that {source} was made from interactions: {signs}.")
    if found.from_training:
        message = f"The vectors of {source} look made from the training interactions: {signs}."
        remedy = "Find out how they were made; such vectors are a model of interactions, not content."
    else:
        message = f"The vectors of {source} are too good: {signs}."
        remedy = "Find out whether whoever made these vectors saw the test part."
    return Gate(name=name, colour="amber", message=message, remedy=remedy)


def _signs(found: LeakProbe) -> str:
    """The figures of a probe in words."""
    signs = [
        f"similarity alone ranks an item above a random one with probability {found.auc_train:.3f} in the training "
        f"part and {found.auc_test:.3f} in the test part"
    ]
    if found.error_ratio < MIN_ERROR_RATIO:
        signs.append(
            f"who chose an item predicts them worse ({percent(1 / found.error_ratio - 1)}) with all parts known"
        )
    elif found.error_falls_too_fast:
        signs.append(
            f"who chose an item predicts them {found.error_ratio:.2f} times better with all parts known, "
            f"{found.data_ratio:.2f} times the interactions"
        )
    if found.above_ceiling:
        signs.append(f"they know {found.ceiling:.1f} times as much of a user's basket as traits of items could tell")
    return "; ".join(signs)


def provenance(from_files: Sequence[str]) -> Gate:
    """Amber where vectors or descriptions were made elsewhere; `from_files` names them."""
    if not from_files:
        return Gate(name="provenance", colour="green", message="All content was encoded here.")
    return Gate(
        name="provenance",
        colour="amber",
        message=f"{listed(from_files)} came from files: whether their makers saw the test part cannot be known here.",
        remedy="Say in the study where they came from and when they were made.",
    )
