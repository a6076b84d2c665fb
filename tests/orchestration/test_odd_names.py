"""Ids, titles and messages of any kind are printed as they are: no markup, no codes, no broken lines."""

import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.tree import Tree

from orchestration.cli import console
from orchestration.cli.console import PlainConsole, one_line, table, visible
from orchestration.cli.progress import RichProgress
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.data.dataset import Dataset
from tests.orchestration.command_line import call, parsed
from tests.orchestration.conftest import run, write_study

HOSTILE = [
    "u 3/é [/x]",
    "[red]bold[/red]",
    "[link=http://a.b]c[/link]",
    ":smile: :car:",
    "100% %s %(x)s {0} {x}",
    "<script>alert(1)</script>",
    "two\nlines",
    "\x1b[31mred\x1b[0m\x07\x08",
    "\u202egnp.exe",
    "שלום عالم",
    "\U0001f469\u200d\U0001f467 \U0001d518\U0001d52b",
    "no",
    "a|b`c\\d",
    "=1+1",
    "'; DROP TABLE x; --",
]
TEXT = st.text(min_size=1, max_size=40) | st.sampled_from(HOSTILE)
# What a terminal acts upon, and what Python cannot write to it.
MOVES = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066", "\u2028", "\ud800"} - {"\n"}


def printed(*renderables: object, terminal: bool) -> str:
    file = io.StringIO()
    own = PlainConsole(file=file, width=4000, force_terminal=terminal, color_system=None)
    for each in renderables:
        own.print(each, soft_wrap=True)
    return file.getvalue()


@settings(max_examples=200)
@given(TEXT, st.booleans())
def test_every_way_to_print_shows_the_very_text(text: str, terminal: bool) -> None:
    shown = table("id", f">{text}", title=text)
    shown.add_row(text, "1")
    tree = Tree(text)
    tree.add(text)
    for renderable in (visible(text), shown, tree):
        said = printed(renderable, terminal=terminal)
        assert not MOVES & set(said)
        said.encode()
    (line,) = [line for line in printed(shown, terminal=terminal).splitlines() if line.startswith("│")]
    assert one_line(text).strip() in line


@settings(max_examples=100)
@given(TEXT, st.booleans())
def test_notes_errors_and_progress_are_one_line(text: str, terminal: bool) -> None:
    for say in (console.say, console.note, console.complain):
        file = io.StringIO()
        own = PlainConsole(file=file, width=20, force_terminal=terminal, color_system=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(console, "out", own)
            patch.setattr(console, "err", own)
            say(f"<{text}>")
        assert file.getvalue() == f"<{one_line(text)}>\n" and not MOVES & set(file.getvalue())
    file = io.StringIO()
    own = PlainConsole(file=file, width=4000, force_terminal=terminal, color_system=None)
    with RichProgress(own) as progress, progress.track(text, 1, "cells") as advance:
        advance(1)
    assert one_line(text).strip() in file.getvalue()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which a study was run whose users, items and titles are the hostile ones."""
    folder = tmp_path_factory.mktemp("odd")
    users = [f"{text}{number}" for number in range(3) for text in HOSTILE]
    items = [f"{text}{number}" for number in range(2) for text in HOSTILE]
    rows = [{"user": user, "item": items[(n * 7 + k * 3) % 30]} for n, user in enumerate(users) for k in range(8)]
    things = [{"item": item, "title": f"{item} [b]title[/b]", "text": f"{item} words"} for item in items]
    pd.DataFrame(rows).to_parquet(folder / "rows.parquet")
    pd.DataFrame(things).to_parquet(folder / "items.parquet")
    text = (
        "title: '[red]Odd[/x] \"100 %\" <b>&</b> :smile:'\n"
        "question: 'Is [/this] %s a question?'\n"
        "datasets:\n  'no':\n    source: {reader: table, folder: ., interactions: rows.parquet,\n"
        "      items: items.parquet, user_column: user, item_column: item, items_id_column: item,\n"
        "      title_column: title, text_columns: [text]}\n"
        "    content: {'on': {encoder: tfidf_svd, dim: 4}}\n"
        "    scenario: {domain: '[/x] %d'}\n"
        "models: {TopPop: , HybridItemKNN: }\ncontrols: [shuffled]\ntuning: {trials: 1}\nrepeats: 1\n"
        "statistics: {resamples: 100}\n"
    )
    settings = Settings(home=folder / "home", studies=folder, workers=1)
    run(write_study(folder, text, "odd"), settings)
    return settings


def test_commands_show_odd_ids_and_titles_as_they_are(odd: Settings) -> None:
    home = Home(odd)
    known = set(Dataset.load(home.folder(home.current("no/dataset"))).users["user_id"])
    assert len(known) > 30
    for user in sorted(known):
        done = call(odd, "recommend", "odd", "TopPop", "--user", user)
        assert done.exit_code == 0, done.stderr
        assert f"for user {one_line(user)} of no" in done.stdout.splitlines()[0]
        assert not MOVES & set(done.stdout)
    (first, *_) = parsed(odd, "recommend", "odd", "TopPop", "--user", HOSTILE[0] + "0")["items"]
    assert first["title"] == f"{first['item_id']} [b]title[/b]"
    for command in (
        ("results", "odd"),
        ("lineage", "odd"),
        ("lineage", "no/verdict"),
        ("check", "odd"),
        ("report", "odd"),
    ):
        done = call(odd, *command)
        assert done.exit_code == 0, (command, done.stderr)
        assert not MOVES & set(done.output)


def test_a_user_that_is_not_there_is_one_line(odd: Settings) -> None:
    for text in HOSTILE:
        done = call(odd, "recommend", "odd", "TopPop", "--user", f"{text}!")
        assert done.exit_code == 2
        (line,) = done.stderr.splitlines()
        assert "unexpected" not in line and one_line(text.replace("\n", r"\n")) in line


def test_pages_escape_them(odd: Settings) -> None:
    page = (odd.reports / "odd.html").read_text(encoding="utf-8")
    assert "<b>&</b>" not in page.partition("<body>")[2] and "[red]Odd[/x]" in page
    direct = Home(odd).tracker.direct
    note = direct.client.get_experiment(direct.experiment("no")).tags["mlflow.note.content"]
    assert "<b>" not in note and "100 %" in note
