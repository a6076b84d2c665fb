"""Every (model, arm) on the test part, from the lists that its final cells left; some arms in memory at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from recsys.evidence.scores import Pair, Scores
from recsys.study.checks import beats_baselines, shuffled_shows_no_lift
from recsys.study.record import Check
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import has_verdict
from recsys.study.study import Study

SUMMARY, SCORES = "summary.parquet", "scores.parquet"
_HELD_OUT = "held_out"
BATCH = 2**24
"""Values that are measured before their intervals are drawn, 128 MB: a resample of users costs the same for one arm as
for many."""
CellOf = Callable[[str], StoredCell]
"""Gives a stored cell by its fingerprint."""
MeasuredArm = tuple[ArmResult, list[Measured]]


@one_thread()
def measure(study: Study, name: str, data: Dataset, results: ModelResult, cell: CellOf, out: Path) -> list[Check]:
    """Write the tables of a dataset's metrics into a folder, and check them.

    `summary.parquet` has a row per (model, arm, metric): `mean`, the 95 % interval `ci_low`, `ci_high` (NaN for what
    is measured on all lists together), and `per_repeat`. `scores.parquet` has the primary metric of every user in
    every repeat, one row group per (model, arm) in the order of `result.json`.
    """
    evaluators = [Evaluator(data.repeat(n), "test", study.evaluation) for n in range(1, study.n_repeats + 1)]
    primary = study.evaluation.primary
    rows: list[tuple[object, ...]] = []
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("arm", pa.string()),
            ("repeat", pa.int16()),
            ("user", pa.int32()),
            ("value", pa.float64()),
        ],
        metadata={_HELD_OUT: repr(data.held_out)},
    )
    with parquet.ParquetWriter(out / SCORES, schema) as writer:
        for batch in _batches(results.arms, cell, evaluators):
            rows += _summary(batch, study)
            for arm, measured in batch:
                writer.write_table(pa.Table.from_pandas(_scores(arm, measured, primary), schema, preserve_index=False))
    summary = pd.DataFrame(rows, columns=["model", "arm", "metric", "mean", "ci_low", "ci_high", "per_repeat"])
    summary.to_parquet(out / SUMMARY, index=False)
    results.save(out)
    means = summary[summary["metric"] == primary].set_index(["model", "arm"])
    checks = [beats_baselines(means, primary)]
    return [*checks, shuffled_shows_no_lift(means)] if has_verdict(study, name) else checks


def _batches(arms: Sequence[ArmResult], cell: CellOf, evaluators: Sequence[Evaluator]) -> Iterator[list[MeasuredArm]]:
    batch: list[MeasuredArm] = []
    size = 0
    for arm in arms:
        batch.append((arm, _finals(arm, cell, evaluators)))
        size += sum(each.per_user.size for each in batch[-1][1])
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _finals(arm: ArmResult, cell: CellOf, evaluators: Sequence[Evaluator]) -> list[Measured]:
    """The measured test lists of each repeat; one cell stands for all where nothing differs among them."""
    if len(set(arm.finals)) == 1:
        return [evaluators[0].measure(cell(arm.finals[0]).lists("test"))] * len(arm.finals)
    return [
        evaluator.measure(cell(each).lists("test")) for each, evaluator in zip(arm.finals, evaluators, strict=True)
    ]


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
                "repeat": np.int16(repeat),
                "user": each.per_user["user"],
                "value": each.per_user[primary],
            }
        )
        for repeat, each in enumerate(measured, start=1)
    )


class UserScores(Mapping[Pair, Scores]):
    """The primary metric of every user, read from a metrics folder one (model, arm) at a time."""

    def __init__(self, folder: Path) -> None:
        """The scores that `measure` wrote into `folder`."""
        self._file = parquet.ParquetFile(folder / SCORES)
        self._held_out = float(self._file.schema_arrow.metadata[_HELD_OUT.encode()])
        self._arms = {arm.pair: (group, arm) for group, arm in enumerate(ModelResult.load(folder).arms)}

    def __iter__(self) -> Iterator[Pair]:
        """Every (model, arm), in the order of tables."""
        return iter(self._arms)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._arms)

    def __contains__(self, pair: object) -> bool:
        """Whether a (model, arm) was measured, without reading its scores."""
        return pair in self._arms

    def __getitem__(self, pair: Pair) -> Scores:
        """Scores as comparisons want them."""
        group, arm = self._arms[pair]
        long = self._file.read_row_group(group, columns=["user", "value"]).to_pandas()
        users, values = (long[column].to_numpy().reshape(len(arm.finals), -1) for column in ("user", "value"))
        return Scores(
            *pair,
            users[0],
            values,
            valid=arm.valid,
            content_used=arm.content_used,
            seeded=arm.seeded,
            held_out=self._held_out,
        )
