"""`<dataset>/descriptions/<corpus>`: what a model says about the items, raw and by field, with its compliance.

The answers are read from a file, or asked of a vision-language model, which also gives its hidden states.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from assets.embedding_views import card
from orchestration import keys
from orchestration.fingerprints import signature
from orchestration.home import Home, Outcome
from orchestration.lineage import Check
from orchestration.progress import counted
from orchestration.results import key, materialised, plainly
from orchestration.study_dataset import Corpus, DatasetSpec
from orchestration.study_file import resolve
from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.fingerprints import code_of, fingerprint

CORPUS, QUARANTINE = "corpus.parquet", "quarantine.parquet"
COMPLIANT = 0.9
N_SHOWN = 8
READING = ("assets.descriptions:_read", "assets.descriptions:_parse")
ASKING = ("assets.descriptions:_ask", "assets.descriptions:_parse")


def build(name: str, spec: DatasetSpec, corpus: str) -> dg.AssetsDefinition:
    """The asset of one description corpus of a dataset."""
    asset = keys.descriptions(name, corpus)
    settings = spec.descriptions[corpus]
    inputs = [keys.dataset(name)]
    code = ASKING if settings.model else READING
    version = fingerprint(settings.model_dump(exclude={"truth"}), code_of(*code))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"parquet", "huggingface"} if settings.model else {"parquet"},
        code_version=version,
        description=f"Descriptions of the items of {name}: corpus `{corpus}`, raw answers and parsed fields.",
        check_specs=[
            dg.AssetCheckSpec(
                "keeps_to_format", asset=key(asset), description=f"{COMPLIANT:.0%} of the answers give every field"
            )
        ],
    )
    @plainly
    def descriptions(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        folder = resolve(spec.source.folder, home.settings, f"dataset {name}") if spec.source.folder else Path()
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=inputs,
            build=lambda out, read: _gather(home, asset, settings, folder, out, read[inputs[0]]),
            also_depends_on=outside(settings, folder, home, name),
        )
        answers = pd.read_parquet(home.folder(event) / CORPUS)
        items = Dataset.load(home.folder(home.current(keys.dataset(name)))).items
        return materialised(event, {**event.facts, "preview": _preview(answers, items)})

    return descriptions


def outside(settings: Corpus, folder: Path, home: Home, name: str) -> str:
    """Signature of what is read beside the store: the file of answers, or a model's own files."""
    if settings.file is not None:
        return signature(resolve(str(folder / settings.file), home.settings, f"dataset {name}: descriptions"))
    places = settings.places(folder)
    return signature(*places) if places else ""


def _preview(answers: pd.DataFrame, items: pd.DataFrame) -> dg.MetadataValue:
    """A few answers beside what they are about."""
    shown = answers.head(N_SHOWN).merge(items, on="item_id", suffixes=("", "_of_item"))
    lines = ["| item | answer |", "| --- | --- |"]
    lines += [
        f"| {card(item)} | {' '.join(item['answer'].split()).replace('|', '/')} |" for _, item in shown.iterrows()
    ]
    return dg.MetadataValue.md("\n".join(lines))


def _gather(home: Home, asset: str, settings: Corpus, folder: Path, out: Path, dataset: Path) -> Outcome:
    items = Dataset.load(dataset).items
    if settings.file is not None:
        return _parse(*_read(settings, folder / settings.file, out, items), settings.fields, out, items)
    with counted(home.progress, asset, len(items)) as progress:
        answers, facts, fields = _ask(settings, folder, home.settings.work / asset, out, items, progress)
    return _parse(answers, facts, fields, out, items)


def _read(settings: Corpus, file: Path, out: Path, items: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    from recsys.content.descriptions import read_corpus

    corpus = read_corpus(file, id_column=settings.id_column, text_column=settings.text_column)
    known = corpus.answers[corpus.answers["item_id"].isin(items["item_id"])].reset_index(drop=True)
    if known.empty:
        raise UserError(f"{file}: none of its {len(corpus.answers)} answers is about an item of the dataset")
    corpus.quarantine.astype("string").to_parquet(out / QUARANTINE, index=False)
    return known, {"answers": len(corpus.answers), "set_aside": len(corpus.quarantine)}


def _ask(
    settings: Corpus, folder: Path, work: Path, out: Path, items: pd.DataFrame, progress: Callable[[int, int], None]
) -> tuple[pd.DataFrame, dict[str, Any], tuple[str, ...]]:
    from recsys.content.vlm.extraction import VlmOptions, extract
    from recsys.content.vlm.prompts import load_prompt

    options = VlmOptions.read(settings.options)
    extraction = extract(items, options, folder=folder, work=work, progress=progress)
    extraction.save(out)
    return extraction.answers, extraction.facts, tuple(load_prompt(options.prompt, folder).fields)


def _parse(
    answers: pd.DataFrame, facts: dict[str, Any], fields: tuple[str, ...], out: Path, items: pd.DataFrame
) -> Outcome:
    from recsys.content.descriptions import parse_corpus

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
        name="keeps_to_format",
        passed=not fields or compliance.complete >= COMPLIANT,
        message=f"{compliance.complete:.1%} of the answers give every field, {compliance.exact:.1%} in the exact form",
    )
    return Outcome(facts=found, rows=len(answers), checks=(check,))
