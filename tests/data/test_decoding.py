"""Pictures from strangers: opened where they are pictures, otherwise one item set aside for a reason that groups."""

import hashlib
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recsys.data import decoding, inspection
from recsys.data.decoding import FORMATS, PictureError, decode, read_bytes
from recsys.data.inspection import Inspection, inspect, inspect_all

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
REASONS = {
    "empty file",
    "picture is damaged",
    "picture is truncated",
    f"not a picture of a known format ({', '.join(FORMATS)})",
    "more than 50 million pixels",
    "more than 100 times as long as broad",
    "takes too much memory to decode",
}


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


WHOLE = {kind: saved(NOISE, kind) for kind in FORMATS}
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n{ } loop\nshowpage\n"


def reason(content: bytes) -> str:
    with pytest.raises(PictureError) as raised:
        decode(content)
    return str(raised.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_decoded_whatever_the_file_is_called(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.jpg").write_bytes(WHOLE[kind])
    assert decode(WHOLE[kind]).size == (40, 40)
    assert inspect(tmp_path / "a.jpg").digest == hashlib.blake2b(WHOLE[kind], digest_size=16).hexdigest()


Image.init()


@pytest.mark.parametrize("kind", sorted(Image.SAVE.keys() - {*FORMATS, "MPO", "JPEG2000", "JPEG"}))
def test_all_other_formats_of_pillow_are_refused(kind: str) -> None:
    try:
        content = saved(NOISE, kind)
    except (OSError, ValueError, RuntimeError):
        pytest.skip(f"Pillow cannot write {kind}")
    if kind != "DIB":  # a bitmap without its beginning
        assert reason(content) in REASONS


def test_postscript_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "3.jpg").write_bytes(POSTSCRIPT)
    (inspected,) = inspect_all([tmp_path / "3.jpg"], cpu_seconds=3)
    assert inspected.problem == f"not a picture of a known format ({', '.join(FORMATS)})"
    assert reason(b"\xc5\xd0\xd3\xc6" + POSTSCRIPT).startswith("not a picture")  # the binary form


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.filterwarnings("error")
def test_any_cut_and_any_flipped_bytes_are_one_of_few_reasons(kind: str) -> None:
    rng = np.random.default_rng(1)
    whole = WHOLE[kind]
    cuts = [whole[: int(n)] for n in rng.integers(0, len(whole), 40)]
    flips = []
    for _ in range(60):
        content = np.frombuffer(whole, np.uint8).copy()
        content[rng.integers(0, min(len(content), 300), 5)] = rng.integers(0, 256, 5)
        flips.append(content.tobytes())
    for content in [*cuts, *flips]:
        try:
            assert decode(content).mode == "RGB"
        except PictureError as error:
            assert str(error) in REASONS


@given(st.sampled_from([b"", *(content[:30] for content in WHOLE.values()), POSTSCRIPT]), st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_one_of_few_reasons(beginning: bytes, rest: bytes) -> None:
    try:
        assert decode(beginning + rest).mode == "RGB"
    except PictureError as error:
        assert str(error) in REASONS


def test_a_damaged_avif_is_set_aside() -> None:
    content = bytearray(saved(Image.effect_mandelbrot((40, 40), (-2, -1, 1, 1), 50).convert("RGB"), "AVIF"))
    content[-20:] = bytes(20)
    assert reason(bytes(content)) == "picture is damaged"


def test_sizes_are_limited_before_anything_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason(saved(Image.new("1", (8000, 8000)), "PNG")) == "more than 50 million pixels"
    assert reason(saved(Image.new("1", (20_000, 20_000)), "PNG")) == "more than 50 million pixels"  # Pillow's bomb
    assert reason(saved(Image.new("RGB", (1, 101)), "PNG")) == "more than 100 times as long as broad"
    monkeypatch.setattr(decoding, "MAX_BYTES", 100)
    (tmp_path / "a.png").write_bytes(WHOLE["PNG"])
    assert "file of more than" in str(inspect(tmp_path / "a.png").problem)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "whole.png").write_bytes(WHOLE["PNG"])
    (tmp_path / "linked.png").symlink_to(tmp_path / "whole.png")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert read_bytes(tmp_path / "linked.png") == WHOLE["PNG"]
    for name in ("folder.jpg", "device.jpg", "pipe.jpg"):
        assert inspect(tmp_path / name).problem == "not a regular file"
    for name in ("dangling.jpg", "loop.jpg"):
        assert str(inspect(tmp_path / name).problem).startswith("file cannot be read (")


def scans_without_end() -> bytes:
    """A JPEG whose last scan comes again and again, each over all pixels."""
    whole = saved(Image.new("RGB", (4000, 4000)), "JPEG", progressive=True, quality=10)
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") : -2] * 40_000 + b"\xff\xd9"


def test_a_decoding_without_end_costs_one_item(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.png", "scans.jpg", "b.png")]
    for path, content in zip(paths, [WHOLE["PNG"], scans_without_end(), WHOLE["PNG"]], strict=True):
        path.write_bytes(content)
    before, slow, after = inspect_all(paths, cpu_seconds=0.5)
    assert slow == Inspection(problem="takes more than 0.5 s to decode")
    assert before == after == inspect(paths[0])


def test_a_crash_of_a_decoder_costs_one_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a worker imports instead of the library's own module: one that ends the process on some files.
    package = tmp_path / "code" / "recsys_crashing.py"
    package.parent.mkdir()
    package.write_text(
        "import os\nfrom recsys.data import inspection\nreal = inspection.inspect\n"
        "inspection.inspect = lambda path: os._exit(9) if 'bad' in path.name else real(path)\n"
        "serve = inspection.serve\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(inspection, "__name__", "recsys_crashing")
    monkeypatch.syspath_prepend(package.parent)
    paths = [tmp_path / name for name in ("a.png", "bad.png", "b.png")]
    for path in paths:
        path.write_bytes(WHOLE["PNG"])
    assert [seen.problem for seen in inspect_all(paths)] == [None, "crashes its decoder", None]


def test_workers_side_by_side_keep_the_order_and_any_name(tmp_path: Path) -> None:
    names = ["a b", "é", 'quo"te', "new\nline", os.fsdecode(b"\xff")]
    paths = [tmp_path / f"{name}{n}.png" for n in range(25) for name in names]
    for n, path in enumerate(paths):
        path.write_bytes(WHOLE["PNG"] + bytes([n]))
    assert inspect_all(paths) == [inspect(path) for path in paths]
    assert inspect_all([]) == []
