"""What `--select` names: the assets of a study, or a line that says what is wrong with it."""

import warnings
from pathlib import Path

import pytest

from orchestration.materialise import selected
from orchestration.settings import Settings
from recsys.errors import UserError
from tests.orchestration.conftest import write_study


def test_a_group_is_selected_and_nothing_of_dagster_is_printed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen = selected(write_study(tmp_path), settings, "group:tiny")
    assert {"tiny/dataset", "tiny/verdict"} <= set(chosen)


@pytest.mark.parametrize("select", ['key:"tiny/dat*"', "group:tiny and kind:python", '+roots(key:"tiny/verdict")'])
def test_what_is_no_name_of_an_asset_is_left_to_dagster(tmp_path: Path, select: str) -> None:
    assert selected(write_study(tmp_path), Settings(home=tmp_path / "home", studies=tmp_path), select)


@pytest.mark.parametrize(
    ("select", "line"),
    [
        ("nonsense", "names what study tiny does not have; `modalift run tiny --dry-run` lists them"),
        ("tiny/verdct", "names what study tiny does not have; did you mean 'tiny/verdict'?"),
        ('+key:"tiny/reprot"', "names what study tiny does not have; did you mean 'tiny/report'?"),
        ("group:tinny and kind:python", "names what study tiny does not have; did you mean 'tiny'?"),
        (
            'key:"tiny/dataset" or key:"tiny/verdct"',
            "names what study tiny does not have; did you mean 'tiny/verdict'?",
        ),
        ("group:", "cannot be read: write such as 'key:\"demo/report\"' or '+group:x'"),
    ],
)
def test_a_selection_of_nothing_is_one_line_of_ours(tmp_path: Path, select: str, line: str) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path)
    with pytest.raises(UserError) as error:
        selected(write_study(tmp_path), settings, select)
    assert str(error.value) == f"--select '{select}' {line}"
