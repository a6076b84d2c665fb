"""Which analyses there are: every file of this folder with a subclass of `Analysis`."""

import importlib
from functools import cache
from pathlib import Path

from recsys.analyses.base import Analysis
from recsys.errors import UserError
from recsys.study.study import Study

ROOT = Path(__file__).parent
_OWN = ("__init__", "base", "registry")


@cache
def load_all() -> dict[str, Analysis]:
    """Every analysis by the name of its file, in the order of the report.

    Raises:
        UserError: a file cannot be imported, or holds no analysis; names it.
    """
    found: dict[str, Analysis] = {}
    for path in sorted(ROOT.glob("*.py")):
        if path.stem not in _OWN and not path.stem.startswith("_"):
            found[path.stem] = _load(path)
    return dict(sorted(found.items(), key=lambda pair: pair[1].position))


def applicable(study: Study, name: str) -> dict[str, Analysis]:
    """The analyses that a dataset of a study has what it takes for."""
    return {key: analysis for key, analysis in load_all().items() if analysis.applies(study, name)}


def _load(path: Path) -> Analysis:
    module = f"{__package__}.{path.stem}"
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # whatever a plug-in file raises: it is named, and not blamed on the study
        raise UserError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
    own = [
        each
        for each in vars(loaded).values()
        if isinstance(each, type) and issubclass(each, Analysis) and each.__module__ == module
    ]
    if len(own) != 1:
        raise UserError(f"{path}: holds {len(own)} subclasses of Analysis; write one in a file")
    return own[0]()
