"""The table of what must hold and what was measured, and its place in the documentation."""

import platform
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.rules import Rule, Tally
from calibration.settings import Setting
from calibration.studies import Record


def table(chosen: Mapping[str, Setting], found: Mapping[str, Sequence[Record]]) -> str:
    """A row for each rule of each setting, as Markdown."""
    rows = []
    for key, setting in chosen.items():
        draws = found[key]
        for number, rule in enumerate(setting.rules):
            rows.append(
                {
                    "setting": f"{setting.title} (`{key}`)" if number == 0 else "",
                    "what is counted": rule.must,
                    "must be": rule.limit,
                    "measured, exact 95 % interval": measured(rule, draws),
                    "holds": Tally.of(rule, draws).holds(rule),
                    "what was found": found_in(draws) if number == 0 else "",
                }
            )
    return pd.DataFrame(rows).to_markdown(index=False)


def measured(rule: Rule, draws: Sequence[Record]) -> str:
    """Hits of draws, with an interval, and with the bound where that is what counts."""
    tally = Tally.of(rule, draws)
    if not tally.n:
        return "no draw says"
    low, high = tally.interval
    bound = f"; upper bound {tally.upper_bound:.1%}" if rule.by_bound else ""
    return f"{tally.hits} of {tally.n} ({low:.1%} to {high:.1%}{bound})".replace("%", " %")


def found_in(draws: Sequence[Record]) -> str:
    """How often each verdict was found, and the mean lift over the rival with its standard error."""
    verdicts = Counter(draw["verdict"].replace("_", " ") for draw in draws if "verdict" in draw)
    if not verdicts:
        return ""
    lifts = np.array([draw["lift"] for draw in draws if "verdict" in draw])
    spread = f" ± {lifts.std(ddof=1) / np.sqrt(len(lifts)):.1%}" if len(lifts) > 1 else ""
    counted = ", ".join(f"{verdict} {n}" for verdict, n in verdicts.most_common())
    return f"{counted}; mean lift {lifts.mean():+.1%}{spread}".replace("%", " %")


def section(rows: str, command: str) -> str:
    """The table with what made it."""
    made = f"`{command}`, {date.today():%d %B %Y}, modalift {version('modalift')}{_commit()}, {platform.machine()}."
    return f"{made}\n\n{rows}"


def with_section(page: str, name: str, body: str) -> str:
    """The page with the part between its markers `<!-- name -->` and `<!-- end of name -->` replaced."""
    begin, end = _markers(page, name)
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{body}\n{end}", page, flags=re.DOTALL)


def rows_of_section(page: str, name: str) -> dict[str, dict[str, str]]:
    """Cells of each row of the table between these markers by their columns, and rows by their first cell."""
    begin, end = _markers(page, name)
    lines = page.partition(begin)[2].partition(end)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}


def _markers(page: str, name: str) -> tuple[str, str]:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page lacks the lines '{begin}' and '{end}'")
    return begin, end


def _commit() -> str:
    """The commit that ran, where there is a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    return f" at {done.stdout.strip()}" if done.returncode == 0 else ""
