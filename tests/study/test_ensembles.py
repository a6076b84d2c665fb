"""Lists of several models added up: the sums, the choice of weights, and ensembles as rows of a study."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.content.arms import INTERACTIONS_ONLY, Arm, control_arm
from recsys.data.dataset import Dataset
from recsys.engine.runner import CellInputs, CellRunner, Watcher
from recsys.engine.slots import Slots
from recsys.errors import UserError
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking
from recsys.run import run
from recsys.store import Store
from recsys.study.added_lists import SCALES, Added, Scale, best_of, choose
from recsys.study.ensemble_spec import Ensemble
from recsys.study.ensembles import train_ensemble
from recsys.study.results import ArmResult, LeftOutArm, ModelResult
from recsys.tuning.trials import Trial
from tests.orchestration.conftest import TINY, write_study

INF = np.inf


def ranking(items: list[list[int]], scores: list[list[float]]) -> Ranking:
    users = np.arange(len(items), dtype=np.int32)
    return Ranking(users, np.array(items, dtype=np.int32), np.array(scores, dtype=np.float32))


FIRST = ranking([[0, 1, 2], [3, -1, -1]], [[9, 8, 1], [5, -INF, -INF]])
SECOND = ranking([[2, 3, 0], [1, 0, -1]], [[0.3, 0.2, 0.1], [0.4, 0.1, -INF]])


def test_scores_are_brought_to_one_range() -> None:
    lists = Added([FIRST, SECOND], "scores").combine((0.5, 0.5))
    # User 0: item 0 gets 1 and 0, item 1 7/8, item 2 0 and 1, item 3 1/2, each by half.
    np.testing.assert_array_equal(lists.items[0], [0, 2, 1])
    np.testing.assert_allclose(lists.scores[0], [0.5, 0.5, 7 / 16], rtol=1e-6)
    # An item that is listed alone is worth as much as the first of a list.
    np.testing.assert_array_equal(lists.items[1], [1, 3, 0])


def test_ranks_are_added() -> None:
    lists = Added([FIRST, SECOND], "ranks").combine((0.75, 0.25))
    assert lists.scores[0, 0] == pytest.approx(0.75 / 61 + 0.25 / 63)
    np.testing.assert_array_equal(lists.items, [[0, 2, 1], [3, 1, 0]])


@pytest.mark.parametrize("scale", SCALES)
def test_sums_are_those_of_dense_matrices(scale: str) -> None:
    rng = np.random.default_rng(0)
    n_users, n_items, depth = 20, 30, 8
    weights, dense, lists = (0.55, 0.2, 0.25), np.zeros((n_users, n_items)), []
    for weight in weights:
        scores = rng.standard_normal((n_users, n_items)).astype(np.float32)
        order = np.argsort(-scores, axis=1)[:, :depth].astype(np.int32)
        best = np.take_along_axis(scores, order, axis=1)
        # One user has a shorter list than the others.
        order[0, 5:], best[0, 5:] = -1, -INF
        lists.append(Ranking(np.arange(n_users, dtype=np.int32), order, best))
        for user in range(n_users):
            listed = order[user][order[user] >= 0]
            ends = scores[user, listed[0]], scores[user, listed[-1]]
            for place, item in enumerate(listed):
                scaled = max((scores[user, item] - ends[1]) / (ends[0] - ends[1]), 1e-9)
                dense[user, item] += weight * (scaled if scale == "scores" else 1 / (61 + place))
    made = Added(lists, scale).combine(weights)  # type: ignore[arg-type]
    expected = np.argsort(-dense, axis=1, kind="stable")[:, :depth]
    np.testing.assert_allclose(made.scores, np.take_along_axis(dense, expected, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(made.items, expected)


@pytest.mark.parametrize("scale", SCALES)
def test_what_validation_lists_share_with_longer_test_lists_is_worth_the_same(scale: Scale) -> None:
    # Test lists are longer, by as many items as are still to be masked.
    rng, scores = np.random.default_rng(0), np.linspace(2, 1, 130, dtype=np.float32)
    orders = [rng.permutation(130) for _ in range(2)]
    long, short = (
        Added([ranking([order[:n].tolist()], [scores[:n].tolist()]) for order in orders], scale).combine((0.6, 0.4))
        for n in (130, 100)
    )
    np.testing.assert_array_equal(long.items[0, :60], short.items[0, :60])
    np.testing.assert_allclose(long.scores[0, :60], short.scores[0, :60], rtol=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_a_member_alone_keeps_its_lists(scale: str) -> None:
    assert Added([FIRST, SECOND], scale).combine((1.0, 0.0)) is FIRST  # type: ignore[arg-type]
    assert Added([SECOND], scale).combine((1.0,)) is SECOND  # type: ignore[arg-type]


def test_weights_are_chosen_by_taking_in_members() -> None:
    """The items that are held out are 2 and 3 of user 0, by reciprocal rank; ranks alone are added."""

    def value(lists: Ranking) -> float:
        return float(np.isin(lists.items[0, :1], [2]).sum() + 0.5 * (lists.items[0, 1] == 3))

    tried = choose([FIRST, SECOND], value, ("ranks",))
    # Alone the second is right: first 2, then 3. Nothing is better, so it is taken in again and again.
    assert [weights for _, weights in tried][:3] == [(1, 0), (0, 1), (0.5, 0.5)]
    assert best_of(tried) == ("ranks", (0, 1))
    assert tried["ranks", (0, 1)] == 1.5 and tried["ranks", (0.5, 0.5)] == 0
    # Item 2 has .1/63 + .9/61, item 0 has .1/61 + .9/63, which is more than .9/62 of item 3.
    assert tried["ranks", (0.1, 0.9)] == 1 and len(tried) == 11


def test_a_sum_that_is_better_than_its_members_is_found() -> None:
    # Each model has one of two good items first, and both have the other in the second place.
    lists = [ranking([[0, 2, 1]], [[3, 2, 1]]), ranking([[1, 2, 0]], [[3, 2, 1]])]

    def value(made: Ranking) -> float:
        return float(np.isin(made.items[0, :2], [0, 1]).sum())

    tried = choose(lists, value)
    scale, weights = best_of(tried)
    assert tried[scale, weights] == 2 and min(weights) > 0
    assert max(tried[each, (1, 0)] for each in SCALES) == 1


def test_members_are_on_the_arm_of_the_ensemble() -> None:
    both = Arm("both", ("text", "image"))
    shuffled = control_arm(both, "shuffled", name="shuffled")

    def pairs(ensemble: Ensemble, arm: Arm) -> list[tuple[str, str]]:
        return [(each.name, each.arm.name) for each in ensemble.members(arm)]

    together = Ensemble(of=("HybridItemKNN", "EASE"))
    assert pairs(together, both) == [("HybridItemKNN", "both"), ("EASE", INTERACTIONS_ONLY)]
    assert pairs(together, Arm(INTERACTIONS_ONLY)) == [
        ("HybridItemKNN", INTERACTIONS_ONLY),
        ("EASE", INTERACTIONS_ONLY),
    ]
    apart = Ensemble(of=("HybridItemKNN",), each_source=True)
    assert pairs(apart, both) == [("HybridItemKNN text", "text"), ("HybridItemKNN image", "image")]
    assert pairs(apart, shuffled) == [
        ("HybridItemKNN text", "text_shuffled"),
        ("HybridItemKNN image", "image_shuffled"),
    ]
    assert pairs(apart, control_arm(both, "shuffled", ["text"])) == [
        ("HybridItemKNN text", "text_shuffled"),
        ("HybridItemKNN image", "image"),
    ]
    untuned, _ = apart.members(control_arm(both, "shuffled", name="both_shuffled_untuned"))
    assert untuned.arm == control_arm(Arm("text", ("text",)), "shuffled", name="text_shuffled_untuned")
    assert apart.members(Arm("text", ("text",)))[0].arm == Arm("text", ("text",))
    assert together.takes_content and not Ensemble(of=("EASE", "ItemKNN")).takes_content


def dataset(test_items: Sequence[int]) -> Dataset:
    """Forty users of two kinds; what is held out for the test is given."""
    rows = []
    for user in range(40):
        own = [item for item in range(20) if item % 2 == user % 2]
        rows += [(user, own[(user + step) % 10], "train") for step in range(6)]
        rows.append((user, own[(user + 6) % 10], "valid"))
        rows.append((user, test_items[user % len(test_items)], "test"))
    return Dataset(
        interactions=pd.DataFrame(rows, columns=["user", "item", "part"]),
        users=pd.DataFrame({"user_id": np.arange(40).astype(str)}),
        items=pd.DataFrame({"item_id": np.arange(22).astype(str), "title": "", "text": "", "image_path": None}),
        quarantine=pd.DataFrame({"table": [], "row": [], "key": [], "reason": []}),
    )


def trained(folder: Path, data: Dataset) -> tuple[ModelResult, CellRunner]:
    """Two members with one final cell each, and a runner for the ensemble."""
    (folder / "data").mkdir(parents=True)
    data.save(folder / "data")
    arm, results = Arm(INTERACTIONS_ONLY), ModelResult()

    def runner(model: str) -> CellRunner:
        inputs = CellInputs("d", folder / "data", ["v1"], {}, {}, model, Protocol(ks=(5,), primary="ndcg_at_5"))
        return CellRunner(Store(folder / "store"), inputs, Slots(1), Watcher())

    for model, params in (("ItemKNN", {"n_neighbours": 5}), ("TopPop", {})):
        (cell,) = runner(model)([Trial(arm, params, "final")])
        assert cell.valid is not None
        found = ArmResult(
            model=model,
            arm=arm.name,
            sources=(),
            control=None,
            altered=(),
            settings=[params],
            valid=cell.valid,
            valid_by_repeat=[cell.valid],
            content_used=False,
            seeded=False,
            trials=[],
            n_nested=0,
            exhausted=False,
            finals=[cell.fingerprint],
            seconds=1.0,
        )
        results += ModelResult(arms=[found])
    return results, runner("Both")


def test_cells_are_made_once_and_are_as_good_as_the_best_member(tmp_path: Path) -> None:
    results, runner = trained(tmp_path, dataset([20, 21]))
    ensemble, arms = Ensemble(of=("ItemKNN", "TopPop")), [Arm(INTERACTIONS_ONLY)]
    (found,) = train_ensemble("Both", ensemble, arms, results, runner).arms
    assert runner.computed == 1 and list(runner.cells) == found.finals
    assert found.members == [("ItemKNN", INTERACTIONS_ONLY), ("TopPop", INTERACTIONS_ONLY)]
    assert found.valid >= max(each.valid for each in results.arms)
    assert found.valid == max(trial.valid for trial in found.trials if trial.valid is not None)
    assert found.settings == [best.params for best in found.trials if best.valid == found.valid][:1]
    assert train_ensemble("Both", ensemble, arms, results, runner).arms == [found]
    assert runner.computed == 1
    # With the settings of another arm nothing is chosen.
    fixed = [{"by": "ranks", "weights": {"ItemKNN": 0.0, "TopPop": 1.0}}]
    (as_told,) = train_ensemble("Both", ensemble, arms, results, runner, fixed).arms
    assert as_told.settings == fixed and as_told.trials == []
    assert as_told.valid == results.arms[1].valid


def test_an_ensemble_of_one_is_its_member(tmp_path: Path) -> None:
    results, runner = trained(tmp_path, dataset([20, 21]))
    (found,) = train_ensemble("Both", Ensemble(of=("ItemKNN",)), [Arm(INTERACTIONS_ONLY)], results, runner).arms
    assert found.valid == results.arms[0].valid
    store = tmp_path / "store" / "d" / "cells"
    for part in ("valid", "test"):
        ours, theirs = (
            Ranking.load(store / each / f"{part}.safetensors") for each in (found.finals[0], results.arms[0].finals[0])
        )
        np.testing.assert_array_equal(ours.items, theirs.items)
        np.testing.assert_array_equal(ours.scores, theirs.scores)


def test_the_weights_do_not_know_the_test_part(tmp_path: Path) -> None:
    found = []
    for name, items in (("a", [20, 21]), ("b", [21])):
        results, runner = trained(tmp_path / name, dataset(items))
        found += train_ensemble(
            "Both", Ensemble(of=("ItemKNN", "TopPop")), [Arm(INTERACTIONS_ONLY)], results, runner
        ).arms
    assert found[0].trials == found[1].trials and found[0].settings == found[1].settings


def test_where_a_member_is_left_out_so_is_the_ensemble(tmp_path: Path) -> None:
    results, runner = trained(tmp_path, dataset([20, 21]))
    ensemble, arms = Ensemble(of=("ItemKNN", "TopPop")), [Arm(INTERACTIONS_ONLY)]
    none = train_ensemble("Both", ensemble, arms, ModelResult(arms=results.arms[:1]), runner)
    assert none.inapplicable == ["Both is left out, since its member TopPop is"]
    lost = LeftOutArm(model="TopPop", arm=INTERACTIONS_ONLY, reason="no memory", worth_another_try=True)
    (left_out,) = train_ensemble(
        "Both", ensemble, arms, ModelResult(arms=results.arms[:1], left_out=[lost]), runner
    ).left_out
    assert "TopPop" in left_out.reason and left_out.worth_another_try


STUDY = TINY.replace(
    "controls:",
    "ensembles:\n  Together: {of: [HybridItemKNN, ItemKNN], by: scores}\n"
    "  BySource: {of: [HybridItemKNN], each_source: true}\ncontrols:",
)


def test_a_study_runs_its_ensembles_and_their_controls(tmp_path: Path) -> None:
    study = write_study(tmp_path, STUDY)
    assert [arm.name for arm in study.arms_of("tiny", "BySource")] == ["both", "text", "image", INTERACTIONS_ONLY]
    result = run(study, tmp_path / "out", workers=1)["tiny"]
    assert result.results.failures == [] and result.results.inapplicable == []
    together, alone = (result.results.arm((model, "both")) for model in ("Together", "HybridItemKNN"))
    assert together.valid >= alone.valid
    assert together.content_used and together.settings[0]["by"] == "scores"
    assert len({each["model"] for each in result.metrics.to_dict("records")} & {"Together", "BySource"}) == 2
    # Where an ensemble is judged, its controls are those of its members with its weights.
    untuned = [each for each in result.results.arms if each.members and each.arm.endswith("_untuned")]
    for each in untuned:
        real = result.results.arm((each.model, each.arm.removesuffix("_shuffled_untuned")))
        assert each.settings == real.settings
        for pair, member in zip(each.members, real.members, strict=True):
            assert result.results.arm(pair).settings == result.results.arm(member).settings
    assert untuned


@pytest.mark.parametrize(
    ("ensembles", "said"),
    [
        ("{E: {of: [Nobody]}}", "ensemble 'E' is of 'Nobody', which 'models' lacks"),
        ("{EASE: {of: [ItemKNN]}}", "ensemble 'EASE' has the name of a model"),
        ("{E: {of: []}}", "name at least one model"),
        ("{E: {of: [ItemKNN, ItemKNN]}}", "each once"),
        ("{E: {of: [ItemKNN], weights: 1}}", "ensembles.E.weights"),
        ("{'a b': {of: [ItemKNN]}}", "'a b' cannot be a name"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, ensembles: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        write_study(tmp_path, TINY.replace("controls:", f"ensembles: {ensembles}\ncontrols:"))
