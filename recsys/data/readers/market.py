"""The synthetic market, which reads no files (see `recsys.data.market`)."""

from pathlib import Path

from recsys.data.market import reader
from recsys.data.market.reader import MarketOptions
from recsys.data.raw import RawData


def read(options: MarketOptions, folder: Path, workdir: Path) -> RawData:
    """Draw the market; its pictures go to `images/` under `workdir`."""
    return reader.read(options, folder, workdir)
