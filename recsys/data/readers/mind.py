"""MIND: what people clicked of the news they were shown, `behaviors.tsv`, and the news, `news.tsv`.

A line of `behaviors.tsv` is an impression: its id, the person, the time (such as `11/11/2019 9:05:58 AM`, read as
UTC), the news clicked before (`N1 N2`), and the news shown (`N3-1` clicked, `N4-0` not). An interaction is a click,
with the time of its impression. What was shown and not clicked is no interaction. Clicks of the history have no time;
with `history: true` they count as well, each second before the person's first impression in their order. Titles and
abstracts of `news.tsv` are title and text, categories are attributes; quotation marks have no meaning there.
Addresses and entities are left out. Several folders (`MINDsmall_train`, `MINDsmall_dev`) in one are read together.
Impressions of the test edition have no labels and are quarantined.

Source: Fangzhao Wu et al., MIND: A Large-scale Dataset for News Recommendation, ACL 2020.
"""

from pathlib import Path

import pandas as pd

from recsys.data.quarantine import RowFilter, collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import PicturedOptions, assemble, columns, interactions_of, items_of
from recsys.data.readers.catalogue import noted
from recsys.data.readers.recognition import Recognised, first_line
from recsys.data.readers.tables import Layout, existing, read_table
from recsys.errors import UserError

BEHAVIORS, NEWS = "behaviors.tsv", "news.tsv"
IMPRESSION = ("impression_id", "user_id", "time", "history", "impressions")
ARTICLE = ("item_id", "category", "subcategory", "title", "text", "url", "title_entities", "abstract_entities")
CLICK = ("user_id", "item_id", "timestamp", "row")
TIME = "%m/%d/%Y %I:%M:%S %p"


class MindOptions(PicturedOptions):
    """Options of MIND.

    Attributes:
        history: whether clicks before the first impression count, which are known by their order only.
        images: folder of pictures named by news.
    """

    history: bool = False


def read(options: MindOptions, folder: Path, workdir: Path) -> RawData:
    """Read the clicks and the news of a folder, or of the folders in it."""
    folders = _folders(folder)
    items, out_news, news_notes = _news(folders, folder)
    frames, quarantine, notes = list[pd.DataFrame](), [out_news], news_notes
    for each in folders:
        frame, out, more = _impressions(each, _called(each / BEHAVIORS, folder))
        frames.append(frame)
        quarantine.append(out)
        notes += more
    impressions = pd.concat(frames, ignore_index=True)
    before, after = _first(impressions), _clicks(impressions)
    if options.history:
        clicks = pd.concat([_history(before), after], ignore_index=True)
    else:
        clicks = after
        if n_before := int(before["history"].str.count(r"\S+").sum()):
            notes += (
                f"{n_before:,} clicks before the first impression, which have no time, are not counted "
                "(history: true counts them)",
            )
    interactions, out_rows = interactions_of(clicks, items)
    return assemble(items, interactions, [*quarantine, out_rows], (folder, options), notes)


def recognise(folder: Path) -> Recognised | None:
    """By both files, and five fields of which the last is news with or without labels."""
    folders = [each for each in (folder, *_inside(folder)) if (each / BEHAVIORS).is_file() and (each / NEWS).is_file()]
    if not folders:
        return None
    fields = first_line(folders[0] / BEHAVIORS).split("\t")
    if len(fields) != len(IMPRESSION) or not any(name in fields[4] for name in ("-0", "-1")):
        return None
    why = f"{BEHAVIORS} and {NEWS} are those of MIND"
    return Recognised("mind", {}, why, "a click on news that was shown")


def _inside(folder: Path) -> list[Path]:
    return [path.parent for path in sorted(folder.glob(f"*/{BEHAVIORS}"))]


def _folders(folder: Path) -> list[Path]:
    found = [folder] if (folder / BEHAVIORS).is_file() else _inside(folder)
    if not found:
        raise UserError(
            f"{folder}: there is no {BEHAVIORS}, nor one in a folder there; put MIND there or set 'folder'"
        )
    return found


def _called(path: Path, folder: Path) -> str:
    """What the quarantine calls a file: `interactions`, or its path where there are several."""
    return "interactions" if path.parent == folder else path.relative_to(folder).as_posix()


def _news(folders: list[Path], folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The news of all folders, each once: an article of several editions is the same in all."""
    frames, quarantine, rows = list[pd.DataFrame](), list[pd.DataFrame](), list[pd.Series]()
    notes = tuple[str, ...]()
    for each in folders:
        layout = Layout(delimiter="\t", names=ARTICLE, header=False, quoted=False)
        called = "items" if each == folder else _called(each / NEWS, folder)
        table = read_table(existing(each, NEWS, "folder"), called, layout)
        frames.append(columns(table, {name: name for name in ("item_id", "title")}, {n: n for n in ARTICLE[1:5]}))
        rows.append(table.rows)
        quarantine.append(table.quarantine)
        notes += noted(table)
    found = pd.concat(frames, ignore_index=True)
    items, out = items_of(found[~found.duplicated()], pd.concat(rows, ignore_index=True))
    return items, collect([*quarantine, out]), notes


def _impressions(folder: Path, called: str) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Impressions, `row` being their line, and whether they are `labelled`; the quarantine, and notes."""
    layout = Layout(delimiter="\t", names=IMPRESSION, header=False, quoted=False)
    table = read_table(folder / BEHAVIORS, called, layout)
    frame = columns(table, {name: name for name in IMPRESSION}).assign(row=table.rows)
    frame["timestamp"] = pd.to_datetime(frame["time"], format=TIME, errors="coerce", utc=True)
    row_filter = RowFilter(called, frame, ("user_id", "impression_id"), table.rows)
    row_filter.reject(row_filter.kept["user_id"].isna(), "no user id")
    row_filter.reject(row_filter.kept["timestamp"].isna(), "time is not like 11/11/2019 9:05:58 AM")
    usable = row_filter.kept
    labelled = usable["impressions"].str.fullmatch(r"\s*\S+-[01](\s+\S+-[01])*\s*").fillna(False).astype(bool)
    # What was clicked before an impression is known whether or not the impression itself is labelled.
    row_filter.reject(~labelled, "impressions are not like N1-1 N2-0: clicked or not is not known")
    return usable.assign(labelled=labelled), collect([table.quarantine, row_filter.quarantine()]), noted(table)


def _clicks(impressions: pd.DataFrame) -> pd.DataFrame:
    """User, item and time of what was clicked of the impressions."""
    labelled = impressions[impressions["labelled"]]
    clicked = labelled.assign(item_id=labelled["impressions"].str.findall(r"(\S+)-1(?!\S)")).explode("item_id")
    return clicked.loc[clicked["item_id"].notna(), list(CLICK)].reset_index(drop=True)


def _first(impressions: pd.DataFrame) -> pd.DataFrame:
    """The first impression of each person, of those that have a history."""
    first = impressions.sort_values("timestamp", kind="stable").drop_duplicates("user_id")
    return first[first["history"].notna()]


def _history(first: pd.DataFrame) -> pd.DataFrame:
    """Clicks before a person's first impression, in the seconds before it."""
    listed = first.assign(item_id=first["history"].str.split()).explode("item_id")
    place = listed.groupby("user_id").cumcount(ascending=False)
    return listed.assign(timestamp=listed["timestamp"] - pd.to_timedelta(1 + place, unit="s"))[list(CLICK)]
