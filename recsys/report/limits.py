"""What a verdict does not show: its limitations as sentences, read off the figures."""

from recsys.evidence.scores import label
from recsys.report.model import DatasetReport
from recsys.report.rows import ResultRow
from recsys.wording import count, listed, percent, whole_percent

STILL_RISING = 0.2


def limits(dataset: DatasetReport) -> list[str]:
    """One sentence for each thing a reader may take for shown and that is not; the study's own come last."""
    read = (_power, _budget, _pruned, _rising)
    found = [sentence(dataset) for sentence in read]
    failed = [
        f"The check “{check.name}” failed: {check.found.removesuffix('.')}."
        for check in dataset.checks
        if not check.passed
    ]
    return [*failed, *(sentence for sentence in found if sentence), *dataset.limits]


def _power(dataset: DatasetReport) -> str | None:
    if not dataset.deciding:
        return None
    comparison = dataset.deciding[0]
    if not comparison.n_moved:
        same = f"{comparison.a} and {comparison.b} have the same score for all {comparison.n_users:,} users"
        return f"{same}, so the smallest lift that could have been shown is unknown."
    still = whole_percent(1 - comparison.n_moved / comparison.n_users)
    tied = f"{still} of the {comparison.n_users:,} users have the same score with both"
    if not comparison.error.known:
        return f"One repeat cannot show a lift of any size of {comparison.a} over {comparison.b}; {tied}."
    if comparison.mean_b <= 0:
        return f"The lift over {comparison.b} is undefined, since it has no hit; {tied}."
    smallest = percent(comparison.detectable_lift)
    return f"The smallest lift of {comparison.a} over {comparison.b} that could have been shown is {smallest}; {tied}."


def _budget(dataset: DatasetReport) -> str | None:
    exhausted = {row.model: row.n_trials for row in dataset.results if row.exhausted and row.kind != "control"}
    untuned = [model for model, n_trials in exhausted.items() if n_trials == 1]
    small = [f"{model} ({n_trials})" for model, n_trials in exhausted.items() if n_trials > 1]
    said = [
        _trials([row for row in dataset.results if row.n_trials and not row.exhausted], dataset.minutes),
        f"Nothing to tune: {listed(untuned)}." if untuned else "",
        f"Fewer settings than trials, all of them tried: {listed(small)}." if small else "",
        _elsewhere(dataset.results),
        _weightings(dataset.results),
    ]
    return " ".join(filter(None, said)) or None


def _elsewhere(rows: list[ResultRow]) -> str:
    """That settings were tried beside the trials, and how many on the arm that tried most."""
    most = max((row.n_nested for row in rows), default=0)
    if not most:
        return ""
    settings = f"{count(most, 'setting')} chosen elsewhere"
    return f"Beyond its trials, an arm tried at most {settings}, on other arms or by related models."


def _weightings(rows: list[ResultRow]) -> str:
    """What was tried of ensembles in the place of trials, each on the arm that tried most."""
    most: dict[str, int] = {}
    for row in rows:
        most[row.model] = max(row.n_weightings, most.get(row.model, 0))
    tried = [f"{model} ({n})" for model, n in most.items() if n]
    if not tried:
        return ""
    return f"Ensembles have no trials; combinations of weights tried on an arm, at most: {listed(tried)}."


def _trials(rows: list[ResultRow], minutes: float | None) -> str:
    """Whether those that had more settings than trials were given the same number of trials, or the same time."""
    most = max((row.n_trials for row in rows), default=0)
    if minutes is not None and rows:
        fewest = min(rows, key=lambda row: row.n_trials)
        enough = count(most, "trial")
        if fewest.n_trials < most:
            enough = f"{fewest.n_trials} ({fewest.name}) to {enough}"
        return f"Each model was tuned for {minutes:g} min on each arm, which was enough for {enough}."
    least = min((row.n_trials for row in rows), default=0)
    if least < most <= 2 * least:
        budget = count(least, "trial")
        more = f"extended to at most {most} while the search was still improving"
        return f"Each model was tuned with {budget} on each arm, {more}."
    short = [row.name for row in rows if row.n_trials < most]
    if short:
        return f"Tuning was not equal: {listed(short)} had fewer than the {most} trials of the others."
    if most == 1:
        return "No model was tuned: each ran with its default or fixed hyper-parameters."
    return f"Each model was tuned with {most} trials on each arm; no rival was tuned longer." if rows else ""


def _pruned(dataset: DatasetReport) -> str | None:
    """Trials that never ended count as trials, and might have done better than they stood."""
    rows = [f"{row.name} ({row.n_pruned} of {row.n_trials})" for row in dataset.results if row.n_pruned]
    return f"Trials pruned by their validation curve, and never chosen: {listed(rows)}." if rows else None


def _rising(dataset: DatasetReport) -> str | None:
    """Curves whose best value came in the last fifth of the trials: more trials might have found more."""
    rising = [
        label(curve.model, curve.arm)
        for curve in dataset.tuning
        if curve.kind != "control" and len(curve.best) >= 1 / STILL_RISING and _rose_late(curve.best)
    ]
    if not rising:
        return None
    whose = "its" if len(rising) == 1 else "their"
    return f"Still rising in the last fifth of {whose} trials: {listed(rising)}; more tuning might find more."


def _rose_late(best: list[float]) -> bool:
    return best[-1] > best[-1 - max(1, int(len(best) * STILL_RISING))]
