"""`<dataset>/dataset`: interactions read, cleaned, split and indexed; what could not be used stands in quarantine."""

from pathlib import Path

import dagster as dg
import pandas as pd

from orchestration import keys
from orchestration.applicable import RATED
from orchestration.fingerprints import signature
from orchestration.home import Home, Outcome
from orchestration.lineage import Check
from orchestration.results import key, materialised, plainly, plot, preview, table
from orchestration.study_dataset import DatasetSpec
from orchestration.study_file import resolve
from recsys.data.dataset import PARTS, Dataset
from recsys.fingerprints import code_of, fingerprint


def build(name: str, spec: DatasetSpec) -> dg.AssetsDefinition:
    """The asset of one dataset of a study."""
    asset = keys.dataset(name)
    settings = [part.model_dump() for part in (spec.source, spec.cleaning, spec.split)]
    version = fingerprint(settings, code_of("assets.dataset:_prepare"))

    @dg.asset(
        key=key(asset),
        group_name=name,
        kinds={"parquet", "duckdb"},
        code_version=version,
        description=f"Catalogue and interactions of {name}, read by `{spec.source.reader}`, cleaned and split by "
        f"`{spec.split.protocol}`.",
        check_specs=[
            dg.AssetCheckSpec("parts_are_disjoint", asset=key(asset), description="No pair stands in two parts"),
        ],
    )
    @plainly
    def dataset(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        folder = resolve(spec.source.folder, home.settings, f"dataset {name}") if spec.source.folder else None
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=[],
            build=lambda out, _: _prepare(spec, folder, out),
            also_depends_on=signature(*spec.source.places(folder)) if folder else "",
        )
        return materialised(event, _shown(Dataset.load(home.folder(event))))

    return dataset


def _prepare(spec: DatasetSpec, folder: Path | None, out: Path) -> Outcome:
    from recsys.data.prepare import prepare
    from recsys.data.readers import read

    raw = read(spec.source.reader, spec.source.options, folder, out)
    data = prepare(raw, spec.cleaning, spec.split)
    data.save(out)
    pairs = data.interactions[["user", "item"]]
    repeated = int(pairs.duplicated().sum())
    check = Check(
        name="parts_are_disjoint", passed=not repeated, message=f"{repeated} of {len(pairs)} pairs stand in two parts"
    )
    return Outcome(facts=data.facts | {RATED: data.ratings is not None}, rows=len(pairs), checks=(check,))


def _shown(data: Dataset) -> dict[str, object]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.6))
    axes = figure.subplots(1, 2)
    popularity = data.interactions["item"].value_counts().to_numpy()
    axes[0].plot(range(1, len(popularity) + 1), popularity)
    axes[0].set(title="Interactions by item, most popular first", xscale="log", yscale="log")
    axes[1].hist(data.interactions["user"].value_counts(), bins=40)
    axes[1].set(title="Interactions by user")
    reasons = data.quarantine["reason"].value_counts().rename_axis("reason").reset_index(name="rows")
    return {
        "users": data.n_users,
        "items": data.n_items,
        "density": round(len(data.interactions) / (data.n_users * data.n_items), 6),
        **{part: int((data.interactions["part"] == part).sum()) for part in PARTS},
        "with_image": int(data.items["image_path"].notna().sum()),
        "with_text": int(data.items["text"].notna().sum()),
        "quarantine": table(reasons if len(reasons) else pd.DataFrame({"reason": ["none"], "rows": [0]})),
        "items_preview": preview(data.items.drop(columns=["image_path", "image_digest"])),
        "interactions": plot(figure),
    }
