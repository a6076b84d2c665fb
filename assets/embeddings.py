"""`<dataset>/embeddings/<source>`: one source of content as vectors, with a look at whether they can be trusted."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from assets import embedding_views
from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.progress import counted
from orchestration.settings import Settings
from recsys.content.encoders import registry
from recsys.content.features import FEATURES, Features
from recsys.data.dataset import Dataset
from recsys.data.images import pictures_note
from recsys.fingerprints import code_of, fingerprint
from recsys.study.checks import COVERS, DISTINCT
from recsys.study.dataset_spec import ContentSource, DatasetSpec
from recsys.study.record import AssetRecord

CHECKS = {
    COVERS: "Every item has a row, and at least half of them content",
    DISTINCT: "Items neither all look alike nor have nothing in common",
}


def node(name: str, spec: DatasetSpec, source: str) -> Node:
    """The asset of one content source of a dataset."""
    content = spec.content[source]
    code = code_of("recsys.study.preparing:encode_source", registry.module(content.encoder))
    return Node(
        asset=keys.embeddings(name, source),
        group=name,
        inputs=[keys.dataset(name), *([keys.descriptions(name, content.corpus)] if content.corpus else [])],
        version=fingerprint(content.identity, code),
        make=partial(make, name, spec, source),
        show=partial(show, name, content),
        description=f"Items of {name} as vectors: source `{source}`, encoder `{content.encoder}`.",
        kinds=frozenset({"safetensors", "numpy"}),
        checks=CHECKS,
        files=partial(files, name, spec, source),
    )


def files(name: str, spec: DatasetSpec, source: str, settings: Settings) -> str:
    """Signature of the files that the encoder reads; UserError where one is not there."""
    content, folder = spec.content[source], settings.source_folder(name, spec)
    if "file" in content.options and folder is not None:
        settings.locate(str(folder / content.options["file"]), f"dataset {name}: content '{content.encoder}'")
    places = content.places(folder or Path())
    return signature(settings.digests, *places) if places else ""


def make(name: str, spec: DatasetSpec, source: str, making: Making) -> AssetRecord:
    """Encode, and look at the vectors."""
    from recsys.study.preparing import encode_source, record_encoding

    settings, content, asset = making.home.settings, spec.content[source], keys.embeddings(name, source)
    data = Dataset.load(making.read[keys.dataset(name)])
    described = making.read[keys.descriptions(name, content.corpus)] if content.corpus else None
    folder, work = settings.source_folder(name, spec), settings.work / asset
    with counted(making.home.progress, asset, data.n_items, "items") as progress:
        record = encode_source(content, data, folder, described, making.out, work, progress)
    return replace(record, facts=record.facts | {"provenance": record_encoding(content, folder, making.out)})


def show(name: str, content: ContentSource, home: Home, event: Event) -> Mapping[str, object]:
    """Figures, a map of the space, and what is near to what."""
    items = Dataset.load(home.folder(home.current(keys.dataset(name)))).items
    encoder = registry.load(content.encoder).from_options(content.encoder, content.options)
    several = pictures_note(items) if encoder.reads_pictures else ""
    said = ({"encoded": several} if several else {}) | {"provenance": embedding_views.recorded(event.facts)}
    return said | embedding_views.shown(event.facts, items, Features.load(home.folder(event) / FEATURES))
