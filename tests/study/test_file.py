"""What people write in a study file: each mistake is one line that names the file, and nothing is lost in silence."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import UserError
from recsys.study.file import load_study

STUDY = "title: x\ndatasets:\n  {name}:\n    source: {{reader: market}}\nmodels: [TopPop]\n"


def refusal(folder: Path, text: str, name: str = "study.yaml") -> str:
    file = folder / name
    file.write_bytes(text.encode())
    with pytest.raises(UserError) as raised:
        load_study(file)
    line = str(raised.value)
    assert line.startswith(f"{file}: ")
    return line.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        *((name, "true or false") for name in ("no", "NO", "on", "yes", "true")),
        *((name, "empty") for name in ("null", "Null", "~")),
        *((name, "a number") for name in ("12", "1_000", ".inf", "0x1f")),
        ("2024-01-31", "a date"),
    ],
)
def test_a_key_that_yaml_does_not_read_as_text_is_named_with_its_line(name: str, read_as: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, STUDY.format(name=name))
    assert said == f"line 3: YAML reads the key {name} as {read_as}; put it in quotes: '{name}'"


def test_in_quotes_it_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.format(name="'no'"), encoding="utf-8")
    assert list(load_study(tmp_path / "study.yaml").datasets) == ["no"]


def test_a_value_that_yaml_does_not_read_as_text_is_explained(tmp_path: Path) -> None:
    for written, read_as in (("no", "false"), ("12", "the number 12"), ("", "empty")):
        said = refusal(tmp_path, STUDY.format(name="a").replace("title: x", f"title: {written}"))
        assert said.startswith("title: ") and said.endswith(
            f"YAML reads what is written there as {read_as}, unless it is in quotes"
        )
    assert "a value cannot be read" in refusal(tmp_path, STUDY.format(name="a").replace("x", "2024-13-45"))


@pytest.mark.parametrize(
    ("written", "text"), [("2023", "2023"), ("2024-01-31", "2024-01-31"), ("'1996 on'", "1996 on")]
)
def test_a_year_or_a_day_is_text_where_it_dates_the_data(written: str, text: str, tmp_path: Path) -> None:
    study = STUDY.format(name="a").replace(
        "{reader: market}", f"{{reader: market}}\n    scenario: {{date_of_data: {written}}}"
    )
    (tmp_path / "study.yaml").write_text(study, encoding="utf-8")
    assert load_study(tmp_path / "study.yaml").datasets["a"].scenario.date_of_data == text


def test_equal_keys_are_refused_where_yaml_keeps_the_last(tmp_path: Path) -> None:
    said = refusal(tmp_path, STUDY.format(name="a") + "models: [EASE]\n")
    assert said == "line 6: the key 'models' stands in line 5 already; remove or rename one of the two"


@pytest.mark.parametrize("name", ["my-study", "a b", "x.y", "ü", "[red]", "a%20b", "q?", "-x", "a:b", "n" * 61])
def test_a_file_whose_name_can_be_no_study_is_told_another(name: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, STUDY.format(name="a"), f"{name}.yaml")
    proposed = said.rpartition("rename it to ")[2]
    (tmp_path / proposed).write_text(STUDY.format(name="a"), encoding="utf-8")
    assert load_study(tmp_path / proposed).name == proposed.removesuffix(".yaml")


@pytest.mark.parametrize("name", ["a b", "a/b", "1a", "é", "a" * 61, "[x]"])
def test_names_that_become_folders_and_assets_are_letters_digits_and_underscores(name: str, tmp_path: Path) -> None:
    assert "cannot be a name" in refusal(tmp_path, STUDY.format(name=f"'{name}'"))


@pytest.mark.parametrize(
    "text", ["", "[]", "x", "\x00", "- " * 2000, "{" * 2000, "&a [*a]", "a: &x {b: *x}", "%YAML 3.0"]
)
def test_what_is_no_study_is_one_line(text: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text)


PARTS = """title datasets models source reader market content encoder tfidf_svd no null 12 2024-13-45 : , - ? & * ! | >
' " { } [ ] # % @ ` << <<: &a *a !!binary !!set !!python/name:os TopPop repeats arms both split"""
WORDS = st.sampled_from([*PARTS.split(), "\n", "\n  ", "\t"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "title",
        "question",
        "datasets",
        "models",
        "controls",
        "evaluation",
        "tuning",
        "statistics",
        "repeats",
        "seeds",
        "q",
    ]
)


def reads_or_says_one_line(folder: Path, text: str) -> None:
    file = folder / "fuzzed.yaml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        load_study(file)
    except UserError as error:
        assert str(file) in str(error)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_study_or_one_line(text: str, tmp_path: Path) -> None:
    reads_or_says_one_line(tmp_path, text)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.dictionaries(KEYS, VALUES, max_size=3))
def test_any_value_is_taken_or_one_line(changed: dict[str, object], tmp_path: Path) -> None:
    whole = yaml.safe_load(STUDY.format(name="a")) | changed
    reads_or_says_one_line(tmp_path, yaml.safe_dump(whole, allow_unicode=True))


def test_a_page_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "first-hour.md").write_text("# Your first hour")
    with pytest.raises(UserError, match=r"first-hour.md: is no study file, which ends in .yaml"):
        load_study(tmp_path / "first-hour.md")
