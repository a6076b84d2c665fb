"""The tables of published figures are whole, and can be named."""

import pytest

from recsys.errors import UserError
from recsys.published.figures import METRICS, figures, publications, published_table


def test_every_figure_has_a_publication_and_every_publication_figures() -> None:
    assert set(figures()["publication"]) == set(publications())


def test_no_row_is_there_twice_or_empty() -> None:
    rows = figures()
    assert not rows.duplicated(["publication", "dataset", "model", "arm"]).any()
    assert rows[list(METRICS)].notna().any(axis=1).all()


def test_figures_are_shares_and_more_of_a_longer_list_is_found() -> None:
    rows = figures()
    assert all(rows[metric].dropna().between(0, 1, inclusive="neither").all() for metric in METRICS)
    assert not (rows["recall_at_10"] > rows["recall_at_20"]).any()
    assert not (rows["ndcg_at_10"] > rows["ndcg_at_20"]).any()


def test_a_table_is_named_by_publication_and_dataset() -> None:
    table = published_table("zhou2025/baby")
    assert table.rows["UserKNN"] == {
        "recall_at_10": 0.0576,
        "recall_at_20": 0.0841,
        "ndcg_at_10": 0.0328,
        "ndcg_at_20": 0.0396,
    }
    assert table.rows["VBPR (text)"] == {"recall_at_10": 0.0400}
    assert table.doubts["MGCE"].startswith("trained on the validation part")
    assert table.source.startswith("Zhou, Zhang, Sun, Shen")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("zhou2025/babies", "there are no published figures 'zhou2025/babies'; did you mean 'zhou2025/baby'?"),
        ("", "there are no published figures '' \\(known: zhou2025/baby, "),
    ],
)
def test_an_unknown_table_is_one_line(name: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        published_table(name)
