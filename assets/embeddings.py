"""`<dataset>/embeddings/<source>`: one source of content as vectors, with a look at whether they can be trusted."""

from dataclasses import asdict
from pathlib import Path

import dagster as dg
import pandas as pd

from assets import embedding_views
from assets.descriptions import CORPUS
from orchestration import keys
from orchestration.fingerprints import signature
from orchestration.home import Home, Outcome
from orchestration.lineage import Check
from orchestration.progress import counted
from orchestration.results import key, materialised, plainly
from orchestration.study_dataset import ContentSource, DatasetSpec
from orchestration.study_file import resolve
from recsys.content.encoders import registry
from recsys.content.features import Features
from recsys.data.dataset import Dataset
from recsys.fingerprints import code_of, fingerprint

FEATURES = "features.safetensors"
CHECKS = {
    "covers_items": "Every item has a row, and at least half of them content",
    "distinct_rows": "Items do not all look alike",
}


def build(name: str, spec: DatasetSpec, source: str) -> dg.AssetsDefinition:
    """The asset of one content source of a dataset."""
    asset = keys.embeddings(name, source)
    content = spec.content[source]
    inputs = [keys.dataset(name)] + ([keys.descriptions(name, content.corpus)] if content.corpus else [])
    encoder = f"recsys.content.encoders.{registry.file(content.encoder).parent.name}.{content.encoder}"
    version = fingerprint(content.model_dump(), code_of(encoder, "assets.embeddings:_encode"))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"safetensors", "numpy"},
        code_version=version,
        description=f"Items of {name} as vectors: source `{source}`, encoder `{content.encoder}`.",
        check_specs=[
            dg.AssetCheckSpec(check, asset=key(asset), description=description)
            for check, description in CHECKS.items()
        ],
    )
    @plainly
    def embeddings(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        folder = _folder(spec, content, home, name)
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=inputs,
            build=lambda out, read: _encode(home, asset, content, folder, out, [read[i] for i in inputs]),
            also_depends_on=signature(*places) if (places := content.places(folder or Path())) else "",
        )
        items = Dataset.load(home.folder(home.current(keys.dataset(name)))).items
        return materialised(
            event, embedding_views.shown(event.facts, items, Features.load(home.folder(event) / FEATURES))
        )

    return embeddings


def _folder(spec: DatasetSpec, content: ContentSource, home: Home, name: str) -> Path | None:
    if spec.source.folder is None:
        return None
    folder = resolve(spec.source.folder, home.settings, f"dataset {name}")
    if "file" in content.options:
        resolve(str(folder / content.options["file"]), home.settings, f"dataset {name}: content '{content.encoder}'")
    return folder


def _encode(
    home: Home, asset: str, content: ContentSource, folder: Path | None, out: Path, read: list[Path]
) -> Outcome:
    from recsys.content.encoders import encode
    from recsys.content.integrity import inspect, problems

    items = Dataset.load(read[0]).items
    corpus = pd.read_parquet(read[1] / CORPUS) if content.corpus else None
    with counted(home.progress, asset, len(items)) as progress:
        features = encode(
            content.encoder,
            content.options,
            items,
            folder=folder,
            corpus=corpus,
            hidden=read[1] if content.corpus else None,
            work=home.settings.work / asset,
            progress=progress,
        )
    features.save(out / FEATURES, items["item_id"].tolist())
    found = inspect(features, items)
    alike = [sentence for sentence in problems(found) if "alike" in sentence]
    checks = (
        Check(
            name="covers_items",
            passed=found.coverage >= 0.5,
            message=f"{found.coverage:.1%} of {found.n_items} items have content",
        ),
        Check(
            name="distinct_rows",
            passed=not alike,
            message=" ".join(alike) or f"{found.distinct:.1%} of the rows with content are distinct",
        ),
    )
    return Outcome(facts=asdict(found), rows=found.n_items, checks=checks)
