"""From what a person types to a study, a dataset, an asset or a model; a slip is answered with the nearest name."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from orchestration.cli.console import note
from recsys.errors import UserError, hint
from recsys.mistakes import problem_of
from recsys.store import write_text

if TYPE_CHECKING:
    from orchestration.settings import Settings
    from recsys.study.study import Study


def read_settings(home_is: Literal["written", "read", "passed over"] = "written") -> "Settings":
    """The settings; UserError names the environment variable that is wrong, or says why the home cannot be used so."""
    from orchestration.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"MODALIFT_{str(first['loc'][0]).upper()}: {problem_of(first)}; fix or unset it") from None
    if home_is != "passed over" and (problem := home_problem(settings.home, written=home_is == "written")):
        raise UserError(f"{settings.home}: {problem}; set MODALIFT_HOME to a folder of yours")
    return settings


def home_problem(home: Path, *, written: bool = True) -> str:
    """Why a folder cannot be the home, empty where it can: it is there, or can be made, and can be `written` to."""
    if not _is_utf8(str(home)):
        return "has a name that is not UTF-8, which its databases cannot keep"
    try:
        if home.is_symlink() and not home.exists():
            return "is a link that leads nowhere"
        there = next(place for place in (home, *home.absolute().parents) if place.exists())
    except OSError as error:
        return f"cannot be the home folder ({error.strerror})"
    if not there.is_dir():
        return "is a file, not a folder" if there == home else f"cannot be made, since {there} is a file"
    if written:
        return "" if os.access(there, os.W_OK | os.X_OK) else "cannot be written to"
    return "" if os.access(there, os.R_OK | os.X_OK) else "cannot be read"


def warn_of_home_that_is_only_read(settings: "Settings") -> None:
    """A line where a run would stop at once, since the home cannot be written to."""
    if problem := home_problem(settings.home):
        note(f"! {settings.home}: {problem}; to run anything, set MODALIFT_HOME to a folder of yours")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_study(given: str, settings: "Settings", *, to_run: bool = False) -> "Study":
    """The study of a file, or of the name of a file in the studies folder.

    A study that comes with the package is copied into that folder when it is first run: there Dagster finds it too,
    and a user can change it. Whatever only reads a study writes none.
    """
    from orchestration.settings import SHIPPED_STUDIES
    from recsys.paths import STUDY_ENDINGS
    from recsys.study.file import load_study

    path = Path(given)
    if path.is_file():
        return load_study(path)
    own, shipped = own_studies(settings), {file.stem: file for file in SHIPPED_STUDIES.glob("*.yaml")}
    name = path.stem if path.suffix in STUDY_ENDINGS else path.name
    if path.parent == Path():
        if len(files := [file for file in settings.study_files if file.stem == name]) > 1:
            raise UserError(f"{files[0]} and {files[1].name} are both study '{name}': rename one")
        if name in own:
            return load_study(own[name])
        if name in shipped:
            file = shipped[name]
            return load_study(_copy(file, settings.studies) if to_run else file)
    if not settings.studies.is_dir():
        raise UserError(f"{settings.studies}: there is no such folder of studies; make it, or see MODALIFT_STUDIES")
    raise UserError(f"there is no study '{given}'{hint(name, sorted(own | shipped))}")


def warn_of_shared_datasets(study: "Study", settings: "Settings") -> None:
    """A line for each other study of the folder with a dataset of the same name: they replace each other's results."""
    from recsys.study.file import load_study

    for name, file in sorted(own_studies(settings).items()):
        try:
            others = load_study(file).datasets if name != study.name else {}
        except UserError:  # said when that study is used
            continue
        if shared := [dataset for dataset in study.datasets if dataset in others]:
            named = " and ".join(map(repr, shared))
            note(
                f"! studies {study.name} and {name} both have a dataset {named}: the results of the one that is "
                "run last replace the other's, and Dagster shows one of the two; rename it in one"
            )


def warn_of_study_elsewhere(given: str, study: "Study", settings: "Settings") -> None:
    """A line where a study was given by the path of a file that Dagster's page does not show."""
    shown = own_studies(settings).get(study.name)
    if Path(given).is_file() and not (shown and shown.samefile(given)):
        note(
            f"! {given} is not in {settings.studies}, whose studies Dagster's page shows: this run stands in its list "
            "of runs alone; move the file there, or set MODALIFT_STUDIES to its folder"
        )


def own_studies(settings: "Settings") -> dict[str, Path]:
    """The files of the studies folder by their names."""
    return {file.stem: file for file in settings.study_files}


def _copy(shipped: Path, studies: Path) -> Path:
    file = studies / shipped.name
    try:
        write_text(file, shipped.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{file}: cannot be written ({error.strerror}); work in a folder of yours, or set MODALIFT_STUDIES to one"
        ) from None
    note(f"Wrote {file}, a copy of the study that comes with modalift")
    return file


def choose(given: str, known: Collection[str], what: str) -> str:
    """The known name that was given, letters' case aside."""
    for name in known:
        if name.lower() == given.lower():
            return name
    raise UserError(f"there is no {what} '{given}'{hint(given, known)}")


def choose_dataset(given: str | None, study: "Study") -> str:
    """The dataset that was given, or the only one."""
    if given is not None:
        return choose(given, study.datasets, f"dataset of study {study.name} called")
    if len(study.datasets) > 1:
        raise UserError(
            f"study {study.name} has several datasets: choose one of {', '.join(study.datasets)} with --dataset"
        )
    return next(iter(study.datasets))
