"""What a run says of a dataset beside its verdict."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestration.cli.verdicts import sentences
from orchestration.home import Home
from tests.orchestration.conftest import write_study


class Events:
    """The newest event of each asset."""

    def __init__(self, facts: dict[str, dict[str, Any]]) -> None:
        self.facts = facts

    def assets(self) -> list[str]:
        return list(self.facts)

    def latest(self, asset: str) -> SimpleNamespace:
        return SimpleNamespace(facts=self.facts[asset])


@pytest.mark.parametrize(("verdict", "n_lines"), [("helps", 3), ("not_ready", 2)])
def test_where_there_is_no_answer_nothing_is_said_to_agree_with_it(tmp_path: Path, verdict: str, n_lines: int) -> None:
    events = Events(
        {
            "tiny/verdict": {"verdict": verdict, "sentence": "It is so.", "advice": "Do this."},
            "tiny/analyses/sensitivity": {"headline": ["The answer agrees in 48 of 48 combinations."]},
        }
    )
    home = cast("Home", SimpleNamespace(lineage=events))
    said = sentences(write_study(tmp_path), home, ["tiny/verdict", "tiny/analyses/sensitivity"])
    assert said[:2] == ["tiny: It is so.", "  Do this."]
    assert len(said) == n_lines
    # An analysis that this run did not make may speak of another verdict.
    assert len(sentences(write_study(tmp_path), home, ["tiny/verdict"])) == 2
