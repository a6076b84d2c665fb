"""`modalift recommend`: a person's list from what a study has stored."""

from typing import Annotated

import typer
from rich.markup import escape

from orchestration.cli.app import command
from orchestration.cli.console import note, out, print_json, say, table
from orchestration.cli.options import DatasetOption, JsonOption, StudyArgument
from orchestration.cli.studies import choose, choose_dataset, find_study, read_settings


@command(
    "recommend",
    "modalift recommend demo HybridItemKNN --user 17 --dataset image_market",
    "modalift recommend demo EASE --user 17 -k 5 --dataset image_market --json",
)
def recommend(
    study: StudyArgument,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the study.")],
    user: Annotated[str, typer.Option(metavar="ID", help="The user's id in the source.")],
    k: Annotated[int, typer.Option("-k", min=1, help="Length of the list.")] = 10,
    arm: Annotated[
        str | None, typer.Option(help="What the model was shown; the best on validation unless said.")
    ] = None,
    dataset: DatasetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the items that a trained model recommends to a user, with titles and scores."""
    from orchestration.cli import lists
    from orchestration.home import Home

    settings = read_settings()
    read = find_study(study, settings)
    name = choose_dataset(dataset, read)
    known = choose(model, read.models, f"model of study {read.name} called")
    made = lists.recommend(Home(settings), name, known, arm, user, k)
    if len(made.items) < k:
        note(f"the stored lists are {len(made.items)} items long")
    if as_json:
        rows = made.items.to_dict(orient="records")
        print_json({"dataset": name, "model": made.model, "arm": made.arm, "user": user, "items": rows})
        return
    shown = table(">rank", "item", "title", ">score", title=f"{made.model} ({made.arm}) for user {user} of {name}")
    for row in made.items.itertuples(index=False):
        shown.add_row(str(row.rank), escape(row.item_id), escape(row.title or ""), f"{row.score:.4f}")
    out.print(shown)
    say(f"In training: {made.history}")
