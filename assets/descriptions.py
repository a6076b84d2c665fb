"""`<dataset>/descriptions/<corpus>`: what a model says about the items, raw and by field, with its compliance.

The answers are read from a file, or asked of a vision-language model, which also gives its hidden states.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import dagster as dg
import pandas as pd

from assets.embedding_views import card
from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.progress import counted
from orchestration.settings import Settings
from recsys.data.dataset import Dataset
from recsys.fingerprints import code_of, files_of, fingerprint
from recsys.study.dataset_spec import CORPUS, DatasetSpec
from recsys.study.record import AssetRecord

N_SHOWN = 8


def node(name: str, spec: DatasetSpec, corpus: str) -> Node:
    """The asset of one description corpus of a dataset."""
    settings = spec.descriptions[corpus]
    code = [code_of("recsys.study.preparing:describe_items")]
    if settings.model:
        # Prompts and the shipped model's weights are files beside the code, and count like it.
        code.append(files_of("recsys/content/vlm"))
    return Node(
        asset=keys.descriptions(name, corpus),
        group=name,
        inputs=[keys.dataset(name)],
        version=fingerprint(settings.model_dump(exclude={"truth"}), code),
        make=partial(make, name, spec, corpus),
        show=partial(show, name),
        description=f"Descriptions of the items of {name}: corpus `{corpus}`, raw answers and parsed fields.",
        kinds=frozenset({"parquet", "huggingface"} if settings.model else {"parquet"}),
        checks={"keeps_to_format": "90 % of the answers give every field"},
        files=partial(files, name, spec, corpus),
    )


def files(name: str, spec: DatasetSpec, corpus: str, settings: Settings) -> str:
    """Signature of what is read beside the store: the file of answers, or a model's own files."""
    given, folder = spec.descriptions[corpus], settings.source_folder(name, spec) or Path()
    if given.file is not None:
        answers = settings.locate(str(folder / given.file), f"dataset {name}: descriptions")
        return signature(settings.digests, answers)
    places = given.places(folder)
    return signature(settings.digests, *places) if places else ""


def make(name: str, spec: DatasetSpec, corpus: str, making: Making) -> AssetRecord:
    """Read or ask, and parse."""
    from recsys.study.preparing import describe_items, load_items

    settings, asset = making.home.settings, keys.descriptions(name, corpus)
    items, folder = load_items(making.read[keys.dataset(name)]), settings.source_folder(name, spec) or Path()
    with counted(making.home.progress, asset, len(items), "items") as progress:
        return describe_items(spec.descriptions[corpus], items, folder, making.out, settings.work / asset, progress)


def show(name: str, home: Home, event: Event) -> Mapping[str, object]:
    """Compliance, and a few answers beside what they are about."""
    answers = pd.read_parquet(home.folder(event) / CORPUS)
    items = Dataset.load(home.folder(home.current(keys.dataset(name)))).items
    shown = answers.head(N_SHOWN).merge(items, on="item_id", suffixes=("", "_of_item"))
    lines = ["| item | answer |", "| --- | --- |"]
    lines += [
        f"| {card(item)} | {' '.join(item['answer'].split()).replace('|', '/')} |" for _, item in shown.iterrows()
    ]
    return {**event.facts, "preview": dg.MetadataValue.md("\n".join(lines))}
