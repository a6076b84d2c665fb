"""A person's list as a model's cells keep it, with titles."""

from dataclasses import dataclass

import pandas as pd

from orchestration import keys
from orchestration.cli.studies import choose
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.stored_cells import StoredCell, load_cell
from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.study.results import ArmResult, ModelResult

SHOWN_HISTORY = 5


@dataclass(frozen=True)
class Recommended:
    """What a user is recommended.

    Attributes:
        model: that says so, shown what `arm` shows.
        items: `rank`, `item_id`, `title`, `score`.
        history: in words, what the user chose in training.
    """

    model: str
    arm: str
    items: pd.DataFrame
    history: str


def recommend(home: Home, dataset: str, model: str, arm: str | None, user: str, k: int) -> Recommended:
    """The stored list of a user; UserError if the model was never run, or there is no such arm or user."""
    event = home.current(keys.model(dataset, model))
    if "left_out" in event.facts:
        raise UserError(f"{event.facts['left_out']}: ask another model")
    chosen = _arm(ModelResult.load(home.folder(event)), arm)
    data, cell = _dataset(home, event, dataset), load_cell(home, dataset, chosen.finals[0])
    return Recommended(chosen.model, chosen.arm, *_stored(data, cell, user, k))


def _arm(result: ModelResult, wanted: str | None) -> ArmResult:
    arms = {arm.arm: arm for arm in result.arms}
    if wanted is not None:
        return arms[choose(wanted, arms, f"arm of {result.arms[0].model} called")]
    return max((arm for arm in result.arms if arm.control is None), key=lambda arm: arm.valid)


def _dataset(home: Home, model: Event, name: str) -> Dataset:
    """The very version of the dataset that the model was trained on."""
    (read,) = (read for read in model.inputs if read.asset == keys.dataset(name))
    return Dataset.load(home.settings.store / read.asset / read.fingerprint)


def _stored(data: Dataset, cell: StoredCell, user: str, k: int) -> tuple[pd.DataFrame, str]:
    ranking = cell.ranking()
    found = data.users.index[data.users["user_id"] == user]
    rows = ranking[ranking["user"].isin(found)].sort_values("rank").head(k)
    if rows.empty:
        example = data.users["user_id"].iloc[int(ranking["user"].iloc[0])]
        why = "has no stored list, since nothing of theirs was held out" if len(found) else "is not in the dataset"
        raise UserError(f"user '{user}' {why}; try --user {example}")
    items = data.items.iloc[rows["item"].to_numpy()]
    titles = items["title"].astype("object").where(items["title"].notna(), None)
    listed = pd.DataFrame(
        {
            "rank": rows["rank"].to_numpy(),
            "item_id": items["item_id"].to_numpy(),
            "title": titles.to_numpy(),
            "score": rows["score"].to_numpy(dtype=float),
        }
    )
    return listed, _history(data, int(found[0]))


def _history(data: Dataset, user: int) -> str:
    rows = data.interactions[(data.interactions["user"] == user) & (data.interactions["part"] == "train")]
    items = data.items.iloc[rows["item"].to_numpy()]
    names = items["title"].fillna(items["item_id"]).astype(str).tolist()
    more = f" and {len(names) - SHOWN_HISTORY} more" if len(names) > SHOWN_HISTORY else ""
    return f"{'; '.join(names[:SHOWN_HISTORY])}{more}"
