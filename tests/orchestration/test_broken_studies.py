"""A study file that cannot be used is named on Dagster's page with its reason, and takes nothing else from it."""

import shutil
from pathlib import Path

import pytest

from orchestration import definitions
from orchestration.definitions import UNREADABLE, build_definitions
from orchestration.settings import Settings
from tests.orchestration.command_line import call, complaint

GOOD = "title: x\ndatasets: {good: {source: {reader: market, n_users: 60, n_items: 40}}}\nmodels: [TopPop]\n"
BROKEN = {
    "no_yaml": ("title: [", "no_yaml.yaml: line 1, column 9 is not YAML"),
    "norway": (GOOD.replace("good:", "no:"), "norway.yaml: line 2: YAML reads the key no as true or false"),
    "my-study": (GOOD, "rename it to my_study.yaml"),
    "same": (GOOD, "same.yaml: studies a_good and same both have a dataset 'good'"),
    "encoder": (
        GOOD.replace("good:", "other:").replace("}}}", "}, content: {t: {encoder: tfidf}}}}"),
        "encoder.yaml: there is no encoder 'tfidf'; did you mean 'tfidf_svd'?",
    ),
    "model": (
        GOOD.replace("TopPop", "TopPopp"),
        "model.yaml: models: there is no model 'TopPopp'; did you mean 'TopPop'?",
    ),
    "a b": (GOOD, "rename it to a_b.yaml"),
    "a:b": (GOOD, "rename it to a_b.yaml"),
    "binary": ("\x00\x01", "binary.yaml: is not YAML"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "a_good.yaml").write_text(GOOD, encoding="utf-8")
    for name, (text, _) in BROKEN.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere")
    return Settings(home=tmp_path / "home", studies=tmp_path)


def test_the_others_load_and_each_broken_one_says_why(settings: Settings) -> None:
    definitions = build_definitions(settings)
    graph = definitions.resolve_asset_graph()
    assert [job.name for job in definitions.resolve_all_job_defs() if job.name.startswith("study_")] == [
        "study_a_good"
    ]
    said = {key: graph.get(key).description or "" for key in graph.get_all_asset_keys() if key.path[-1] == UNREADABLE}
    assert len(said) == len(BROKEN) + 2
    for _, expected in BROKEN.values():
        assert any(expected in line for line in said.values()), expected
    assert {key.path[0] for key in graph.get_all_asset_keys()} - {key.path[0] for key in said} == {"good", "a_good"}


def test_what_nobody_foresaw_takes_one_study_only(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(study: object, settings: object) -> None:
        raise KeyError("unforeseen")

    monkeypatch.setattr(definitions, "study_assets", fail)
    graph = build_definitions(settings).resolve_asset_graph()
    said = [graph.get(key).description or "" for key in graph.get_all_asset_keys()]
    assert any("a_good.yaml: unexpected KeyError: 'unforeseen'" in line for line in said)


def test_a_good_one_is_run_beside_them_and_doctor_names_the_first(settings: Settings) -> None:
    done = call(settings, "run", "a_good", "--select", 'key:"good/dataset"')
    assert done.exit_code == 0, done.stderr
    done = call(settings, "doctor")
    said = " ".join(done.stdout.replace("│", " ").split())
    assert done.exit_code == 2 and f"{len(BROKEN) + 2} study files cannot be used; the first: " in said
    shutil.rmtree(settings.home)


def test_a_dataset_that_another_study_has_too_is_said_before_it_is_run(settings: Settings) -> None:
    said = call(settings, "check", "same").stderr
    assert "! studies same and a_good both have a dataset 'good': the results of the one that is run last" in said
    assert "both have" in call(settings, "run", "same", "--dry-run").stderr
    assert "norway" not in said


def test_a_study_may_end_in_yml_and_has_one_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path)
    (tmp_path / "short.yml").write_text(GOOD, encoding="utf-8")
    assert call(settings, "run", "short", "--select", 'key:"good/dataset"').exit_code == 0
    assert [job.name for job in build_definitions(settings).resolve_all_job_defs()][-1] == "study_short"
    (tmp_path / "short.yaml").write_text(GOOD.replace("good:", "other:"), encoding="utf-8")
    line = complaint(settings, "check", "short")
    assert line == f"{tmp_path / 'short.yaml'} and short.yml are both study 'short': rename one"
    graph = build_definitions(settings).resolve_asset_graph()
    said = [graph.get(key).description or "" for key in graph.get_all_asset_keys() if key.path[-1] == UNREADABLE]
    assert len(said) == 1 and "there are two files of study short" in said[0]


def test_a_study_that_dagsters_page_cannot_show_is_said(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path / "studies")
    (tmp_path / "away.yaml").write_text(GOOD, encoding="utf-8")
    select = ("--select", 'key:"good/dataset"')
    said = call(settings, "run", tmp_path / "away.yaml", *select).stderr
    assert f"away.yaml is not in {settings.studies}, whose studies Dagster's page shows" in said
    settings.studies.mkdir()
    shutil.move(tmp_path / "away.yaml", settings.studies)
    assert "Dagster's page shows" not in call(settings, "run", settings.studies / "away.yaml", *select).stderr
