"""`<dataset>/embeddings/<source>`: one source of content as vectors, with a look at whether they can be trusted."""

from pathlib import Path

import dagster as dg
import pandas as pd

from orchestration import keys
from orchestration.fingerprints import code_version, fingerprint, signature
from orchestration.home import Home, Outcome
from orchestration.lineage import Check
from orchestration.results import key, materialised, plainly, plot, table
from orchestration.study import ContentSource, DatasetSpec, resolve
from recsys.content.features import Features
from recsys.data.dataset import Dataset

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
    code = code_version(f"recsys/content/encoders/{content.encoder}.py", "recsys/content/features.py")
    version = fingerprint(content.model_dump(), code)

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
            also_depends_on=signature(folder / content.options["file"])
            if "file" in content.options and folder
            else "",
        )
        items = Dataset.load(home.folder(home.current(keys.dataset(name)))).items
        return materialised(event, _shown(event.facts, items, Features.load(home.folder(event) / FEATURES)))

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
    corpus = pd.read_parquet(read[1] / "corpus.parquet") if content.corpus else None
    with home.progress.track(asset, len(items)) as advance:
        done = 0

        def progress(now: int, total: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        features = encode(content.encoder, content.options, items, folder=folder, corpus=corpus, progress=progress)
        advance(len(items) - done)
    features.save(out / FEATURES, items["item_id"].tolist())
    found = inspect(features)
    wrong = problems(found)
    covered = found.coverage >= 0.5
    checks = (
        Check(
            name="covers_items", passed=covered, message=f"{found.coverage:.1%} of {found.n_items} items have content"
        ),
        Check(
            name="distinct_rows",
            passed=not [sentence for sentence in wrong if "alike" in sentence],
            message="; ".join(wrong) or f"{found.distinct:.1%} of the rows with content are distinct",
        ),
    )
    return Outcome(facts=found.as_facts(), rows=found.n_items, checks=checks)


def _shown(facts: dict[str, object], items: pd.DataFrame, features: Features) -> dict[str, object]:
    from matplotlib.figure import Figure

    from recsys.content.neighbours import nearest
    from recsys.content.space import plane

    rows = plane(features)
    figure = Figure(figsize=(4, 3.4))
    axes = figure.subplots()
    axes.scatter(rows[:, 0], rows[:, 1], s=4, alpha=0.5)
    axes.set(title="The space, two principal components", xticks=[], yticks=[])
    names = items["title"].fillna(items["item_id"]).astype(str).str.slice(0, 40)
    near = [
        {"item": names.iloc[item], "nearest by cosine": "; ".join(names.iloc[list(others)])}
        for item, others in nearest(features, n_items=5, n_neighbours=4)
    ]
    return {**facts, "space": plot(figure), "neighbours": table(pd.DataFrame(near))}
