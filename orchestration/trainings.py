"""A model on its arms: tuned with one budget, trained with every seed, and summed up for what comes after."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from orchestration import keys
from orchestration.cells import CellRunner, Inputs
from orchestration.home import Home
from orchestration.progress import Progress
from orchestration.stored_cells import StoredCell
from recsys.content.arms import Arm
from recsys.errors import UserError
from recsys.models import registry
from recsys.study.results import ArmResult
from recsys.study.study import Study
from recsys.tuning.search import Trained, tune_and_train
from recsys.tuning.tuner import Tuner


def train(
    home: Home, study: Study, dataset: str, model: str, arms: Sequence[Arm], *, asset: str, run: str
) -> tuple[list[ArmResult], CellRunner]:
    """Tune and train a model on arms of a dataset; gives the results and the runner that knows what it computed."""
    config = registry.load(model).Config

    budget = study.tuning

    def new_tuner() -> Tuner:
        return Tuner(config, study.params_of(model), budget.trials, budget.seed, seconds=budget.seconds)

    seeds = range(1, study.seeds + 1)
    label = f"{dataset}: {model}, {len(arms)} arm{'' if len(arms) == 1 else 's'}"
    with _shown(home.progress, label, study, len(arms)) as tell:
        runner = CellRunner(home, _inputs(home, study, dataset, model, arms, asset, run), tell)
        found = tune_and_train(arms, new_tuner, seeds, runner, budget.prune)
    for left_out in found.left_out:
        raise UserError(f"arm '{left_out.arm.name}': {left_out.reason}")
    return [_result(model, row) for row in found.trained], runner


@contextmanager
def _shown(progress: Progress, label: str, study: Study, n_arms: int) -> Iterator[Callable[[StoredCell], None]]:
    """Progress in cells; where time is the budget, and nobody knows how many they will be, in seconds of tuning."""
    timed = study.tuning.minutes is not None
    total = int(n_arms * study.tuning.seconds) if timed else n_arms * (study.tuning.trials + study.seeds)
    done = 0.0
    with progress.track(f"{label}, seconds of tuning" if timed else label, total) as advance:

        def tell(cell: StoredCell) -> None:
            nonlocal done
            before = int(done)
            done = min(total, done + (cell.seconds * (cell.record["stage"] == "tuning") if timed else 1))
            advance(int(done) - before)

        yield tell
        # A model with little or nothing to tune is done before its budget is.
        advance(total - int(done))


def _inputs(home: Home, study: Study, dataset: str, model: str, arms: Sequence[Arm], asset: str, run: str) -> Inputs:
    data = home.current(keys.dataset(dataset))
    shown = {source for arm in arms for source in arm.sources}
    content = {source: home.current(keys.embeddings(dataset, source)) for source in sorted(shown)}
    return Inputs(
        dataset=dataset,
        folder=home.folder(data),
        data_version=data.content_hash,
        content={source: home.folder(event) for source, event in content.items()},
        content_versions={source: event.content_hash for source, event in content.items()},
        model=model,
        protocol=study.evaluation,
        asset=asset,
        run=run,
    )


def _result(model: str, trained: Trained[StoredCell]) -> ArmResult:
    arm, finals = trained.arm, trained.finals
    values = [cell.valid for cell in finals if cell.valid is not None]
    return ArmResult(
        model=model,
        arm=arm.name,
        sources=arm.sources,
        control=arm.control,
        altered=arm.altered,
        params=trained.params,
        valid=sum(values) / len(values),
        content_used=any(cell.record["content_used"] for cell in finals),
        trials=[
            {"params": cell.record["params"], "valid": cell.valid, "pruned": cell.pruned, "seconds": cell.seconds}
            for cell in trained.trials
        ],
        exhausted=trained.exhausted,
        finals=[cell.fingerprint for cell in finals],
        seconds=sum(cell.seconds for cell in (*trained.trials, *finals)),
    )
