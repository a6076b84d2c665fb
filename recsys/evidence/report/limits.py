"""What a verdict does not show, said as plainly as what it does: sentences read off the figures."""

from recsys.evidence.report.model import DatasetReport
from recsys.evidence.scores import label
from recsys.evidence.wording import percent

FEW_SEEDS = 3
STILL_RISING = 0.2


def limits(dataset: DatasetReport) -> list[str]:
    """One sentence for each thing a reader may take for shown and that is not; the study's own come last."""
    found = (_power(dataset), _seeds_disagree(dataset), _budget(dataset), _rising(dataset), _seeds(dataset))
    failed = [f"The check “{check.name}” failed: {check.found}." for check in dataset.checks if not check.passed]
    return [*failed, *(sentence for sentence in found if sentence), *dataset.limits]


def _power(dataset: DatasetReport) -> str | None:
    comparison = dataset.verdict.against_rival
    tied = f"{percent(comparison.share_tied, digits=0)} of the {comparison.n_users:,} users differ by exactly nothing"
    smallest = percent(comparison.detectable_lift)
    return f"The smallest lift over {comparison.b} that could have been shown is {smallest}; {tied}."


def _seeds_disagree(dataset: DatasetReport) -> str | None:
    """A test over users speaks of the models as trained; the interval also of other seeds, and may disagree."""
    verdict = dataset.verdict
    wide = [
        comparison.b
        for comparison in (verdict.against_rival, verdict.against_shuffled)
        if comparison.p_value <= 0.05 and comparison.ci_low <= 0 <= comparison.ci_high
    ]
    if not wide:
        return None
    names = " and ".join(wide)
    return f"The difference from {names} is certain for the models as trained, but might vanish with other seeds."


def _budget(dataset: DatasetReport) -> str | None:
    trials = {label(row.model, row.arm): row.n_trials for row in dataset.results if row.kind != "baseline"}
    if not trials:
        return None
    fewest, most = min(trials.values()), max(trials.values())
    if fewest == most:
        return f"Each model was tuned with {most} trials on each arm; no rival was tuned longer."
    short = ", ".join(name for name, n in trials.items() if n < most)
    return f"Tuning was not equal: {short} had fewer than the {most} trials of the others."


def _rising(dataset: DatasetReport) -> str | None:
    """Curves whose best value came in the last fifth of the trials: more trials might have found more."""
    rising = [
        label(curve.model, curve.arm)
        for curve in dataset.tuning
        if curve.kind != "control" and len(curve.best) >= 1 / STILL_RISING and _rose_late(curve.best)
    ]
    if not rising:
        return None
    return f"Still rising in the last fifth of its trials: {', '.join(rising)}; more tuning might find more."


def _rose_late(best: list[float]) -> bool:
    return best[-1] > best[-1 - max(1, int(len(best) * STILL_RISING))]


def _seeds(dataset: DatasetReport) -> str | None:
    n_seeds = max((len(row.seed_means) for row in dataset.results), default=0)
    if n_seeds > FEW_SEEDS:
        return None
    seeds = "seed" if n_seeds == 1 else "seeds"
    return f"With {n_seeds} {seeds} a model, intervals understate how much training varies."
