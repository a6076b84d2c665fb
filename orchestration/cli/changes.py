"""Whether a study's results are those of its file and data as they are now, and what has changed since."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestration import keys
from orchestration.cli.plan import AGAIN, DAMAGED, FILES_CHANGED, REUSED, plan
from orchestration.home import Home
from recsys.errors import UserError
from recsys.study.selection import has_verdict
from recsys.study.study import Study

MOST_NAMED = 5
BESIDE_RESULTS = ("title", "question")
"""Keys of a study that change its page and none of its figures."""
ABSENT = object()
UNCHECKED = "Cannot check whether the results are up to date"
"""Results can be read without their data, or without a plug-in of the study; what has changed cannot."""


def outdated(study: Study, home: Home, *, page: bool = False) -> str:
    """One line that says what has changed since the results were made, or why that cannot be checked; else empty.

    Args:
        study: as its file is now.
        home: holds the results. Datasets without any do not count.
        page: whether the analyses that only the report shows count too.
    """
    ready = [name for name in study.datasets if home.lineage.latest(keys.metrics(name))]
    shown = {asset for name in ready for asset in (keys.metrics(name), keys.verdict(name))}
    try:
        every = plan(study, home)
    except UserError as error:
        return f"{UNCHECKED}: {error}"
    steps = [step for step in every if step.asset.split("/")[0] in ready and step.state != "up to date"]
    shown |= {step.asset for step in steps if page and step.asset != keys.report(study.name)}
    if not any(step.asset in shown for step in steps):
        return ""
    causes = []
    if changed := _changed_keys(study, home, ready):
        named = ", ".join(changed[:MOST_NAMED])
        more = f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
        causes.append(f"from an earlier version of the study file (changed since: {named}{more})")
    if files := [step.asset for step in steps if step.why == FILES_CHANGED]:
        causes.append(f"before the files of {', '.join(files[:MOST_NAMED])} changed or moved")
    if damaged := [step.asset for step in steps if step.why == DAMAGED]:
        causes.append(f"before files of {', '.join(damaged[:MOST_NAMED])} were damaged or removed")
    if again := [step.asset for step in steps if step.why == AGAIN]:
        named = ", ".join(again[:MOST_NAMED])
        causes.append(f"while parts of {named} failed for want of memory, disk space or the like")
    said = " and ".join(causes) or "before the study, its data or modalift itself changed"
    remedy = "tries these again" if again and len(causes) == 1 else "brings them up to date"
    return f"These results were made {said}; `modalift run {study.name}` {remedy}"


def outdated_asset(study: Study, home: Home, asset: str) -> str:
    """One line where an asset is not what a run would make now; empty where it is."""
    try:
        step = next(step for step in plan(study, home) if step.asset == asset)
    except UserError as error:
        return f"{UNCHECKED}: {error}"
    if step.state == "up to date" or step.why == REUSED:
        return ""
    return f"{asset} was made before a change ({step.why}); `modalift run {study.name}` brings it up to date"


def _changed_keys(study: Study, home: Home, datasets: list[str]) -> list[str]:
    """Keys of the study file whose values differ from those that the datasets' results were made with."""
    now = dict(_flat(study.model_dump(mode="json")))
    changed: dict[str, None] = {}
    for name in datasets:
        concluded = keys.verdict(name) if has_verdict(study, name) else keys.metrics(name)
        event = home.lineage.latest(concluded) or home.lineage.latest(keys.metrics(name))
        before = home.study_of(event) if event else None
        if before is not None:
            then = dict(_flat(before))
            differing = [key for key in {**then, **now} if then.get(key, ABSENT) != now.get(key, ABSENT)]
            changed |= dict.fromkeys(key for key in differing if _concerns(key, name))
    # An empty block that was filled differs itself, too; what was put into it says more.
    return [key for key in changed if not any(other.startswith(f"{key}.") for other in changed)]


def _concerns(key: str, dataset: str) -> bool:
    part, _, rest = key.partition(".")
    if part == "datasets":
        return rest == dataset or rest.startswith(f"{dataset}.")
    return part not in BESIDE_RESULTS


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a study by their keys, joined by dots; a list is a value."""
    if isinstance(value, Mapping) and (value or not prefix):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value
