"""What the answer hangs on: metric, cut-off and mask, all from the stored lists."""

from collections.abc import Hashable
from itertools import product
from typing import Any

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.evaluation.metrics.registry import primary_metrics
from recsys.evidence.comparison import compare
from recsys.evidence.sensitivity import Setting, agreement
from recsys.evidence.wording import metric_name
from recsys.study.selection import has_verdict
from recsys.study.stored_lists import Mask
from recsys.study.study import Study
from recsys.wording import percent

CUT_OFFS = (5, 10, 20, 50)


class Sensitivity(Analysis):
    """Whether other metrics, cut-offs and masks, and single repeats, would have given the same answer."""

    title = "Sensitivity: metric, cut-off, mask and repeat"
    needs = ("dataset", "controls", "metrics")
    tables = ("settings", "repeats", "agreement")
    position = 15

    def applies(self, study: Study, name: str) -> bool:
        """Where content is compared."""
        return has_verdict(study, name)

    def settings(self, study: Study, name: str) -> object:
        """The statistics, and how lists are evaluated."""
        return study.statistics.model_dump(), study.evaluation.model_dump()

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row per setting, one per repeat, and one that counts those which agree with the headline."""
        found, protocol = _settings(inputs), inputs.study.evaluation
        headline = next(each for each in found if (each.metric, each.mask) == (protocol.primary, protocol.mask))
        counted = agreement(found, headline)
        lifts = headline.against_rival.repeat_lifts
        return {
            "settings": pd.DataFrame([_row(each, headline) for each in found]),
            "repeats": pd.DataFrame({"repeat": range(1, len(lifts) + 1), "lift": lifts}),
            "agreement": pd.DataFrame([vars(counted) | {"sentence": counted.sentence}]),
        }

    def headline(self, tables: dict[str, pd.DataFrame]) -> list[str]:
        """How many settings and repeats agree."""
        return list(tables["agreement"]["sentence"])

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """A row per metric and mask, a column per cut-off."""
        settings = tables["settings"].assign(
            measure=tables["settings"]["metric"].str.rpartition("_at_")[0],
            k=tables["settings"]["metric"].str.rpartition("_at_")[2].astype(int),
        )
        masks = settings["mask"].unique()
        ks = sorted(settings["k"].unique())
        rows = []
        for (measure, mask), group in settings.groupby(["measure", "mask"], sort=False):
            cells = {row["k"]: row for row in group.to_dict("records")}
            name = metric_name(f"{measure}_at_{ks[0]}").partition("@")[0]
            shown = [_cell(cells[k]) if k in cells else "" for k in ks]
            rows.append([name, *([str(mask)] if len(masks) > 1 else []), *shown])
        counted = tables["agreement"].iloc[0]
        only = "" if len(masks) > 1 else f" Mask: {masks[0]}."
        return [
            Table(
                title="What the answer hangs on",
                caption=f"In {counted['n_agree']} of {counted['n_settings']} combinations of metric, cut-off and mask "
                "content compares with its rival and with its shuffled control as it does in the verdict; in "
                f"{counted['n_contradict'] or 'none'} one of the two comparisons is reversed. Lift over the rival, "
                f"and how content compares with it: better or worse (both shown), equivalent, or open.{only}",
                columns=["Metric", *(["Mask"] if len(masks) > 1 else []), *(f"@{k}" for k in ks)],
                rows=rows,
                n_names=1 + (len(masks) > 1),
            )
        ]


def _settings(inputs: Inputs) -> list[Setting]:
    chosen, protocol = inputs.selection, inputs.study.evaluation
    lists = [inputs.lists(pair) for pair in (chosen.content, chosen.rival, chosen.shuffled)]
    depth = min(each.rankings[0].items.shape[1] for each in lists)
    ks = sorted({k for k in CUT_OFFS if k <= depth} | {protocol.primary_k})
    names = [f"{metric}_at_{k}" for metric, k in product(primary_metrics(), ks)]
    options = inputs.study.statistics.options.without_p_users
    found = []
    masks: tuple[Mask, ...] = lists[0].masks if protocol.mask == "seen" else ("seen", "train")
    for mask in masks:
        content, rival, shuffled = (each.measure(names, mask=mask) for each in lists)
        for name in names:
            against = compare(content[name], rival[name], options), compare(content[name], shuffled[name], options)
            found.append(Setting(name, mask, *against))
    return found


def _row(setting: Setting, headline: Setting) -> dict[str, Any]:
    rival, shuffled = setting.against_rival, setting.against_shuffled
    return {
        "metric": setting.metric,
        "mask": setting.mask,
        "lift": rival.lift,
        "lift_low": rival.lift_low,
        "lift_high": rival.lift_high,
        "relation": rival.relation,
        "lift_over_shuffled": shuffled.lift,
        "relation_to_shuffled": shuffled.relation,
        "agrees": setting.agrees_with(headline),
        "contradicts": setting.contradicts(headline),
    }


def _cell(row: dict[Hashable, Any]) -> str:
    return f"{percent(row['lift'], signed=True)} {row['relation']}"
