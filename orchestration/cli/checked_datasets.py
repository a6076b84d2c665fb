"""Datasets and their content, read for `check` and before a run by the very functions that the run reads them with."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from orchestration import keys
from orchestration.content_widths import KnownDataset
from orchestration.home import Home
from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.whole_lists import whole_lists
from recsys.study.applicable import left_out
from recsys.study.checking import Finding, check_content, check_options
from recsys.study.preparing import prepare_dataset
from recsys.study.selection import has_verdict
from recsys.study.study import Study
from recsys.wording import count

EXAMPLES = 5
"""Rows that are named for each reason for which rows are quarantined."""


@dataclass(frozen=True)
class ToRead:
    """What of a dataset is read.

    Attributes:
        name: the dataset's.
        sources: content that is encoded.
        corpora: descriptions that are written, beside those that these sources read.
        made: where the dataset stands already; None: it is prepared from its files.
    """

    name: str
    sources: Collection[str]
    corpora: Collection[str]
    made: Path | None = None


def all_of(study: Study) -> list[ToRead]:
    """Every dataset with all of its content."""
    return [ToRead(name, list(spec.content), list(spec.descriptions)) for name, spec in study.datasets.items()]


def part_of(study: Study, home: Home, to_do: Collection[str]) -> list[ToRead]:
    """What is read by a run that computes the assets `to_do`."""
    found = []
    for name, spec in study.datasets.items():
        sources = [source for source in spec.content if keys.embeddings(name, source) in to_do]
        corpora = [corpus for corpus in spec.descriptions if keys.descriptions(name, corpus) in to_do]
        if keys.dataset(name) in to_do:
            found.append(ToRead(name, sources, corpora))
        elif (sources or corpora or _is_measured(study, name, to_do)) and home.has(keys.dataset(name)):
            found.append(ToRead(name, sources, corpora, home.folder(home.current(keys.dataset(name)))))
    return found


def _is_measured(study: Study, name: str, to_do: Collection[str]) -> bool:
    """Whether models are trained on a dataset or their lists measured."""
    return keys.metrics(name) in to_do or any(keys.model(name, row) in to_do for row in study.rows)


def findings(study: Study, to_read: ToRead, home: Home, known: dict[str, KnownDataset]) -> Iterator[Finding]:
    """What is found by reading a dataset; one that is prepared is put into `known`."""
    name, spec = to_read.name, study.datasets[to_read.name]
    wrong = {finding.what: finding for finding in check_options(name, spec)}
    yield from wrong.values()
    if f"dataset {name}" in wrong:
        return
    with TemporaryDirectory() as scratch:
        place = to_read.made or Path(scratch)
        try:
            folder = home.settings.source_folder(name, spec)
            if to_read.made is None:
                known[name] = KnownDataset.of(study, home, name, prepare_dataset(spec, folder, place).facts)
            data = Dataset.load(place)
            doubts = whole_lists(data, study.evaluation)
        except UserError as error:
            # Without its items nothing can be said of its content, and need not be said again and again.
            yield Finding(f"dataset {name}", str(error).removeprefix(f"dataset {name}: "), "bad")
            return
        if to_read.made is None:
            yield Finding(f"dataset {name}", _in_words(study, name, known[name], data))
        yield from (Finding(f"dataset {name}", doubt, "warning") for doubt in doubts)
        corpora = [corpus for corpus in to_read.corpora if f"descriptions {name}/{corpus}" not in wrong]
        sources = [
            source
            for source in to_read.sources
            if f"content {name}/{source}" not in wrong
            and f"descriptions {name}/{spec.content[source].corpus}" not in wrong
        ]
        if sources or corpora:
            yield from check_content(name, spec, data, folder, sources=sources, corpora=corpora)


def without_verdict(study: Study, known: Mapping[str, KnownDataset]) -> Iterator[Finding]:
    """Datasets that are to be judged, and on which no model that takes content can be run."""
    for name, dataset in known.items():
        models = [model for model in study.models if study.takes_content(model)]
        lines = [left_out(study, name, model, dataset.facts, dataset.widths) for model in models]
        if has_verdict(study, name) and all(lines):
            said = f"no model that takes content is left, so that there is no verdict: {lines[0]}"
            yield Finding(f"dataset {name}", said, "bad")


def _in_words(study: Study, name: str, known: KnownDataset, data: Dataset) -> str:
    """What a run would make of a dataset."""
    facts, counts = known.facts, known.facts["counts"]
    said = [f"{counts[key]:,} {key}" for key in ("users", "items", "train", "valid", "test")]
    said += [f"{counts['pictures']:,} pictures of these items"] if "pictures" in counts else []
    notes = [*facts["notes"], *_quarantined(data)]
    notes += [line for model in study.models if (line := left_out(study, name, model, facts, known.widths))]
    return "\n    ".join([", ".join(said), *notes])


def _quarantined(data: Dataset) -> list[str]:
    """A line for each table and reason, the commonest first, with the first rows that it concerns."""
    groups = data.quarantine.groupby(["table", "reason"], sort=False)
    lines = []
    for (table, reason), rows in sorted(groups, key=lambda group: -len(group[1])):
        what = count(len(rows), str(table).removesuffix("s"))
        lines.append(f"quarantined {what}: {reason} ({_named(rows)}{', ...' if len(rows) > EXAMPLES else ''})")
    return lines


def _named(rows: pd.DataFrame) -> str:
    """The first rows by their numbers, where they have some, else by their keys."""
    first = rows.head(EXAMPLES)
    if first["row"].isna().any():
        return ", ".join(first["key"].astype(str))
    return ("row " if len(rows) == 1 else "rows ") + ", ".join(first["row"].astype(int).astype(str))
