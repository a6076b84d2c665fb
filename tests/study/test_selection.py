"""Who is compared: the best on validation of each side, and nothing else decides."""

import math
from pathlib import Path
from typing import Any

import pytest

from recsys.content.arms import Arm, control_arm
from recsys.errors import UserError
from recsys.study.readiness import plateau
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.study.selection import Selection, Tally, best, best_on, choose_sides, tally
from recsys.study.study import Study
from recsys.tuning.trials import Tried
from recsys.wording import DASH

BOTH, TEXT, ALONE = Arm("both", ("text", "image")), Arm("text", ("text",)), Arm("interactions_only")
SHUFFLED = control_arm(BOTH, "shuffled", name="shuffled")


def result(model: str, arm: Arm, valid: float, n_trials: int = 1, **more: Any) -> ArmResult:
    """An arm that was trained."""
    known = {"n_nested": 0, "exhausted": True} | more
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
        finals=["cell"],
        seconds=0.0,
        **known,
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


def test_an_arm_that_was_trained_later_is_no_longer_left_out() -> None:
    lost = [LeftOutArm(model="A", arm=arm, reason="no memory") for arm in ("both", "text")]
    first, later = (
        ModelResult(arms=[result("B", BOTH, 0.4)], left_out=lost),
        ModelResult(arms=[result("A", BOTH, 0.5)]),
    )
    assert first.updated(later).failures == ["A left out (text): no memory"]
    assert [arm.pair for arm in first.updated(later).arms] == [("B", "both"), ("A", "both")]


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


def test_own_trials_settings_chosen_elsewhere_and_combinations_of_weights_are_counted_apart() -> None:
    results = [
        result("A", BOTH, 0.4, 5, n_nested=2),
        result("A", ALONE, 0.3, 3),
        result("B", ALONE, 0.3, 1),
        result("Together", ALONE, 0.4, 26, members=[("A", ALONE.name), ("B", ALONE.name)]),
    ]
    assert [each.n_trials for each in results] == [3, 3, 1, 0]
    content, rival = tally(results).values()
    assert content.said == f"1 model{DASH}arm pair with 3 trials and 2 settings chosen elsewhere"
    assert rival.said == f"3 model{DASH}arm pairs with 4 trials and 26 combinations of weights"


def test_trials_without_a_value_are_counted_as_failed() -> None:
    trials = [Tried({}, 0.4), Tried({}, None), Tried({}, math.nan), Tried({}, 0.1, pruned=True), Tried({}, None)]
    lossy = result("A", ALONE, 0.4, n_nested=1).model_copy(update={"trials": trials})
    assert (lossy.n_trials, lossy.n_failed) == (4, 2)  # the last was no trial of its own
    rival = tally([lossy])["rival"]
    assert rival.said == f"1 model{DASH}arm pair with 4 trials (of which 2 failed) and 1 setting chosen elsewhere"


def tuned(**tuning: float) -> Study:
    return Study(
        name="s",
        title="t",
        datasets={"d": {"source": {"reader": "market"}}},
        models={"ItemKNN": {}, "EASE": {}},
        tuning=tuning,
    )


@pytest.mark.parametrize(
    ("exhausted", "message"),
    [
        ((False, False), "EASE, a member of the rival Together, was tuned with 3 trials, of which 3 gave a value: "),
        ((False, True), "In the last third of 12 trials, ItemKNN, a member of the rival Together, gained 0.0 %."),
        ((True, True), "All 15 settings of ItemKNN and EASE, members of the rival Together, were tried."),
    ],
)
def test_of_an_ensemble_as_rival_the_searches_of_its_members_are_asked(
    exhausted: tuple[bool, bool], message: str
) -> None:
    members = [
        result("ItemKNN", ALONE, 0.3, 12, exhausted=exhausted[0]),
        result("EASE", ALONE, 0.35, 3, exhausted=exhausted[1]),
    ]
    rival = result("Together", ALONE, 0.4, 26, members=[each.pair for each in members])
    assert plateau(tuned(), rival, ModelResult(arms=[*members, rival])).message.startswith(message)


@pytest.mark.parametrize(("n_trials", "most", "by_time"), [(3, 12, True), (8, 8, False), (3, 8, False)])
def test_more_minutes_are_the_remedy_only_where_they_give_more_trials(n_trials: int, most: int, by_time: bool) -> None:
    rival = result("ItemKNN", ALONE, 0.4, n_trials, exhausted=False)
    gate = plateau(tuned(minutes=5, trials=most), rival, ModelResult(arms=[rival]))
    assert ("`tuning.minutes` (from 5)" in gate.remedy) == by_time
    assert ("Set `tuning.trials` to 9 at least." in gate.remedy) == (not by_time)


def test_a_selection_comes_back_from_a_folder(tmp_path: Path) -> None:
    pair = ("A", "both")
    roles = dict.fromkeys(("content", "rival", "shuffled", "untuned", "popularity", "removed", "itself"), pair)
    selection = Selection(**roles | {"itself": None}, sources={"sources": {}}, tried=tally(RESULTS))  # type: ignore[arg-type]
    selection.save(tmp_path)
    assert Selection.load(tmp_path) == selection
