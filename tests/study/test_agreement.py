"""What two parts of a study file cannot both mean is one line that names the key, before anything is read or run."""

from pathlib import Path

import pytest

from recsys.errors import UserError
from recsys.study.file import load_study
from recsys.study.study import Study

TEXT = """
title: T
datasets:
  d:
    source: {reader: market}
    content: {text: {encoder: tfidf_svd}, image: {encoder: visual_descriptors}}
"""
MODELS = "models: {EASE: , ItemKNN: , HybridItemKNN: , BM3@published/baby: }\n"


def read(folder: Path, more: str) -> Study:
    file = folder / "s.yaml"
    file.write_text(TEXT + ("" if "models:" in more else MODELS) + more, encoding="utf-8")
    return load_study(file)


def refusal(folder: Path, more: str) -> str:
    with pytest.raises(UserError) as raised:
        read(folder, more)
    assert "\n" not in str(raised.value)
    return str(raised.value).removeprefix(f"{folder / 's.yaml'}: ")


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("{E: {of: [E]}}", "ensemble 'E' is of 'E', which is an ensemble itself: name models only"),
        ("{E: {of: [F]}, F: {of: [E]}}", "ensemble 'E' is of 'F', which is an ensemble itself"),
        ("{E: {of: [EASE, ease]}}", "ensemble 'E' is of 'ease', which 'models' lacks; did you mean 'EASE'?"),
        ("{E: {of: [EASE, Moon]}}", "ensemble 'E' is of 'Moon', which 'models' lacks (known: EASE, ItemKNN,"),
        ("{E: {of: [EASE, EASE]}}", "ensembles.E.of: name at least one model, and each once"),
        ("{E: {of: []}}", "ensembles.E.of: name at least one model, and each once"),
        ("{E: {of: EASE}}", "ensembles.E.of: write a list, such as [a, b]"),
        ("{E: {of: [EASE], each_source: true}}", "ensemble 'E': no member takes content, so leave 'each_source' out"),
        ("{E: {of: [EASE]}}", "ensemble 'E' is EASE alone: name another model, or let it stand once for each source"),
        ("{E: {of: [EASE, ItemKNN], by: rank}}", "ensembles.E.by: must be 'scores' or 'ranks'"),
        ("{E: {of: [EASE, ItemKNN], weights: [1]}}", "ensembles.E.weights: there is no such key (known: of, by,"),
        ("{topPop: {of: [EASE, ItemKNN]}}", "ensemble 'topPop' has the name of a model: give it another"),
        ("{both: {of: [EASE, ItemKNN]}}", "ensemble 'both' has the name of an arm: give it another"),
        ("{both_removed: {of: [EASE, ItemKNN]}}", "ensemble 'both_removed' has the name of an arm: give it another"),
        ("{noise: {of: [EASE, ItemKNN]}}", "ensemble 'noise' has the name of an arm: give it another"),
        ("{a b: {of: [EASE, ItemKNN]}}", "ensembles: 'a b' cannot be a name: use letters, digits and _"),
        (
            "{Sum: {of: [EASE, ItemKNN]}, sum: {of: [EASE, HybridItemKNN]}}",
            "ensembles: 'Sum' and 'sum' would share files where capitals do not count: rename one",
        ),
        (
            "{BM3_published_baby: {of: [EASE, ItemKNN]}}",
            "ensemble 'BM3_published_baby' would share its files with 'BM3@published/baby': give it another name",
        ),
        ("{A_b: {of: [EASE, ItemKNN]}, A__b: {of: [EASE, ItemKNN]}}", "ensemble 'A__b' would share its files with"),
    ],
)
def test_an_ensemble_is_of_models_and_has_a_name_of_its_own(tmp_path: Path, written: str, line: str) -> None:
    assert refusal(tmp_path, f"ensembles: {written}").startswith(line)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("[]", "models: is empty; write one at least"),
        ("[EASE, EASE]", "models: 'EASE' is named twice"),
        ("[ease]", "models: there is no model 'ease'; did you mean 'EASE'?"),
        ("{EASE: no}", "models.EASE: write a mapping, KEY: VALUE"),
        ("[BM3@]", "models: BM3 has no preset '' (known: published/baby,"),
        ("[bm3@published/baby]", "models: there is no model 'bm3'; did you mean 'BM3'?"),
        (
            "{BM3@published/baby: {learning_rate: [0.1, 0.2]}}",
            "models: BM3@published/baby.learning_rate: a preset is not tuned: write one value",
        ),
        ("{HybridItemKNN: {arms: both}}", "models: HybridItemKNN.arms: write a list of names"),
        ("{HybridItemKNN: {arms: [[both]]}}", "models: HybridItemKNN.arms: write a list of names"),
        (
            "{HybridItemKNN: {arms: [bothh]}}",
            "models.HybridItemKNN.arms: there is no arm 'bothh'; did you mean 'both'?",
        ),
        ("{EASE: {arms: [both]}}", "models.EASE.arms: there is no arm 'both': EASE takes no content"),
        (
            "{HybridItemKNN: {arms: [interactions_only]}}",
            "dataset 'd': its content is shown to no model: name an arm with content",
        ),
        ("{HybridItemKNN: {arms: [shuffled]}}", "dataset 'd': its content is shown to no model"),
    ],
)
def test_a_model_is_named_once_as_its_class_and_its_arms_are_there(tmp_path: Path, written: str, line: str) -> None:
    assert refusal(tmp_path, f"models: {written}\n").startswith(line)


def test_an_arm_of_one_dataset_is_passed_over_in_another(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        TEXT
        + "  e: {source: {reader: market}, content: {text: {encoder: tfidf_svd}, tags: {encoder: attributes}}}\n"
        + "models: {HybridItemKNN: {arms: [text, image]}}\n",
        encoding="utf-8",
    )
    study = load_study(tmp_path / "s.yaml")
    arms = {dataset: [arm.name for arm in study.arms_of(dataset, "HybridItemKNN")] for dataset in study.datasets}
    assert arms == {"d": ["text", "image", "interactions_only"], "e": ["text", "interactions_only"]}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("controls: [noise, noise]", "controls: name each control once"),
        ("controls_of_each: [removed]", "controls_of_each: 'removed' puts nothing in the place of a source"),
        ("evaluation: {ks: [2000]}", "evaluation: lists are 1,000 items long at most: lower 'ks' and 'primary'"),
        ("evaluation: {primary: ndcg_at_2000}", "evaluation: lists are 1,000 items long at most"),
        ("evaluation: {negatives_seed: -1}", "evaluation.negatives_seed: give a number of 0 or more"),
    ],
)
def test_what_would_stop_a_run_hours_later(tmp_path: Path, more: str, line: str) -> None:
    assert refusal(tmp_path, more).startswith(line)


ASKED = "    questions: [{ask: Q, better: text, than: %s}]\n"
ONE_EACH = "models: {HybridItemKNN: {arms: [text]}, AddEASE: {arms: [image]}}\n"


@pytest.mark.parametrize("than", ["image", "both"])
def test_a_question_that_no_model_can_answer_is_refused(tmp_path: Path, than: str) -> None:
    line = f"dataset 'd': question 'Q': no model runs on both 'text' and '{than}': add both to the 'arms' of one"
    assert refusal(tmp_path, ASKED % than + ONE_EACH) == line


@pytest.mark.parametrize("than", ["shuffled", "interactions_only"])
def test_a_question_that_each_model_with_that_source_can_answer(tmp_path: Path, than: str) -> None:
    assert read(tmp_path, ASKED % than + ONE_EACH).datasets["d"].questions[0].than == than


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("{}", "datasets.d.published.rows: is empty; write one at least"),
        ("{EASE: {}}", "datasets.d.published.rows.EASE: is empty; write one at least"),
        ("{EASE: {recall_at_20: .inf}}", "datasets.d.published.rows.EASE.recall_at_20: must be a finite"),
        (
            "{HybridItemKNN (bothh): {recall_at_20: 0.1}}",
            "dataset 'd': published: 'models' has no 'HybridItemKNN (bothh)' to stand beside it; did you mean "
            "'HybridItemKNN (both)'?",
        ),
        ("{EASE (both): {recall_at_20: 0.1}}", "dataset 'd': published: 'models' has no 'EASE (both)'"),
        ("{EASE: {recall_at_20: 0.1}}, doubts: {TopPop: x}", "datasets.d.published: 'doubts' names 'TopPop', which"),
        ("{EASE: {recall_at_20: 0.1}}, table: zhou2025/baby", "datasets.d.published: a known table stands in the"),
    ],
)
def test_every_published_figure_has_one_of_ours_beside_it(tmp_path: Path, rows: str, line: str) -> None:
    text = TEXT.replace("    content:", f"    published: {{source: Somebody 2025, rows: {rows}}}\n    content:")
    (tmp_path / "s.yaml").write_text(text + MODELS, encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_study(tmp_path / "s.yaml")
    assert str(raised.value).removeprefix(f"{tmp_path / 's.yaml'}: ").startswith(line)


def test_figures_of_a_model_as_published_have_its_preset_beside_them(tmp_path: Path) -> None:
    text = TEXT.replace("    content:", "    published: {source: S, rows: {BM3: {recall_at_20: 0.1}}}\n    content:")
    (tmp_path / "s.yaml").write_text(text + MODELS, encoding="utf-8")
    assert load_study(tmp_path / "s.yaml").datasets["d"].published is not None


def test_names_that_some_file_systems_take_for_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(TEXT + "  D: {source: {reader: market}}\n" + MODELS, encoding="utf-8")
    with pytest.raises(UserError, match="datasets: 'd' and 'D' would share files where capitals do not count"):
        load_study(tmp_path / "s.yaml")
