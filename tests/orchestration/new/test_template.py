"""The study file: it loads, says what was said, and offers rivals that can be beaten fairly."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestration.cli.own_data import rivals
from orchestration.cli.own_data.draft import Draft
from orchestration.cli.own_data.questions import Answers
from orchestration.cli.own_data.template import loaded, study_text
from orchestration.settings import Settings
from recsys.models import registry
from recsys.study.file import load_study
from tests.orchestration.command_line import call, complaint, printed
from tests.orchestration.new.tables import goods, new, of_frames, options, pictures, taken, write

ANSWERS = Answers("title", "purchases", "films", "2024")
YAML_WORDS = ["no", "No", "null", "Null", "true", "on", "off", "y", "n", "yes", "e1", "NaN"]


def drafted(**source: object) -> Draft:
    content = {"text": {"encoder": "tfidf_svd", "fields": ["title"], "dim": 8}}
    return Draft(
        {"reader": "table", "folder": "f", "interactions": "i.csv"} | source,
        {"k_core": 0},
        {"protocol": "ratio", "seed": 42},
        content,
        "every row",
        ("title",),
        "",
        {},
        ("a reason",),
    )


@pytest.mark.parametrize("name", YAML_WORDS)
def test_names_that_yaml_reads_as_something_else(settings: Settings, tmp_path: Path, name: str) -> None:
    files = ("--interactions", write(taken(), tmp_path / "r.csv"), "--items", write(goods(), tmp_path / "i.csv"))
    printed(settings, "new", name, *files)
    assert list(load_study(settings.studies / f"{name}.yaml").datasets) == [name]


WITHOUT_NUL = st.characters(codec="utf-8", exclude_characters="\0")
"""No name of a file or a column can have it, so that a study with it is refused."""


@given(
    column=st.text(WITHOUT_NUL, min_size=1, max_size=12), reason=st.text(max_size=30), feedback=st.text(max_size=12)
)
def test_whatever_stands_in_names_and_answers_is_read_back(column: str, reason: str, feedback: str) -> None:
    draft = drafted(user_column=column, interactions=f"{column}.csv")
    draft = Draft(**{**vars(draft), "reasons": (reason,)})
    study = loaded(
        "mine", study_text("mine", draft, Answers("title", feedback, "a # b: c", "2024"), rivals.Rivals(("TopPop",)))
    )
    read = study.datasets["mine"]
    assert read.source.options["user_column"] == column and read.scenario.feedback == feedback
    assert read.scenario.domain == "a # b: c"


@pytest.mark.parametrize(
    "folder", ["with space", "a#b", "it's", 'say "x"', "Müller", "日本", "50%off", "[bold]x[/bold]"]
)
def test_odd_folders(settings: Settings, tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    photos = pictures(place / "photos", [f"{n}.png" for n in range(40)])
    study, said = new(settings, write(taken(), place / "r.csv"), write(goods(), place / "i.csv"), "--images", photos)
    assert study.datasets["mine"].source.folder == str(place) and "image" in study.datasets["mine"].content
    assert str(photos) in said


def comments(file: Path) -> Iterator[str]:
    yield from (line.strip().removeprefix("#").strip() for line in file.read_text("utf-8").splitlines() if "#" in line)


def test_what_is_said_and_what_is_written_are_the_same(settings: Settings) -> None:
    rows = taken(rating=[1, 2, 3, 4, 5], created_at=["2024-01-01", "2024-02-02"], mood=[1, 2])
    study, said = of_frames(settings, rows, goods(colour=["red", "blue"] * 20))
    spec, file = study.datasets["mine"], settings.studies / "mine.yaml"
    roles = {"user": "user_column", "rating": "rating_column", "time": "timestamp_column", "title": "title_column"}
    for role, option in roles.items():
        assert f"{role}: '{options(study)[option]}', by its name" in said
    item, key = options(study)["item_column"], options(study).get("items_id_column", options(study)["item_column"])
    assert f"item: '{item}', by its name; 100 % of its values are in '{key}' of the items" in said
    assert f"text: {', '.join(map(repr, options(study)['text_columns']))}, by name" in said
    assert f"min_rating: {spec.cleaning.min_rating:g} " in said and f"k_core: {spec.cleaning.k_core.users}" in said
    assert f"split: {spec.split.protocol}" in said and f"feedback: taken to be '{spec.scenario.feedback}'" in said
    in_file = list(comments(file))
    first = in_file.index("Where the data are, and what each column was taken for:") + 1
    reasons = in_file[first : in_file.index(next(line for line in in_file if line.startswith("Ratings below")))]
    assert len(reasons) > 8 and [reason for reason in reasons if reason not in said] == []


def test_the_strongest_rivals_have_twins_with_content(settings: Settings) -> None:
    study, said = of_frames(settings, taken(), goods())
    plain = [model for model in study.models if not registry.find(model).takes_content]
    twins = {registry.load(model).without_content for model in study.models} - {None}
    assert {"EASE", "ItemKNN", "UserKNN"} <= set(plain) and {"EASE", "ItemKNN", "UserKNN"} <= twins
    assert {"CEASE", "AddEASE", "AttributeItemKNN", "HybridItemKNN", "AttributeUserKNN"} <= set(study.models)
    assert study.trials_of("CEASE") == 30 and study.n_repeats == 5 and study.controls == ("shuffled",)
    neighbours = {model: study.params_of(model) for model in study.models if model in rivals.NEIGHBOURS}
    assert len(neighbours) == 5 and len({tuple(sorted(each.items())) for each in neighbours.values()}) == 1
    assert "All models: about " in said and "Disk: about " in said


def test_models_are_left_out_by_what_they_take() -> None:
    every = rivals.candidates(has_content=True)

    def of(each: float, **other: float | None) -> rivals.Rivals:
        return rivals.choose(lambda trials: dict.fromkeys(every, each * (trials or 30)) | other, 2)

    assert set(of(2.0).models) == set(every) and of(2.0).trials is None
    slow = of(2.0, IALS=5 * 3600.0, CEASE=None)
    assert set(slow.left_out) == {"IALS", "CEASE"} and {"EASE", "AddEASE"} <= set(slow.models)
    assert slow.left_out["CEASE"] == "it needs more memory than is free"
    large = of(100.0)  # fewer trials rather than the strongest rival without its twin
    assert {"EASE", "CEASE"} <= set(large.models) and large.trials == 15
    assert "AttributeUserKNN" in large.left_out and "UserKNN" not in large.models
    huge = of(2000.0)
    assert set(huge.models) == set(rivals.CORE) and huge.trials == 10
    assert huge.left_out["EASE"].endswith("minutes more with EASE and CEASE")
    assert not any(registry.find(model).takes_content for model in rivals.candidates(has_content=False))


def test_models_of_the_core_that_need_too_much_memory_are_listed_as_left_out() -> None:
    seconds = dict.fromkeys(rivals.candidates(has_content=True), 1.0) | {"ItemKNN": None, "HybridItemKNN": None}
    chosen = rivals.choose(lambda trials: seconds, 2)
    assert chosen.left_out == dict.fromkeys(("ItemKNN", "HybridItemKNN"), "it needs more memory than is free")
    assert not set(chosen.left_out) & set(chosen.models)


def test_the_first_neighbours_model_that_stays_is_the_one_the_others_refer_to() -> None:
    chosen = rivals.Rivals(("TopPop", "UserKNN", "AttributeUserKNN"), left_out={"ItemKNN": "it takes too long"})
    text = study_text("mine", drafted(), ANSWERS, chosen)
    assert "# Left out: ItemKNN, since it takes too long." in text
    study = loaded("mine", text)
    assert study.params_of("UserKNN") == study.params_of("AttributeUserKNN") != {}


def test_the_block_of_descriptions_can_be_uncommented(settings: Settings, tmp_path: Path) -> None:
    of_frames(settings, taken(), goods())
    file = settings.studies / "mine.yaml"
    (tmp_path / "descriptions.csv").write_text(
        "item_id,answer\n" + "".join(f'{n},"[Kind] {{thing}}, [Colour] {{red}}, [Style] {{old}}"\n' for n in range(40))
    )
    text = file.read_text("utf-8").replace("    # descriptions:", "    descriptions:")
    text = text.replace("    #   written:", "      written:")
    text = text.replace("    content:\n", "    content:\n      described: {encoder: keywords, corpus: written}\n")
    file.write_text(text, "utf-8")
    assert "✗" not in printed(settings, "check", "mine")
    assert yaml.safe_load(text)["datasets"]["mine"]["descriptions"]["written"]["fields"] == ["Kind", "Colour", "Style"]


def test_a_folder_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    nowhere = settings.model_copy(update={"studies": tmp_path / "file" / "studies"})
    files = ("--interactions", write(taken(), tmp_path / "r.csv"), "--items", write(goods(), tmp_path / "i.csv"))
    assert "cannot be written" in complaint(nowhere, "new", "a", *files)


def test_refusals_have_exit_code_2_and_leave_nothing(settings: Settings, tmp_path: Path) -> None:
    files = (write(taken().head(6), tmp_path / "r.csv"), write(goods(), tmp_path / "i.csv"))
    result = call(settings, "new", "a", "--interactions", files[0], "--items", files[1])
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert list(settings.studies.iterdir()) == []
