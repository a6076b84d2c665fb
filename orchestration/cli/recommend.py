"""`modalift recommend`: a person's list from what a study has stored."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestration import keys
from orchestration.cli.app import command
from orchestration.cli.console import note, out, print_json, say, table
from orchestration.cli.options import DatasetOption, JsonOption, StudyArgument
from orchestration.cli.studies import choose, choose_dataset, find_study, read_settings
from recsys.errors import UserError
from recsys.wording import count

if TYPE_CHECKING:
    from orchestration.home import Home
    from recsys.data.dataset import Dataset
    from recsys.study.results import ArmResult


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
    from orchestration.cli.changes import outdated_asset
    from orchestration.home import Home
    from recsys.study.recommending import recommend as recommended

    settings = read_settings(home_is="read")
    read = find_study(study, settings)
    name = choose_dataset(dataset, read)
    known = choose(model, read.rows, f"model of study {read.name} called")
    home = Home(settings)
    chosen, data = _chosen(home, study, name, known, arm)
    made = recommended(data, home.cell(name)(chosen.finals[0]), read.evaluation, user, k)
    changed = outdated_asset(read, home, keys.model(name, known))
    if changed:
        note(changed)
    if len(made.items) < k:
        why = "stand in the stored list; the fitted model was not kept" if made.is_stored else "can be recommended"
        note(f"only {count(len(made.items), 'item')} {why}")
    if as_json:
        rows = made.items.to_dict(orient="records")
        found = {"dataset": name, "model": chosen.model, "arm": chosen.arm, "user": user, "items": rows}
        print_json(found | ({"outdated": changed} if changed else {}))
        return
    say(f"{chosen.model} ({chosen.arm}) for user {user} of {name}")
    shown = table(">rank", "item", "title", ">score")
    for row in made.items.to_dict("records"):
        shown.add_row(str(row["rank"]), row["item_id"], row["title"] or "", f"{row['score']:.4f}")
    out.print(shown)
    say(f"In training: {made.history}")


def _chosen(home: "Home", study: str, dataset: str, model: str, wanted: str | None) -> "tuple[ArmResult, Dataset]":
    """An arm of a model, the best on validation unless one is named, and the very data that it was trained on."""
    from recsys.data.dataset import Dataset
    from recsys.study.record import LEFT_OUT
    from recsys.study.results import ModelResult
    from recsys.study.selection import best_real

    if home.lineage.latest(keys.model(dataset, model)) is None:
        raise UserError(f"{model} has not been trained on {dataset} yet: `modalift run {study}` does")
    event = home.current(keys.model(dataset, model))
    if reason := event.facts.get(LEFT_OUT):
        raise UserError(f"{reason}: ask another model")
    arms = {arm.arm: arm for arm in ModelResult.load(home.folder(event)).arms}
    if not arms:
        raise UserError(f"{model} could not be trained on {dataset}: {event.failures[0]}")
    (read,) = (read for read in event.inputs if read.asset == keys.dataset(dataset))
    data = Dataset.load(home.whole(read.asset, read.fingerprint))
    if wanted is not None:
        return arms[choose(wanted, arms, f"arm of {model} called")], data
    best = best_real(arms.values())
    if best is None:
        raise UserError(f"{model} could be trained on controls alone: name one by --arm ({', '.join(arms)})")
    return best, data
