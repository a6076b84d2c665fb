"""Lines that a person reads."""

import pytest

from recsys.errors import MOST_NAMED, UserError, hint


@pytest.mark.parametrize(
    ("given", "line"),
    [("options: a\nb: unknown key", r"options: a\nb: unknown key"), ("a\r\nb is no file", r"a\r\nb is no file")],
)
def test_a_line_break_in_a_name_is_written_as_its_escape(given: str, line: str) -> None:
    assert str(UserError(given)) == line


@pytest.mark.parametrize(
    ("given", "known", "command", "line"),
    [
        ("ease", ["EASE", "BPR"], "", "; did you mean 'EASE'?"),
        ("ease", ["EASE", "BPR"], "modalift models", "; did you mean 'EASE'?"),
        ("xyz", ["EASE", "BPR"], "", " (known: EASE, BPR)"),
        ("xyz", ["EASE", "BPR"], "modalift models", "; `modalift models` lists them"),
        ("xyz", [], "", " (known: none)"),
        ("tfdif", ["keywords", "tfidf_svd"], "", "; did you mean 'tfidf_svd'?"),
        ("titel", ["item_id", "name"], "", " (known: item_id, name)"),
        ("l2", ["n_factors", "preference_l2"], "", "; did you mean 'preference_l2'?"),
        ("l2", ["content_l2", "preference_l2"], "", " (known: content_l2, preference_l2)"),
        ("published/moon", ["published/baby", "published/sports"], "", " (known: published/baby, published/sports)"),
        ("published/babies", ["published/baby", "published/sports"], "", "; did you mean 'published/baby'?"),
    ],
)
def test_an_unknown_name_is_followed_by_the_nearest_one_or_by_all(
    given: str, known: list[str], command: str, line: str
) -> None:
    assert hint(given, known, command) == line


def test_of_many_names_the_first_are_listed() -> None:
    listed = hint("?", [f"m{i}" for i in range(MOST_NAMED + 2)])
    assert listed.startswith(" (known: m0, m1, ") and listed.endswith(f", m{MOST_NAMED - 1} and 2 more)")
