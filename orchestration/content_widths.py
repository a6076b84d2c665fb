"""How many columns a dataset's content has, as far as that is known before anything is encoded.

The memory of models grows with it, so that a check which left it out would promise models that a run leaves out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration import keys
from orchestration.home import Home
from recsys.content.encoders import registry
from recsys.errors import UserError
from recsys.study.dataset_spec import ContentSource
from recsys.study.study import Study


@dataclass(frozen=True)
class KnownDataset:
    """A dataset as it is known before anything is trained on it.

    Attributes:
        facts: of the prepared dataset.
        widths: columns of each source, as far as they are known.
    """

    facts: Mapping[str, Any]
    widths: Mapping[str, int]

    @classmethod
    def of(cls, study: Study, home: Home, name: str, facts: Mapping[str, Any]) -> "KnownDataset":
        """A dataset with these facts."""
        return cls(facts, content_widths(study, home, name, facts.get("counts", {})))


def content_widths(study: Study, home: Home, name: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Columns of each source of a dataset, or the most there can be; a source of which nothing is known has none.

    They are those of the stored vectors where these were made with the same settings, else what the encoder knows.

    Args:
        study: names the dataset's content.
        home: holds the vectors.
        name: the dataset's.
        counts: of its items and pictures, as far as they are known.
    """
    contents = max(counts.get("items", 0), counts.get("pictures", 0))
    spec = study.datasets[name]
    try:
        folder = home.settings.source_folder(name, spec)
    except UserError:  # reading the dataset says so
        folder = None
    found = {
        source: _stored(home, name, source, content) or _foreseen(content, folder, contents)
        for source, content in spec.content.items()
    }
    return {source: width for source, width in found.items() if width is not None}


def _stored(home: Home, name: str, source: str, content: ContentSource) -> int | None:
    event = home.lineage.latest(keys.embeddings(name, source))
    made_by: Any = home.study_of(event) if event else None
    if event is None or made_by is None:
        return None
    try:
        before = ContentSource.model_validate(made_by["datasets"][name]["content"][source])
    except (LookupError, ValueError):  # the settings of an older release
        return None
    return event.facts.get("dim") if before.identity == content.identity else None


def _foreseen(content: ContentSource, folder: Path | None, contents: int) -> int | None:
    try:
        cls = registry.load(content.encoder)
        width = cls.from_options(content.encoder, content.options).width(folder)
    except UserError:  # `check` names it
        return None
    return min(width, contents) if width and contents and cls.reduces else width
