"""Every (model, arm) on the test part, from the lists that its final cells left; some arms in memory at a time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.engine.worker import one_thread
from recsys.evaluation.evaluate import Evaluator, Measured
from recsys.evidence.interval import N_RESAMPLES, mean_intervals
from recsys.evidence.scores import Scores
from recsys.study.checks import Check, beats_baselines, shuffled_shows_no_lift
from recsys.study.results import ArmResult, ModelResult, Pair
from recsys.study.selection import has_verdict
from recsys.study.study import Study

SUMMARY, SCORES = "summary.parquet", "scores.parquet"
BATCH = 2**24
"""Values that are measured before their intervals are drawn, 128 MB: a resample of users costs the same for one arm as
for many."""
CellOf = Callable[[str], StoredCell]
"""Gives a stored cell by its fingerprint."""
MeasuredArm = tuple[ArmResult, list[Measured]]


@one_thread()
def measure(study: Study, name: str, data: Dataset, results: ModelResult, cell: CellOf, out: Path) -> list[Check]:
    """Write the tables of a dataset's metrics into a folder, and check them.

    `summary.parquet` has a row a (model, arm, metric): `mean`, the 95 % interval `ci_low`, `ci_high` (NaN for what is
    measured on all lists together), and `per_seed`. `scores.parquet` has the primary metric of every user under every
    seed, one row group a (model, arm) in the order of `result.json`.
    """
    evaluator = Evaluator(data, "test", study.evaluation)
    primary = study.evaluation.primary
    rows: list[tuple[object, ...]] = []
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("arm", pa.string()),
            ("seed", pa.int16()),
            ("user", pa.int32()),
            ("value", pa.float64()),
        ]
    )
    with parquet.ParquetWriter(out / SCORES, schema) as writer:
        for batch in _batches(results.arms, cell, evaluator):
            rows += _summary(batch, study)
            for arm, measured in batch:
                writer.write_table(pa.Table.from_pandas(_scores(arm, measured, primary), schema, preserve_index=False))
    summary = pd.DataFrame(rows, columns=["model", "arm", "metric", "mean", "ci_low", "ci_high", "per_seed"])
    summary.to_parquet(out / SUMMARY, index=False)
    results.save(out)
    means = summary[summary["metric"] == primary].set_index(["model", "arm"])
    checks = [beats_baselines(means, primary)]
    return [*checks, shuffled_shows_no_lift(means)] if has_verdict(study, name) else checks


def _batches(arms: Sequence[ArmResult], cell: CellOf, evaluator: Evaluator) -> Iterator[list[MeasuredArm]]:
    batch: list[MeasuredArm] = []
    size = 0
    for arm in arms:
        batch.append((arm, _finals(arm, cell, evaluator)))
        size += sum(each.per_user.size for each in batch[-1][1])
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _finals(arm: ArmResult, cell: CellOf, evaluator: Evaluator) -> list[Measured]:
    """The measured test lists of each seed; a deterministic model's one cell stands for all seeds."""
    measured = {each: evaluator.measure(cell(each).lists("test")) for each in dict.fromkeys(arm.finals)}
    return [measured[each] for each in arm.finals]


def _summary(batch: Sequence[MeasuredArm], study: Study) -> Iterator[tuple[object, ...]]:
    wide = {
        (*arm.pair, metric): np.stack([each.per_user[metric].to_numpy() for each in measured])
        for arm, measured in batch
        for metric in measured[0].per_user.columns.drop("user")
    }
    # No decision hangs on the intervals of this table, and there are hundreds of them.
    n_resamples = min(study.statistics.resamples, N_RESAMPLES)
    for key, interval in mean_intervals(wide, n_resamples=n_resamples, seed=study.statistics.seed).items():
        yield (*key, interval.mean, interval.low, interval.high, wide[key].mean(axis=1).tolist())
    for arm, measured in batch:
        for metric in measured[0].lists:
            values = [each.lists[metric] for each in measured]
            yield (*arm.pair, metric, float(np.mean(values)), np.nan, np.nan, values)


def _scores(arm: ArmResult, measured: Sequence[Measured], primary: str) -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame(
            {
                "model": arm.model,
                "arm": arm.arm,
                "seed": np.int16(seed),
                "user": each.per_user["user"],
                "value": each.per_user[primary],
            }
        )
        for seed, each in enumerate(measured, start=1)
    )


class UserScores:
    """The primary metric of every user, read from a metrics folder one (model, arm) at a time."""

    def __init__(self, folder: Path) -> None:
        """The scores that `measure` wrote into `folder`."""
        self._file = parquet.ParquetFile(folder / SCORES)
        self._arms = {arm.pair: (group, arm) for group, arm in enumerate(ModelResult.load(folder).arms)}

    def __iter__(self) -> Iterator[Pair]:
        """Every (model, arm), in the order of tables."""
        return iter(self._arms)

    def __contains__(self, pair: Pair) -> bool:
        """Whether a (model, arm) was measured."""
        return pair in self._arms

    def __getitem__(self, pair: Pair) -> Scores:
        """Scores as comparisons want them."""
        group, arm = self._arms[pair]
        long = self._file.read_row_group(group, columns=["user", "value"]).to_pandas()
        n_seeds = len(arm.finals)
        users, values = (long[column].to_numpy().reshape(n_seeds, -1) for column in ("user", "value"))
        return Scores(*pair, users[0], values, valid=arm.valid, content_used=arm.content_used)
