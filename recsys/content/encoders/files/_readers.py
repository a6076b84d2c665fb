"""Reads matrices and ids from files, never through pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from recsys.data.ids import normalised
from recsys.errors import UserError, hint

ID_KEYS = ("ids", "item_ids")


def read_matrix(path: Path, key: str | None) -> tuple[np.ndarray, list[str] | None]:
    """A numeric matrix, and the ids of its rows where the file holds them.

    Args:
        path: `.npy` (mapped, not read, until rows are asked for), `.npz` or `.safetensors`.
        key: the matrix's name in an `.npz` or `.safetensors` file; None: the only one of two dimensions.
    """
    readers = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
    if path.suffix not in readers:
        raise UserError(f"{path}: not a kind of file that can be read; give {', '.join(readers)}")
    try:
        arrays, ids = readers[path.suffix](path)
    except (ValueError, OSError, EOFError, BadZipFile, SafetensorError):
        if path.is_file() and not path.stat().st_size:
            raise UserError(f"{path}: is empty; write it anew as an array of numbers") from None
        # NumPy's own message advises to load it by pickle.
        raise UserError(f"{path}: damaged, or made of Python objects; write it anew as an array of numbers") from None
    return _choose(path, arrays, key), ids


def read_ids(path: Path) -> list[str]:
    """Ids, one a line of a text file (a first line `item_id` is a header), or of a `.npy` file."""
    try:
        if path.suffix == ".npy":
            return _strings(np.load(path, allow_pickle=False))
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (ValueError, OSError, EOFError):
        raise UserError(f"{path}: cannot be read as ids; give UTF-8 text, one id per line, or .npy") from None
    names = "\n".join(line.strip() for line in lines).rstrip("\n").split("\n")
    return _strings(np.asarray(names[1:] if names[:1] == ["item_id"] else names, dtype=object))


def _npy(path: Path) -> tuple[Mapping[str, np.ndarray], None]:
    return {"": np.load(path, mmap_mode="r", allow_pickle=False)}, None


def _npz(path: Path) -> tuple[Mapping[str, np.ndarray], list[str] | None]:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    return arrays, _ids(path, arrays)


def _safetensors(path: Path) -> tuple[Mapping[str, np.ndarray], list[str] | None]:
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is no mapping)
        written = (file.metadata() or {}).get("item_ids")
    if written is not None:
        return arrays, _strings(np.asarray(json.loads(written), dtype=object))
    return arrays, _ids(path, arrays)


def _ids(path: Path, arrays: Mapping[str, np.ndarray]) -> list[str] | None:
    """The ids that an array holds; UserError where two arrays differ in them."""
    found = [_strings(arrays[name]) for name in ID_KEYS if name in arrays]
    if any(ids != found[0] for ids in found):
        raise UserError(f"{path}: {' and '.join(ID_KEYS)} name the rows differently; keep one of them")
    return found[0] if found else None


def _choose(path: Path, arrays: Mapping[str, np.ndarray], key: str | None) -> np.ndarray:
    if key is not None and key not in arrays:
        raise UserError(f"{path}: has no array '{key}'{hint(key, arrays)}")
    numeric = {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiub"}
    wanted = numeric if key is None else {name: array for name, array in numeric.items() if name == key}
    if len(wanted) == 1:
        return next(iter(wanted.values()))
    shapes = ", ".join(f"{name or 'one'}: {array.dtype} {array.shape}" for name, array in arrays.items())
    remedy = "set `key` to one of them" if len(numeric) > 1 else "give numbers of two dimensions, items by columns"
    raise UserError(f"{path}: cannot tell which array is the matrix ({shapes}); {remedy}")


def _strings(ids: np.ndarray) -> list[str]:
    """Ids as the item table has them, so that `12.0` is item `12`."""
    return normalised(pd.Series(ids.ravel().tolist(), dtype="str")).fillna("").tolist()
