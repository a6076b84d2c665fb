"""`modalift export`: an asset's metadata for others."""

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app import command
from orchestration.cli.console import say
from orchestration.cli.studies import choose, read_settings
from recsys.errors import UserError
from recsys.store import write_text


@command("export", "modalift export image_market/dataset --croissant croissant.json")
def export(
    asset: Annotated[
        str,
        typer.Argument(
            metavar="ASSET",
            help="Key of a dataset, an embedding set or a description corpus, such as image_market/dataset.",
        ),
    ],
    croissant: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the Croissant JSON-LD.")],
) -> None:
    """Write the Croissant metadata of a dataset, an embedding set or a description corpus.

    It names the files of the asset's newest version with their hashes and columns; copy it beside them.
    """
    from orchestration import exports
    from orchestration.home import Home

    home = Home(read_settings(home_is="read"))
    key = choose(asset, home.lineage.assets(), "materialised asset")
    if not croissant.absolute().parent.is_dir():
        raise UserError(f"{croissant}: there is no such folder to write into; make it first")
    write_text(croissant.absolute(), json.dumps(exports.croissant(home, key), indent=1))
    say(f"{croissant}: Croissant metadata of {key}, whose files are in {home.folder(home.current(key))}")
