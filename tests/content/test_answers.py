"""Fields are found by name in the forms that real models give."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.content.descriptions import FIELDS, parse, parse_corpus
from recsys.content.descriptions.answers import says_nothing
from recsys.content.texts import unwrap
from tests.content.conftest import frame

MOVIES = FIELDS["movies"]
ALL = {"Genre": "Drama", "Audience": "Young Adults", "Visual Format": "3D", "Mood": "Tense", "Setting": "High School"}

FORMS = {
    "asked": "[Genre] {Drama}, [Audience] {Young Adults}, [Visual Format] {3D}, [Mood] {Tense}, "
    "[Setting] {High School}",
    "wrong closing bracket": "[Genre] {Drama], [Audience] {Young Adults}, [Visual Format] {3D], [Mood] {Tense}, "
    "[Setting] {High School].",
    "cut short": "[Genre] {Drama}, [Audience] {Young Adults}, [Visual Format] {3D}, [Mood] {Tense}, "
    "[Setting] {High School",
    "no braces": "[Genre] Drama, [Audience] Young Adults, [Visual Format] 3D, [Mood] Tense, [Setting] High School",
    "lines": "[Genre] {Drama},  \n[Audience] {Young Adults}  \n[Visual Format] {3D}\n[Mood] {Tense}\n"
    "[Setting] {High School}",
    "square values": "[Genre] [Drama], [Audience] [Young Adults], [Visual Format] [3D], [Mood] [Tense], "
    "[Setting] [High School]",
    "colons": "Genre: Drama, Audience: Young Adults, Visual Format: 3D, Mood: Tense, Setting: High School.",
    "colons, no commas": "Genre: Drama Audience: Young Adults Visual Format: 3D Mood: Tense Setting: High School",
    "colons and lines": "Genre: Drama\nAudience: Young Adults\nVisual Format: 3D\nMood: Tense\nSetting: High School",
    "in one bracket": "[Genre: Drama], [Audience: Young Adults], [Visual Format: 3D], [Mood: Tense], "
    "[Setting: High School]",
    "numbered": "1. Genre: Drama 2. Audience: Young Adults 3. Visual Format: 3D 4. Mood: Tense "
    "5. Setting: High School",
    "bullets": "- **Genre:** Drama\n- **Audience:** Young Adults\n- **Visual Format:** 3D\n- **Mood:** Tense\n"
    "- **Setting:** High School",
    "dashes": "Genre - Drama\nAudience - Young Adults\nVisual Format - 3D\nMood - Tense\nSetting - High School",
    "json": '{"Genre": "Drama", "Audience": ["Young Adults"], "visual_format": "3D", "Mood": "Tense", '
    '"Setting": "High School"}',
    "fenced json": 'Here it is:\n```json\n{"genre": "Drama", "audience": "Young Adults", "visual format": "3D", '
    '"mood": "Tense", "setting": "High School"}\n```',
    "broken json": '{"Genre": "Drama", "Audience": "Young Adults", "Visual Format": "3D", "Mood": "Tense", '
    '"Setting": "High School"',
    "other case and space": "[GENRE] {Drama}, [audience] {Young Adults}, [Visual_Format] {3D}, [ Mood ] {Tense}, "
    "[Setting]: {High School}",
    "another order": "[Setting] {High School}, [Mood] {Tense}, [Genre] {Drama}, [Visual Format] {3D}, "
    "[Audience] {Young Adults}",
    "prose around": "Sure! Based on the poster: [Genre] {Drama}, [Audience] {Young Adults}, [Visual Format] {3D}, "
    "[Mood] {Tense}, [Setting] {High School}. I hope this helps!",
    "prose after colons": "Genre: Drama\nAudience: Young Adults\nVisual Format: 3D\nMood: Tense\n"
    "Setting: High School. The poster shows a class.\n\nAnything else?",
}
LISTED = {f"{name}, listed": repr([answer]) for name, answer in FORMS.items()}


@pytest.mark.parametrize("answer", (FORMS | LISTED).values(), ids=(FORMS | LISTED).keys())
def test_every_form_gives_the_same_fields(answer):
    assert parse(answer, MOVIES) == ALL


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", {}),
        ("This image is a movie poster, not an instrument.", {}),
        ("[Titanic], [Adults], [Poster], [Romantic], [Ocean]", {}),  # by position it would be a genre "Titanic"
        ("[Mute Witness] {Horror}, [Mood] {Tense}", {"Mood": "Tense"}),
        ("[Genre] {Drama}, [Era] {1980s}, [Mood] {Tense}", {"Genre": "Drama", "Mood": "Tense"}),
        ("Genre: Drama, Era: 1980s, Mood: Tense", {"Genre": "Drama", "Mood": "Tense"}),
        ("[Genre] {}, [Mood] {...}", {}),
        ("[Genre] {Drama}, [Genre] {Comedy}", {"Genre": "Comedy"}),
        ("[Setting] {Unknown (Supernatural/Otherworldly)", {"Setting": "Unknown (Supernatural/Otherworldly)"}),
        (
            "[Audience] {Children's}, [Setting] {St. Louis, U.S. Army}",
            {"Audience": "Children's", "Setting": "St. Louis, U.S. Army"},
        ),
        ("Setting: St. Louis", {"Setting": "St. Louis"}),
        ('{"Genre": null, "Mood": ["Dark", "Tense"]}', {"Mood": "Dark, Tense"}),
        ("Sub-Genre: Slasher, Mood: Tense", {"Mood": "Tense"}),
        ("['[Genre] {Drama}, [Mood] {Ten", {"Genre": "Drama", "Mood": "Ten"}),
    ],
)
def test_what_is_missing_or_odd(answer, expected):
    assert parse(answer, MOVIES) == expected


@pytest.mark.parametrize("separator", [", ", " ", "/"])
def test_a_long_row_of_values_that_say_nothing_is_read_in_linear_time(separator):
    many = separator.join(["NA"] * 200)
    started = time.monotonic()
    assert says_nothing(many) and not says_nothing(f"{many}{separator}oak")
    assert time.monotonic() - started < 1


def test_a_field_whose_name_ends_like_another():
    assert parse("[Dish Type] {Pasta}, [Type] {Main}", ("Type", "Dish Type")) == {"Dish Type": "Pasta", "Type": "Main"}


@given(st.text(alphabet=st.sampled_from("[]{}():,'\"\n GenreMood*-."), max_size=80))
def test_any_answer_can_be_parsed(answer):
    found = parse(answer, ("Genre", "Mood"))
    assert all(value and value == value.strip() for value in found.values())


@given(
    st.dictionaries(st.sampled_from(MOVIES), st.from_regex(r"[A-Za-z0-9][a-z0-9 &/+]{0,20}[a-z0-9]", fullmatch=True))
)
def test_what_is_written_as_asked_is_read_as_written(values):
    answer = ", ".join(f"[{field}] {{{value}}}" for field, value in values.items())
    said = {field: " ".join(value.split()) for field, value in values.items() if not says_nothing(value)}
    assert parse(answer, MOVIES) == said


def test_unwrap_leaves_what_is_no_list_of_strings():
    assert unwrap("['one', \"two's\"]") == "one\ntwo's"
    assert unwrap("[Genre] {Drama}") == "[Genre] {Drama}"
    assert unwrap("['cut sho") == "['cut sho"


def test_compliance_counts_fields_and_forms():
    table, compliance = parse_corpus(
        frame(item_id=["1", "2", "3", "4"], answer=[FORMS["asked"], FORMS["lines"], "[Genre] {War}", "no"]), MOVIES
    )
    assert compliance.n_answers == 4
    assert compliance.given == {"Genre": 0.75, "Audience": 0.5, "Visual Format": 0.5, "Mood": 0.5, "Setting": 0.5}
    assert (compliance.complete, compliance.exact) == (0.5, 0.25)
    assert table["Genre"].tolist() == ["Drama", "Drama", "War", None]
    assert table["item_id"].tolist() == ["1", "2", "3", "4"]


def test_an_empty_corpus_complies_with_nothing():
    table, compliance = parse_corpus(frame(item_id=[], answer=[]), MOVIES)
    assert list(table) == ["item_id", *MOVIES]
    assert (compliance.n_answers, compliance.complete) == (0, 0.0)
