"""Why the newest run of a study failed, as Dagster recorded it: what stands where results are missing."""

import dagster as dg

from orchestration.instance import job_name, prepare
from orchestration.materialise import reason
from orchestration.settings import Settings


def last_failure(study: str, settings: Settings, dataset: str = "") -> str:
    """The first failed step's line of a study's newest run; empty where it did not fail, or nothing was run.

    Args:
        study: its name.
        settings: of the home that it was run in.
        dataset: only steps of this dataset count; empty: all do.
    """
    if not settings.dagster.is_dir():
        return ""
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name=job_name(study)), limit=1)
        if not runs or runs[0].status != dg.DagsterRunStatus.FAILURE:
            return ""
        records = instance.get_records_for_run(runs[0].run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    events = [each.event_log_entry.dagster_event for each in records]
    own = [e for e in events if e and (not dataset or (e.step_key or "").startswith(f"{dataset}__"))]
    return " ".join(reason(own[0], {}, settings.home).split()) if own else ""
