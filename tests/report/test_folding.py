"""Which rows of a long table are shown first."""

from recsys.analyses.base import Table
from recsys.report.folding import FEW, comparisons, curves, fold, fold_arms, results
from recsys.report.render import folded_rows

MODELS = [f"model {n % 3}" for n in range(FEW + 1)]
ROWS = list(range(FEW + 1))


def test_few_rows_are_all_shown() -> None:
    assert fold(ROWS[:FEW], MODELS[:FEW]) == (ROWS[:FEW], [])


def test_of_many_rows_the_first_of_each_model_is_shown() -> None:
    assert fold(ROWS, MODELS) == ([0, 1, 2], ROWS[3:])


def test_the_row_that_stands_highest_is_shown_for_its_model() -> None:
    standing = [(row not in (0, 1) and MODELS[row] != "model 2", float(row == 7)) for row in ROWS]
    shown, rest = fold(ROWS, MODELS, standing)
    assert shown == [2, 3, 7]
    assert sorted([*shown, *rest]) == ROWS and rest == sorted(rest)


def test_validation_chooses_the_arm_that_is_shown_and_not_the_test_part(baby, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("recsys.report.folding.FEW", 3)
    real = [row for row in results(baby) if row.kind != "control"]
    model = next(row.model for row in real if sum(other.model == row.model for other in real) > 1)
    best = next(row for row in real if row.model == model)
    other = next(row for row in real if row.model == model and row is not best)
    valid = {(best.model, best.arm): 0.1, (other.model, other.arm): 0.9}
    rows = [row.model_copy(update={"valid": valid.get((row.model, row.arm), 0.0)}) for row in baby.results]
    shown, _ = fold_arms(results(baby), baby.model_copy(update={"results": rows}))
    assert [row.arm for row in shown if row.model == model] == [other.arm]


def test_a_row_a_model_leaves_nothing_to_fold() -> None:
    assert fold(ROWS, [str(row) for row in ROWS]) == (ROWS, [])


def test_only_tables_whose_rows_are_about_models_are_folded(baby) -> None:  # type: ignore[no-untyped-def]
    table = Table(title="t", columns=["a"], rows=[[str(row)] for row in ROWS])
    assert folded_rows(table, baby) == (table.rows, [])
    pairs = [(model, "arm") for model in MODELS]
    shown, rest = folded_rows(table.model_copy(update={"pairs": pairs}), baby)
    assert (shown, len(rest)) == ([["0"], ["1"], ["2"]], FEW - 2)


def test_rows_are_ordered_by_the_primary_metric(baby) -> None:  # type: ignore[no-untyped-def]
    means = [row.metrics[baby.metric].mean for row in results(baby)]
    assert means == sorted(means, reverse=True) and len(means) == len(baby.results)
    means = [row.comparison.mean_a for row in comparisons(baby)]
    assert means == sorted(means, reverse=True) and len(means) == len(baby.comparisons)
    ends = [curve.best[-1] for curve in curves(baby)]
    assert ends == sorted(ends, reverse=True)
