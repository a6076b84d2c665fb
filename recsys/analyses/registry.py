"""Which analyses there are: every file of this folder with a subclass of `Analysis`, and a user's own."""

from functools import cache
from pathlib import Path

from recsys import plugins
from recsys.analyses.base import Analysis
from recsys.errors import UserError
from recsys.plugins import PluginFile
from recsys.study.study import Study

ROOT = Path(__file__).parent


@cache
def load_all() -> dict[str, Analysis]:
    """Every analysis by the name of its file, in the order of the report.

    Files that cannot be imported, or hold no analysis, are passed over (see `recsys.plugins.unusable`).
    """
    assert __package__
    files = plugins.find(__package__, ROOT, "*.py")
    found = plugins.load_usable(files, lambda name: _load(files[name]))
    return dict(sorted(found.items(), key=lambda pair: pair[1].position))


def applicable(study: Study, name: str) -> dict[str, Analysis]:
    """The analyses that a dataset of a study has what it takes for."""
    return {key: analysis for key, analysis in load_all().items() if analysis.applies(study, name)}


def headline_analyses(study: Study, name: str) -> dict[str, Analysis]:
    """Those of the applicable analyses that have something to say beside the verdict."""
    found = applicable(study, name)
    return {key: analysis for key, analysis in found.items() if type(analysis).headline is not Analysis.headline}


def _load(file: PluginFile) -> Analysis:
    loaded = plugins.load(file)
    own = [
        each
        for each in vars(loaded).values()
        if isinstance(each, type) and issubclass(each, Analysis) and each.__module__ == file.module
    ]
    if len(own) != 1:
        raise UserError(f"{file.path}: holds {len(own)} subclasses of Analysis; write one in a file")
    return own[0]()
