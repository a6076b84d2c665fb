"""What a verdict compares where controls cannot be trained: the next best content model, or nothing and a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from recsys.content.arms import Arm
from recsys.errors import UserError
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.study.selection import select_with_controls
from recsys.study.study import Study
from tests.orchestration.conftest import TINY, write_study

VALID = {("HybridItemKNN", "both"): 0.5, ("AttributeItemKNN", "both"): 0.4, ("ItemKNN", "interactions_only"): 0.3}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return write_study(tmp_path, TINY.replace("  TopPop:\n", "  AttributeItemKNN:\n"))


def result(model: str, arm: Arm, valid: float) -> ArmResult:
    """An arm that was trained."""
    return ArmResult(
        model=model,
        arm=arm.name,
        sources=arm.sources,
        control=arm.control,
        altered=arm.altered,
        params={},
        valid=valid,
        content_used=True,
        trials=[],
        exhausted=True,
        finals=["cell"],
        seconds=0.0,
    )


def trained(study: Study, *lost: str) -> tuple[ModelResult, Any]:
    """Results on real content, and a trainer whose controls fail for the models in `lost`."""
    arms = {arm.name: arm for arm in study.arms_of("tiny", "HybridItemKNN")}
    results = ModelResult(arms=[result(model, arms[arm], valid) for (model, arm), valid in VALID.items()])

    def train(model: str, arms: Sequence[Arm], fixed: dict[str, Any] | None) -> ModelResult:
        if model in lost:
            failed = [LeftOutArm(model=model, arm=arm.name, reason="its loss is NaN") for arm in arms]
            return ModelResult(left_out=failed)
        return ModelResult(arms=[result(model, arm, 0.2) for arm in arms])

    return results, train


def test_the_best_content_model_is_compared(study: Study) -> None:
    selection, made = select_with_controls(study, "tiny", *trained(study))
    assert selection.content == ("HybridItemKNN", "both")
    assert selection.shuffled == ("HybridItemKNN", "shuffled")
    assert selection.rival == ("ItemKNN", "interactions_only")
    assert made.left_out == []


def test_the_next_best_is_compared_where_the_shuffled_control_fails(study: Study) -> None:
    selection, made = select_with_controls(study, "tiny", *trained(study, "HybridItemKNN"))
    assert selection.content == ("AttributeItemKNN", "both")
    assert selection.shuffled == ("AttributeItemKNN", "shuffled")
    assert {each.model for each in made.left_out} == {"HybridItemKNN"}
    assert {arm.model for arm in made.arms} == {"AttributeItemKNN"}


def test_without_any_control_there_is_nothing_to_compare(study: Study) -> None:
    with pytest.raises(UserError, match="dataset tiny: no model on content could be trained"):
        select_with_controls(study, "tiny", *trained(study, "HybridItemKNN", "AttributeItemKNN"))
