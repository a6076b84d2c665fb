"""The program tested where the truth is known: every setting of `docs/calibration.md`, and what must hold there.

    make calibrate                                  # 100 draws of each setting, with models of a closed form
    make calibrate DRAWS=20
    make calibrate DATA=/data                       # and real interactions, from DATA/lastfm-2k and DATA/baby
    make calibrate MODELS=trained DRAWS=10          # models trained by gradient; with DATA a whole catalogue, too
    python benchmarks/calibrate.py --only weak_10 --draws 5

Each draw is a whole study by `recsys.run`, in a process of its own thread. What it found is kept in `--folder`, a file
a draw, so that a stopped run goes on; a draw whose code or settings have changed since is run again.
"""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Annotated

# Before recsys looks for plug-ins, in this process and in its workers.
os.environ["MODALIFT_PLUGINS"] = str(Path(__file__).parent / "calibration" / "plugins")

import typer
from calibration.page import section, table, with_section
from calibration.settings import Models, Setting, settings
from calibration.studies import Record, code
from rich.console import Console
from threadpoolctl import threadpool_limits

from recsys.errors import hint
from recsys.fingerprints import fingerprint
from recsys.store import write_text

FOLDER = Path(".modalift/calibration")
console = Console()


def draw(key: str, seed: int, models: Models, data: Path | None) -> Record:
    """One draw of one setting, in whatever process."""
    started = time.process_time()
    with threadpool_limits(1):
        found = settings(models, data)[key].draw(seed)
    return found | {"seconds": time.process_time() - started}


def place(folder: Path, key: str, setting: Setting, seed: int) -> Path:
    """The file of a draw: another one for other settings, and for other code."""
    return folder / key / fingerprint(described(setting.draw), code()) / f"{seed}.json"


def described(value: object) -> object:
    """A function with its bound arguments, in values that have a lasting form."""
    if isinstance(value, partial):
        return [described(value.func), [described(each) for each in value.args], described(value.keywords)]
    if isinstance(value, dict):
        return {key: described(each) for key, each in value.items()}
    return getattr(value, "__qualname__", value)


def missing_draws(chosen: dict[str, Setting], draws: int, folder: Path) -> Iterator[tuple[str, int]]:
    """Draws that are not in the folder, those of all settings in turn, so that a stopped run has some of each."""
    for seed in range(1, draws + 1):
        for key, setting in chosen.items():
            if seed in seeds(setting, draws) and not place(folder, key, setting, seed).exists():
                yield key, seed


def seeds(setting: Setting, draws: int) -> range:
    """Seeds of the draws of a setting, which may want fewer than were asked for."""
    return range(1, min(draws, setting.most_draws or draws) + 1)


def run_draws(
    chosen: dict[str, Setting], draws: int, folder: Path, models: Models, data: Path | None, processes: int
) -> list[str]:
    """Run what is missing, and keep each draw as it ends; gives a line for each that failed."""
    todo, failed = list(missing_draws(chosen, draws, folder)), []
    started = time.perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        running = {pool.submit(draw, key, seed, models, data): (key, seed) for key, seed in todo}
        for done, future in enumerate(as_completed(running), start=1):
            key, seed = running[future]
            try:
                write_text(place(folder, key, chosen[key], seed), json.dumps(future.result()))
            except Exception as error:
                failed.append(f"{key}, draw {seed}: {type(error).__name__}: {error}")
                console.print(failed[-1])
            if done % max(1, len(todo) // 200) == 0:
                left = (time.perf_counter() - started) / done * (len(todo) - done) / 60
                console.print(f"{done} of {len(todo)} draws, about {left:.0f} minutes left")
    return failed


def known_draws(chosen: dict[str, Setting], draws: int, folder: Path) -> dict[str, list[Record]]:
    """What was found, by setting."""
    files = {
        key: [place(folder, key, setting, seed) for seed in seeds(setting, draws)] for key, setting in chosen.items()
    }
    return {key: [json.loads(file.read_text()) for file in each if file.exists()] for key, each in files.items()}


def main(
    draws: Annotated[int, typer.Option(help="Draws of each setting.")] = 100,
    models: Annotated[Models, typer.Option(help="Of a closed form, or trained by gradient.")] = "closed-form",
    data: Annotated[Path | None, typer.Option(help="Holds the folders of real interactions.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Key of a setting; again for more. All by default.")] = None,
    folder: Annotated[Path, typer.Option(help="Keeps each draw, so that a stopped run goes on.")] = FOLDER,
    processes: Annotated[int, typer.Option(help="Draws side by side.")] = 2,
    page: Annotated[Path | None, typer.Option(help="The page whose table is written.")] = None,
) -> None:
    """Run what is missing, print the table, and write it."""
    if data is None:
        console.print("DATA names no folder: real interactions are skipped (make calibrate DATA=...)")
    known = settings(models, data)
    if unknown := set(only or ()) - set(known):
        raise typer.BadParameter(f"there is no setting '{min(unknown)}'{hint(min(unknown), known)}")
    chosen = {key: setting for key, setting in known.items() if not only or key in only}
    failed = run_draws(chosen, draws, folder, models, data, processes)
    found = table(chosen, known_draws(chosen, draws, folder))
    console.print(found, soft_wrap=True, markup=False)
    if page:
        written = section(found, f"make calibrate DRAWS={draws} MODELS={models}" + " DATA=..." * bool(data))
        page.write_text(with_section(page.read_text(encoding="utf-8"), models, written), encoding="utf-8")
    if failed:
        console.print(f"{len(failed)} draws failed; run it again to try them again")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
