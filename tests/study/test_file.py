"""What people write in a study file: each mistake is one line that names the file, and nothing is lost in silence."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import UserError
from recsys.study.checking import check_options
from recsys.study.counting import cells_of
from recsys.study.file import load_study
from recsys.study.model_settings import wrong_settings

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


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("title: x\n\tmodels: [EASE]\n", "; indent with blanks, not with a tab"),
        ("title: x\n---\ntitle: y\n", "a file holds one study: remove the line '---' and what is not part of it"),
        ("title: !!python/name:os.system\n", "; tags are not allowed: remove it, and write the value alone"),
    ],
)
def test_what_is_no_yaml_is_said_with_the_remedy(text: str, end: str, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"line \d+, column \d+ is not YAML: .*{re.escape(end)}$"):
        load_study(file)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_in_another_encoding_is_to_be_saved_in_utf_8(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_bytes(STUDY.format(name="a").replace("title: x", "title: für").encode(encoding))
    with pytest.raises(UserError, match="is not a text file in UTF-8; save it as UTF-8$"):
        load_study(file)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "controls: [shufled]",
            "controls (entry 1): must be 'shuffled', 'noise', 'constant', 'popularity' or 'removed',",
        ),
        ("controls: [shufled]", "not 'shufled'; did you mean 'shuffled'?"),
        ("repeats: 0", "repeats: must be 1 or more, not 0"),
        ("repeats: 2.5", "repeats: must be a whole number, not 2.5"),
    ],
)
def test_a_wrong_value_is_said_in_plain_words(line: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path, f"{STUDY.format(name='a')}{line}\n")


def test_a_split_at_random_is_answered_with_its_name_here(tmp_path: Path) -> None:
    text = STUDY.format(name="a").replace("models:", "    split: {protocol: random}\nmodels:")
    assert refusal(tmp_path, text).endswith("not 'random'; did you mean 'ratio'?")


def test_half_a_character_is_refused_before_a_report_is_to_hold_it(tmp_path: Path) -> None:
    said = refusal(tmp_path, STUDY.format(name="a").replace("title: x", 'title: "caf\\ud800"'))
    assert said == "line 1: an escape stands for half a character (a surrogate); write the character itself"


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("seed: -1", "datasets.a.source: 'seed' is -1: write a number from 0 to 4294967295"),
        ("missing_text: .nan", "datasets.a.source: 'missing_text' is nan: write a finite number"),
        ("folder: 'a\\0b'", None),
        ('folder: "a\\0b"', "datasets.a.source: 'folder' has a character in it (NUL)"),
        (f"folder: data/{'x' * 300}/more", "datasets.a.source: 'folder' is longer than the name of a file can be"),
    ],
)
def test_an_option_that_nothing_can_mean_is_refused_whoever_reads_it(
    option: str, line: str | None, tmp_path: Path
) -> None:
    text = STUDY.format(name="a").replace("reader: market", f"reader: market, {option}")
    if line is None:
        (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
        assert load_study(tmp_path / "study.yaml")
    else:
        assert refusal(tmp_path, text).startswith(line)


@pytest.mark.parametrize("option", ["instruction", "prompt"])
def test_what_a_model_is_told_may_be_longer_than_the_name_of_a_file(option: str, tmp_path: Path) -> None:
    told = "Represent the product, " * 20
    content = f"    content: {{text: {{encoder: sentence_transformer, {option}: '{told}'}}}}\n"
    (tmp_path / "study.yaml").write_text(STUDY.format(name="a").replace("models:", f"{content}models:"), "utf-8")
    assert load_study(tmp_path / "study.yaml").datasets["a"].content["text"].options == {option: told}


@pytest.mark.parametrize("fields", ["[answer]", "[Type, item_id]", "['']", "[Type, Type]"])
def test_a_field_of_descriptions_has_a_name_of_its_own(fields: str, tmp_path: Path) -> None:
    corpus = f"    descriptions: {{c: {{file: d.csv, fields: {fields}}}}}\n"
    said = refusal(tmp_path, STUDY.format(name="a").replace("models:", f"{corpus}models:"))
    assert said.startswith("datasets.a.descriptions.c.fields: ")


PARTS = """title datasets models source reader market content encoder tfidf_svd no null 12 2024-13-45 : , - ? & * ! | >
' " { } [ ] # % @ ` << <<: &a *a !!binary !!set !!python/name:os TopPop repeats arms both split"""
WORDS = st.sampled_from([*PARTS.split(), "\n", "\n  ", "\t"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, -(10**30), 2**32, float("nan"), float("inf"), 1e-320])
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=4)
    | st.text(max_size=8)
    | st.sampled_from(["both", "EASE", "Sum", "a", "noise", "BM3@published/baby", "ndcg_at_20", "zhou2025/baby"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
WHOLE = """
title: x
question: y
datasets:
  a:
    source: {reader: market, seed: 1, n_items: 40, image_weight: 0.5}
    cleaning: {min_rating: 1, k_core: {users: 1, items: 1}}
    split: {protocol: ratio, valid: 0.1, test: 0.1, seed: 1, rounding: floor}
    descriptions:
      c: {file: f.csv, fields: [A], truth: {A: b}}
      m: {model: x, prompt: market_fields, layer: 1, min_compliance: 0.5, endpoint: {address: "http://a", retries: 1}}
    content:
      text: {encoder: tfidf_svd, dim: 4}
      image: {encoder: visual_descriptors}
      said: {encoder: keywords, corpus: c}
    both: [text, image]
    questions: [{ask: q, better: both, than: text}]
    scenario: {domain: d, seen_before_choosing: [title], date_of_data: 2023}
    published: {source: s, rows: {EASE: {recall_at_20: 0.1}}, doubts: {EASE: w}}
models: {TopPop: , EASE: {l2: [1, 2]}, HybridItemKNN: {arms: [both, text], shrink: 0}}
ensembles: {Sum: {of: [EASE, HybridItemKNN], by: ranks, each_source: false}}
controls: [shuffled]
controls_of_each: [noise]
evaluation: {ks: [5, 20], primary: ndcg_at_20, mask: seen, n_negatives: 5, negatives_seed: 1, ndcg: truncated}
tuning: {trials: 2, minutes: 1, prune: true, seed: 1}
statistics: {margin: 0.1, resamples: 100, seed: 1}
repeats: 2
keep_states: none
"""
"""Every key that a study can have, but for those of what it names."""
Place = tuple[str | int, ...]


def places(part: object, above: Place = ()) -> list[Place]:
    """Where a value stands in a study, parts before what is in them."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [place for key, value in inner for place in ((*above, key), *places(value, (*above, key)))]


PLACES = places(yaml.safe_load(WHOLE))


def value_at(part: Any, place: Place) -> Any:
    for key in place:
        part = part[key]
    return part


@pytest.mark.parametrize(("written", "read"), [("010", "8"), ("1:30", "90")])
def test_a_number_that_yaml_reads_to_another_base_is_named_with_its_line(
    tmp_path: Path, written: str, read: str
) -> None:
    said = refusal(tmp_path, f"title: a study\nrepeats: {written}\n")
    assert said.startswith(f"line 2: YAML reads {written} as {read}; write the number without leading zeros")
    assert "YAML reads" not in refusal(tmp_path, f"title: a study\nrepeats: '{written}'\n")


def reads_or_says_one_line(folder: Path, text: str) -> None:
    file = folder / "fuzzed.yaml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        study = load_study(file)
    except UserError as error:
        assert str(file) in str(error) and "\n" not in str(error)
        return
    # What was taken can be counted and checked, again without a word of Python's.
    assert all(cells_of(study, row, len(study.arms_of(name, row))) for name in study.datasets for row in study.rows)
    said = [why for _, why in wrong_settings(study, study.models)]
    said += [found.said for name, spec in study.datasets.items() for found in check_options(name, spec)]
    assert not any("\n" in line for line in said)


def said_of(whole: dict[str, Any], folder: Path) -> str:
    """What is said of a study when it is loaded, and, where nothing is, of its settings and options."""
    (folder / "study.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    try:
        study = load_study(folder / "study.yaml")
    except UserError as error:
        return str(error)
    return str([*wrong_settings(study, study.models), *check_options("a", study.datasets["a"])])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_study_or_one_line(text: str, tmp_path: Path) -> None:
    reads_or_says_one_line(tmp_path, text)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.sampled_from(PLACES), value=VALUES, another=st.none() | st.text(max_size=8))
def test_any_value_is_taken_or_one_line(place: Place, value: object, another: str | None, tmp_path: Path) -> None:
    """A value of any kind in the place of one, or beside it under another key."""
    whole = yaml.safe_load(WHOLE)
    part = value_at(whole, place[:-1])
    part[place[-1] if another is None or isinstance(part, list) else another] = value
    reads_or_says_one_line(tmp_path, yaml.safe_dump(whole, allow_unicode=True))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_mapping_where_none_belongs_names_its_key(place: Place, tmp_path: Path) -> None:
    """Where a mapping may stand, the key that it brings is unknown or has a value of the wrong kind."""
    whole = yaml.safe_load(WHOLE)
    value_at(whole, place[:-1])[place[-1]] = {"qqq": [None]}
    said, named = said_of(whole, tmp_path), next(key for key in reversed(place) if isinstance(key, str))
    assert named in said or "qqq" in said


def is_number(place: Place) -> bool:
    return type(value_at(yaml.safe_load(WHOLE), place)) in (int, float)


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("place", filter(is_number, PLACES), ids=lambda place: ".".join(map(str, place)))
def test_true_is_no_number(place: Place, written: bool, tmp_path: Path) -> None:
    """Python takes true for 1, and YAML makes it of `yes`."""
    whole = yaml.safe_load(WHOLE)
    value_at(whole, place[:-1])[place[-1]] = written
    said, named = said_of(whole, tmp_path), next(key for key in reversed(place) if isinstance(key, str))
    assert named in said and ("write a number" in said or "unless it is in quotes" in said)


def test_a_core_that_is_true_is_no_number_either(tmp_path: Path) -> None:
    text = STUDY.format(name="a").replace("models:", "    cleaning: {k_core: yes}\nmodels:")
    assert refusal(tmp_path, text).startswith("datasets.a.cleaning.k_core: write a whole number, or one for each")


def test_what_may_be_true_stays_true(tmp_path: Path) -> None:
    whole = yaml.safe_load(WHOLE)
    whole["tuning"]["prune"] = whole["ensembles"]["Sum"]["each_source"] = True
    whole["models"]["SLIMBPR"] = {"symmetric": True}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    study = load_study(tmp_path / "study.yaml")
    assert study.tuning.prune and not [*wrong_settings(study, study.models)]


def test_a_page_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "first-hour.md").write_text("# Your first hour")
    with pytest.raises(UserError, match=r"first-hour.md: is no study file, which ends in .yaml"):
        load_study(tmp_path / "first-hour.md")
