"""Parquet and JSON, read by DuckDB: plain values as text, lists as lists, the rest left out and named."""

import ast
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from recsys.data.ids import EXACT, INEXACT
from recsys.data.readers.decoding import Text, as_utf8
from recsys.data.readers.layout import BadRow, Rows
from recsys.errors import UserError

MAX_LINE = 64 << 20
LEFT_OUT = "left out, since their values are no text"
HALF_LETTER = re.compile(
    rb"(?<!\\)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
"""Half of a pair that stands for one letter, as programs leave it that cut texts by their UTF-16 units."""


def read_parquet(path: Path) -> Rows:
    """The records of a Parquet file, numbered from 1.

    Raises:
        duckdb.Error: it is no Parquet file.
        UserError: two columns have one name. Those that differ by case alone are one to DuckDB, which would rename it.
    """
    names = pd.Series(parquet.read_schema(path).names, dtype="str")
    if len(twice := names[names.str.lower().duplicated()]):
        raise UserError(f"{path}: two columns have the same name '{twice.iloc[0]}', case aside; rename one")
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        source = f"read_parquet({_literal(str(path))})"
        kinds = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        values = {name: _parquet_value(name, kind) for name, kind in kinds.items()}
        table = _selected(con, values, source)
    for name, numbers in _ranges(path).items():
        if name not in values and len(numbers) == len(table):
            table = table.append_column(name, pa.array(map(str, numbers), pa.string()))
    return Rows(table, np.arange(1, len(table) + 1), notes=_left_out(values))


def _ranges(path: Path) -> dict[str, range]:
    """Columns that were the index in pandas, which keeps a regular one as its start, stop and step."""
    pandas = (parquet.read_schema(path).metadata or {}).get(b"pandas")
    index = json.loads(pandas).get("index_columns", []) if pandas else []
    named = [each for each in index if isinstance(each, dict) and each.get("kind") == "range" and each.get("name")]
    return {str(each["name"]): range(each["start"], each["stop"], each["step"]) for each in named}


def _parquet_value(name: str, kind: str) -> str | None:
    """What selects a column as text; None where its values are no text."""
    column = _identifier(name)
    if kind.endswith("]"):
        inner = kind[: kind.rindex("[")]
        return None if inner.endswith("]") or _is_nested(inner) or inner in EXACT else f"{column}::VARCHAR[]"
    if _is_nested(kind):
        return None
    if kind in EXACT:  # 12.0 is 12, as an id and as a rating; what a float cannot hold still shows that it was one
        return f"""CASE WHEN isnan({column}) THEN NULL
            WHEN {column} <> trunc({column}) OR isinf({column}) THEN {column}::VARCHAR
            WHEN abs({column}) < {EXACT[kind]} THEN {column}::BIGINT::VARCHAR ELSE format('{INEXACT}', {column}) END"""
    return f"{column}::VARCHAR"


def _is_nested(kind: str) -> bool:
    return kind.startswith(("STRUCT", "MAP", "UNION", "VARIANT")) or kind in ("BLOB", "BIT", "GEOMETRY")


def read_json(path: Path, encoding: str | None, scratch: Path) -> Rows:
    """The objects of a JSON file, one a line or in a list; what is no object is a bad row.

    A line that is a Python dict, as Amazon's files of 2014 have them, is read as one.

    Raises:
        UserError: the file holds no object.
    """
    text = _of_whole_letters(as_utf8(path, encoding, scratch), scratch)
    with text.path.open("rb") as file:
        is_list = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    with duckdb.connect() as con:
        bad = _load_list(con, text.path) if is_list else _load_lines(con, text.path)
        if not con.execute("SELECT count(*) FROM source").fetchone()[0]:  # type: ignore[index]
            raise UserError(f"{path}: holds no JSON object; give one object per line, or a list of objects")
        kinds = con.execute(KINDS).fetchall()
        values = {name: _json_value(name, set(of), set(inner or ())) for name, of, inner in kinds}
        if not any(values.values()):
            shown = ", ".join(list(values)[:4])
            raise UserError(
                f"{path}: holds objects within objects ({shown}); give one object per line, or a list of objects"
            )
        table = _selected(con, values, "source ORDER BY number")
        numbers = np.asarray(con.execute("SELECT number FROM source ORDER BY number").fetchnumpy()["number"])
    return Rows(table, numbers, bad, (*text.notes, *_left_out(values)))


def _of_whole_letters(text: Text, scratch: Path) -> Text:
    """The file, or a copy in which U+FFFD takes the place of half letters: JSON has them, no text can."""
    with text.path.open("rb") as file:
        if not any(HALF_LETTER.search(line) for line in file):
            return text
    target = scratch / "whole_letters"
    with text.path.open("rb") as file, target.open("wb") as out:
        out.writelines(HALF_LETTER.sub(rb"\\ufffd", line) for line in file)
    return replace(text, path=target)


KINDS = """
    SELECT key, list(DISTINCT type), list(DISTINCT inner_type) FILTER (type = 'ARRAY')
    FROM (
        SELECT number, key, json_type(object, place) AS type, json_type(object, place || '/0') AS inner_type
        FROM (
            SELECT number, object, key, '/' || replace(replace(key, '~', '~0'), '/', '~1') AS place
            FROM (SELECT number, object, unnest(json_keys(object)) AS key FROM source)))
    GROUP BY key ORDER BY min(number), key"""


def _load_lines(con: duckdb.DuckDBPyConnection, path: Path) -> list[BadRow]:
    """Table `source` of `number` (the line) and `object`."""
    con.execute(
        f"""CREATE TABLE lines AS SELECT row_number() OVER () AS number, line FROM read_csv(
            {_literal(str(path))}, columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '', escape = '',
            header = false, auto_detect = false, strict_mode = false, max_line_size = {MAX_LINE})"""
    )
    con.execute(
        """CREATE TABLE source AS SELECT number, line::JSON AS object FROM lines
        WHERE json_valid(line) AND json_type(line) = 'OBJECT'"""
    )
    others = con.execute(
        """SELECT number, line FROM lines ANTI JOIN source USING (number)
        WHERE trim(coalesce(line, '')) <> '' ORDER BY number"""
    ).fetchall()
    found = [(number, line, _as_json(line)) for number, line in others]
    literals = pa.table(
        {
            "number": pa.array([number for number, _, text in found if text is not None], pa.int64()),
            "object": pa.array([text for _, _, text in found if text is not None], pa.string()),
        }
    )
    con.register("literals", literals)
    con.execute("INSERT INTO source SELECT number, object::JSON FROM literals")
    return [BadRow(number, line, "it is not a JSON object") for number, line, text in found if text is None]


def _load_list(con: duckdb.DuckDBPyConnection, path: Path) -> list[BadRow]:
    con.execute(
        f"""CREATE TABLE records AS SELECT row_number() OVER () AS number, json FROM read_json_objects(
            {_literal(str(path))}, format = 'array', maximum_object_size = {MAX_LINE})"""
    )
    con.execute("CREATE TABLE source AS SELECT number, json AS object FROM records WHERE json_type(json) = 'OBJECT'")
    others = con.execute("SELECT number, json::VARCHAR FROM records ANTI JOIN source USING (number)").fetchall()
    return [BadRow(number, text, "it is not a JSON object") for number, text in others]


def python_dict(line: str) -> dict[str, object] | None:
    """A line that is a dictionary of Python literals, read as data and never run; None where it is not one."""
    try:
        with warnings.catch_warnings():
            # A backslash before any letter is no mistake of ours.
            warnings.simplefilter("ignore", SyntaxWarning)
            found = ast.literal_eval(line.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else None


def _as_json(line: str) -> str | None:
    """A dictionary of Python literals as JSON; None where it is not one, or holds what JSON has not."""
    found = python_dict(line)
    try:
        text = json.dumps(found)
    except TypeError:
        return None
    return None if found is None else HALF_LETTER.sub(rb"\\ufffd", text.encode()).decode()


def _json_value(name: str, kinds: set[str], inner: set[str | None]) -> str | None:
    path = _literal("/" + name.replace("~", "~0").replace("/", "~1"))
    if "OBJECT" in kinds or inner & {"OBJECT", "ARRAY", "DOUBLE"}:
        return None
    if "ARRAY" not in kinds:
        return f"object ->> {path}"
    return f"""CASE json_type(object, {path}) WHEN 'ARRAY' THEN (object -> {path})::VARCHAR[] WHEN 'NULL' THEN NULL
        ELSE CASE WHEN (object ->> {path}) IS NOT NULL THEN [object ->> {path}] END END"""


def _selected(con: duckdb.DuckDBPyConnection, values: Mapping[str, str | None], source: str) -> pa.Table:
    wanted = [f"{value} AS c{place}" for place, value in enumerate(values.values()) if value is not None]
    names = [name for name, value in values.items() if value is not None]
    if not wanted:
        return pa.table({})
    return con.execute(f"SELECT {', '.join(wanted)} FROM {source}").to_arrow_table().rename_columns(names)


def _left_out(values: Mapping[str, str | None]) -> tuple[str, ...]:
    nested = [name for name, value in values.items() if value is None]
    return (f"{LEFT_OUT}: {', '.join(nested)}",) if nested else ()


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
