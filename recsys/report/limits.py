"""What a verdict does not show: its limitations as sentences, read off the figures."""

from recsys.evidence.scores import label
from recsys.report.model import DatasetReport
from recsys.report.rows import ResultRow
from recsys.wording import count, listed, percent, whole_percent

STILL_RISING = 0.2


def limits(dataset: DatasetReport) -> list[str]:
    """One sentence for each thing a reader may take for shown and that is not; the study's own come last."""
    read = (_power, _budget, _failed, _pruned, _rising)
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
    if not rows:
        return ""
    if minutes is not None and any(row.n_trials < row.budget for row in rows):
        return _timed(rows, minutes)
    if all(row.n_trials == 1 for row in rows):
        return "No model was tuned: each ran with its default or fixed hyper-parameters."
    by_budget: dict[int, list[ResultRow]] = {}
    for row in sorted(rows, key=lambda row: -row.budget):
        by_budget.setdefault(row.budget, []).append(row)
    if len(by_budget) > 1:
        return _budgets(by_budget)
    (budget,) = by_budget
    if short := [row.name for row in rows if row.n_trials < budget]:
        return f"Tuning was not equal: {listed(short)} had fewer than the {budget} trials of the others."
    if extended := _extended(budget, rows):
        return f"Each model was tuned with {count(budget, 'trial')} on each arm{extended}."
    some_failed = any(row.n_failed for row in rows)
    more = ", some of which failed" if some_failed else "; no rival was tuned longer"
    return f"Each model was tuned with {count(budget, 'trial')} on each arm{more}."


def _timed(rows: list[ResultRow], minutes: float) -> str:
    fewest, most = (choose(rows, key=lambda row: row.n_trials) for choose in (min, max))
    enough = count(most.n_trials, "trial")
    if fewest.n_trials < most.n_trials:
        enough = f"{fewest.n_trials} ({fewest.name}) to {enough}"
    return f"Each model was tuned for at most {minutes:g} min on each arm, which was enough for {enough}."


def _budgets(by_budget: dict[int, list[ResultRow]]) -> str:
    """The budget of each model where they differ, as by default between closed forms and training by gradient."""
    said = [
        f"{count(budget, 'trial')} for {listed([*dict.fromkeys(row.model for row in rows)])}{_extended(budget, rows)}"
        for budget, rows in by_budget.items()
    ]
    short = [
        f"{row.name} ({row.n_trials} of {row.budget})"
        for rows in by_budget.values()
        for row in rows
        if row.n_trials < row.budget
    ]
    unspent = f" Not all of it was spent by {listed(short)}." if short else ""
    return f"Models were tuned with different budgets on each arm: {'; '.join(said)}.{unspent}"


def _extended(budget: int, rows: list[ResultRow]) -> str:
    most = max(row.n_trials for row in rows)
    return f", extended to at most {most} while the search was still improving" if most > budget else ""


def _failed(dataset: DatasetReport) -> str | None:
    """Trials without a value count as trials: a model that lost many of them was hardly tuned."""
    rows = [f"{row.name} ({row.n_failed} of {row.n_trials})" for row in dataset.results if row.n_failed]
    return f"Trials that failed, and found nothing: {listed(rows)}." if rows else None


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
