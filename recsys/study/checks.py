"""Checks: what a person must know before trusting an asset."""

import pandas as pd

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.evidence import gates
from recsys.study.record import Check

BEATS_BASELINES, SHUFFLED = "beats_baselines", "shuffled_shows_no_lift"
DISJOINT, COVERS, DISTINCT, FORMAT = "parts_are_disjoint", "covers_items", "distinct_rows", "keeps_to_format"
COMPLIANT = 0.9
"""Share of a corpus's answers that should give every field."""


def beats_baselines(means: pd.DataFrame, primary: str) -> Check:
    """Whether a personalised model beats those that show everybody the same, and Random.

    Args:
        means: index (model, arm), column `mean` of the primary metric.
        primary: its name.
    """
    found = {(row["model"], row["arm"]): row["mean"] for row in means["mean"].reset_index().to_dict("records")}
    gate = gates.beats_baselines(found, primary)
    return Check(name=BEATS_BASELINES, passed=gate.colour == "green", message=gate.message)


def shuffled_shows_no_lift(means: pd.DataFrame) -> Check:
    """Whether shuffled content lifts no model above its interactions alone, intervals apart.

    Args:
        means: index (model, arm), columns `mean`, `ci_low`, `ci_high` of the primary metric.
    """
    suspicious = []
    for model in means.index.unique("model"):
        if (model, "shuffled") in means.index and (model, INTERACTIONS_ONLY) in means.index:
            alone, shuffled = means.loc[(model, INTERACTIONS_ONLY)], means.loc[(model, "shuffled")]
            if shuffled["ci_low"] > alone["ci_high"]:
                suspicious.append(f"{model} ({shuffled['mean']:.4f} against {alone['mean']:.4f})")
    message = (
        f"shuffled content lifts {', '.join(suspicious)}: what these models gain is capacity, not content"
        if suspicious
        else "shuffled content lifts no model beyond its interactions"
    )
    return Check(name=SHUFFLED, passed=not suspicious, message=message)
