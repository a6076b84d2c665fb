"""Materialise a study from the command line, in this process, as a run that Dagster's page shows too."""

import os
from dataclasses import dataclass

import dagster as dg

from orchestration.definitions import build_definitions
from orchestration.instance import PID, close_abandoned, prepare
from orchestration.progress import Progress
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.study.study import Study

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


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
    try:
        selection = dg.AssetSelection.from_string(select) if select else dg.AssetSelection.all()
        chosen = selection.resolve(graph)
    except Exception as error:  # Dagster raises several kinds for what a person typed
        reason = str(error).splitlines()[0]
        raise UserError(
            f"--select '{select}' cannot be read: {reason} (such as 'key:\"demo/report\"' or '+group:x')"
        ) from None
    if not chosen:
        raise UserError(
            f"--select '{select}' names no asset of study {study.name}; `modalift run --dry-run` lists them"
        )
    return [k.to_user_string() for level in graph.toposorted_asset_keys_by_level for k in sorted(level) if k in chosen]


def materialise(study: Study, settings: Settings, progress: Progress, select: str | None = None) -> Materialised:
    """Run a study's assets, or those selected; a failed step is told, not raised.

    Raises:
        KeyboardInterrupt: Ctrl-C, which Dagster makes a failed step of.
    """
    prepare(settings)
    assets = selected(study, settings, select)
    definitions = build_definitions(settings, [study], progress)
    with dg.DagsterInstance.get() as instance:
        close_abandoned(instance)
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(asset.split("/")) for asset in assets],
            tags={PID: str(os.getpid()), "modalift/study": study.name},
            run_config=QUIET,
            raise_on_error=False,
        )
    failed = [event for event in result.all_events if event.is_step_failure]
    if any(_interrupted(event) for event in failed):
        raise KeyboardInterrupt
    failures = tuple(_reason(event) for event in failed)
    done = tuple(e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key)
    return Materialised(result.run_id, failures, done)


def _interrupted(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error
    return error is not None and "DagsterExecutionInterruptedError" in (error.cls_name or "", error.message.strip())


def _reason(event: dg.DagsterEvent) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data:
        return failure.user_failure_data.description or "failed"
    error = failure.error
    while error and error.cause:
        error = error.cause
    return f"{event.step_key}: {error.message.strip() if error else 'failed'}"
