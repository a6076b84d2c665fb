"""What a study's content would stop a run at, found before anything is trained.

Content is read by the very functions that a run reads it with (`preparing.describe_items`, `Encoder.contents`); only
the encoding itself is left out where it takes long.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pandas as pd

from recsys.content.encoder import Context, Encoder
from recsys.content.encoders import registry
from recsys.content.integrity import covers_most, oddities
from recsys.data.dataset import Dataset
from recsys.data.images import pictures_note
from recsys.data.options import parse
from recsys.data.readers import registry as readers
from recsys.data.users_in_text import share_naming_users
from recsys.errors import UserError
from recsys.evidence.content_gates import look_alike
from recsys.study.booleans import refuse_booleans
from recsys.study.checking_descriptions import ExpectedCorpus, expected_corpus, refuse_missing_device, share_of_items
from recsys.study.dataset_spec import ContentSource, CorpusSpec, DatasetSource, DatasetSpec
from recsys.wording import whole_percent

Level = Literal["good", "warning", "bad"]
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        what: `content shop/image` or `descriptions shop/keywords`.
        said: what was found, or why it stops a run and what to do.
        level: `bad` stops a run, `warning` is to be known before one.
    """

    what: str
    said: str
    level: Level = "good"


def check_options(name: str, spec: DatasetSpec) -> list[Finding]:
    """What is wrong with the options of a dataset, its descriptions and its content, whatever its files hold."""
    found = []
    for what, check in [
        (f"dataset {name}", partial(_check_reader, spec.source)),
        *(
            (f"descriptions {name}/{corpus}", partial(_check_corpus, given))
            for corpus, given in spec.descriptions.items()
        ),
        *((f"content {name}/{source}", partial(_check_encoder, given)) for source, given in spec.content.items()),
    ]:
        try:
            check()
        except (UserError, ValueError) as error:
            found.append(Finding(what, str(error), "bad"))
    return found


def _check_reader(given: DatasetSource) -> None:
    options = readers.load(given.reader).options
    refuse_booleans(options, given.options)
    parse(options, given.reader, given.options)


def _check_corpus(given: CorpusSpec) -> None:
    # Only a study that asks a model imports what that takes.
    from recsys.content.vlm.options import VlmOptions

    if given.model is not None:
        refuse_booleans(VlmOptions, given.options)
        VlmOptions.read(given.options)


def _check_encoder(given: ContentSource) -> None:
    cls = registry.load(given.encoder)
    refuse_booleans(cls.Options, given.options)
    refuse_missing_device(cls.from_options(given.encoder, given.options).options)


def check_content(
    name: str,
    spec: DatasetSpec,
    data: Dataset,
    folder: Path | None,
    *,
    sources: Collection[str],
    corpora: Collection[str],
) -> Iterator[Finding]:
    """Read the descriptions and the content of a dataset as a run will.

    Args:
        name: the dataset's.
        spec: of the dataset.
        data: the dataset, whose items are those that encoders are given.
        folder: of its files.
        sources: those that matter.
        corpora: those that matter beside the ones that these sources read.
    """
    items, text_columns = data.items, spec.source.options.get("text_columns") or ()
    naming_its_users = cache(partial(_naming_its_users, data, text_columns))
    wanted = {spec.content[source].corpus for source in sources} | set(corpora)
    with TemporaryDirectory() as scratch:
        read: dict[str, ExpectedCorpus] = {}
        for corpus in (each for each in spec.descriptions if each in wanted):
            what = f"descriptions {name}/{corpus}"
            try:
                read[corpus], said = expected_corpus(spec.descriptions[corpus], items, folder or Path(), Path(scratch))
            except (UserError, OSError) as error:
                yield Finding(what, str(error), "bad")
            else:
                yield Finding(what, said)
        for source, content in spec.content.items():
            if source in sources and (content.corpus is None or content.corpus in read):
                encoder = registry.load(content.encoder).from_options(content.encoder, content.options)
                corpus_read = read.get(content.corpus or "")
                yield from _source(name, source, encoder, data, folder, corpus_read, naming_its_users)


def _source(
    name: str,
    source: str,
    encoder: Encoder,
    data: Dataset,
    folder: Path | None,
    corpus: ExpectedCorpus | None,
    naming_its_users: Callable[[str], dict[str, float]],
) -> Iterator[Finding]:
    what, items = f"content {name}/{source}", data.items
    context = Context(folder=folder, listed_by_id=data.listed_by_id)
    if corpus is not None:
        context = replace(context, corpus=corpus.table, poolings=corpus.poolings)
    to_be_written = corpus is not None and corpus.poolings is not None
    keys: Sequence[Hashable | None]
    said: list[str] = []
    try:
        if encoder.quick and not to_be_written:
            features = encoder.vectors(items, context)
            keys = features.keys()
            said = [*oddities(features, items), *encoder.remarks(items, context)]
        else:
            keys = encoder.contents(items, context)
    except (UserError, OSError) as error:  # OSError names the file itself, such as one of another person
        yield Finding(what, str(error), "bad")
        return
    yield _coverage(what, source, encoder, items, keys, to_be_written=to_be_written)
    yield from (Finding(what, each, "warning") for each in (*said, *_naming_users(encoder, items, naming_its_users)))


def _naming_its_users(data: Dataset, text_columns: Sequence[str], column: str) -> dict[str, float]:
    """The share of items whose users a column names, by column; in place of the text, those that it is made of."""
    took = data.interactions
    ids = {
        "user_id": data.users["user_id"].take(took["user"].to_numpy()),
        "item_id": data.items["item_id"].take(took["item"].to_numpy()),
    }
    pairs = pd.DataFrame({name: values.to_numpy() for name, values in ids.items()})
    by_id = data.items.set_index("item_id")
    share = share_naming_users(by_id[column], pairs)
    if not share:
        return {}
    parts = [one for one in text_columns if column == "text" and one != "text" and one in by_id]
    return {one: of_one for one in parts if (of_one := share_naming_users(by_id[one], pairs))} or {column: share}


def _naming_users(
    encoder: Encoder, items: pd.DataFrame, naming_its_users: Callable[[str], dict[str, float]]
) -> Iterator[str]:
    """A sentence for each column of words that an encoder reads and that names the users of its items."""
    for read in sorted(encoder.reads.intersection(items) - {"image"}):
        for column, share in naming_its_users(read).items():
            yield (
                f"'{column}' names users who took that very item in {whole_percent(share)} of the items with one, so "
                "that it may tell who chose what: leave out what users made"
            )


def _coverage(
    what: str,
    source: str,
    encoder: Encoder,
    items: pd.DataFrame,
    keys: Sequence[Hashable | None],
    *,
    to_be_written: bool,
) -> Finding:
    """How many items have this content, and whether it tells them apart, by the keys of `Encoder.contents`."""
    called = type(encoder).__module__.rsplit(".", 1)[1]
    covered = [key is not None for key in keys]
    several = pictures_note(items) if encoder.reads_pictures else ""
    known = f"encoder {called}: {share_of_items(sum(covered), len(keys))} have it{several and f', with {several}'}"
    if len(keys) < len(items):
        return Finding(what, f"{known}, of those that were tried")
    if not any(covered):
        return Finding(what, f"{known}: {_remedy(encoder, items)}, or leave '{source}' out", "bad")
    groups = Counter(key for key in keys if key is not None)
    if not to_be_written and look_alike(sum(covered), len(groups), max(groups.values())):
        same = max(groups.values())
        alike = "all are the same" if len(groups) == 1 else f"{same:,} of them are the same"
        alike = alike if same > 1 else "they are too few"
        return Finding(what, f"{known}, but {alike}: no verdict can rest on '{source}'", "warning")
    if not covers_most(sum(covered) / len(items)):
        without = items.loc[[not each for each in covered], "item_id"].head(EXAMPLES)
        return Finding(what, f"{known}; such as {', '.join(map(repr, without))} have not", "warning")
    return Finding(what, known)


def _remedy(encoder: Encoder, items: pd.DataFrame) -> str:
    if encoder.reads_pictures and items["image_path"].isna().all():
        return "give the reader `images` or `image_column`, and see what is quarantined"
    if file := getattr(encoder.options, "file", None):
        return f"{file} has no row for them that is not all zeros: write it anew"
    return "see the columns that it reads"
