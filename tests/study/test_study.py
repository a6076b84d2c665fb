"""A study file is read whole, or refused in one line that names the key."""

from pathlib import Path

import pytest

from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.fingerprints import CHECKOUT
from recsys.study.counting import cells_of, cells_of_related
from recsys.study.dataset_spec import ContentSource, DatasetSource, DatasetSpec
from recsys.study.file import load_study
from recsys.study.study import Study

GOOD = """
title: T
datasets:
  d:
    source: {reader: market, seed: 3}
    content:
      text: {encoder: tfidf_svd, dim: 8}
      image: {encoder: visual_descriptors}
      tags: {encoder: attributes, columns: [genres]}
models:
  EASE: {l2: [10, 100]}
  HybridItemKNN: {arms: [both, shuffled]}
"""
SEARCHED = GOOD.replace("EASE: {l2: [10, 100]}", "EASE:")


def write(folder: Path, text: str) -> Path:
    file = folder / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_study(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD))
    assert (study.name, study.datasets["d"].source.options) == ("s", {"seed": 3})
    assert study.params_of("EASE") == {"l2": [10, 100]}
    # A model with content is always compared with itself without it.
    assert [arm.name for arm in study.arms_of("d", "HybridItemKNN")] == ["both", "interactions_only", "shuffled"]
    assert [arm.name for arm in study.arms_of("d", "EASE")] == ["interactions_only"]


@pytest.mark.parametrize(
    ("models", "more", "repeats", "trials"),
    [
        ("EASE: ", "", 5, {"EASE": 30, "HybridItemKNN": 30}),
        ("BPRMF: ", "", 3, {"BPRMF": 10, "HybridItemKNN": 30}),
        ("BPRMF: ", "repeats: 2\ntuning: {trials: 7}", 2, {"BPRMF": 7, "HybridItemKNN": 7}),
        ("EASE: ", "tuning: {minutes: 2}", 5, {"EASE": 500, "HybridItemKNN": 500}),
        ("EASE: ", "tuning: {minutes: 2, trials: }", 5, {"EASE": 500, "HybridItemKNN": 500}),
        ("EASE: ", "tuning: {minutes: }", 5, {"EASE": 30, "HybridItemKNN": 30}),
    ],
)
def test_what_is_not_said_of_repeats_and_trials(
    tmp_path: Path, models: str, more: str, repeats: int, trials: dict[str, int]
) -> None:
    study = load_study(write(tmp_path, GOOD.replace("EASE: {l2: [10, 100]}", models) + more))
    assert study.n_repeats == repeats
    assert {model: study.trials_of(model) for model in study.models} == trials


def test_a_budget_in_minutes_is_said_in_minutes(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD + "tuning: {minutes: 1.5}"))
    assert {study.budget_of(model) for model in study.models} == {"1.5 minutes of tuning"}


def test_trials_beside_minutes_are_the_most(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD + "tuning: {minutes: 1, trials: 200}"))
    assert study.budget == "1 minute (200 trials at most)"


def test_one_trial_is_not_trials(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD + "tuning: {trials: 1}"))
    assert {study.budget, *(study.budget_of(model) for model in study.models)} == {"1 trial"}


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ("  EASE:\n", "30 trials"),
        ("  BM3:\n  BM3@published/sports:\n", "10 trials"),
        ("  EASE:\n  BM3:\n", "30 trials (10 where trained by gradient)"),
        ("  BM3@published/sports:\n", "1 trial"),
    ],
)
def test_the_usual_budget_is_said_of_the_models_that_there_are(tmp_path: Path, models: str, said: str) -> None:
    assert load_study(write(tmp_path, GOOD.partition("  EASE")[0] + models)).budget == said


def test_a_model_as_published_is_a_row_beside_the_tuned_one(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD + "  BM3:\n  BM3@published/sports: {arms: [both]}\n"))
    assert (study.trials_of("BM3"), study.trials_of("BM3@published/sports")) == (10, 1)
    assert (study.budget_of("BM3"), study.budget_of("BM3@published/sports")) == ("10 trials", "the published setting")
    fixed = study.fixed_params_of("BM3@published/sports")
    assert (fixed["norm_weight"], fixed["learning_rate"]) == (0.01, 1e-3)
    assert study.params_of("BM3") == {}
    assert [arm.name for arm in study.arms_of("d", "BM3@published/sports")] == ["both", "interactions_only"]


def test_a_preset_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"s.yaml: models: BM3 has no preset 'moon' \(known: published/baby"):
        load_study(write(tmp_path, GOOD + "  BM3@moon:\n"))


def test_cells_are_counted_with_other_arms_choices_and_later_repeats(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, f"{SEARCHED}repeats: 4\ntuning: {{trials: 6}}"))
    # Trials, then at most three settings in each later repeat, then a final cell a repeat.
    assert cells_of(study, "EASE", 1) == 6 + 3 * 3 + 4
    assert cells_of(study, "HybridItemKNN", 3) == 3 * (6 + 2 + 3 * 3 + 4)
    # Of other arms' choices, a third as many as trials, and three at least.
    assert cells_of(study, "HybridItemKNN", 9) == 9 * (6 + 3 + 3 * 3 + 4)
    # A search of twelve trials that is still finding better settings goes on, up to twice as many.
    longer = study.model_copy(update={"tuning": study.tuning.model_copy(update={"trials": 12})})
    assert cells_of(longer, "EASE", 1) == 24 + 3 * 3 + 4
    assert cells_of(longer, "HybridItemKNN", 9) == 9 * (24 + 8 + 3 * 3 + 4)
    timed = longer.model_copy(update={"tuning": longer.tuning.model_copy(update={"minutes": 1.0})})
    assert cells_of(timed, "EASE", 1) == 12 + 3 * 3 + 4
    # Other arms' choices are no more than an arm's own trials, and of one trial no later repeat chooses.
    single = study.model_copy(update={"tuning": study.tuning.model_copy(update={"trials": 1})})
    assert cells_of(single, "EASE", 1) == 1 + 4
    assert cells_of(single, "HybridItemKNN", 9) == 9 * (1 + 1 + 4)
    assert cells_of(timed, "HybridItemKNN", 3, trials=2) == 3 * (2 + 2 + 3 * 2 + 4)
    # What arms trained before chose comes on top, as often as what these arms choose.
    assert cells_of(study, "HybridItemKNN", 2, n_also=2) == 2 * (6 + 1 + 2 + 3 * 3 + 4)
    assert cells_of(study, "HybridItemKNN", 9, n_also=9) == 9 * (6 + 3 + 3 + 3 * 3 + 4)


@pytest.mark.parametrize("budget", ["trials: 30", "minutes: 1"])
@pytest.mark.parametrize(
    ("model", "cells"),
    [
        ("TopPop:", 1 + 4),
        ("EASE: {l2: 100}", 1 + 4),
        ("EASE: {l2: [10, 100]}", 2 + 3 * 2 + 4),
        ("BM3@published/sports: {arms: [both]}", 2 * (1 + 4)),
    ],
)
def test_no_more_trials_are_counted_than_there_are_settings(
    tmp_path: Path, budget: str, model: str, cells: int
) -> None:
    text = GOOD.partition("  EASE")[0] + f"  {model}\nrepeats: 4\ntuning: {{{budget}}}"
    study = load_study(write(tmp_path, text))
    row = next(iter(study.models))
    assert cells_of(study, row, len(study.arms_of("d", row))) == cells


def test_cells_of_what_related_models_chose_are_counted_beside(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, f"{GOOD}repeats: 4\ntuning: {{trials: 6}}"))
    assert cells_of_related(study, "EASE", 1) == 0
    both = study.model_copy(update={"models": {"ItemKNN": {}, "HybridItemKNN": {}}})
    assert cells_of_related(both, "HybridItemKNN", 3) == 3 * (3 + 3 * 3 + 4)
    assert cells_of_related(both, "HybridItemKNN", 3, trials=1) == 3 * (1 + 3 * 1 + 4)


def test_the_arms_of_a_dataset(tmp_path: Path) -> None:
    spec = load_study(write(tmp_path, GOOD)).datasets["d"]
    arms = {arm.name: arm for arm in spec.arms(("shuffled", "constant"))}
    assert list(arms) == ["both", "text", "image", "tags", "interactions_only", "shuffled", "constant"]
    assert arms["both"].sources == arms["shuffled"].sources == ("text", "image")
    assert arms["shuffled"].altered == ("text", "image")


def test_a_single_source_is_its_own_fused_arm() -> None:
    spec = DatasetSpec.model_validate({"source": {"reader": "market"}, "content": {"text": {"encoder": "tfidf_svd"}}})
    assert [arm.name for arm in spec.arms(("shuffled",))] == ["text", "interactions_only", "shuffled"]


SAME, BETTER = "{ask: a, better: text, than: text}", "{ask: a, better: text, than: image}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: [", "s.yaml: line 1, column 9 is not YAML: "),
        (
            GOOD.replace("title:", "title: [a]\nquestion:", 1),
            "s.yaml: title: write text, in quotes where YAML reads it",
        ),
        ("- 1", "s.yaml: holds no study; a study is a mapping with title, datasets and models"),
        (GOOD.replace("title: T", ""), "s.yaml: title: this key is missing; write it"),
        (
            GOOD + "seeds: 3",
            "s.yaml: 'seeds' is now 'repeats': each repeat has its own split, tuning, training and permutations",
        ),
        (GOOD + "repeats: 0", "s.yaml: repeats: must be 1 or more"),
        (GOOD + "colour: red", "s.yaml: colour: there is no such key (known: title, question, datasets, models,"),
        (GOOD + "tuning: {minute: 5}", "s.yaml: tuning.minute: there is no such key; did you mean 'minutes'?"),
        (
            GOOD.replace("    content:", "    split: {protocl: ratio}\n    content:"),
            "s.yaml: datasets.d.split.protocl: there is no such key; did you mean 'protocol'?",
        ),
        (GOOD + "controls: shuffled", "s.yaml: controls: write a list, such as [a, b]"),
        (GOOD + "tuning:", "s.yaml: tuning: is empty; write a mapping, KEY: VALUE, or leave it out"),
        (GOOD.replace("title: T", "title: ''"), "s.yaml: title: must have at least 1 character"),
        ("title: T\ndatasets:\nmodels: [EASE]", "s.yaml: datasets: is empty; write a mapping, KEY: VALUE"),
        (GOOD + "tuning: {trials: nine}", "s.yaml: tuning.trials: must be a whole number, not 'nine'"),
        (GOOD + "tuning: {trials: 1.5}", "s.yaml: tuning.trials: must be a whole number, not 1.5"),
        (GOOD + "tuning: {prune: maybe}", "s.yaml: tuning.prune: must be true or false, not 'maybe'"),
        (GOOD + "controls: [shufled]", "'removed', not 'shufled'; did you mean 'shuffled'?"),
        (GOOD.replace("content:", "split: {protocol: time}\n    content:"), "'fixed', not 'time'"),
        (GOOD + "tuning: {seed: -1}", "s.yaml: tuning.seed: must be 0 or more"),
        (GOOD + "tuning: {minutes: 2, trials: 0}", "s.yaml: tuning.trials: must be 1 or more"),
        (GOOD + "tuning: {minutes: .inf}", "s.yaml: tuning.minutes: must be a finite number"),
        (GOOD.replace("EASE", "EASY"), "s.yaml: models: there is no model 'EASY'; did you mean 'EASE'?"),
        (GOOD.replace("  d:", "  a-b:"), "s.yaml: datasets: 'a-b' cannot be a name: use letters, digits and _"),
        (GOOD + "evaluation: {primary: gain_at_3}", "s.yaml: evaluation.primary: unknown metric 'gain_at_3'"),
        (
            GOOD.replace("encoder: tfidf_svd", "corpus: c, encoder: tfidf_svd"),
            "s.yaml: datasets.d: content 'text' names corpus 'c', which 'descriptions' lacks (known: none)",
        ),
        (
            GOOD.replace("content:", "both: [taste]\n    content:"),
            "'both' names 'taste', which 'content' lacks; did",
        ),
        (GOOD.replace("content:", "both: []\n    content:"), "datasets.d.both: is empty; write one at least"),
        (
            GOOD.replace("content:", "split: {protocol: leave_one_out, test: 0.2}\n    content:"),
            "datasets.d.split: 'test' has no effect where the protocol is 'leave_one_out': leave it out",
        ),
        (GOOD.replace("content:", f"questions: [{SAME}]\n    content:"), "compares 'text' with itself: name two arms"),
        (
            GOOD.replace("content:", f"questions: [{BETTER}, {BETTER}]\n    content:"),
            "datasets.d: two questions compare 'text' with 'image': ask once",
        ),
        (
            GOOD.replace("content:", "published: {source: x, rows: {EASE: {recall_at_10: 8}}}\n    content:"),
            "published: EASE: recall_at_10 is at most 1, not 8: write .08 for 8 %",
        ),
        (GOOD.replace("content:", "both: [text, text]\n    content:"), "datasets.d: 'both' names a source twice"),
    ],
)
def test_a_wrong_study_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        load_study(write(tmp_path, text))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


PUBLISHED = GOOD.replace(
    "    content:", "    published: {source: Somebody 2025, rows: {EASE: {recall_at_10: 0.05}}}\n    content:"
)


def test_published_figures_can_stand_beside_ours(tmp_path: Path) -> None:
    published = load_study(write(tmp_path, PUBLISHED)).datasets["d"].published
    assert published is not None
    assert (published.source, published.rows) == ("Somebody 2025", {"EASE": {"recall_at_10": 0.05}})


def test_controls_of_one_source_leave_the_others_as_they_are(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD + "controls_of_each: [noise]\n"))
    arms = {arm.name: arm for arm in study.datasets["d"].arms(study.controls, study.controls_of_each)}
    assert (arms["both_text_noise"].sources, arms["both_text_noise"].altered) == (("text", "image"), ("text",))
    assert arms["both_image_noise"].control == "noise"


def test_a_known_table_of_published_figures_can_be_named(tmp_path: Path) -> None:
    text = GOOD.replace("    content:", "    published: zhou2025/baby\n    content:")
    published = load_study(write(tmp_path, text)).datasets["d"].published
    assert published is not None
    assert published.rows["ItemKNN"]["recall_at_20"] == 0.0830
    with pytest.raises(UserError, match="datasets.d.published: there are no published figures 'zhou2025/moon'"):
        load_study(write(tmp_path, text.replace("zhou2025/baby", "zhou2025/moon")))


AUTOMATIC = ["text_shuffled", "text_removed", "image_popularity", "text_shuffled_untuned", "both_text_shuffled"]
"""Names of arms that no study lists: the verdict makes them."""


@pytest.mark.parametrize(
    "name", [*AUTOMATIC, "both", "shuffled", "interactions_only", "popularity", "both_image_noise"]
)
def test_content_does_not_take_the_name_of_an_arm(tmp_path: Path, name: str) -> None:
    text = GOOD.replace("    content:\n", f"    content:\n      {name}: {{encoder: color_histogram}}\n")
    with pytest.raises(UserError, match=f"dataset 'd': content '{name}' has the name of an arm; call it otherwise"):
        load_study(write(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{EASE:", "{ItemKNN:", "dataset 'd': published: 'models' has no 'ItemKNN' to stand beside it"),
        (
            "recall_at_10",
            "recall_at_7",
            "published: EASE: 'recall_at_7' is not measured; write METRIC_at_K with a K of",
        ),
        ("0.05", "0", "s.yaml: datasets.d.published.rows.EASE.recall_at_10: must be greater than 0"),
        ("source: Somebody 2025, ", "", "s.yaml: datasets.d.published.source: this key is missing; write it"),
    ],
)
def test_published_figures_without_ours_are_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        load_study(write(tmp_path, PUBLISHED.replace(old, new)))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_or_binary_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere.yaml: cannot be read"):
        load_study(tmp_path / "nowhere.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="b.yaml: is not a text file"):
        load_study(tmp_path / "b.yaml")


def test_a_folder_is_looked_for_where_data_are(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert Settings(data=tmp_path).locate("here", "dataset d") == tmp_path / "here"
    with pytest.raises(UserError, match="^dataset d: 'gone' is not there .*; set MODALIFT_DATA to the folder"):
        Settings(data=None).locate("gone", "dataset d")


def test_only_the_files_that_a_source_names_count_as_its_data(tmp_path: Path) -> None:
    for name in ("orders.csv", "items.csv", "else.csv"):
        (tmp_path / name).touch()
    named = DatasetSource(reader="table", folder="x", interactions="orders.csv", items="items.csv", user_column="user")  # type: ignore[call-arg]
    assert named.places(tmp_path) == [tmp_path / "orders.csv", tmp_path / "items.csv"]
    pictured = named.model_copy(update={"image_column": "picture"})
    assert pictured.places(tmp_path) == [tmp_path]
    (tmp_path / "photos").mkdir()
    assert pictured.model_copy(update={"images": "photos"}).places(tmp_path) == [
        *named.places(tmp_path),
        tmp_path / "photos",
    ]
    assert DatasetSource(reader="inter", folder="x").places(tmp_path) == [tmp_path]
    content = ContentSource(encoder="matrix_file", file="orders.csv", ids_file="items.csv", dim=3)  # type: ignore[call-arg]
    assert content.places(tmp_path) == [tmp_path / "orders.csv", tmp_path / "items.csv"]
    assert ContentSource(encoder="tfidf_svd").places(tmp_path) == []
    words = ContentSource(encoder="instructed", instruction="Represent the product. " * 20, model="a/b")  # type: ignore[call-arg]
    assert words.places(tmp_path) == []


@pytest.mark.parametrize("file", sorted((CHECKOUT / "studies").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_study_that_ships_can_be_read(file: Path) -> None:
    assert isinstance(load_study(file), Study)
