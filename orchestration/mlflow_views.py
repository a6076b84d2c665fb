"""Views saved in MLflow that compare runs in groups as charts, so that a link shows them without anything to type.

MLflow keeps a saved view as a tag of the experiment and lists it under *Views*; what is in it is the state of its page
(MLflow 3.17; a version that cannot read it says so and shows all runs).
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFIX = "mlflow.sharedViewState."
N_RUNS = 100
"""What MLflow's page loads at a time; the means of groups that it has loaded in part would be wrong."""


@dataclass(frozen=True)
class View:
    """Runs side by side, in groups.

    Attributes:
        key: names it in addresses.
        title: what it is called on the page.
        group_by: the tag whose values are the groups.
        runs: ids of each group's runs, one a repeat, by the value of the tag.
        primary: the metric that orders groups, such as `ndcg_at_20`.
        metrics: names of the metrics on the test part that have charts, in their order.
    """

    key: str
    title: str
    group_by: str
    runs: Mapping[str, Sequence[str]]
    primary: str
    metrics: Sequence[str]

    @property
    def tag(self) -> tuple[str, str]:
        """Name and value of the experiment's tag."""
        now = time.time_ns() // 1_000_000
        left_out = max(map(len, self.runs.values()), default=0) - self._repeats
        title = f"{self.title} (repeats 1 to {self._repeats})" if left_out > 0 else self.title
        saved = {"name": title, "createdAt": now, "updatedAt": now, "state": json.dumps(self._state)}
        return PREFIX + self.key, json.dumps(saved)

    @property
    def shown(self) -> list[str]:
        """Ids of the runs that are shown: all, or as many repeats of each group as the page takes."""
        return list(dict.fromkeys(run for runs in self.runs.values() for run in runs[: self._repeats]))[:N_RUNS]

    @property
    def _repeats(self) -> int:
        return max(1, N_RUNS // max(1, len(self.runs)))

    @property
    def _state(self) -> dict[str, Any]:
        test = [f"test/{metric}" for metric in self.metrics]
        valid = f"valid/{self.primary}"
        return {
            "searchFilter": f"attributes.run_id IN ({', '.join(repr(run) for run in self.shown)})",
            "orderByKey": f"metrics.`test/{self.primary}`",
            "orderByAsc": False,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "selectedColumns": [f"metrics.`{metric}`" for metric in (*test, valid)],
            "runsHiddenMode": "SHOW_ALL",
            "compareRunCharts": [*(_chart(metric, "test") for metric in test), _chart(valid, "valid")],
            "compareRunSections": [_section("test"), _section("valid"), _section("seconds", open_=False)],
            "isAccordionReordered": True,
            "groupBy": {
                "aggregateFunction": "average",
                "groupByKeys": [{"mode": "tag", "groupByData": self.group_by}],
            },
            "groupsExpanded": {f"tag.{self.group_by}.{value}": False for value in self.runs},
        }


def _chart(metric: str, section: str) -> dict[str, Any]:
    return {
        "type": "BAR",
        "uuid": metric,
        "metricKey": metric,
        "metricSectionId": section,
        "displayName": metric,
        "isGenerated": False,
        "deleted": False,
        "runsCountToCompare": N_RUNS,
    }


def _section(name: str, *, open_: bool = True) -> dict[str, Any]:
    return {
        "uuid": name,
        "name": name,
        "display": open_,
        "columns": 2,
        "cardHeight": 460,
        "isReordered": True,
        "isGenerated": False,
        "deleted": False,
    }
