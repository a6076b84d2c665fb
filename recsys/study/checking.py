"""What a study's content would stop a run at, found before anything is trained.

Content is read by the very functions that a run reads it with (`preparing.describe_items`, `Encoder.contents`); only
the encoding itself is left out where it takes long, and no model is asked for a description.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from recsys.content.descriptions import parse_corpus
from recsys.content.encoder import Context, Encoder
from recsys.content.encoders import registry
from recsys.content.texts import item_texts
from recsys.data.images import said_of_pictures
from recsys.data.options import parse
from recsys.data.raw import lacks_column
from recsys.data.readers import registry as readers
from recsys.errors import UserError, hint
from recsys.evidence.content_gates import look_alike
from recsys.evidence.wording import percent
from recsys.study.booleans import refuse_booleans
from recsys.study.dataset_spec import CORPUS, OWN_COLUMNS, ContentSource, CorpusSpec, DatasetSpec, Source
from recsys.study.preparing import describe_items

if TYPE_CHECKING:
    from recsys.content.vlm.options import VlmOptions

Level = Literal["good", "warning", "bad"]
FEW = 0.5
"""Share of the items from which down a source that covers no more is warned of."""
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


@dataclass(frozen=True)
class _Corpus:
    """A description corpus as its encoders will find it; `poolings` where it is still to be made."""

    table: pd.DataFrame
    poolings: tuple[str, ...] | None = None


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


def _check_reader(given: Source) -> None:
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
    _refuse_missing_device(cls.from_options(given.encoder, given.options).options)


def check_content(
    name: str,
    spec: DatasetSpec,
    items: pd.DataFrame,
    folder: Path | None,
    *,
    sources: Collection[str] | None = None,
    corpora: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Read the descriptions and the content of a dataset as a run will.

    Args:
        name: the dataset's.
        spec: of the dataset.
        items: its item table, after cleaning: the one that encoders are given.
        folder: of its files.
        sources: those that matter; None: all.
        corpora: those that matter beside the ones that these sources read; None: all.
    """
    sources = spec.content if sources is None else sources
    wanted = {spec.content[source].corpus for source in sources} | set(
        spec.descriptions if corpora is None else corpora
    )
    with TemporaryDirectory() as scratch:
        read: dict[str, _Corpus] = {}
        for corpus in (each for each in spec.descriptions if each in wanted):
            what = f"descriptions {name}/{corpus}"
            try:
                read[corpus], said = _corpus(spec.descriptions[corpus], items, folder or Path(), Path(scratch))
            except (UserError, OSError) as error:
                yield Finding(what, str(error), "bad")
            else:
                yield Finding(what, said)
        for source, content in spec.content.items():
            if source in sources and (content.corpus is None or content.corpus in read):
                encoder = registry.load(content.encoder).from_options(content.encoder, content.options)
                yield _source(name, source, encoder, items, folder, read.get(content.corpus or ""))


def _corpus(spec: CorpusSpec, items: pd.DataFrame, folder: Path, scratch: Path) -> tuple[_Corpus, str]:
    """A corpus from its file; or, of one that a model is to write, what it will be like."""
    for column in spec.truth.values():
        if column not in items:
            raise lacks_column("`truth`", column, items)
    if spec.model is None:
        record = describe_items(spec, items, folder, scratch, scratch, lambda done, steps: None)
        table = pd.read_parquet(scratch / CORPUS)
        fields = tuple(str(column) for column in table if column not in ("item_id", "answer"))
        _refuse_unknown(spec.truth, fields, "`fields`")
        checks = "".join(f"; {check.message}" for check in record.checks if fields)
        return _Corpus(table), f"{_share(len(table), len(items))} are described{checks}"
    return _to_be_written(spec, items, folder)


def _to_be_written(spec: CorpusSpec, items: pd.DataFrame, folder: Path) -> tuple[_Corpus, str]:
    # Only a study that asks a model imports what that takes.
    from recsys.content.vlm.options import VlmOptions
    from recsys.content.vlm.prompts import load_prompt

    options = VlmOptions.read(spec.options)
    prompt = load_prompt(options.prompt, folder)
    if taken := [field for field in prompt.fields if field in OWN_COLUMNS]:
        raise UserError(f"prompt '{prompt.name}': a field cannot be called '{taken[0]}'; rename it in the prompt")
    fields = prompt.fields if options.max_new_tokens else ()
    _refuse_unknown(spec.truth, fields, f"prompt '{prompt.name}'")
    shown = pd.Series(data=False, index=items.index)
    if "image" in options.inputs:
        shown |= items["image_path"].notna()
    if "text" in options.inputs:
        for column in set(options.text_fields) - set(items):
            raise lacks_column("`text_fields`", column, items)
        shown |= item_texts("", items, options.text_fields, None) != ""
    if not shown.any():
        wanted = " or ".join(options.inputs)
        raise UserError(f"none of the {len(items):,} items has {wanted} to show the model; see `inputs`")
    asked = items.loc[shown, ["item_id"]].reset_index(drop=True)
    answer = ", ".join(f"[{field}] {{value}}" for field in fields) or ("a value" if options.max_new_tokens else "")
    table = asked.assign(answer=answer)
    table = table.merge(parse_corpus(table, fields)[0], on="item_id")
    where = _model(options, folder)
    several = said_of_pictures(items, options.pictures) if "image" in options.inputs else ""
    about = f"{_share(len(asked), len(items))}{several and f' with {several}'}"
    said = f"asks {options.model} ({where}) about {about}, prompt {prompt.name} "
    return _Corpus(table, tuple(options.hidden)), f"{said}(version {prompt.version})"


def _model(options: "VlmOptions", folder: Path) -> str:
    """Where a model is; UserError where it can be asked nowhere."""
    if options.endpoint is not None:
        from recsys.content.vlm.served import served_models

        said = f"the server at {options.endpoint.address} answers"
        listed = served_models(options.endpoint)
        if listed and options.model not in listed:
            return f"{said}, and does not list '{options.model}' ({', '.join(listed[:5])})"
        return said
    if options.engine == "vllm":
        from recsys.content.vlm.vllm_describer import library

        library()
    from recsys.content.weights import find

    _refuse_missing_device(options)
    place = find(options.model, options.revision, folder)
    if place:
        _refuse_missing_layers(options, place)
    return "on this machine" if place else "to be fetched from the hub"


def _refuse_missing_device(options: Any) -> None:
    """UserError where options ask for a GPU, and there is none."""
    if getattr(options, "device", "auto") == "cuda":
        from recsys.runtime import Runtime

        Runtime.choose(options.device, options.precision)


def _refuse_missing_layers(options: "VlmOptions", place: Path) -> None:
    """UserError where a layer is asked for that the model lacks, as far as its config counts them."""
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except ValueError:  # a run says what is wrong with the file
        return
    depth = (config.get("text_config") or config).get("num_hidden_layers")
    for layer in options.layers or (options.layer,):
        if depth and isinstance(layer, int) and not -depth - 1 <= layer <= depth:
            raise UserError(f"`layer` is {layer}; '{options.model}' has layers {-depth - 1} to {depth}")


def _refuse_unknown(truth: dict[str, str], fields: Collection[str], whose: str) -> None:
    for field in truth:
        if fields and field not in fields:
            raise UserError(f"`truth`: {whose} has no field '{field}'{hint(field, fields)}")


def _source(
    name: str, source: str, encoder: Encoder, items: pd.DataFrame, folder: Path | None, corpus: _Corpus | None
) -> Finding:
    what, called = f"content {name}/{source}", type(encoder).__module__.rsplit(".", 1)[1]
    context = Context(folder=folder)
    if corpus is not None:
        context = Context(folder=folder, corpus=corpus.table, poolings=corpus.poolings)
    try:
        keys = list(encoder.contents(items, context))
    except (UserError, OSError) as error:  # OSError names the file itself, such as one of another person
        return Finding(what, str(error), "bad")
    covered = [key is not None for key in keys]
    several = said_of_pictures(items) if encoder.reads_pictures else ""
    known = f"encoder {called}: {_share(sum(covered), len(keys))} have it{several and f', with {several}'}"
    if len(keys) < len(items):
        return Finding(what, f"{known}, of those that were tried")
    if not any(covered):
        return Finding(what, f"{known}: {_remedy(encoder, items)}, or leave '{source}' out", "bad")
    groups = Counter(key for key in keys if key is not None)
    to_be_written = corpus is not None and corpus.poolings is not None
    if not to_be_written and look_alike(sum(covered), len(groups), max(groups.values())):
        same = max(groups.values())
        alike = "all are the same" if len(groups) == 1 else f"{same:,} of them are the same"
        alike = alike if same > 1 else "they are too few"
        return Finding(what, f"{known}, but {alike}: no verdict can rest on '{source}'", "warning")
    if sum(covered) <= FEW * len(items):
        without = items.loc[[not each for each in covered], "item_id"].head(EXAMPLES)
        return Finding(what, f"{known}; such as {', '.join(map(repr, without))} have not", "warning")
    return Finding(what, known)


def _remedy(encoder: Encoder, items: pd.DataFrame) -> str:
    if encoder.reads_pictures and items["image_path"].isna().all():
        return "give the reader `images` or `image_column`, and see what is quarantined"
    return "see the columns or the file that it reads"


def _share(n: int, of: int) -> str:
    """3,631 of 3,650 items (99.5 %)."""
    return f"{n:,} of {of:,} items ({percent(n / max(of, 1))})"
