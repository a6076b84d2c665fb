"""Which models there are: found by their files, so that no list is edited to add one.

Looking a model up (`find`, `names`) imports nothing: a code location of many studies loads in moments.
Only `load` imports the model's module, and with it torch where the model needs it.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from recsys import plugins
from recsys.errors import UserError
from recsys.plugins import PluginFile
from recsys.recommender import Recommender

ROOT = Path(__file__).parent
_registered: dict[str, type[Recommender]] = {}


@dataclass(frozen=True)
class ModelFile(PluginFile):
    """The source file of a model."""

    @property
    def family(self) -> str:
        """The folder it stands in."""
        return self.path.parent.name

    @property
    def takes_content(self) -> bool:
        """Whether the model reads item content."""
        return self.family == "multimodal"

    @property
    def is_trained(self) -> bool:
        """Whether the model is a network trained by gradient."""
        return "from recsys.training." in self.path.read_text(encoding="utf-8")

    @property
    def needs_ratings(self) -> bool:
        """Whether the model says nothing where all that is known is what users took."""
        return self.family == "ratings"


def register(cls: type[Recommender]) -> type[Recommender]:
    """Class decorator: make the model known under its class name."""
    _registered[cls.__name__.lower()] = cls
    return cls


@cache
def _files() -> dict[str, ModelFile]:
    assert __package__
    return {
        name: ModelFile(file.path, file.module) for name, file in plugins.find(__package__, ROOT, "*/*.py").items()
    }


def find(name: str) -> ModelFile:
    """The file of a model, by its class name; UserError proposes the nearest name."""
    files = _files()
    if name.lower() in files:
        return files[name.lower()]
    near = get_close_matches(name.lower(), files, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise UserError(f"there is no model '{name}'{hint} (`modalift models` lists them)")


def load(name: str) -> type[Recommender]:
    """The class of a model, by its class name; UserError where its file cannot be used."""
    file = find(name)
    plugins.load(file)
    if name.lower() not in _registered:
        raise UserError(f"{file.path}: registers no model '{name}'; name the class like the file and write @register")
    return _registered[name.lower()]


def load_all() -> dict[str, type[Recommender]]:
    """Every model's class by name; files that cannot be used are passed over (see `recsys.plugins.unusable`)."""
    classes = []
    for stem, file in _files().items():
        try:
            classes.append(load(stem))
        except UserError as error:
            plugins.pass_over(file, error)
    return {cls.__name__: cls for cls in classes}
