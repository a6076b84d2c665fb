"""The controls of a choice: which are trained, with which settings, and what is done where they cannot be."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import UserError
from recsys.evidence.scores import Pair
from recsys.models import registry
from recsys.study.controls import select_with_controls
from recsys.study.counting import cells_of_controls
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.judgement import _asked
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Study
from recsys.tuning.trials import Trial
from tests.orchestration.conftest import write_study
from tests.study.fakes import Trainer, Value

STUDY = """
title: Controls
datasets:
  d:
    source: {reader: market}
    descriptions:
      asked: {model: market_describer, prompt: market_fields}
    content:
      text: {encoder: tfidf_svd}
      image: {encoder: visual_descriptors}
      lvlm: {encoder: keywords, corpus: asked}
models: [ItemKNN, HybridItemKNN, AttributeItemKNN]
controls: [shuffled]
tuning: {trials: 4}
repeats: 3
"""
BASE: dict[Pair, float] = {
    ("HybridItemKNN", "both"): 0.5,
    ("HybridItemKNN", "text+image+lvlm"): 0.6,
    ("HybridItemKNN", "text"): 0.42,
    ("HybridItemKNN", "image"): 0.44,
    ("HybridItemKNN", "lvlm"): 0.43,
    ("HybridItemKNN", "interactions_only"): 0.31,
    ("AttributeItemKNN", "both"): 0.45,
    ("AttributeItemKNN", "image"): 0.46,
    ("ItemKNN", "interactions_only"): 0.32,
}
ROLES = ("content", "rival", "shuffled", "untuned", "popularity", "removed", "itself")


def worth(model: str, trial: Trial) -> float:
    """What an arm is worth, and a little that depends on setting and repeat."""
    drawn = hashlib.sha256(f"{model} {trial.params} {trial.repeat}".encode()).digest()[0] / 256
    return BASE.get((model, trial.arm.name), 0.2) + 0.01 * drawn


def failing(fails: Callable[[str, Trial], bool], value: Value = worth) -> Value:
    return lambda model, trial: None if fails(model, trial) else value(model, trial)


def kin(*models: str) -> Callable[[str], frozenset[str]]:
    """Relatives of each of some models: the others."""
    return lambda model: frozenset(models) - {model} if model in models else frozenset()


@pytest.fixture(autouse=True)
def _nobody_is_related(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "related", kin())


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return write_study(tmp_path, STUDY)


def selected(study: Study, value: Value = worth) -> tuple[Selection, ModelResult, ModelResult, Trainer]:
    """The choice, what was trained for it, what was trained before it, and who trained it."""
    trainer = Trainer(study, value)
    before = trainer.models("d")
    selection, made = select_with_controls(study, "d", before, trainer.train)
    return selection, made, before, trainer


def find(pair: Pair | None, *results: ModelResult) -> ArmResult:
    assert pair is not None
    return next(found for each in results if (found := each.find(pair)))


def tried(result: ArmResult) -> list[dict[str, Any]]:
    return [trial.params for trial in result.trials]


def test_the_best_content_model_is_compared_with_all_that_could_explain_its_lift(study: Study) -> None:
    selection, made, _, _ = selected(study)
    assert {role: getattr(selection, role) for role in ROLES} == {
        "content": ("HybridItemKNN", "both"),
        "rival": ("ItemKNN", "interactions_only"),
        "shuffled": ("HybridItemKNN", "shuffled"),
        "untuned": ("HybridItemKNN", "both_shuffled_untuned"),
        "popularity": ("HybridItemKNN", "both_popularity"),
        "removed": ("HybridItemKNN", "both_removed"),
        "itself": ("HybridItemKNN", "interactions_only"),
    }
    assert made.left_out == []
    controls = {arm.pair: arm.control for arm in made.arms}
    assert controls[selection.untuned] == "shuffled"
    assert controls[selection.popularity] == "popularity" and controls[selection.removed] == "removed"  # type: ignore[index]


def test_what_is_trained_after_the_models_says_what_for(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "related", kin("ItemKNN", "HybridItemKNN"))
    stages = selected(study)[3].stages
    assert {"settings of related models", "needed for the verdict", "settings of both"} <= set(stages)
    assert all(stages)


@pytest.mark.parametrize("trials", [1, 2, 4, 12])
@pytest.mark.parametrize(
    "models", ["[ItemKNN, HybridItemKNN, AttributeItemKNN]", "{HybridItemKNN: {shrink: [1, 2, 3]}}"]
)
def test_no_more_cells_are_trained_than_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: int, models: str
) -> None:
    """Controls try what all arms of their model chose, not only what the other controls did."""
    monkeypatch.setattr(registry, "related", kin("ItemKNN", "HybridItemKNN"))
    text = STUDY.replace("trials: 4", f"trials: {trials}")
    study = write_study(tmp_path, text.replace("[ItemKNN, HybridItemKNN, AttributeItemKNN]", models))
    counts = selected(study)[3].counts
    assert all(n_cells <= most for _, n_cells, most in counts)
    assert sum(n_cells for _, n_cells, _ in counts) <= cells_of_controls(study, "d")


def test_a_control_that_is_not_tuned_has_the_settings_of_each_repeat(study: Study) -> None:
    selection, made, before, trainer = selected(study)
    content = find(selection.content, made, before)
    assert len({str(params) for params in content.settings}) > 1
    for role in ("untuned", "removed"):
        control = find(getattr(selection, role), made)
        assert control.settings == content.settings and control.trials == []
        asked = [trial for model, trial in trainer.asked if (model, trial.arm.name) == control.pair]
        assert [(trial.stage, trial.repeat, trial.params) for trial in asked] == [
            ("final", repeat, params) for repeat, params in enumerate(content.settings, start=1)
        ]
    for source, pairs in selection.sources.sources.items():
        own, untuned = find(pairs.own, made, before), find(pairs.own_untuned, made)
        assert untuned.settings == own.settings and untuned.sources == (source,)


def test_a_control_that_is_tuned_is_tried_with_what_the_models_other_arms_chose(study: Study) -> None:
    trainer = Trainer(study, worth)
    before = trainer.models("d")
    content = before.find(("HybridItemKNN", "both"))
    assert content is not None
    chosen = {**content.params, "n_neighbours": 137}
    known = ModelResult(arms=[content.model_copy(update={"settings": [chosen] * 3})])
    selection, made = select_with_controls(study, "d", before.updated(known), trainer.train)
    for pair in (selection.popularity, ("HybridItemKNN", "text_shuffled")):
        control = find(pair, made)
        # The best arm's choice comes first.
        assert len(control.trials) - control.n_nested == 4
        assert control.trials[4].params == chosen


def test_each_source_is_judged_alone_and_added_last(study: Study) -> None:
    selection, _, _, _ = selected(study)
    image = selection.sources.sources["image"]
    assert list(selection.sources.sources) == ["text", "image", "lvlm"]
    assert image.own == ("AttributeItemKNN", "image")
    assert image.own_shuffled == ("AttributeItemKNN", "image_shuffled")
    assert image.own_untuned == ("AttributeItemKNN", "image_shuffled_untuned")
    # Of three sources all are shown together, whatever `both` is.
    assert image.full == ("HybridItemKNN", "text+image+lvlm")
    assert image.full_altered in {("HybridItemKNN", arm) for arm in ("text+lvlm", "text+image+lvlm_image_shuffled")}


def test_all_subsets_of_few_sources_are_trained_on_one_model(study: Study) -> None:
    selection, made, before, _ = selected(study)
    subsets = selection.sources.subsets
    assert set(subsets) == {"", "text", "image", "lvlm", "text+image", "text+lvlm", "image+lvlm", "text+image+lvlm"}
    assert subsets["text+image"] == selection.content and subsets[""] == selection.itself
    for name, pair in subsets.items():
        arm = find(pair, made, before)
        assert pair[0] == "HybridItemKNN" and arm.control is None
        assert set(arm.sources) == {*filter(None, name.split("+"))}


def test_sources_that_read_the_same_are_a_group(study: Study) -> None:
    selection, made, _, _ = selected(study)
    groups = {group.sources: group for group in selection.sources.groups}
    # The model that wrote the descriptions was shown the image.
    assert set(groups) == {("image", "lvlm")}
    assert find(("HybridItemKNN", "text+image+lvlm_image_lvlm_shuffled"), made).altered == ("image", "lvlm")
    # The text alone is worth more than all with the two shuffled.
    assert groups["image", "lvlm"].full_altered == ("HybridItemKNN", "text")


def test_sources_whose_own_shuffle_costs_nothing_are_a_group(study: Study) -> None:
    def value(model: str, trial: Trial) -> float:
        idle = trial.arm.sources == ("text", "image", "lvlm") and trial.arm.altered in ((), ("text",), ("image",))
        return 0.6 if idle else worth(model, trial)

    selection, _, _, _ = selected(study, value)
    # Nor is the third missed much: text and image are worth 0.5, all three 0.6, and none 0.31.
    assert {group.sources for group in selection.sources.groups} == {("image", "lvlm"), ("text", "image", "lvlm")}


@pytest.mark.parametrize(("left_out", "altered"), [(0.4, "text+lvlm"), (0.1, "text+image+lvlm_image_shuffled")])
def test_a_source_is_taken_away_in_the_way_that_costs_less(study: Study, left_out: float, altered: str) -> None:
    def value(model: str, trial: Trial) -> float:
        return left_out if trial.arm.name == "text+lvlm" else worth(model, trial)

    selection, _, _, _ = selected(study, value)
    assert selection.sources.sources["image"].full_altered == ("HybridItemKNN", altered)


def test_of_many_sources_only_the_raw_and_each_other_one_are_shown_together(tmp_path: Path) -> None:
    more = "      lvlm: {encoder: keywords, corpus: asked}\n"
    extra = "".join(more.replace("lvlm", name) for name in ("lvlm", "words", "tags"))
    selection, _, _, _ = selected(write_study(tmp_path, STUDY.replace(more, extra)))
    assert selection.sources.subsets == {} and selection.sources.groups == []
    full = {source: pairs.full for source, pairs in selection.sources.sources.items()}
    assert full["image"] == ("HybridItemKNN", "both") and full["tags"] == ("HybridItemKNN", "text+image+tags")


def test_sources_are_shown_together_although_the_study_lists_no_such_arm(tmp_path: Path) -> None:
    listed = STUDY.replace(
        "[ItemKNN, HybridItemKNN, AttributeItemKNN]", "{ItemKNN: , HybridItemKNN: {arms: [image, text, shuffled]}}"
    )
    selection, made, _, _ = selected(write_study(tmp_path, listed))
    assert selection.content == ("HybridItemKNN", "image")
    # Of the third no arm was listed either: the model that is shown all of them is shown it alone.
    assert list(selection.sources.sources) == ["text", "image", "lvlm"]
    assert selection.sources.sources["lvlm"].own == ("HybridItemKNN", "lvlm")
    assert find(selection.sources.sources["lvlm"].own_shuffled, made).altered == ("lvlm",)
    for source, pairs in selection.sources.sources.items():
        assert find(pairs.full, made).sources == ("text", "image", "lvlm")
        altered = find(pairs.full_altered, made)
        assert altered.control == "shuffled" or source not in altered.sources
    assert set(selection.sources.subsets) >= {"", "lvlm", "text+image+lvlm"}


def test_one_source_has_no_others_to_be_added_to(tmp_path: Path) -> None:
    text = STUDY.replace("      text: {encoder: tfidf_svd}\n", "")
    text = text.replace("      lvlm: {encoder: keywords, corpus: asked}\n", "")
    selection, _, _, _ = selected(write_study(tmp_path, text))
    assert selection.shuffled[1] in ("shuffled", "image_shuffled")
    assert selection.sources.sources["image"].full is None
    assert selection.sources.subsets == {} and selection.sources.groups == []


def test_what_was_trained_before_is_not_trained_again(study: Study) -> None:
    _, made, before, _ = selected(study)
    assert not {arm.pair for arm in made.arms} & {arm.pair for arm in before.arms}


def test_the_next_best_is_compared_where_a_control_fails(study: Study) -> None:
    for control in ("shuffled", "both_shuffled_untuned", "both_popularity"):
        selection, made, _, _ = selected(
            study,
            failing(lambda model, trial, c=control: (model, trial.arm.name) == ("HybridItemKNN", c)),  # type: ignore[misc]
        )
        assert selection.content == ("AttributeItemKNN", "image")
        assert selection.shuffled == ("AttributeItemKNN", "image_shuffled")
        assert ("HybridItemKNN", control) in {(each.model, each.arm) for each in made.left_out}


def test_removed_content_that_cannot_be_trained_stops_nothing(study: Study) -> None:
    selection, _, _, _ = selected(study, failing(lambda _, trial: trial.arm.control == "removed"))
    assert selection.content == ("HybridItemKNN", "both") and selection.removed is None


def test_without_any_control_there_is_nothing_to_compare(study: Study) -> None:
    with pytest.raises(UserError, match="dataset d: no model on content could be trained"):
        selected(study, failing(lambda _, trial: trial.arm.control is not None))


def test_a_source_whose_controls_cannot_be_trained_is_not_judged(study: Study) -> None:
    selection, _, _, _ = selected(study, failing(lambda _, trial: trial.arm.name == "lvlm_shuffled"))
    assert list(selection.sources.sources) == ["text", "image"]


def test_a_question_about_a_source_has_no_other_arms_control(study: Study) -> None:
    asked = {"ask": "Does it say anything?", "better": "lvlm", "than": "shuffled"}
    spec = DatasetSpec.model_validate(study.datasets["d"].model_dump() | {"questions": [asked]})
    known = [("HybridItemKNN", arm) for arm in ("both", "lvlm", "shuffled", "lvlm_shuffled")]
    judged, *_ = selected(study)
    (question,) = _asked(spec, judged, known)
    assert question.better == [("HybridItemKNN", "lvlm")] and question.than == [("HybridItemKNN", "lvlm_shuffled")]
    unjudged, *_ = selected(study, failing(lambda _, trial: trial.arm.name == "lvlm_shuffled"))
    (question,) = _asked(spec, unjudged, known)
    assert not question.than


def test_an_arm_whose_new_setting_fails_stands_at_its_old_one(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    lucky = 137

    def value(model: str, trial: Trial) -> float | None:
        found = trial.params["n_neighbours"] == lucky
        if found and model == "ItemKNN" and trial.stage == "final":
            return None
        return worth(model, trial) + 0.3 * found

    models = {**study.models, "HybridItemKNN": {"n_neighbours": [20, lucky]}}
    monkeypatch.setattr(registry, "related", kin("ItemKNN", "HybridItemKNN"))
    _, made, before, _ = selected(study.model_copy(update={"models": models}), value)
    pair = ("ItemKNN", "interactions_only")
    assert find(pair, made).settings == find(pair, before).settings
    assert not [each for each in made.left_out if each.model == "ItemKNN"]


def test_what_a_relative_chose_is_tried_before_the_choice_is_made(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    lucky = 137

    def value(model: str, trial: Trial) -> float:
        # The hybrid alone is lucky: its search finds what makes any model good.
        return worth(model, trial) + (0.3 if trial.params["n_neighbours"] == lucky else 0.0)

    text = {**study.models, "HybridItemKNN": {"n_neighbours": [20, lucky]}}
    study = study.model_copy(update={"models": text})
    unlucky, *_ = selected(study, value)
    assert unlucky.rival == ("HybridItemKNN", "interactions_only")
    monkeypatch.setattr(registry, "related", kin("ItemKNN", "HybridItemKNN"))
    selection, made, before, _ = selected(study, value)
    assert selection.rival == ("ItemKNN", "interactions_only")
    old, new = before.find(selection.rival), made.find(selection.rival)
    assert old is not None and new is not None
    assert new.trials[: len(old.trials)] == old.trials and new.n_nested > old.n_nested
    assert {params["n_neighbours"] for params in new.settings} == {lucky} != {old.params["n_neighbours"]}
    # Nobody else has relatives.
    assert made.find(("AttributeItemKNN", "both")) is None


def test_a_verdict_depends_on_no_order_of_models(study: Study) -> None:
    turned = study.model_copy(update={"models": dict(reversed(study.models.items()))})
    assert selected(turned)[0] == selected(study)[0]


def names(results: Sequence[ArmResult]) -> list[str]:
    return [each.arm for each in results]


def test_interactions_only_runs_whatever_arms_a_study_lists(tmp_path: Path) -> None:
    listed = STUDY.replace(
        "[ItemKNN, HybridItemKNN, AttributeItemKNN]", "{ItemKNN: , HybridItemKNN: {arms: [both, text]}}"
    )
    selection, _, before, _ = selected(write_study(tmp_path, listed))
    assert names(before.arms) == ["interactions_only", "both", "text", "interactions_only"]
    assert selection.itself == ("HybridItemKNN", "interactions_only")
