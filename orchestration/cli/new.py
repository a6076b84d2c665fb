"""`modalift new`: a study file for a user's own tables, with every guess said aloud."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestration.cli.app import command
from orchestration.cli.console import say
from orchestration.cli.studies import read_settings
from recsys.errors import UserError
from recsys.store import write_text

if TYPE_CHECKING:
    from orchestration.cli.own_data import OwnData
    from orchestration.settings import Settings

FILE = Annotated[Path, typer.Option(metavar="FILE", help="CSV, TSV or Parquet.")]


@command(
    "new",
    "modalift new shop --interactions orders.csv --items products.csv --images photos/",
    "modalift new shop --interactions orders.csv --items products.csv --split temporal",
)
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the study and its dataset.")],
    interactions: FILE,
    items: FILE,
    images: Annotated[Path | None, typer.Option(metavar="DIR", help="Image files named by item id.")] = None,
    split: Annotated[
        Literal["ratio", "temporal", "leave_one_out", "global_time"], typer.Option(help="How to split.")
    ] = "ratio",
    describe_with: Annotated[
        str | None,
        typer.Option(metavar="MODEL|ADDRESS", help="Have a vision-language model describe the items."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a study file of that name.")] = False,
) -> None:
    """Write a study file for your own data, guessing what each column is.

    The guesses are printed and stand in the file, where they can be fixed.
    """
    from orchestration.cli.own_data import look_at
    from recsys.study.file import load_study

    settings = read_settings()
    file = _place(name, settings, force)
    data = look_at(interactions, items, images, split)
    descriptions: dict[str, object] = {}
    if describe_with:
        descriptions = _described(data, describe_with)
    for reason in data.reasons:
        say(f"  {reason}")
    write_text(file, _text(name, data, descriptions))
    load_study(file)
    say(f"Wrote {file}. Look it over, then:")
    say(f"  modalift check {name}")
    if descriptions:
        say(f"  modalift describe {name} --sample 5")
    say(f"  modalift run {name} --dry-run")
    say(f"  modalift run {name}")


def _described(data: "OwnData", model: str) -> dict[str, object]:
    """The corpus that a model is asked for; its sources and the reasons are added to what was found."""
    from orchestration.cli.describe_with import descriptions_of

    words = bool({"title_column", "text_columns"} & data.source.keys())
    pictures = bool({"images", "image_column"} & data.source.keys())
    corpora, content, reasons = descriptions_of(model, pictures=pictures, words=words)
    data.content.update(content)
    data.reasons.extend(reasons)
    return corpora


def _place(name: str, settings: "Settings", force: bool) -> Path:
    from recsys.study.study import NAME

    if not NAME.fullmatch(name):
        raise UserError(f"'{name}' cannot be a name: use letters, digits and _, a letter first")
    file = settings.studies / f"{name}.yaml"
    if file.exists() and not force:
        raise UserError(f"{file}: exists already; give another name, or --force to replace it")
    for other in sorted(settings.studies.glob("*.yaml")):
        if other != file and name in _datasets(other):
            raise UserError(f"'{name}' is a dataset of study {other.stem} already: give another name")
    return file


def _datasets(file: Path) -> list[str]:
    from recsys.study.file import load_study

    try:
        return list(load_study(file).datasets)
    except UserError:
        return []


def _shown(data: "OwnData") -> list[str]:
    """Sources that people see themselves: what a model makes of them is seen by nobody."""
    return [source for source, options in data.content.items() if "corpus" not in options]


def _text(name: str, data: "OwnData", descriptions: dict[str, object]) -> str:
    import yaml

    def block(content: object, indent: int) -> str:
        written = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=False, width=110)
        return "".join(f"{' ' * indent}{line}\n" for line in written.splitlines())

    return (
        f"title: Does content help on {name}?\n\n"
        "# What `modalift new` guessed of the columns; fix what is wrong.\n"
        f"datasets:\n  {name}:\n"
        f"{block({'source': data.source}, 4)}"
        "    # Ratings below min_rating are no sign of liking; users and items with fewer rows than k_core leave.\n"
        f"{block({'cleaning': data.cleaning, 'split': {'protocol': data.split, 'seed': 42}}, 4)}"
        f"{block({'descriptions': descriptions}, 4) if descriptions else ''}"
        f"{block({'content': data.content}, 4) if data.content else ''}"
        "    # What the verdict holds for: say it, since it holds for nothing else.\n"
        "    scenario:\n"
        "      domain: not stated\n"
        f"      feedback: {data.feedback}\n"
        f"      seen_before_choosing: [{', '.join(_shown(data))}]\n"
        "      item_kinds: not stated\n"
        "      date_of_data: not stated\n\n"
        "# These train in moments; BPRMF, LightGCN, VBPR and FREEDOM take longer, and may do better.\n"
        f"models: [{', '.join(data.models)}]\n"
    )
