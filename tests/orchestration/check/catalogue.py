"""A shop of 40 items, its study, and what `check` and `run` say of it."""

from pathlib import Path

from PIL import Image

from orchestration.settings import Settings
from tests.orchestration.command_line import call, complaint

ITEMS = 40
KEYWORDS = "said: {encoder: keywords, corpus: words}"
STUDY = """
title: A shop
datasets:
  shop:
    source: {{reader: table, folder: data, interactions: r.csv, items: i.csv, title_column: title,
      text_columns: [description]{source}}}
    split: {{protocol: ratio}}
{descriptions}    content:
{content}
models:
  TopPop:
  ItemKNN: {{n_neighbours: 20}}
  AttributeItemKNN:
tuning: {{trials: 1}}
"""


def write(settings: Settings, content: str, descriptions: str = "", source: str = "") -> None:
    content = "".join(f"      {line}\n" for line in content.strip().splitlines())
    if descriptions:
        lines = "".join(f"      {line}\n" for line in descriptions.strip().splitlines())
        descriptions = f"    descriptions:\n{lines}"
    text = STUDY.format(content=content, descriptions=descriptions, source=source and f", {source}")
    (settings.studies / "shop.yaml").write_text(text, encoding="utf-8")


def data(settings: Settings) -> Path:
    return settings.studies / "data"


def refused(settings: Settings) -> list[str]:
    """The lines with a cross that `check` prints; `run` and its dry run must stop at one, before anything is made."""
    result = call(settings, "check", "shop")
    assert result.exit_code == 2, result.stdout
    assert result.stderr.startswith("study shop cannot be run as it is: fix ")
    lines = [line.removeprefix("✗ ") for line in result.stdout.splitlines() if line.startswith("✗")]
    assert complaint(settings, "run", "shop") in lines
    assert complaint(settings, "run", "shop", "--dry-run") in lines
    assert not list(settings.store.glob("shop/*"))
    return lines


def pictures(settings: Settings, *ids: int) -> None:
    (data(settings) / "photos").mkdir(exist_ok=True)
    for i in ids:
        Image.new("RGB", (40, 40), (i * 6, 90, 200 - i * 4)).save(data(settings) / "photos" / f"{i}.png")
