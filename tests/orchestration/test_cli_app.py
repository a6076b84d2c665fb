"""Help, mistakes and faults: what a person meets before anything works."""

import errno
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from orchestration.cli import app
from orchestration.cli.console import PlainConsole, out, table
from orchestration.settings import Settings
from recsys.content.encoders import encoder_infos
from recsys.fingerprints import CHECKOUT
from tests.orchestration.command_line import call, complaint, printed

COMMANDS = [command.name or "" for command in app.registered_commands]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", studies=tmp_path / "studies", data=None)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_with_an_example(settings: Settings, command: str, flag: str) -> None:
    assert f"Example: modalift {command}" in printed(settings, command, flag)


def test_a_paragraph_of_help_breaks_at_the_edge_alone(settings: Settings) -> None:
    lines = [line.strip() for line in call(settings, "results", "--help").stdout.splitlines()]
    assert "arm that validation chose, and as many metrics as there is room" in " ".join(lines)
    start = next(n for n, line in enumerate(lines) if line.startswith("Where there are many arms"))
    assert len(lines[start]) + len(lines[start + 1].split()[0]) > 75


def test_keys_of_assets_in_help_are_of_kinds_that_the_command_takes(settings: Settings) -> None:
    keys = [re.search(r"such as (\w+)/(\w+)", printed(settings, command, "-h")) for command in ("export", "lineage")]
    assert [key and key.groups() for key in keys] == [("image_market", "dataset"), ("image_market", "metrics")]


def test_help_lists_the_commands_in_order_of_use(settings: Settings) -> None:
    text = printed(settings, "--help")
    places = [text.index(f"│ {command} ") for command in COMMANDS]
    assert places == sorted(places) and COMMANDS[0] == "new"


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    heavy = ["dagster", "torch", "mlflow", "pandas", "scipy", "duckdb", "statsmodels", "sklearn"]
    code = f"import sys, orchestration.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_study_is_answered_with_the_nearest(settings: Settings) -> None:
    settings.studies.mkdir()
    for name in ("demo", "baby"):
        (settings.studies / f"{name}.yaml").write_text("title: x", encoding="utf-8")
    assert complaint(settings, "run", "demoo") == "there is no study 'demoo'; did you mean 'demo'?"
    assert complaint(settings, "run", "demo.v2").startswith("there is no study 'demo.v2'")
    assert complaint(settings, "check", "zzz") == "there is no study 'zzz' (known: baby, demo)"


def test_a_wrong_environment_variable_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    line = complaint(settings.model_copy(update={"workers": -1}), "results", "demo")
    assert line == "MODALIFT_WORKERS: must be 1 or more, not '-1'; fix or unset it"


def test_a_fault_is_one_line_and_a_traceback_only_when_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("recsys.content.encoders.encoder_infos", fail)
    line = complaint(settings, "encoders", code=1)
    assert line == "unexpected RuntimeError: two lines (`modalift --debug ...` shows where)"
    assert isinstance(call(settings, "--debug", "encoders").exception, RuntimeError)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("INSERT INTO runs", {}, sqlite3.OperationalError("database or disk is full")),
    ],
)
def test_a_full_disk_is_said_with_its_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> None:
        raise RuntimeError("could not be written") from error

    monkeypatch.setattr("recsys.content.encoders.encoder_infos", fail)
    line = complaint(settings, "encoders", code=1)
    assert line.startswith(f"the disk of {settings.home} is full (")
    assert line.endswith(" MB free): free some and run the same command again")


def test_models_and_encoders_are_listed_with_their_ranges(settings: Settings) -> None:
    assert "EASE" in printed(settings, "models")
    shown = printed(settings, "models", "ItemKNN")
    assert "n_neighbours" in shown and "one of cosine" in shown and "Source: " in shown
    assert "Another seed gives the same lists." in shown and "It does not take content." in shown
    assert "as in published comparisons" in printed(settings, "models", "UserKNN")  # what follows the first line
    encoders = " ".join(printed(settings, "encoders").split())
    assert "tfidf_svd" in encoders
    assert "│ sentence-transformers/all-MiniLM-L6-v2 │ 384 │ 91 MB │ Apache-2.0 │ ✓ │" in encoders
    assert complaint(settings, "models", "EAS").startswith("there is no model 'EAS'; did you mean 'EASE'?")


def test_on_a_narrow_terminal_names_are_whole_and_columns_that_can_be_spared_are_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 80)
    shown = call(settings, "encoders").stdout
    assert max(map(len, shown.splitlines()[:-1])) <= 80
    assert all(f"│ {info.name} " in shown for info in encoder_infos())
    assert all(f"│ {checkpoint.model} " in shown for info in encoder_infos() for checkpoint in info.known)
    assert "A wider terminal also shows: licence and options." in shown
    assert "A wider terminal also shows: reads, licence, dim and size." in shown
    assert "A wider terminal" not in printed(settings, "models", "EASE")


@pytest.mark.parametrize(
    "command", ["encoders image_text", "encoders hidden_states", "models LightGCN", "models CEASE"]
)
def test_on_a_narrow_terminal_all_options_have_their_meaning_and_no_word_is_cut(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    wide = call(settings, *command.split()).stdout
    monkeypatch.setattr(out, "width", 80)
    narrow = call(settings, *command.split()).stdout
    start = "Options, " if "encoders" in command else "Hyper-parameters"
    listed = [line for line in narrow[narrow.index(start) :].splitlines()[1:] if line.startswith("  ")]
    assert listed and max(map(len, listed)) <= 80
    assert set(" ".join(listed).split()) <= set(wide.split())
    entries = re.split(r"\n  (?=\S)", "\n" + "\n".join(listed))[1:]
    assert all(re.match(r"\w+ \(.+?\): \S", entry, re.S) for entry in entries)


@pytest.mark.parametrize("width", [64, 72, 80])
def test_a_table_cuts_no_word_where_all_fit(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = table("name", "what it says", "other words")
    shown.add_row(
        "SteamGames2024", "a b c d e f g h i j k l m n o p q r s t u v", "x `recsys.content.vlm.describer` y"
    )
    for _ in range(2):  # what is printed on a narrow terminal stays as it is for a wide one
        console = PlainConsole(width=width)
        with console.capture() as captured:
            console.print(shown)
        assert "SteamGames2024" in captured.get() and "`recsys.content.vlm.describer`" in captured.get()
        assert max(map(len, captured.get().splitlines())) <= width
    assert all(column.width is None and not column.no_wrap for column in shown.columns)


def test_names_keep_their_width_where_other_columns_can_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "width", 44)
    shown = table("asset", "why")
    shown.add_row("shop/analyses/sensitivity", "never computed, or its files are not there any more")
    with out.capture() as captured:
        out.print(shown)
    assert "│ shop/analyses/sensitivity │ " in captured.get()
    shown.add_row("a_name_that_is_wider_than_the_terminal_itself", "")
    with out.capture() as captured:
        out.print(shown)
    assert "".join(re.findall(r"│ (\S+) ", captured.get())).endswith("a_name_that_is_wider_than_the_terminal_itself")


def test_one_encoder_is_shown_with_what_its_options_mean(settings: Settings) -> None:
    shown = " ".join(printed(settings, "encoders", "vision_transformer").split())
    assert "pooling (default cls; one of cls, mean, pooler): " in shown and "Reads: image; weights: needed" in shown
    assert "device (default auto; one of auto, cpu, cuda): `auto` takes CUDA where there is any." in shown
    assert "google/vit-base-patch16-224" in shown and "resnet50" not in shown
    assert "file (must be given): " in printed(settings, "encoders", "matrix_file")
    assert "fewer pictures; null keeps all descriptors." in printed(settings, "encoders", "visual_descriptors")
    assert "fields (default null): " in printed(settings, "encoders", "tfidf_svd")
    assert complaint(settings, "encoders", "tfidf").startswith("there is no encoder 'tfidf'")
    assert "size of the embeddings." in printed(settings, "models", "LightGCN")


def test_an_encoder_is_found_by_a_word_of_its_description(settings: Settings) -> None:
    assert complaint(settings, "encoders", "clipp") == "there is no encoder 'clipp'; did you mean 'image_text'?"
    assert complaint(settings, "encoders", "zzzz") == "there is no encoder 'zzzz'; `modalift encoders` lists them"


def test_a_choice_of_new_is_no_word_that_a_narrow_terminal_cuts(settings: Settings) -> None:
    shown = printed(settings, "new", "--help")
    assert "PROTOCOL" in shown and "leave_one_out" in shown and "ratio|" not in shown
    assert "there is no 'temporl'; did you mean 'temporal'?" in call(settings, "new", "x", "--split", "temporl").stderr


def test_a_preset_is_shown_beside_the_defaults(settings: Settings) -> None:
    assert "n_layers (default 1; in the preset 2): " in printed(settings, "models", "BM3@published/electronics")
    assert complaint(settings, "models", "BM3@publishd/baby").startswith("BM3 has no preset 'publishd/baby'")


def test_a_model_is_shown_with_what_was_published_of_it_and_with_what_it_takes(settings: Settings) -> None:
    file = CHECKOUT / "studies" / "demo.yaml"
    shown = " ".join(printed(settings, "models", "LightGCN", "--on", str(file)).split())
    assert "│ baby │ 0.0479 │ 0.0754 │ 0.0257 │ 0.0328 │ mmrec │" in shown
    assert "mmrec: Zhou: MMRec" in shown
    assert "│ indifferent_market │ LightGCN │" in shown
    assert "Another seed gives other lists." in shown
    assert "n_factors (default 64; not searched): size of the embeddings." in shown
    assert "tiktok by damrs is not compared with: validation and test parts exchanged" in shown
    without = printed(settings, "models", "TopPop")
    assert "Published figures: none are known" in without and "Hyper-parameters: it has none" in without
    assert complaint(settings, "models", "--on", str(file)).startswith("--on is about one model")


def test_doctor_passes_here_and_says_what_is_wrong(settings: Settings, tmp_path: Path) -> None:
    settings.studies.mkdir()
    shown = printed(settings, "doctor")
    assert "✗" not in shown and "1 threads" not in shown
    broken = settings.model_copy(update={"data": tmp_path / "nowhere"})
    result = call(broken, "doctor")
    assert result.exit_code == 2
    assert result.stderr == "1 of 9 checks failed; each says what to do\n"
    assert "no such folder" in result.stdout
