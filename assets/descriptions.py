"""`<dataset>/descriptions/<corpus>`: what a model says about the items, raw and by field, with its compliance.

The answers are read from a file, or asked of a vision-language model, which also gives its hidden states.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import dagster as dg
import pandas as pd

from assets.embedding_views import card, recorded
from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.progress import counted
from orchestration.settings import Settings
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.prompts import load_prompt
from recsys.data.dataset import Dataset
from recsys.fingerprints import code_of, fingerprint
from recsys.study.checks import COMPLIANT, FORMAT
from recsys.study.dataset_spec import CORPUS, DatasetSpec
from recsys.study.record import AssetRecord
from recsys.wording import whole_percent

N_SHOWN = 8


def node(name: str, spec: DatasetSpec, corpus: str) -> Node:
    """The asset of one description corpus of a dataset."""
    settings = spec.descriptions[corpus]
    return Node(
        asset=keys.descriptions(name, corpus),
        group=name,
        inputs=[keys.dataset(name)],
        version=fingerprint(settings.identity, code_of("recsys.study.preparing:describe_items")),
        make=partial(make, name, spec, corpus),
        show=partial(show, name),
        description=f"Descriptions of the items of {name}: corpus `{corpus}`, raw answers and parsed fields.",
        kinds=frozenset({"parquet", "huggingface"} if settings.model else {"parquet"}),
        checks={FORMAT: f"{whole_percent(COMPLIANT)} of the answers give every field"},
        files=partial(files, name, spec, corpus),
    )


def files(name: str, spec: DatasetSpec, corpus: str, settings: Settings) -> str:
    """Signature of what is read beside the store: the file of answers, or the prompt and a model's own files."""
    given, folder = spec.descriptions[corpus], settings.source_folder(name, spec) or Path()
    if given.file is not None:
        answers = settings.locate(str(folder / given.file), f"dataset {name}: descriptions")
        return signature(settings.digests, answers)
    # A prompt counts by what it says, wherever its file lies; weights count by their content.
    prompt = load_prompt(VlmOptions.read(given.options).prompt, folder)
    weights = given.places(folder)
    return fingerprint(prompt.text, prompt.fields, signature(settings.digests, *weights) if weights else "")


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
    facts = {name: value for name, value in event.facts.items() if not isinstance(value, dict)}
    return {**facts, "provenance": recorded(event.facts), "preview": dg.MetadataValue.md("\n".join(lines))}
