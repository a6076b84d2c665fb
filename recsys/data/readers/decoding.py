"""Text files as people have them (compressed, UTF-16, cp1252, lone CR) as one UTF-8 file that DuckDB can read."""

import bz2
import codecs
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pyarrow as pa

from recsys.errors import UserError

CHUNK = 1 << 23
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
MAX_ADJACENT = 0.5
"""Western letters with accents stand alone among plain ones; in other scripts most high bytes stand side by side."""
PUNCTUATION = b"\x82\x84\x85\x8b\x91\x92\x93\x94\x95\x96\x97\x9b\xa0\xab\xb7\xbb"
"""Quotation marks, dashes and blanks of cp1252, which stand beside letters of any kind."""


@dataclass(frozen=True)
class Text:
    r"""A text file in UTF-8 whose lines end with LF or CRLF.

    Attributes:
        path: the file itself, or a decoded copy in the scratch folder.
        n_lines: lines, without empty ones at the end.
        seen: which of `"`, `'`, `\"`, NUL and lone CR it holds, as bytes; CRLF only beside lines that end with LF.
        is_valid: whether all of it is UTF-8.
        notes: what was found out.
    """

    path: Path
    n_lines: int
    seen: frozenset[bytes]
    is_valid: bool
    notes: tuple[str, ...] = ()


DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What unpacking raises, the last two where a zip is encrypted or packed in a way of its own."""


def unpacked(path: Path, scratch: Path) -> tuple[Path, tuple[str, ...]]:
    """The file itself, or what a compressed one (gzip, Zstandard, bzip2, xz, zip with one file) holds."""
    with path.open("rb") as file:
        start = file.read(6)
    kinds: dict[bytes, str] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "Zstandard", b"BZh": "bzip2"}
    kinds |= {b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
    kind = next((name for magic, name in kinds.items() if start.startswith(magic)), None)
    if kind is None:
        return path, ()
    plain = scratch / (path.stem if Path(path.stem).suffix else path.name)
    try:
        with _opened(path, kind) as packed, plain.open("wb") as out:
            while chunk := packed.read(CHUNK):
                out.write(chunk)
    except (*DAMAGED, pa.ArrowException) as error:
        raise UserError(f"{path}: damaged {kind} file ({error}); download or write it again") from None
    return plain, (f"unpacked from {kind}",)


def _opened(path: Path, kind: str) -> IO[bytes]:
    if kind == "Zstandard":
        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    if kind == "zip":
        archive = zipfile.ZipFile(path)
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
        if "[Content_Types].xml" in names:
            raise UserError(f"{path}: an office document, which is not read; save the table as CSV or Parquet")
        if not names:
            raise UserError(f"{path}: a zip without a file in it; give a file with data")
        if len(names) != 1:
            raise UserError(f"{path}: {len(names)} files in one zip; unpack it and name the file that is meant")
        return archive.open(names[0])
    if kind == "gzip":
        return gzip.open(path)  # type: ignore[return-value]
    return bz2.open(path) if kind == "bzip2" else lzma.open(path)


def as_utf8(path: Path, encoding: str | None, scratch: Path) -> Text:
    """The file as UTF-8, decoded from the encoding given or found.

    Raises:
        UserError: it is empty, is not in the encoding given, or none can be detected.
    """
    found = _scan(path)
    notes: tuple[str, ...] = ()
    if encoding is None:
        encoding = _marked(path, found)
        if encoding is None and not found.is_valid:
            encoding = _legacy(path)
            if encoding:
                notes = (f"read as {encoding}, since it is not UTF-8",)
        elif encoding not in (None, "utf-8-sig"):
            notes = (f"read as {encoding}",)
    if encoding and not (_is_utf8(encoding) and found.is_valid):
        found = _scan(_decoded(path, found.path, encoding, scratch))
    if b"\r" in found.seen and not found.n_lines > 1:
        found = _scan(_with_newlines(found.path, scratch))
        notes += ("lines end with CR",)
    if not found.n_lines:
        raise UserError(f"{path}: cannot be read (it is empty); fix or replace the file")
    return replace(found, notes=notes)


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, a few at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _scan(path: Path) -> Text:
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, pairs, last, is_valid, seen = 0, 0, b"", True, set[bytes]()
    for chunk in chunks(path):
        lines += chunk.count(b"\n")
        whole = chunk.count(b"\r\n")
        pairs += whole + (last.endswith(b"\r") and chunk.startswith(b"\n"))
        seen.update(mark for mark in (b'"', b"'", b'\\"', b"\0") if mark in chunk)
        if chunk.count(b"\r") > whole + chunk.endswith(b"\r"):
            seen.add(b"\r")
        if is_valid:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_valid = False
        last = (last + chunk)[-4096:]
    if 0 < pairs < lines:
        seen.add(b"\r\n")
    end = last.rstrip(b"\r\n")
    if last.endswith(b"\r"):
        seen.add(b"\r")
    if last[len(end) :].count(b"\n"):
        lines -= last[len(end) :].count(b"\n") - 1
    elif last:
        lines += 1
    return Text(path, lines if end else 0, frozenset(seen), is_valid and not decoder.getstate()[0])


def _marked(path: Path, found: Text) -> str | None:
    """The encoding that a byte order mark, or the zeros of UTF-16 without one, tell."""
    with path.open("rb") as file:
        start = file.read(4096)
    for bom, name in BOMS.items():
        if start.startswith(bom):
            return name
    if b"\0" in found.seen:
        even, odd = start[::2].count(0), start[1::2].count(0)
        if max(even, odd) > 0.3 * len(start) / 2 and min(even, odd) < 0.1 * max(even, odd) + 1:
            return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _legacy(path: Path) -> str | None:
    """A Western encoding of eight bits; None where the file is UTF-8 but for some damaged lines."""
    damaged = sound = high = adjacent = 0
    undefined = False
    for line in path.open("rb"):
        if line.isascii():
            continue
        try:
            line.decode()
            sound += 1
        except UnicodeDecodeError:
            damaged += 1
        runs = [run.strip(PUNCTUATION) for run in re.findall(rb"[\x80-\xff]+", line)]
        high += sum(map(len, runs))
        adjacent += sum(len(run) for run in runs if len(run) > 1)
        undefined |= re.search(rb"[\x81\x8d\x8f\x90\x9d]", line) is not None
        if damaged + sound >= 100_000:
            break
    if sound > damaged:
        return None
    if adjacent > MAX_ADJACENT * high:
        raise UserError(
            f"{path}: is not UTF-8, and its encoding cannot be detected; name it (`encoding`, such as "
            "gb18030, shift_jis, euc_kr or cp1251), or save the file as UTF-8"
        )
    return "latin-1" if undefined else "cp1252"


def _decoded(original: Path, path: Path, encoding: str, scratch: Path) -> Path:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise UserError(f"{original}: there is no encoding '{encoding}'; name one such as utf-8 or cp1252") from None
    target = scratch / "decoded"
    try:
        with target.open("w", encoding="utf-8", newline="") as out:
            for chunk in chunks(path):
                out.write(decoder.decode(chunk))
            out.write(decoder.decode(b"", final=True))
    except (ValueError, TypeError, AttributeError):  # of codecs that give bytes, such as hex, too
        raise UserError(f"{original}: is not {encoding}; name its encoding (`encoding`)") from None
    return target


def _with_newlines(path: Path, scratch: Path) -> Path:
    target = scratch / "with_newlines"
    with target.open("wb") as out:
        for chunk in chunks(path):
            out.write(chunk.replace(b"\r", b"\n"))
    return target
