"""Lines that a person reads."""

import pytest

from recsys.errors import UserError


@pytest.mark.parametrize(
    ("given", "line"),
    [("options: a\nb: unknown key", r"options: a\nb: unknown key"), ("a\r\nb is no file", r"a\r\nb is no file")],
)
def test_a_line_break_in_a_name_is_written_as_its_escape(given: str, line: str) -> None:
    assert str(UserError(given)) == line
