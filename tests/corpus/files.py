"""Other kinds of files: compressed, in parts, Parquet with nested columns, JSON, and what is no table."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from tests.corpus.shop import (
    GOODS_HEAD,
    N_ITEMS,
    ORDERS_HEAD,
    ROWS,
    USUAL,
    Truth,
    folder,
    goods,
    of,
    orders,
    put,
    refused,
    text,
    title,
    usual,
)


def rows() -> pd.DataFrame:
    """The interactions as pandas has them."""
    return pd.DataFrame([vars(row) for row in ROWS]).set_axis(list(ORDERS_HEAD), axis=1)


def items() -> pd.DataFrame:
    """The items as pandas has them."""
    return pd.DataFrame([(n, title(n), text(n)) for n in range(N_ITEMS)], columns=list(GOODS_HEAD))


def zipped(**files: str) -> bytes:
    """Files in a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


@folder()
def gzip_and_zip(place: Path) -> Truth:
    put(place, r_csv_gz=gzip.compress(orders().encode()), i_zip=zipped(items_csv=goods()))
    return USUAL.but(arguments=of("r.csv.gz", "i.zip"), says=("unpacked from gzip", "unpacked from zip"))


@folder()
def zstandard_and_xz(place: Path) -> Truth:
    packed = pa.Codec("zstd").compress(orders().encode(), asbytes=True)
    put(place, r_csv_zst=packed, i_csv_xz=lzma.compress(goods().encode()))
    return USUAL.but(arguments=of("r.csv.zst", "i.csv.xz"))


@folder()
def bzip2_called_csv(place: Path) -> Truth:
    put(place, r_csv=bz2.compress(orders().encode()), i_csv=goods())
    return USUAL


@refused("2 files in one zip")
def two_files_in_a_zip(place: Path) -> Truth:
    put(place, r_zip=zipped(a_csv=orders(), b_csv=orders()), i_csv=goods())
    return USUAL.but(arguments=of("r.zip", "i.csv"))


@refused("damaged gzip file")
def half_a_download(place: Path) -> Truth:
    packed = gzip.compress(orders().encode())
    put(place, r_csv_gz=packed[: len(packed) // 2], i_csv=goods())
    return USUAL.but(arguments=of("r.csv.gz", "i.csv"))


@refused("is a workbook")
def a_workbook(place: Path) -> Truth:
    put(place, r_xlsx=b"PK\x03\x04", i_csv=goods())
    return USUAL.but(arguments=of("r.xlsx", "i.csv"))


@refused("there is no such file")
def no_file(place: Path) -> Truth:
    put(place, i_csv=goods())
    return USUAL


@folder()
def part_files_with_and_without_header(place: Path) -> Truth:
    (place / "r").mkdir()
    head, *written = orders().splitlines(keepends=True)
    for part in range(3):
        body = written[part * 107 : (part + 1) * 107]
        (place / "r" / f"part-0000{part}.csv").write_text(head + "".join(body), encoding="utf-8")
    (place / "r" / "_SUCCESS").touch()
    (place / "r" / ".part-00000.csv.crc").write_bytes(b"crc\0")
    put(place, i_csv=goods())
    return USUAL.but(arguments=of("r", "i.csv"))


@folder()
def parquet_in_folders_of_days(place: Path) -> Truth:
    for day, of_day in rows().groupby(rows()["timestamp"] // 86_400):
        (place / "r.parquet" / f"day={day}").mkdir(parents=True)
        of_day.to_parquet(place / "r.parquet" / f"day={day}" / "part-0.parquet", index=False)
    items().to_parquet(place / "i.parquet")
    return USUAL.but(arguments=of("r.parquet", "i.parquet"))


@folder()
def parquet_nested(place: Path) -> Truth:
    rows().to_parquet(place / "r.parquet")
    columns = {
        "item_id": list(range(N_ITEMS)),
        "title": [title(n) for n in range(N_ITEMS)],
        "features": [[text(n), "new"] for n in range(N_ITEMS)],
        "categories": [["Home", "Chairs"], ["Outdoor"]] * (N_ITEMS // 2),
        "images": [[{"large": "https://x/1.jpg", "hi_res": None}]] * N_ITEMS,
        "details": [{"Brand": "x"}] * N_ITEMS,
        "thumbnail": [b"\x89PNG"] * N_ITEMS,
        "vector": [np.arange(3, dtype="float32") for _ in range(N_ITEMS)],
    }
    parquet.write_table(pa.table(columns), place / "i.parquet")
    return USUAL.but(arguments=of("r.parquet", "i.parquet"), says=("left out, since their values are no text",))


@folder()
def parquet_of_pandas(place: Path) -> Truth:
    frame = rows().sample(frac=1, random_state=1)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="s")
    frame["item_id"] = frame["item_id"].astype("category")
    frame["rating"] = frame["rating"].astype("float32")
    frame.to_parquet(place / "r.parquet")
    items().set_index("item_id").to_parquet(place / "i.parquet")
    return USUAL.of_rows([ROWS[n] for n in frame.index]).but(arguments=of("r.parquet", "i.parquet"))


@folder()
def parquet_called_csv(place: Path) -> Truth:
    rows().to_parquet(place / "r.csv")
    put(place, i_csv=goods())
    return USUAL


@folder()
def json_lines(place: Path) -> Truth:
    rows().to_json(place / "r.jsonl", orient="records", lines=True)
    records = [{"item_id": n, "title": title(n), "about": [text(n)], "more": {"a": [1]}} for n in range(N_ITEMS)]
    put(place, i_json="".join(json.dumps(record) + "\n" for record in records))
    return USUAL.but(arguments=of("r.jsonl", "i.json"))


@folder()
def json_lists(place: Path) -> Truth:
    rows().to_json(place / "r.json", orient="records")
    put(place, i_json=json.dumps(items().to_dict("records"), indent=2))
    return USUAL.but(arguments=of("r.json", "i.json"))


@folder()
def json_with_damaged_lines(place: Path) -> Truth:
    written = rows().to_json(orient="records", lines=True).splitlines(keepends=True)
    written[5:5] = ["{broken\n", "\n", '["a list"]\n']
    put(place, r_jsonl="".join(written), i_csv=goods())
    return USUAL.but(arguments=of("r.jsonl", "i.csv"), says=("it is not a JSON object",))


@folder()
def json_with_halves_of_letters(place: Path) -> Truth:
    """Half of an emoji, as a program leaves it that cuts text by its UTF-16 units."""
    records = [{"item_id": n, "title": title(n), "about": f"{text(n)} \ud83d"} for n in range(N_ITEMS)]
    put(place, r_csv=orders(), i_jsonl="".join(json.dumps(record) + "\n" for record in records))
    return USUAL.but(arguments=of("r.csv", "i.jsonl"))


@refused("i.json: holds objects within objects (")
def json_by_columns(place: Path) -> Truth:
    put(place, r_csv=orders(), i_json=items().to_json())
    return USUAL.but(arguments=of("r.csv", "i.json"))


@folder()
def literals_of_python(place: Path) -> Truth:
    records = [{"item_id": n, "title": f"{title(n)}", "about": f"It's {text(n)}"} for n in range(N_ITEMS)]
    put(place, r_csv=orders(), i_json="".join(f"{record}\n" for record in records))
    return USUAL.but(arguments=of("r.csv", "i.json"))


@folder()
def one_file_for_both(place: Path) -> Truth:
    """An export of orders joined with the goods: each item stands in it once for each order."""
    joined = rows().merge(items(), on="item_id", how="left")
    joined.to_csv(place / "all.csv", index=False)
    return USUAL.but(arguments=of("all.csv", "all.csv"))


@refused("so they are not parts of one table")
def a_folder_of_all_kinds(place: Path) -> Truth:
    usual(place)
    return USUAL.but(arguments=of(".", "i.csv"))
