"""The code location: every asset of every study file, generated when Dagster loads it.

Nothing heavy is imported here (torch, transformers and mlflow come in when an asset runs), so that a page
refresh takes moments.
"""

import logging
import re
from collections.abc import Mapping, Sequence
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

logger = logging.getLogger(__name__)
UNREADABLE = "unreadable"


def study_assets(study: Study, settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of one study."""
    return assets_of(study_nodes(study), settings, study.model_dump(mode="json"))


def unreadable(problems: Mapping[Path, str]) -> list[dg.AssetSpec]:
    """What Dagster shows in the place of studies that cannot be used: their errors, where a person will see them."""
    made: dict[str, dg.AssetSpec] = {}
    for file, problem in problems.items():
        plain = re.sub(r"\W", "_", file.stem, flags=re.ASCII)
        name = plain if plain not in made else f"{plain}_{len(made)}"
        made[name] = dg.AssetSpec(key(f"{name}/{UNREADABLE}"), group_name="unreadable_studies", description=problem)
        logger.warning("%s", problem)
    return list(made.values())


def build_definitions(
    settings: Settings | None = None, studies: Sequence[Study] | None = None, progress: Progress | None = None
) -> dg.Definitions:
    """The code location for these studies; by default every file of the studies folder.

    Raises:
        UserError: one of `studies` cannot be used. A file of the folder that cannot be used is shown as an asset that
            says why, and all others load.
    """
    settings = settings or Settings()
    home = Home(settings, progress or LogProgress(dg.get_dagster_logger().info))
    if studies is None:
        made, jobs = _of_folder(settings)
    else:
        made = [asset for study in studies for asset in study_assets(study, settings)]
        jobs = [_job(study) for study in studies]
    return dg.Definitions(assets=made, resources={"home": home}, executor=dg.in_process_executor, jobs=jobs)


def _of_folder(settings: Settings) -> tuple[list[dg.AssetsDefinition | dg.AssetSpec], list[Any]]:
    """Assets and jobs of all study files; one that cannot be used does not take the others from the page."""
    made: list[dg.AssetsDefinition | dg.AssetSpec] = []
    jobs: list[Any] = []
    owner: dict[str, str] = {}
    problems: dict[Path, str] = {}
    for file in settings.study_files:
        try:
            study = load_study(file)
            _refuse_shared_names(study, owner)
            made += study_assets(study, settings)
        except UserError as error:
            problems[file] = str(error) if str(file) in str(error) else f"{file}: {error}"
        except Exception as error:
            logger.exception("%s", file)
            problems[file] = f"{file}: unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        else:
            jobs.append(_job(study))
            owner |= dict.fromkeys(study.datasets, study.name)
    return [*made, *unreadable(problems)], jobs


def _job(study: Study) -> Any:
    datasets = dg.AssetSelection.groups(*study.datasets)
    return dg.define_asset_job(
        job_name(study.name),
        datasets | dg.AssetSelection.assets(key(keys.report(study.name))),
        description=study.title,
    )


def _refuse_shared_names(study: Study, owner: Mapping[str, str]) -> None:
    if study.name in owner.values():
        raise UserError(f"there are two files of study {study.name}, one .yaml and one .yml: rename one")
    for name in study.datasets:
        if name in owner:
            raise UserError(
                f"studies {owner[name]} and {study.name} both have a dataset '{name}': rename one, "
                "since a dataset is an asset of that name"
            )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_definitions()
