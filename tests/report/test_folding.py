"""Which rows of a long table are shown first."""

from recsys.analyses.base import Table
from recsys.report.folding import FEW, comparisons, curves, fold, results
from recsys.report.render import folded_rows

MODELS = [f"model {n % 3}" for n in range(FEW + 1)]
ROWS = list(range(FEW + 1))


def test_few_rows_are_all_shown() -> None:
    assert fold(ROWS[:FEW], MODELS[:FEW]) == (ROWS[:FEW], [])


def test_of_many_rows_the_first_of_each_model_is_shown() -> None:
    assert fold(ROWS, MODELS) == ([0, 1, 2], ROWS[3:])


def test_a_control_stands_for_its_model_only_where_it_has_no_other_row() -> None:
    real = [row not in (0, 1) and MODELS[row] != "model 2" for row in ROWS]
    shown, rest = fold(ROWS, MODELS, real)
    assert shown == [2, 3, 4]
    assert sorted([*shown, *rest]) == ROWS and rest == sorted(rest)


def test_a_row_a_model_leaves_nothing_to_fold() -> None:
    assert fold(ROWS, [str(row) for row in ROWS]) == (ROWS, [])


def test_only_tables_whose_rows_are_about_models_are_folded() -> None:
    table = Table(title="t", columns=["a"], rows=[[str(row)] for row in ROWS])
    assert folded_rows(table) == (table.rows, [])
    shown, rest = folded_rows(table.model_copy(update={"models": MODELS}))
    assert (shown, len(rest)) == ([["0"], ["1"], ["2"]], FEW - 2)


def test_rows_are_ordered_by_the_primary_metric(baby) -> None:  # type: ignore[no-untyped-def]
    means = [row.metrics[baby.metric].mean for row in results(baby)]
    assert means == sorted(means, reverse=True) and len(means) == len(baby.results)
    means = [row.comparison.mean_a for row in comparisons(baby)]
    assert means == sorted(means, reverse=True) and len(means) == len(baby.comparisons)
    ends = [curve.best[-1] for curve in curves(baby)]
    assert ends == sorted(ends, reverse=True)
