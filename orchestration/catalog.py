"""`catalog.duckdb`: the lineage events and the cells as tables that a person queries.

DuckDB locks a file that is open for writing, and a reader blocks a writer; the catalogue is therefore built anew
from the events into another file that replaces the old one. Open it read-only, even while a run goes on.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.tracked import run_id
from recsys.engine.stored import StoredCell, cell_folders, stored_cells
from recsys.store import PENDING
from recsys.study.judgement import LEADERBOARD, VERDICT
from recsys.study.measuring import SUMMARY

TABLES = {
    "run": "run_id TEXT, asset TEXT, started TIMESTAMPTZ, ended TIMESTAMPTZ, seconds DOUBLE, reused BOOLEAN, "
    "code_version TEXT",
    "dataset_version": "asset TEXT, fingerprint TEXT, content_hash TEXT, path TEXT, n_rows BIGINT, "
    "created TIMESTAMPTZ, facts JSON",
    "run_input": "run_id TEXT, asset TEXT, input_asset TEXT, input_fingerprint TEXT, input_content_hash TEXT",
    "run_output": "run_id TEXT, asset TEXT, fingerprint TEXT, content_hash TEXT",
    "asset_check": "run_id TEXT, asset TEXT, fingerprint TEXT, name TEXT, passed BOOLEAN, message TEXT",
    "cell": "fingerprint TEXT, dataset TEXT, model TEXT, arm TEXT, repeat BIGINT, seed BIGINT, stage TEXT, "
    "params JSON, primary_metric TEXT, valid DOUBLE, content_used BOOLEAN, fit_seconds DOUBLE, rank_seconds DOUBLE, "
    "peak_memory DOUBLE, pruned BOOLEAN, failure TEXT, mlflow_run TEXT",
    "metric": "dataset TEXT, model TEXT, arm TEXT, metric TEXT, mean DOUBLE, ci_low DOUBLE, ci_high DOUBLE, "
    "per_repeat DOUBLE[]",
    "comparison": "dataset TEXT, model_a TEXT, arm_a TEXT, model_b TEXT, arm_b TEXT, mean_a DOUBLE, mean_b DOUBLE, "
    "lift DOUBLE, lift_low DOUBLE, lift_high DOUBLE, p_value DOUBLE, p_holm DOUBLE, p_equivalent DOUBLE, "
    "p_users DOUBLE, n_users BIGINT, n_moved BIGINT, n_repeats BIGINT, detectable_lift DOUBLE",
}


def refresh(home: Home) -> Path:
    """Build the catalogue anew from what the home folder holds; gives its path."""
    events = sorted(home.lineage.events(), key=lambda event: event.ended)
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    for event in events:
        _add_event(rows, event)
    newest: dict[str, Event] = {}
    for event in reversed(events):
        # All files of a version are looked at, so that those of older ones are left alone.
        if event.asset not in newest and home.is_whole(event):
            newest[event.asset] = event
    for event in newest.values():
        _add_results(rows, home, event)
    rows["cell"] = [_cell(cell) for cell in stored_cells(cell_folders(home.settings.store))]
    pending = home.settings.catalog.with_name(f"{PENDING}-{os.getpid()}.duckdb")
    pending.unlink(missing_ok=True)
    home.settings.home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(pending)) as connection:
        for name, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {name} ({columns})")
            _insert(connection, name, columns, rows[name])
        for name, files in _analysis_tables(home, newest.values()).items():
            _create_analysis(connection, name, files)
    pending.replace(home.settings.catalog)
    return home.settings.catalog


def _insert(connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    connection.register("incoming", pd.DataFrame(rows, columns=_names(columns)))
    connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")
    connection.unregister("incoming")


def _names(columns: str) -> list[str]:
    """Names of the columns of a table."""
    return [column.split()[0] for column in columns.split(", ")]


def _add_event(rows: dict[str, list[tuple[Any, ...]]], e: Event) -> None:
    rows["run"].append((e.run, e.asset, e.started, e.ended, e.seconds, e.reused, e.code_version))
    rows["run_output"].append((e.run, e.asset, e.fingerprint, e.content_hash))
    rows["run_input"] += [(e.run, e.asset, i.asset, i.fingerprint, i.content_hash) for i in e.inputs]
    rows["asset_check"] += [(e.run, e.asset, e.fingerprint, c.name, c.passed, c.message) for c in e.checks]
    if not e.reused:
        version = (e.asset, e.fingerprint, e.content_hash, e.path, e.rows, e.ended, json.dumps(e.facts))
        rows["dataset_version"].append(version)


def _add_results(rows: dict[str, list[tuple[Any, ...]]], home: Home, event: Event) -> None:
    dataset, kind = event.asset.split("/")[:2]
    folder = home.folder(event)
    if kind == "metrics":
        columns = ("model", "arm", "metric", "mean", "ci_low", "ci_high")
        for row in pd.read_parquet(folder / SUMMARY).to_dict("records"):
            rows["metric"].append((dataset, *(row[column] for column in columns), list(row["per_repeat"])))
    judged = folder / {"verdict": VERDICT, "metrics": LEADERBOARD}.get(kind, "")
    if judged.is_file():
        said = json.loads(judged.read_text(encoding="utf-8"))
        compared = _names(TABLES["comparison"])[1:]
        rows["comparison"] += [(dataset, *(c[column] for column in compared)) for c in said["comparisons"]]


def _cell(cell: StoredCell) -> tuple[Any, ...]:
    record = cell.record
    return (
        cell.fingerprint,
        *(record[name] for name in ("dataset", "model", "arm", "repeat", "seed", "stage")),
        json.dumps(record["params"]),
        record["primary"],
        cell.valid,
        record["content_used"],
        record["seconds"].get("fit"),
        record["seconds"].get("rank"),
        record["peak_memory"],
        cell.pruned,
        cell.message,
        run_id(record["dataset"], cell.fingerprint),
    )


def _analysis_tables(home: Home, newest: Iterable[Event]) -> dict[str, dict[str, Path]]:
    """The Parquet file of each dataset by table, which is named by its analysis and what it is called there."""
    tables: dict[str, dict[str, Path]] = {}
    for event in newest:
        dataset, kind, *rest = event.asset.split("/")
        for file in sorted(home.folder(event).glob("*.parquet")) if kind == "analyses" else ():
            if not pq.read_schema(file).names:  # DuckDB knows no table without columns
                continue
            tables.setdefault(f"{rest[0]}_{file.stem}", {})[dataset] = file
    return tables


def _create_analysis(connection: duckdb.DuckDBPyConnection, name: str, files: dict[str, Path]) -> None:
    """One table for all datasets, with a column that names each."""
    selects = ["SELECT ? AS dataset, * FROM read_parquet(?)" for _ in files]
    values = [str(each) for pair in files.items() for each in pair]
    connection.execute(f'CREATE TABLE "{name}" AS {" UNION ALL BY NAME ".join(selects)}', values)
