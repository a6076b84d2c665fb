"""Data that cannot be read, with content and without it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.orchestration.check.catalogue import data, refused, write


@pytest.mark.parametrize("with_content", [True, False])
@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda folder: folder.rename(folder.with_name("away")), "'data' is not there"),
        (lambda folder: (folder / "r.csv").unlink(), "r.csv: there is no such file"),
        (lambda folder: (folder / "r.csv").write_bytes(b"\0\1garbage"), "r.csv: no row can be used"),
        (lambda folder: (folder / "i.csv").write_text("item_id,title,description\n"), "i.csv: "),
        (lambda folder: (folder / "r.csv").write_text("user_id,item_id\nu,0\n"), "leaves "),
    ],
    ids=["no folder", "no file", "garbage", "no items", "too little"],
)
def test_data_that_cannot_be_read_stop_a_run_and_its_dry_run_alike(
    settings: Settings, with_content: bool, spoil: Callable[[Path], object], line: str
) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    if not with_content:
        text = (settings.studies / "shop.yaml").read_text(encoding="utf-8")
        bare = text.replace("content:", "scenario:").replace("text: {encoder: tfidf_svd}", "domain: shop")
        (settings.studies / "shop.yaml").write_text(bare.replace("  AttributeItemKNN:\n", ""), encoding="utf-8")
    spoil(data(settings))
    (found,) = refused(settings)
    assert found.startswith("dataset shop: ") and line in found
