"""What several datasets say together: in how many content helps, and how large its lift is over datasets like these.

Datasets differ, so the lift is not one number: each has its own, drawn around a mean with a variance tau^2 among
datasets. The random-effects mean weighs each by 1 / (its error^2 + tau^2), with tau^2 after Paule and Mandel; its
interval is t-based with Hartung and Knapp's factor, which is 1 under that tau^2 and never taken below 1. Where the
next dataset would come out is the prediction interval, t_{k-2} sqrt(tau^2 + error^2). Both wait for three datasets:
of two, t with one degree of freedom gives an interval that says nothing. All is computed on the logarithm of the
ratio of C to the rival, for lifts end at -100 % and are skewed; its error is that of the lift by the delta method,
from the 95 % interval that decided, so that few repeats count as little.

Sources: Paule and Mandel 1982; Hartung and Knapp, "A refined method for the meta-analysis", Statistics in Medicine
2001; Roever, Knapp and Friede, "Hartung-Knapp-Sidik-Jonkman approach and its modification", BMC Medical Research
Methodology 2015; Higgins, Thompson and Spiegelhalter, "A re-evaluation of random-effects meta-analysis", JRSS A 2009.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from recsys.evidence.comparison import ALPHA, Comparison
from recsys.evidence.verdict import HELPS, VerdictName
from recsys.evidence.wording import interval, with_interval

OPEN: tuple[VerdictName, ...] = ("inconclusive", "not_ready")
FEWEST_DATASETS = 3
"""Datasets that a mean lift takes."""
SMALLEST_ERROR = 1e-4
"""Least standard error of a lift: a dataset on which both sides are the same has none, and would outweigh all else."""


@dataclass(frozen=True)
class MeanLift:
    """The lift over datasets like these.

    Attributes:
        datasets: those that went in, by name.
        lift: random-effects mean, with its 95 % interval `low`, `high`.
        predicted_low: lower end of the 95 % prediction interval of another dataset's lift; likewise `predicted_high`.
        tau: standard deviation among datasets of the logarithm of the ratio, about that of the lift.
    """

    datasets: tuple[str, ...]
    lift: float
    low: float
    high: float
    predicted_low: float
    predicted_high: float
    tau: float


@dataclass(frozen=True)
class AcrossDatasets:
    """The datasets of a study answered together.

    Attributes:
        helps: datasets on which content helps, be it a little.
        harms: those on which it harms.
        without_use: those on which it was shown not to pay, to be something else, or to have no effect.
        left_open: those that are inconclusive or not ready.
        mean: None where fewer than three datasets have a lift with an error.
        sentence: both in words.
    """

    helps: tuple[str, ...]
    harms: tuple[str, ...]
    without_use: tuple[str, ...]
    left_open: tuple[str, ...]
    mean: MeanLift | None
    sentence: str


def answer_together(found: Mapping[str, tuple[VerdictName, Comparison]]) -> AcrossDatasets | None:
    """Answer several datasets together; None where there are fewer than two.

    Args:
        found: by dataset its verdict and C against the rival. Datasets that were not ready are counted among the open
            ones and left out of the mean, as are those whose lift or error is unknown.
    """
    if len(found) < 2:
        return None
    names = {dataset: verdict for dataset, (verdict, _) in found.items()}
    groups = {
        "helps": tuple(dataset for dataset, verdict in names.items() if verdict in HELPS),
        "harms": tuple(dataset for dataset, verdict in names.items() if verdict == "harms"),
        "left_open": tuple(dataset for dataset, verdict in names.items() if verdict in OPEN),
    }
    counted = {dataset for group in groups.values() for dataset in group}
    without_use = tuple(dataset for dataset in names if dataset not in counted)
    mean = mean_lift({dataset: c for dataset, (verdict, c) in found.items() if verdict != "not_ready" and _usable(c)})
    draft = AcrossDatasets(**groups, without_use=without_use, mean=mean, sentence="")
    return replace(draft, sentence=_sentence(draft, len(found)))


def mean_lift(compared: Mapping[str, Comparison]) -> MeanLift | None:
    """Random-effects mean of the lifts of several datasets; None where there are fewer than three."""
    # statsmodels brings pandas and half of scipy, and few studies have several datasets.
    from statsmodels.stats.meta_analysis import combine_effects

    k = len(compared)
    if k < FEWEST_DATASETS:
        return None
    lifts = np.array([each.lift for each in compared.values()])
    errors = np.array([_error(each) for each in compared.values()]) / (1 + lifts)
    with np.errstate(divide="ignore"):  # of equal lifts it divides by their spread, for a figure not used here
        combined = combine_effects(np.log1p(lifts), errors**2, method_re="pm", use_t=True, alpha=ALPHA)
    mean, error, tau2 = (float(x) for x in (combined.mean_effect_re, combined.sd_eff_w_re, combined.tau2))
    low, high = combined.conf_int(alpha=ALPHA)[1]
    half = float(stats.t.ppf(1 - ALPHA / 2, k - 2)) * math.sqrt(tau2 + error**2)
    return MeanLift(
        datasets=tuple(compared),
        lift=math.expm1(mean),
        low=math.expm1(low),
        high=math.expm1(high),
        predicted_low=math.expm1(mean - half),
        predicted_high=math.expm1(mean + half),
        tau=math.sqrt(tau2),
    )


def _usable(comparison: Comparison) -> bool:
    return comparison.mean_a > 0 and comparison.mean_b > 0 and math.isfinite(comparison.lift_high)


def _error(comparison: Comparison) -> float:
    """Standard error of the lift whose normal interval is as wide as the one that decided."""
    half = (comparison.lift_high - comparison.lift_low) / 2
    return max(half / float(stats.norm.ppf(1 - ALPHA / 2)), SMALLEST_ERROR)


def _sentence(found: AcrossDatasets, n_datasets: int) -> str:
    counts = [f"Content helps in {_count(found.helps)} of {n_datasets} datasets", f"harms in {_count(found.harms)}"]
    counts += [f"is of no use in {_count(found.without_use)}"] if found.without_use else []
    counts += [f"leaves the question open in {_count(found.left_open)}"] if found.left_open else []
    counted, mean = ", ".join(counts), found.mean
    if mean is None:
        return f"{counted}."
    lifts = f"mean lift {with_interval(mean.lift, mean.low, mean.high)}"
    predicted = interval(mean.predicted_low, mean.predicted_high)
    return f"{counted}; {lifts}; another dataset like these: {predicted} (95 % prediction interval)."


def _count(datasets: tuple[str, ...]) -> str:
    return str(len(datasets)) if datasets else "none"
