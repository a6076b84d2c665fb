"""RecBole's atomic files: `<name>.inter` and `<name>.item`, tab-separated, each column called `field:type`.

A type is `token`, `token_seq`, `float` or `float_seq`. By default the user is the field `user_id`, the item `item_id`
(or the only other field of `.inter` that ends in `_id`), an opinion `rating` (or `stars`, `score`), a time
`timestamp`, and of an item the title `title`, `name` or what ends so, the text a `description`, `abstract`,
`overview` or `plot`. Options name others, such as `rating_field: weight`. Further fields of items are attributes, a
`token_seq` as a list. A float that `.inter` has beside these is named in the notes, since it may be an opinion.
Files `<name>.train.inter`, `<name>.valid.inter` and `<name>.test.inter` are a split. `.user`, `.kg`, `.link` and
`.net` are not read.

Source: Wayne Xin Zhao et al., RecBole: Towards a Unified, Comprehensive and Efficient Framework for Recommendation
Algorithms, CIKM 2021.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from recsys.data.quarantine import collect
from recsys.data.raw import ITEM_COLUMNS, RawData
from recsys.data.readers.assembly import (
    PicturedOptions,
    assemble,
    columns,
    interactions_of,
    items_in,
)
from recsys.data.readers.catalogue import noted, standard_items, usable_items
from recsys.data.readers.recognition import Recognised, first_line
from recsys.data.readers.tables import Layout, Table, existing, read_table
from recsys.errors import UserError, hint

ATOMIC = Layout(delimiter="\t", header=True, quoted=False)
TYPES = ("token", "token_seq", "float", "float_seq")
PARTS = ("train", "valid", "test")
RATINGS = ("rating", "ratings", "stars", "score")
TIMES = ("timestamp", "time", "unixReviewTime")
TITLES = ("title", "name")
TEXTS = ("description", "abstract", "overview", "plot", "text", "summary")


class RecBoleOptions(PicturedOptions):
    """Options of atomic files; a field is named without its type.

    Attributes:
        name: what the files are called before their ending; None takes the only `.inter` file in the folder.
        user_field: the user.
        item_field: the item, in `.inter` and `.item`.
        rating_field: an opinion; without it one called `rating`, `stars` or `score`.
        time_field: seconds since 1970; without it one called `timestamp`.
        title_field: of an item.
        text_fields: of an item, in this order.
        seq_separator: what stands between the values of a sequence.
    """

    name: str | None = None
    user_field: str | None = None
    item_field: str | None = None
    rating_field: str | None = None
    time_field: str | None = None
    title_field: str | None = None
    text_fields: tuple[str, ...] | None = None
    seq_separator: str = " "


def read(options: RecBoleOptions, folder: Path, workdir: Path) -> RawData:
    """Read interactions, of all parts where there is a split, and the items where there is a file of them."""
    name, parts = _files(options, folder)
    interactions, quarantine, notes = list[pd.DataFrame](), list[pd.DataFrame](), list[str]()
    fields = dict[str, str]()
    for part, path in parts.items():
        table = read_table(path, path.name if part else "interactions", ATOMIC)
        types = _types(table)
        fields = fields or _fields(options, path, types)
        named = {key: f"{field}:{types.get(field, '')}" for key, field in fields.items()}
        found = columns(table, named).assign(row=table.rows)
        interactions.append(found.assign(part=part) if part else found)
        quarantine.append(table.quarantine)
        notes += [*noted(table), *_unused(path, types, list(fields.values()))]
    frame = pd.concat(interactions, ignore_index=True)
    known, out_items, more = _items(options, folder / f"{name}.item", fields["item_id"])
    kept, out_rows = interactions_of(frame, known)
    items = items_in(kept) if known is None else known
    return assemble(items, kept, [out_items, *quarantine, out_rows], (folder, options), (*notes, *more))


def recognise(folder: Path) -> Recognised | None:
    """By an `.inter` file whose header gives types."""
    files = sorted(folder.glob("*.inter"))
    typed = [path for path in files if ":token" in first_line(path)]
    if not typed or len({path.name.split(".")[0] for path in typed}) > 1:
        return None
    names = [field.partition(":")[0] for field in first_line(typed[0]).split("\t")]
    rated = next((name for name in RATINGS if name in names), None)
    why = f"{typed[0].name} has a header of fields and types, as RecBole's atomic files"
    return Recognised("recbole", {}, why, f"a row, with the opinion '{rated}'" if rated else "every row")


def _files(options: RecBoleOptions, folder: Path) -> tuple[str, dict[str, Path]]:
    """The files' name, and the files of interactions by part; the part is empty where there is no split."""
    if options.name is not None and (folder / f"{options.name}.inter").is_file():
        return options.name, {"": folder / f"{options.name}.inter"}
    found = sorted(folder.glob(f"{options.name or '*'}.inter"))
    whole = [path for path in found if path.stem.rpartition(".")[2] not in PARTS]
    if len(whole) == 1 and options.name is None:
        return whole[0].stem, {"": whole[0]}
    pattern = options.name or "*"
    split = {part: sorted(folder.glob(f"{pattern}.{part}.inter")) for part in PARTS}
    if not whole and all(len(paths) == 1 for paths in split.values()):
        parts = {part: paths[0] for part, paths in split.items()}
        return parts["train"].name.removesuffix(".train.inter"), parts
    if options.name is not None:
        existing(folder, f"{options.name}.inter", "name")
    raise UserError(
        f"{folder}: {len(whole)} files end in .inter where one is needed, or a .train.inter, .valid.inter and "
        ".test.inter; set the option 'name'"
    )


def _types(table: Table) -> dict[str, str]:
    """The type of each field by its name."""
    found = {}
    for header in map(str, table.frame):
        field, _, kind = header.rpartition(":")
        if kind not in TYPES:
            raise UserError(
                f"{table.path}: column '{header}' is not called field:type with one of the types {', '.join(TYPES)}; "
                "fix its header, or use the reader 'table' for other files"
            )
        found[field] = kind
    return found


def _fields(options: RecBoleOptions, path: Path, types: dict[str, str]) -> dict[str, str]:
    """The fields of `.inter` that are used, by standard name."""
    if lists := [field for field in types if field.endswith("_list")]:
        raise UserError(
            f"{path}: field '{lists[0]}' holds sequences, and interactions are read one a row; take the dataset's "
            "files before they were made into sequences"
        )
    user = options.user_field or _only(path, "user_field", types, ("user_id",), [])
    others = [name for name, kind in types.items() if name.endswith("_id") and kind == "token" and name != user]
    fields = {"user_id": user, "item_id": options.item_field or _only(path, "item_field", types, ("item_id",), others)}
    for key, given, usual in (
        ("rating", options.rating_field, RATINGS),
        ("timestamp", options.time_field, TIMES),
    ):
        field = given or next((name for name in usual if name in types), None)
        if field:
            fields[key] = field
    for field in fields.values():
        if field not in types:
            raise UserError(f"{path}: there is no field '{field}': name the right one{hint(field, types)}")
    return fields


def _only(path: Path, option: str, types: dict[str, str], usual: Sequence[str], others: list[str]) -> str:
    named = [name for name in usual if name in types] or others
    if len(named) != 1:
        raise UserError(
            f"{path}: which field is meant by '{option}' is not clear (it has {', '.join(types)}); set the option"
        )
    return named[0]


def _unused(path: Path, types: dict[str, str], used: Sequence[str]) -> list[str]:
    return [
        f"{path.name}: field '{field}' is not used; name it by 'rating_field' or 'time_field' if it is one"
        for field, kind in types.items()
        if kind == "float" and field not in used
    ]


def _items(
    options: RecBoleOptions, path: Path, id_field: str
) -> tuple[pd.DataFrame | None, pd.DataFrame, tuple[str, ...]]:
    if not path.is_file():
        return None, collect([]), (f"there is no {path.name}: items have neither title nor text",)
    table = read_table(path, "items", ATOMIC)
    types = _types(table)
    frame = table.frame.set_axis(list(types), axis=1)
    title = options.title_field or next(
        (name for name in types if name in TITLES or name.endswith(tuple(f"_{usual}" for usual in TITLES))), None
    )
    texts = tuple(name for name in TEXTS if name in types) if options.text_fields is None else options.text_fields
    for field in (id_field, *([title] if title else []), *texts):
        if field not in types:
            raise UserError(f"{path}: there is no field '{field}': name the right one{hint(field, types)}")
    found, notes = standard_items(frame, id_field, title, texts, None)
    for name, kind in types.items():
        if kind == "token_seq" and name in found and name not in {title, *texts, *ITEM_COLUMNS}:
            found[name] = found[name].str.split(options.seq_separator)
    items, quarantine = usable_items(found, table.rows)
    return items, collect([table.quarantine, quarantine]), noted(table, notes)
