"""A dataset of a study and its content, made from the study's own files: the steps before any model is trained."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.content import provenance
from recsys.content.descriptions import parse_corpus, read_corpus
from recsys.content.encoder import OnProgress
from recsys.content.encoders import encode, remarks, share_isolated
from recsys.content.encoders import registry as encoders
from recsys.content.features import FEATURES, Features
from recsys.content.integrity import covers_most, inspect, oddities, problems
from recsys.content.vlm.unusable import UnusableError
from recsys.data.dataset import Dataset
from recsys.data.prepare import prepare
from recsys.data.readers import read
from recsys.errors import UserError
from recsys.store import sha256_of
from recsys.study.applicable import RATED
from recsys.study.checks import COMPLIANT, COVERS, DISJOINT, DISTINCT, FORMAT
from recsys.study.dataset_spec import CORPUS, ContentSource, CorpusSpec, DatasetSpec
from recsys.study.record import AssetRecord, Check
from recsys.wording import percent

QUARANTINE = "quarantine.parquet"
UNUSABLE = "unusable"
"""The fact of a corpus, and of a source that reads it, that says why it is of no use."""
UNUSABLE_FILE = "unusable.txt"
MOST_ISOLATED = 0.5
"""Share of items without a word in common with another from which on words were hardly found at all."""
VERSIONS = "versions"
"""The fact of a dataset that gives the hash of what each repeat learns from."""


def prepare_dataset(spec: DatasetSpec, folder: Path | None, out: Path, n_repeats: int = 1) -> AssetRecord:
    """Read, clean and split a dataset, once for each repeat where the split is drawn, and save it into `out`."""
    raw = read(spec.source.reader, spec.source.options, folder, out)
    data = prepare(raw, spec.cleaning, spec.split, n_repeats)
    data.save(out)
    pairs = data.interactions[["user", "item"]]
    repeated = int(pairs.duplicated().sum())
    message = f"{repeated} of {len(pairs)} pairs stand in two parts"
    return AssetRecord(
        facts=data.facts
        | {RATED: data.ratings is not None, VERSIONS: [data.repeat(n + 1).version for n in range(n_repeats)]},
        rows=len(pairs),
        checks=[Check(name=DISJOINT, passed=not repeated, message=message)],
    )


def describe_items(
    spec: CorpusSpec, items: pd.DataFrame, folder: Path, out: Path, work: Path, progress: OnProgress
) -> AssetRecord:
    """Read a corpus of descriptions from its file, or ask its model; answers and parsed fields go into `out`."""
    if spec.file is not None:
        return _parse(*_read(spec, folder / spec.file, out, items), spec.fields, out, items)
    try:
        answers, facts, fields = _ask(spec, folder, work, out, items, progress)
    except UnusableError as error:
        return _nothing(str(error), out)
    return _parse(answers, facts, fields, out, items)


def _nothing(why: str, out: Path) -> AssetRecord:
    """What stands for a corpus that is of no use: nothing, and the reason."""
    pd.DataFrame({"item_id": [], "answer": []}, dtype="object").to_parquet(out / CORPUS, index=False)
    (out / UNUSABLE_FILE).write_text(why, encoding="utf-8")
    return AssetRecord(
        facts={UNUSABLE: why},
        rows=0,
        checks=[Check(name=FORMAT, passed=False, message=why)],
        failures=[f"the descriptions are left out: {why}"],
        worth_another_try=True,
    )


def _read(spec: CorpusSpec, file: Path, out: Path, items: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    corpus = read_corpus(file, id_column=spec.id_column, text_column=spec.text_column)
    known = corpus.answers[corpus.answers["item_id"].isin(items["item_id"])].reset_index(drop=True)
    if known.empty:
        raise UserError(f"{file}: none of its {len(corpus.answers)} answers is about an item of the dataset")
    corpus.quarantine.astype("string").to_parquet(out / QUARANTINE, index=False)
    record = provenance.of_file(spec.file or file.name, sha256_of(file), len(corpus.answers))
    provenance.write(out, record)
    return known, {
        "answers": len(corpus.answers),
        "quarantined": len(corpus.quarantine),
        "provenance": record,
    }


def _ask(
    spec: CorpusSpec, folder: Path, work: Path, out: Path, items: pd.DataFrame, progress: OnProgress
) -> tuple[pd.DataFrame, dict[str, Any], tuple[str, ...]]:
    # Only a study that asks a model imports what that takes.
    from recsys.content.vlm.extraction import VlmOptions, extract
    from recsys.content.vlm.prompts import load_prompt

    options = VlmOptions.read(spec.options)
    extraction = extract(items, options, folder=folder, work=work, progress=progress)
    extraction.save(out)
    facts = {**extraction.facts, "refusals": extraction.refusals, "provenance": extraction.provenance}
    fields = load_prompt(options.prompt, folder).fields if options.max_new_tokens else ()
    return extraction.answers, facts, fields


def _parse(
    answers: pd.DataFrame, facts: dict[str, Any], fields: tuple[str, ...], out: Path, items: pd.DataFrame
) -> AssetRecord:
    values, compliance = parse_corpus(answers, fields)
    answers.merge(values, on="item_id").to_parquet(out / CORPUS, index=False)
    found = {
        **facts,
        "about_known_items": len(answers),
        "items_described": len(answers) / len(items),
        "complete": compliance.complete,
        "exact_format": compliance.exact,
        **{f"gives {field}": share for field, share in compliance.given.items()},
    }
    check = Check(
        name=FORMAT,
        passed=not fields or compliance.complete >= COMPLIANT,
        message=f"{percent(compliance.complete)} of the answers give every field, "
        f"{percent(compliance.exact)} in the exact form" + _lost(facts),
    )
    return AssetRecord(facts=found, rows=len(answers), checks=[check])


def _lost(facts: dict[str, Any]) -> str:
    """Answers that were cut off, and items that were refused."""
    counts = {"cut off at `max_new_tokens`": facts.get("cut_off", 0), "refused": facts.get("refused", 0)}
    return "".join(f"; {n:,} {what}" for what, n in counts.items() if n)


def encode_source(
    spec: ContentSource,
    data: Dataset,
    folder: Path | None,
    described: Path | None,
    out: Path,
    work: Path,
    progress: OnProgress,
) -> AssetRecord:
    """Encode one source of content into `out`, and look whether its vectors can be trusted.

    Args:
        spec: the encoder and its options.
        data: whose items are encoded.
        folder: of the source's files.
        described: the folder of the corpus that the encoder reads, if it reads one.
        out: for the features.
        work: for finished batches, which make a long encoding resumable.
        progress: is called while items are encoded.
    """
    items = data.items
    if described and (described / UNUSABLE_FILE).is_file():
        return _no_vectors(spec, items, (described / UNUSABLE_FILE).read_text(encoding="utf-8"), out)
    corpus = pd.read_parquet(described / CORPUS) if described else None
    features = encode(
        spec.encoder,
        spec.options,
        items,
        folder=folder,
        corpus=corpus,
        hidden=described,
        work=work,
        progress=progress,
    )
    features.save(out / FEATURES, items["item_id"].tolist())
    found = inspect(features, items)
    alike = [sentence for sentence in problems(found) if "alike" in sentence]
    doubts = remarks(spec.encoder, spec.options, items, folder=folder, listed_by_id=data.listed_by_id)
    said = [*oddities(features, items), *doubts]
    coverage = "; ".join([f"{percent(found.coverage)} of {found.n_items} items have content", *said])
    distinct = " ".join(alike) or f"{percent(found.distinct)} of the rows with content are distinct"
    isolated = share_isolated(spec.encoder, spec.options, items, folder=folder, corpus=corpus)
    if isolated is not None:
        distinct = f"{distinct}; {isolated_note(isolated)}"
    return AssetRecord(
        facts=asdict(found),
        rows=found.n_items,
        checks=[
            Check(name=COVERS, passed=covers_most(found.coverage), message=coverage),
            Check(name=DISTINCT, passed=not alike and (isolated or 0) < MOST_ISOLATED, message=distinct),
        ],
    )


def record_encoding(spec: ContentSource, folder: Path | None, out: Path) -> dict[str, Any]:
    """Which encoder, weights and libraries made the vectors in `out`; it is written beside them, too.

    Apart from `encode_source`, on whose code the vectors depend: another record of them encodes nothing anew.
    """
    encoder, place = encoders.load(spec.encoder).from_options(spec.encoder, spec.options), folder or Path()
    files = [each for each in spec.places(place) if each.is_file()]
    record = provenance.of_encoder(spec.encoder, encoder, spec.corpus, place, files)
    provenance.write(out, record)
    return record


def isolated_note(share: float) -> str:
    """What `share_isolated` found, in a line."""
    return f"{percent(share)} of the items share no word with any other"


def _no_vectors(spec: ContentSource, items: pd.DataFrame, why: str, out: Path) -> AssetRecord:
    """What stands for vectors of a corpus that is of no use: none, and the reason."""
    features = Features.where(np.zeros(len(items), dtype=bool), np.zeros((len(items), 1), dtype=np.float32))
    features.save(out / FEATURES, items["item_id"].tolist())
    message = f"left out, since its corpus '{spec.corpus}' is of no use"
    return AssetRecord(
        facts={**asdict(inspect(features, items)), UNUSABLE: why},
        rows=len(items),
        checks=[
            Check(name=COVERS, passed=False, message=message),
            Check(name=DISTINCT, passed=False, message=message),
        ],
        worth_another_try=True,
    )


def load_items(folder: Path) -> pd.DataFrame:
    """The item table of a prepared dataset."""
    return Dataset.load(folder).items
