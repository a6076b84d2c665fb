"""The code location: every asset of every study file, generated when Dagster loads it.

Nothing heavy is imported here (torch, transformers and mlflow come in when an asset runs), so that a page
refresh takes moments.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.study_nodes import study_nodes
from orchestration import keys
from orchestration.asset_factory import assets_of
from orchestration.dagster_metadata import key
from orchestration.home import Home
from orchestration.instance import job_name
from orchestration.progress import LogProgress, Progress
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.study.file import load_study
from recsys.study.study import Study


def study_assets(study: Study, settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of one study."""
    return assets_of(study_nodes(study), settings)


def unreadable(file: Path, error: UserError) -> dg.AssetSpec:
    """What Dagster shows in the place of a study that cannot be read: its error, where a person will see it."""
    return dg.AssetSpec(key(f"{file.stem}/unreadable"), group_name="unreadable_studies", description=str(error))


def build_definitions(
    settings: Settings | None = None, studies: Sequence[Study] | None = None, progress: Progress | None = None
) -> dg.Definitions:
    """The code location for these studies; by default every file of the studies folder."""
    settings = settings or Settings()
    made: list[dg.AssetsDefinition | dg.AssetSpec] = []
    readable: list[Study] = list(studies or [])
    if studies is None:
        for file in sorted(settings.studies.glob("*.yaml")):
            try:
                readable.append(load_study(file))
            except UserError as error:
                made.append(unreadable(file, error))
    _refuse_shared_names(readable)
    for study in readable:
        made += study_assets(study, settings)
    home = Home(settings, progress or LogProgress(dg.get_dagster_logger().info))
    return dg.Definitions(
        assets=made,
        resources={"home": home},
        executor=dg.in_process_executor,
        jobs=[_job(study) for study in readable],
    )


def _job(study: Study) -> Any:
    datasets = dg.AssetSelection.groups(*study.datasets)
    return dg.define_asset_job(
        job_name(study.name),
        datasets | dg.AssetSelection.assets(key(keys.report(study.name))),
        description=study.title,
    )


def _refuse_shared_names(studies: Iterable[Study]) -> None:
    owner: dict[str, str] = {}
    for study in studies:
        for name in study.datasets:
            if name in owner:
                raise UserError(
                    f"studies {owner[name]} and {study.name} both have a dataset '{name}': rename one, "
                    "since a dataset is an asset of that name"
                )
            owner[name] = study.name


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_definitions()
