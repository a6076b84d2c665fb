"""The tables of `docs/multimodal.md` that need no training: the models with content, and what was published of them.

python benchmarks/models_page.py --write docs/multimodal.md
"""

import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from calibration.page import with_section

from recsys.models import registry
from recsys.published.figures import figures

DATA = ("baby", "sports", "clothing", "taobao", "douyin", "tiktok")


def models() -> str:
    """A row per model: what it does, what it is without content, whether it scores items that nobody took."""
    rows = []
    for info in registry.model_infos():
        if not info.file.takes_content:
            continue
        cls = registry.load(info.name)
        summary = (sys.modules[cls.__module__].__doc__ or "").splitlines()[0].rstrip(".")
        rows.append(
            {
                "model": info.name,
                "what it does": summary.partition(": ")[2] or summary,
                "trained": "by gradient" if info.file.is_trained else "closed form",
                "without content": info.without_content,
                "new items": "scored" if cls.scores_cold_items else "not scored",
                "presets": ", ".join(name.removeprefix("published/") for name in cls.presets),
                "source": info.source,
            }
        )
    return pd.DataFrame(rows).to_markdown(index=False)


def published() -> str:
    """Recall@20 of every publication, a row per model; an asterisk marks what is no target."""
    found = figures().query("arm == ''").dropna(subset="recall_at_20")
    marks = found["doubt"].ne("").map({True: "\\*", False: ""})
    cells = found.assign(
        cell=found["recall_at_20"].map("{:.4f}".format).str.removeprefix("0") + marks + " " + found["publication"]
    )
    table = cells.pivot_table(index="model", columns="dataset", values="cell", aggfunc="; ".join, sort=True)
    return table.reindex(columns=DATA).fillna("").reset_index().to_markdown(index=False, disable_numparse=True)


def no_targets() -> str:
    """Each doubt with the figures that have it."""
    doubted = figures().query("doubt != '' and arm == ''")
    rows = doubted["model"] + " (" + doubted["publication"] + ", " + doubted["dataset"] + ")"
    rows_by_doubt = rows.groupby(doubted["doubt"]).agg(", ".join)
    return "\n".join(f"- {doubt}: {named}." for doubt, named in rows_by_doubt.items())


def main(
    write: Annotated[Path | None, typer.Option(help="The page whose sections are written anew.")] = None,
) -> None:
    """Print the sections, or write them into the page."""
    sections = {"models": models(), "published": f"{published()}\n\n{no_targets()}"}
    page = write.read_text(encoding="utf-8") if write else ""
    for name, body in sections.items():
        if write:
            page = with_section(page, name, f"\n{body}\n")
        else:
            print(body)
    if write:
        write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
