"""`modalift new`: a study file for a user's own data, with every guess said, and what cannot be known asked."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from orchestration.cli.app import command
from orchestration.cli.console import say
from orchestration.cli.studies import read_settings
from recsys.data.options import Reading
from recsys.errors import UserError, hint
from recsys.store import write_text

if TYPE_CHECKING:
    from orchestration.cli.own_data.data_source import DataSource
    from orchestration.cli.own_data.draft import Draft
    from orchestration.cli.own_data.guess import Given
    from orchestration.cli.own_data.questions import Answers
    from orchestration.settings import Settings
    from recsys.data.readers.catalogue import FileOptions

COLUMNS = "Columns, where the guess is wrong"
Drawn = Literal["ratio", "temporal", "leave_one_out", "global_time"]
SCENARIO = "What the verdict holds for"


def _file(what: str) -> typer.models.OptionInfo:
    return typer.Option(metavar="FILE", help=f"{what}: CSV, TSV, JSON lines or Parquet.")


def _column(what: str) -> typer.models.OptionInfo:
    return typer.Option(metavar="NAME", help=what, rich_help_panel=COLUMNS)


def _scenario(what: str) -> typer.models.OptionInfo:
    return typer.Option(metavar="WORDS", help=what, rich_help_panel=SCENARIO)


def _choice(metavar: str, kind: Any, what: str) -> typer.models.OptionInfo:
    """One of the values of a `Literal`, which stand in the help: a narrow terminal would cut a metavar of them all."""
    known = get_args(kind)

    def parse(given: str) -> str:
        if given not in known:
            raise typer.BadParameter(f"there is no '{given}'{hint(given, known)}")
        return given

    return typer.Option(metavar=metavar, parser=parse, help=what)


@command(
    "new",
    "modalift new shop --interactions orders.csv --items products.csv --images photos/",
    "modalift new shop --interactions orders.csv --items products.csv --seen title,image --feedback purchases --yes",
    "modalift new films --folder ml-latest-small",
)
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the study and its dataset.")],
    interactions: Annotated[Path | None, _file("Who took what")] = None,
    items: Annotated[Path | None, _file("What there is to take")] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Image files named by item id, or in folders that are.")
    ] = None,
    images_by: Annotated[
        Reading | None,
        _choice(
            "PART",
            Reading,
            "Whose picture a file is, where its name and its folder are ids: name or folder.",
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data in a published layout, instead of the two files.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option(metavar="READER", help="The folder's layout, where it could be several.")
    ] = None,
    split: Annotated[
        Drawn | None,
        _choice(
            "PROTOCOL",
            Drawn,
            "How to split: ratio, temporal, leave_one_out or global_time; by default temporal, without times ratio.",
        ),
    ] = None,
    min_rating: Annotated[float | None, typer.Option(help="From which rating on a row counts as liked.")] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of both tables, such as cp1251, where it cannot be detected.")
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Between the fields of both tables, where it cannot be detected."),
    ] = None,
    user_column: Annotated[str | None, _column("Of the interactions: who.")] = None,
    item_column: Annotated[str | None, _column("Of the interactions: which item.")] = None,
    items_id_column: Annotated[str | None, _column("Of the items: their id.")] = None,
    rating_column: Annotated[
        str | None, _column("Of the interactions: how much it was liked; `none`: not known.")
    ] = None,
    time_column: Annotated[str | None, _column("Of the interactions: when; `none`: not known.")] = None,
    title_column: Annotated[str | None, _column("Of the items: a short name; `none`: there is none.")] = None,
    text_columns: Annotated[
        str | None, _column("Of the items: text, separated by commas; `none`: there is none.")
    ] = None,
    seen: Annotated[str | None, _scenario("What people see before they choose, such as title,image.")] = None,
    feedback: Annotated[str | None, _scenario("What an interaction is, such as purchases.")] = None,
    domain: Annotated[str | None, _scenario("What the items are, such as clothes.")] = None,
    date: Annotated[str | None, _scenario("When the data were collected.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the defaults and say them.")] = False,
    describe_with: Annotated[
        str | None,
        typer.Option(metavar="MODEL|ADDRESS", help="Have a vision-language model describe the items."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a study file of that name.")] = False,
) -> None:
    """Write a study file for your own data, guessing what each column is.

    The guesses are printed and stand in the file, where they can be fixed. On a terminal it asks what no file says.
    """
    from orchestration.cli.own_data.draft import draft
    from orchestration.cli.own_data.guess import Given
    from orchestration.cli.own_data.questions import Answers
    from recsys.data.readers.catalogue import FileOptions

    settings = read_settings()
    file = _place(name, settings, force)
    text = tuple(column.strip() for column in text_columns.split(",")) if text_columns is not None else None
    given = Given(user_column, item_column, items_id_column, rating_column, time_column, title_column, text)
    written = FileOptions(encoding=encoding, delimiter=delimiter)
    source = _source(interactions, items, images, images_by, folder, layout, given, written)
    data = draft(source, split, min_rating)
    if describe_with:
        data = _described(data, describe_with)
    for reason in data.reasons:
        say(f"  {reason}")
    answers = _answers(Answers(seen, feedback, domain, date), data, yes)
    _write(name, file, data, answers, settings)


def _source(
    interactions: Path | None,
    items: Path | None,
    images: Path | None,
    images_by: Reading | None,
    folder: Path | None,
    layout: str | None,
    given: "Given",
    written: "FileOptions",
) -> "DataSource":
    from orchestration.cli.own_data.data_source import AS_FOUND, from_folder, from_tables

    if folder is not None:
        if interactions or items or images or images_by or given != type(given)() or written != AS_FOUND:
            raise UserError(
                "--folder is read as it is: leave out --interactions, --items, --images, --encoding, --delimiter and "
                "the columns"
            )
        return from_folder(folder, layout)
    if images_by is not None and images is None:
        raise UserError("--images-by says whose the pictures of --images are: give --images, or leave --images-by out")
    if layout is not None:
        raise UserError("--layout says how the data of --folder are laid out: give --folder, or leave --layout out")
    if interactions is None or items is None:
        raise UserError("give --interactions and --items, a file each, or --folder with data in a published layout")
    return from_tables(interactions, items, images, given, images_by, written)


def _answers(given: "Answers", data: "Draft", yes: bool) -> "Answers":
    """What the flags say, and for the rest what a person answers, else the defaults, which are said."""
    from orchestration.cli.own_data import questions

    defaults = questions.Answers(", ".join(data.seen), data.feedback, None, data.dates)
    ask = not yes and questions.is_terminal()
    answers, taken = questions.answered(given, defaults, ask)
    for name in taken:
        say(f"  ! {name}: taken to be '{getattr(answers, name)}'; --{name} says what is true")
    return answers


def _write(name: str, file: Path, data: "Draft", answers: "Answers", settings: "Settings") -> None:
    """Write the file once it is known that it loads, and say what it will take."""
    from orchestration.cli.costs import costs, disk, timed_cells, total
    from orchestration.cli.own_data.rivals import Rivals, candidates, choose
    from orchestration.cli.own_data.template import loaded, study_text
    from orchestration.content_widths import KnownDataset
    from orchestration.home import Home

    home = Home(settings)
    timed = timed_cells(home)
    every = candidates(bool(data.content))
    drafted = loaded(name, study_text(name, data, answers, Rivals(tuple(every), None)))
    known = {name: KnownDataset.of(drafted, home, name, data.facts)}

    def seconds(trials: int | None) -> dict[str, float | None]:
        study = loaded(name, study_text(name, data, answers, Rivals(tuple(every), trials)))
        found = costs(study, home, known, [(name, model) for model in every], timed)
        return {cost.model: cost.total if cost.cells else None for cost in found}

    rivals = choose(seconds, home.slots.workers)
    text = study_text(name, data, answers, rivals)
    study = loaded(name, text)
    try:
        write_text(file, text)
    except OSError as error:
        raise UserError(
            f"{file}: cannot be written ({error.strerror}); set MODALIFT_STUDIES to a folder of yours"
        ) from None
    for model, why in rivals.left_out.items():
        say(f"  ! {model} is left out, since {why}")
    taken = total(costs(study, home, known, [(name, model) for model in study.models]), home.slots.workers)
    say(f"  {taken}{'; the controls of the model that is judged come on top' if data.content else ''}")
    say(f"  {disk(study, name, data.facts)}")
    say(f"Wrote {file}. Look it over, then:")
    say(f"  modalift check {name}")
    if data.descriptions:
        say(f"  modalift describe {name} --sample 5")
    say(f"  modalift run {name} --dry-run")
    say(f"  modalift run {name}")


def _described(data: "Draft", model: str) -> "Draft":
    """With the corpus that a model is asked for, and the sources that read it."""
    from orchestration.cli.describe_with import descriptions_of

    pictures, words = "image" in data.seen, bool(set(data.seen) - {"image"})
    corpora, content, reasons = descriptions_of(model, pictures=pictures, words=words)
    return replace(data, descriptions=corpora, content=data.content | content, reasons=(*data.reasons, *reasons))


def _place(name: str, settings: "Settings", force: bool) -> Path:
    from orchestration.settings import SHIPPED_STUDIES
    from recsys.study.agreement import NAME

    if not NAME.fullmatch(name):
        raise UserError(f"'{name}' cannot be a name: use letters, digits and _, a letter first, 60 at most")
    file = settings.studies / f"{name}.yaml"
    if not force and (there := settings.study_file(name)):
        raise UserError(f"{there}: exists already; give another name, or --force to replace it")
    if (SHIPPED_STUDIES / file.name).is_file():
        raise UserError(f"'{name}' is the study that comes with modalift: give another name")
    for other in settings.study_files:
        if other != file and name in _datasets(other):
            raise UserError(f"'{name}' is a dataset of study {other.stem} already: give another name")
    return file


def _datasets(file: Path) -> Iterable[str]:
    from recsys.study.file import load_study

    try:
        return list(load_study(file).datasets)
    except UserError:
        return []
