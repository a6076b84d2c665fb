"""A model on its arms: tuned with one budget, trained with every seed, and summed up for what comes after."""

from collections.abc import Sequence

from orchestration import keys
from orchestration.cells import CellRunner, Inputs, StoredCell
from orchestration.home import Home
from orchestration.outcomes import ArmResult
from orchestration.study import Study
from recsys.content.arms import Arm
from recsys.engine.search import Trained, tune_and_train
from recsys.models import registry
from recsys.training.tuning import Tuner


def train(
    home: Home, study: Study, dataset: str, model: str, arms: Sequence[Arm], *, asset: str, run: str
) -> tuple[list[ArmResult], CellRunner]:
    """Tune and train a model on arms of a dataset; gives the results and the runner that knows what it computed."""
    config = registry.load(model).Config

    def new_tuner() -> Tuner:
        return Tuner(config, study.params_of(model), study.tuning.trials, study.tuning.seed)

    seeds = range(1, study.seeds + 1)
    most = len(arms) * (study.tuning.trials + study.seeds)
    label = f"{dataset}: {model}, {len(arms)} arm{'' if len(arms) == 1 else 's'}"
    with home.progress.track(label, most) as advance:
        runner = CellRunner(home, _inputs(home, study, dataset, model, arms, asset, run), advance)
        trained = tune_and_train(arms, new_tuner, seeds, runner)
        # A model with little or nothing to tune is done before its budget is.
        advance(most - sum(len(row.trials) + len(row.finals) for row in trained))
    return [_result(model, row) for row in trained], runner


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
            {"params": cell.record["params"], "valid": cell.valid, "seconds": sum(cell.record["seconds"].values())}
            for cell in trained.trials
        ],
        finals=[cell.fingerprint for cell in finals],
        seconds=sum(sum(cell.record["seconds"].values()) for cell in (*trained.trials, *finals)),
    )
