"""`<dataset>/descriptions/<corpus>`: what a model wrote about the items, raw and by field, with its compliance."""

from pathlib import Path

import dagster as dg
import pandas as pd

from orchestration import keys
from orchestration.fingerprints import code_version, fingerprint, signature
from orchestration.home import Home, Outcome
from orchestration.lineage import Check
from orchestration.results import key, materialised, plainly, preview
from orchestration.study import Corpus, DatasetSpec
from orchestration.study_file import resolve
from recsys.data.dataset import Dataset
from recsys.errors import UserError

COMPLIANT = 0.9


def build(name: str, spec: DatasetSpec, corpus: str) -> dg.AssetsDefinition:
    """The asset of one description corpus of a dataset."""
    asset = keys.descriptions(name, corpus)
    settings = spec.descriptions[corpus]
    inputs = [keys.dataset(name)]
    version = fingerprint(settings.model_dump(), code_version("recsys/content/descriptions"))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"parquet"},
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
        file = resolve(str(folder / settings.file), home.settings, f"dataset {name}: corpus '{corpus}'")
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=inputs,
            build=lambda out, read: _parse(settings, file, out, read[inputs[0]]),
            also_depends_on=signature(file),
        )
        answers = pd.read_parquet(home.folder(event) / "corpus.parquet")
        shown = {**event.facts, "preview": preview(answers)}
        return materialised(event, shown)

    return descriptions


def _parse(settings: Corpus, file: Path, out: Path, dataset: Path) -> Outcome:
    from recsys.content.descriptions import parse_corpus, read_corpus

    corpus = read_corpus(file, id_column=settings.id_column, text_column=settings.text_column)
    wanted = Dataset.load(dataset).items["item_id"]
    known = corpus.answers[corpus.answers["item_id"].isin(wanted)].reset_index(drop=True)
    if known.empty:
        raise UserError(f"{file}: none of its {len(corpus.answers)} answers is about an item of the dataset")
    fields, compliance = parse_corpus(known, settings.fields)
    known.merge(fields, on="item_id").to_parquet(out / "corpus.parquet", index=False)
    corpus.quarantine.astype("string").to_parquet(out / "quarantine.parquet", index=False)
    facts = {
        "answers": len(corpus.answers),
        "about_known_items": len(known),
        "items_described": len(known) / len(wanted),
        "set_aside": len(corpus.quarantine),
        "complete": compliance.complete,
        "exact_format": compliance.exact,
        **{f"gives {field}": share for field, share in compliance.given.items()},
    }
    check = Check(
        name="keeps_to_format",
        passed=not settings.fields or compliance.complete >= COMPLIANT,
        message=f"{compliance.complete:.1%} of the answers give every field, {compliance.exact:.1%} in the exact form",
    )
    return Outcome(facts=facts, rows=len(known), checks=(check,))
