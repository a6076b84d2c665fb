"""Materialise a study from the command line, in this process, as a run that Dagster's pages show as theirs.

`execute_in_process` would leave out the run's origin, without which neither the timeline nor the job's page lists
it. So the run is created with its origin and executed by the iterator that Dagster's own run workers use.
"""

import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._utils.error import SerializableErrorInfo

from orchestration.definitions import build_definitions
from orchestration.full_disk import full_disk
from orchestration.home import Home
from orchestration.instance import PID, job_name, job_origin, prepare
from orchestration.progress import CombinedProgress, LogProgress, Progress
from orchestration.settings import Settings
from recsys.errors import UserError, hint
from recsys.study.study import Study

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
WORDS = re.compile(r'[^\s"+()]+\(?')
"""Words of a selection without its quotes, such as `key:demo/report`, `or` and `roots(`."""
INTERRUPTS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}


@dataclass(frozen=True)
class Materialised:
    """What a run came to.

    Attributes:
        run: Dagster's run id.
        failures: one line for each step that failed.
        assets: keys materialised, in their order.
    """

    run: str
    failures: tuple[str, ...]
    assets: tuple[str, ...]


def selected(study: Study, settings: Settings, select: str | None) -> list[str]:
    """Keys of the assets that a selection names, upstream first; all of the study's without one.

    Raises:
        UserError: the selection cannot be read, or names nothing.
    """
    graph = build_definitions(settings, [study]).resolve_asset_graph()
    ordered = [asset for level in graph.toposorted_asset_keys_by_level for asset in sorted(level)]
    if not select:
        return [asset.to_user_string() for asset in ordered]
    chosen = _resolved(select, graph)
    names = [asset.to_user_string() for asset in ordered]
    known = [*names, *dict.fromkeys(node.group_name for node in graph.asset_nodes if node.group_name)]
    unknown = next((name for name in _named(select) if name not in known), "")
    if unknown or not chosen:
        near = hint(unknown, known, f"modalift run {study.name} --dry-run")
        raise UserError(f"--select '{select}' names what study {study.name} does not have{near}")
    return [asset.to_user_string() for asset in ordered if asset in chosen]


def _named(select: str) -> list[str]:
    """The assets and groups that a selection names in full."""
    words = (word.rpartition(":") for word in WORDS.findall(select.replace('"', "")))
    return [
        name
        for kind, _, name in words
        if kind in ("", "key", "group") and name not in ("and", "or", "not", "") and not re.search(r"[*(]", name)
    ]


def _resolved(select: str, graph: AssetGraph) -> set[dg.AssetKey]:
    """What a selection chooses; nothing where it names an asset that there is not.

    Dagster's parser calls parameters of Dagster that are in beta, of which nobody who selects can do anything.
    """
    with warnings.catch_warnings():
        for category in (dg.BetaWarning, dg.PreviewWarning):
            warnings.simplefilter("ignore", category)
        try:
            return set(dg.AssetSelection.from_string(select).resolve(graph))
        except dg.DagsterInvalidSubsetError:
            return set()
        except Exception:  # Dagster raises several kinds for what a person typed
            raise UserError(
                f"--select '{select}' cannot be read: write such as 'key:\"demo/report\"' or '+group:x'"
            ) from None


def materialise(study: Study, settings: Settings, progress: Progress, select: str | None = None) -> Materialised:
    """Run a study's assets, or those selected; a failed step is reported, not raised.

    Raises:
        KeyboardInterrupt: Ctrl-C; the run is then canceled in Dagster.
    """
    prepare(settings)
    assets = selected(study, settings, select)
    job = _job(study, settings, progress)
    failures: list[dg.DagsterEvent] = []
    done: list[str] = []
    with dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(
            job,
            run_config=QUIET,
            tags={PID: str(os.getpid()), "modalift/study": study.name},
            asset_selection={dg.AssetKey(asset.split("/")) for asset in assets},
            remote_job_origin=job_origin(job.name),
        )
        for event in execute_run_iterator(InMemoryJob(job), run, instance):
            if event.is_step_materialization and event.asset_key:
                done.append(event.asset_key.to_user_string())
            if event.is_step_failure or event.is_job_failure:
                failures.append(event)
            if event.is_step_failure and _interrupted(event):
                instance.report_run_canceling(run)
    Home(settings, progress).tracker.catch_up()
    if any(_interrupted(event) for event in failures):
        raise KeyboardInterrupt
    # That the run failed says something only where no step did.
    steps = [event for event in failures if event.is_step_failure]
    named = {dg.AssetKey(asset.split("/")).to_python_identifier(): asset for asset in assets}
    return Materialised(
        run.run_id, tuple(reason(event, named, settings.home) for event in steps or failures), tuple(done)
    )


def _job(study: Study, settings: Settings, progress: Progress) -> dg.JobDefinition:
    events = LogProgress(dg.get_dagster_logger().info)
    definitions = build_definitions(settings, [study], CombinedProgress(progress, events))
    return definitions.resolve_job_def(job_name(study.name))


def _error(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    return event.step_failure_data.error if event.is_step_failure else event.job_failure_data.error


def _interrupted(event: dg.DagsterEvent) -> bool:
    error = _error(event)
    return error is not None and not INTERRUPTS.isdisjoint((error.cls_name or "", error.message.strip()))


def reason(event: dg.DagsterEvent, assets: Mapping[str, str], home: Path) -> str:
    """Why a step failed; `assets` are keys by the names that Dagster gives their steps."""
    if event.is_step_failure and (ours := event.step_failure_data.user_failure_data):
        return ours.description or "failed"
    error = _error(event)
    said = error.to_string() if error else ""
    while error and error.cause:
        error = error.cause
    what = assets.get(event.step_key or "", event.step_key or event.job_name)
    if line := full_disk(said, home):
        return f"{what}: {line}"
    return f"{what}: {error.message.strip() if error else event.message or 'failed'}"
