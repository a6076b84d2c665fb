"""Who is compared: the best on validation of each side, and nothing else decides."""

from pathlib import Path

import pytest

from recsys.content.arms import Arm, control_arm
from recsys.errors import UserError
from recsys.study.results import ArmResult
from recsys.study.selection import Selection, Tally, best, best_on, choose_sides, tally
from recsys.tuning.trials import Tried

BOTH, TEXT, ALONE = Arm("both", ("text", "image")), Arm("text", ("text",)), Arm("interactions_only")
SHUFFLED = control_arm(BOTH, "shuffled", name="shuffled")


def result(model: str, arm: Arm, valid: float, n_trials: int = 1) -> ArmResult:
    """An arm that was trained."""
    return ArmResult(
        model=model,
        arm=arm.name,
        sources=arm.sources,
        control=arm.control,
        altered=arm.altered,
        settings=[{}],
        valid=valid,
        valid_by_repeat=[valid],
        content_used=True,
        seeded=False,
        trials=[Tried({}, valid)] * n_trials,
        n_nested=0,
        exhausted=True,
        finals=["cell"],
        seconds=0.0,
    )


RESULTS = [
    result("A", BOTH, 0.4, 5),
    result("A", TEXT, 0.5, 6),
    result("A", ALONE, 0.3, 7),
    result("A", SHUFFLED, 0.9),
    result("B", BOTH, 0.45, 2),
    result("C", ALONE, 0.35, 9),
]


def test_the_best_of_each_side_by_validation_and_never_a_control() -> None:
    content, rival = choose_sides("d", RESULTS)
    assert (content.pair, rival.pair) == (("A", "text"), ("C", "interactions_only"))


def test_a_model_that_cannot_be_judged_is_still_a_rival() -> None:
    results = [*RESULTS, result("A", ALONE, 0.8)]
    content, rival = choose_sides("d", results, unfit=["A"])
    assert (content.pair, rival.pair) == (("B", "both"), ("A", "interactions_only"))


@pytest.mark.parametrize(("results", "missing"), [(RESULTS[2:3], "content"), (RESULTS[:2], "interactions only")])
def test_a_side_without_anybody_is_one_line(results: list[ArmResult], missing: str) -> None:
    with pytest.raises(UserError, match=f"^dataset d: no model on {missing} could be trained, so there is nothing"):
        choose_sides("d", results)


def test_the_first_of_equals_is_the_best() -> None:
    first, second = result("A", BOTH, 0.5), result("B", BOTH, 0.5)
    assert best([first, second]) is first
    assert best_on([*RESULTS, first], "both") is first
    assert best([]) is None


def test_what_was_tried_is_counted_for_each_side() -> None:
    assert tally(RESULTS) == {"content": Tally(pairs=3, trials=13), "rival": Tally(pairs=2, trials=16)}


def test_a_selection_comes_back_from_a_folder(tmp_path: Path) -> None:
    pair = ("A", "both")
    roles = dict.fromkeys(("content", "rival", "shuffled", "untuned", "popularity", "removed", "itself"), pair)
    selection = Selection(**roles | {"itself": None}, sources={"sources": {}}, tried=tally(RESULTS))  # type: ignore[arg-type]
    selection.save(tmp_path)
    assert Selection.load(tmp_path) == selection
