"""Lineage and assets in formats that others read: OpenLineage events and Croissant metadata, as plain JSON.

OpenLineage 2-0-2 (https://openlineage.io/spec/2-0-2/OpenLineage.json): one RunEvent a materialisation.
Croissant 1.0 (http://mlcommons.org/croissant/1.0): a dataset's files with their hashes and their columns.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pyarrow import parquet, types

from orchestration.home import RECORD, Home
from orchestration.lineage import Event, Input
from recsys.content import provenance
from recsys.errors import UserError
from recsys.intact import FILES
from recsys.store import sha256_of

PRODUCER = "urn:modalift"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = "https://openlineage.io/spec/facets"
NAMESPACE = "modalift"
CROISSANT = "http://mlcommons.org/croissant/1.0"
MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".safetensors": "application/octet-stream",
    ".html": "text/html",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "recordSet": "cr:recordSet",
    "field": "cr:field",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "source": "cr:source",
    "fileObject": "cr:fileObject",
    "extract": "cr:extract",
    "column": "cr:column",
}


def openlineage(events: Iterable[Event]) -> Iterator[str]:
    """One line of JSON a materialisation, in the order of the events."""
    for event in events:
        yield json.dumps(_run_event(event), separators=(",", ":"))


def _run_event(event: Event) -> dict[str, Any]:
    output = _dataset(event) | {"outputFacets": {}}
    if event.rows is not None:
        output["outputFacets"]["outputStatistics"] = _facet("OutputStatisticsOutputDatasetFacet", "1-0-2") | {
            "rowCount": event.rows
        }
    return {
        "eventType": "COMPLETE",
        "eventTime": event.ended.isoformat(),
        "producer": PRODUCER,
        "schemaURL": SPEC,
        # Dagster's run makes many assets: OpenLineage wants a run of its own for each of them.
        "run": {"runId": str(uuid5(NAMESPACE_URL, f"{event.run}/{event.event_id}"))},
        "job": {"namespace": NAMESPACE, "name": event.asset},
        "inputs": [_dataset(read) for read in event.inputs],
        "outputs": [output],
    }


def _dataset(version: Event | Input) -> dict[str, Any]:
    facets = {"version": _facet("DatasetVersionDatasetFacet", "1-0-1") | {"datasetVersion": version.content_hash}}
    if isinstance(version, Event) and (said := _provenance(version)):
        facets["documentation"] = _facet("DocumentationDatasetFacet", "1-0-1") | {"description": said}
    return {"namespace": NAMESPACE, "name": version.asset, "facets": facets}


def _facet(name: str, version: str) -> dict[str, str]:
    return {"_producer": PRODUCER, "_schemaURL": f"{FACETS}/{version}/{name}.json#/$defs/{name}"}


def croissant(home: Home, asset: str) -> dict[str, Any]:
    """Croissant metadata of the newest version of a dataset, an embedding set or a description corpus.

    Raises:
        UserError: the asset is of another kind, or was never materialised.
    """
    kind = asset.split("/")[1] if "/" in asset else ""
    if kind not in ("dataset", "embeddings", "descriptions"):
        raise UserError(f"{asset}: Croissant describes datasets, embeddings and descriptions; name one of these")
    event = home.current(asset)
    folder = home.folder(event)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (RECORD, FILES))
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT,
        "name": asset.replace("/", "_"),
        "description": f"Asset {asset} of modalift, version {event.fingerprint}.",
        "version": event.content_hash,
        "datePublished": event.ended.date().isoformat(),
        **({"measurementTechnique": said} if (said := _provenance(event)) else {}),
        "isBasedOn": [f"{read.asset}@{read.content_hash}" for read in event.inputs],
        "distribution": [_file_object(file, folder) for file in files],
        "recordSet": [_record_set(file, folder) for file in files if file.suffix == ".parquet"],
    }


def _provenance(event: Event) -> str:
    """How descriptions or vectors were made, in a line; empty for other assets."""
    return "; ".join(f"{what}: {words}" for what, words in provenance.lines(event.facts.get("provenance", {})))


def _file_object(file: Path, folder: Path) -> dict[str, Any]:
    name = file.relative_to(folder).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file.stat().st_size} B",
        "encodingFormat": MEDIA_TYPES.get(file.suffix, "application/octet-stream"),
        "sha256": sha256_of(file),
    }


def _record_set(file: Path, folder: Path) -> dict[str, Any]:
    name = file.relative_to(folder).as_posix()
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{file.stem}/{column.name}",
            "name": column.name,
            "dataType": _data_type(column.type),
            "source": {"fileObject": {"@id": name}, "extract": {"column": column.name}},
        }
        for column in parquet.read_schema(file)
    ]
    return {"@type": "cr:RecordSet", "@id": file.stem, "name": file.stem, "field": fields}


def _data_type(kind: Any) -> str:
    if types.is_boolean(kind):
        return "sc:Boolean"
    if types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if types.is_floating(kind) else "sc:Text"
