"""Every prompt that comes with the program loads, and asks for what the parser looks for."""

import pytest

from recsys.content.descriptions import FIELDS, parse, parse_corpus
from recsys.content.vlm.prompts import SHIPPED, load_prompt, names
from recsys.errors import UserError
from tests.content.conftest import frame

DOMAINS = ("baby", "pets", "clothing", "recipes", "movies")


def test_there_are_the_published_ones():
    wanted = {"misaligned", *(f"{domain}_{kind}" for domain in DOMAINS for kind in ("fields", "sentence"))}
    assert wanted <= set(names())


@pytest.mark.parametrize("name", sorted(file.stem for file in SHIPPED.glob("*.yaml")))
def test_each_is_named_as_its_file_and_asks_for_its_fields(name):
    prompt = load_prompt(name)
    assert prompt.name == name
    if prompt.domain in FIELDS and prompt.fields:
        assert prompt.fields == FIELDS[prompt.domain]
    assert all(field.lower() in prompt.text.lower() for field in prompt.fields)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_worked_example_keeps_to_the_form(domain):
    prompt = load_prompt(f"{domain}_fields")
    example = prompt.text.splitlines()[-1]
    assert len(parse(example, prompt.fields)) == 5
    _, compliance = parse_corpus(frame(item_id=["1"], answer=[example]), prompt.fields)
    assert compliance.exact == 1
    blanks = next(line for line in prompt.text.splitlines() if line.startswith("Fill in the blanks: "))
    assert blanks == "Fill in the blanks: " + ", ".join(f"[{field}] {{}}" for field in prompt.fields)


def test_a_file_of_ones_own(tmp_path):
    (tmp_path / "wine.yaml").write_text("{name: wine, version: 2, domain: wine, fields: [Grape], text: Grape}")
    prompt = load_prompt("wine.yaml", tmp_path)
    assert (prompt.version, prompt.fields, prompt.text) == (2, ("Grape",), "Grape")
    assert load_prompt(str(tmp_path / "wine.yaml")) == prompt


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: a\nversion: 1\ndomain: b\nfields: []\n", "text: this key is missing; write it"),
        (
            "name: a\nversion: 1\ndomain: b\nfields: []\ntext: c\nlabel: d\n",
            "label: there is no such key (known: name",
        ),
        ("name: a\nversion: one\ndomain: b\nfields: []\ntext: c\n", "version: must be a whole number"),
        ("name: a\nversion: 1\ndomain: b\nfields: Genre\ntext: c\n", "fields: write a list, such as [a, b]"),
        ("1: a\n", "not a prompt; give the keys name, version"),
        ("- a\n", "not a prompt; give the keys name, version"),
        ("a: [\n", "cannot be read as YAML"),
        ("!!python/object/apply:os.getcwd []\n", "cannot be read as YAML"),
        ("\udcff", "cannot be read as YAML"),
    ],
)
def test_a_wrong_file_is_one_line(content, message, tmp_path):
    (tmp_path / "a.yaml").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError) as error:
        load_prompt("a.yaml", tmp_path)
    assert str(error.value).startswith(str(tmp_path / "a.yaml"))
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("movie_fields", "there is no prompt 'movie_fields', nor a file of that name; did you mean 'movies_fields'?"),
        ("xyz", "there is no prompt 'xyz', nor a file of that name (known: baby_fields, "),
        ("own.yaml", "own.yaml: there is no such prompt file; give one relative to the dataset's folder"),
    ],
)
def test_a_name_that_is_none_is_one_line(name, message):
    with pytest.raises(UserError) as error:
        load_prompt(name)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
