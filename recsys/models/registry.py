"""Which models there are: found by their files, so that no list is edited to add one.

Looking models up (`find`, `catalogue`) imports none of them: a code location of many studies loads in moments.
Only `load` imports the model's module, and with it torch where the model needs it.

A row of a study may be a model with the hyper-parameters of one of its presets, `MGCN@published/baby`. It is looked up
like the model, and is a row of its own in everything that counts rows.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import plugins
from recsys.class_facts import ClassReader, attributes_of
from recsys.errors import UserError, hint
from recsys.plugins import PluginFile

if TYPE_CHECKING:
    from recsys.recommender import Recommender

ROOT = Path(__file__).parent
PRESET = "@"
TRAINED = "LearnsByGradient"
"""The class of `recsys.models.gradient` that all trained models have as a base."""
_registered: dict[str, "type[Recommender]"] = {}


@dataclass(frozen=True)
class ModelFile(PluginFile):
    """The source file of a model.

    Attributes:
        reader: of classes by their source; one for all files, since models share their bases.
    """

    reader: ClassReader = field(repr=False, compare=False)

    @property
    def family(self) -> str:
        """The folder it stands in."""
        return self.path.parent.name

    @property
    def takes_content(self) -> bool:
        """Whether the model reads item content."""
        return self.family == "multimodal"

    @cached_property
    def is_trained(self) -> bool:
        """Whether the model is a network trained by gradient; False for a file that cannot be used."""
        try:
            read = self.read()
        except (UserError, ValueError, LookupError):
            return False
        return any(each.__name__ == TRAINED for each in read.__mro__)

    def read(self) -> type:
        """The model's class, as its source says it; LookupError where the file has none that is called like it."""
        named = (each for each in self.reader.names(self.module) if each.lower() == self.path.stem)
        cls = next(filter(None, (self.reader.find(self.module, each) for each in named)), None)
        if cls is None:
            raise LookupError(f"there is no class called like the file, {self.path.stem}")
        return cls

    @property
    def needs_ratings(self) -> bool:
        """Whether the model says nothing where all that is known is what users took."""
        return self.family == "ratings"


@dataclass(frozen=True)
class ModelInfo:
    """What a list of models says of one.

    Attributes:
        name: of the class.
        file: where it stands.
        source: as in `Recommender`.
        tuned: hyper-parameters that tuning searches.
        without_content: as in `Recommender`.
    """

    name: str
    file: ModelFile
    source: str
    tuned: tuple[str, ...]
    without_content: str | None


def register(cls: "type[Recommender]") -> "type[Recommender]":
    """Class decorator: make the model known under its class name."""
    _registered[cls.__name__.lower()] = cls
    return cls


@cache
def _files() -> dict[str, ModelFile]:
    assert __package__
    reader, files = ClassReader(ROOT.parents[1]), plugins.find(__package__, ROOT, "*/*.py")
    return {name: ModelFile(file.path, file.module, reader) for name, file in files.items()}


def class_name(row: str) -> str:
    """The model of a row: what stands before the name of a preset."""
    return row.partition(PRESET)[0]


def preset_name(row: str) -> str | None:
    """The preset of a row; None where its model is tuned."""
    return row.partition(PRESET)[2] or None


def preset(row: str) -> dict[str, Any]:
    """All hyper-parameters of a row with a preset, those that it leaves open at their defaults.

    Raises:
        UserError: the model has no such preset; one line with those that it has.
    """
    cls, name = load(row), preset_name(row)
    if name not in cls.presets:
        raise UserError(f"{cls.__name__} has no preset '{name or ''}'{hint(name or '', cls.presets)}")
    return cls.from_params(**cls.presets[name]).config.model_dump()


def is_known(name: str) -> bool:
    """Whether there is a model of this name, in whatever case."""
    return class_name(name).lower() in _files()


def find(name: str) -> ModelFile:
    """The file of a model, by its class name; UserError proposes the nearest name."""
    files, name = _files(), class_name(name)
    if name.lower() in files:
        return files[name.lower()]
    known = [info.name for info in model_infos()]
    raise UserError(f"there is no model '{name}'{hint(name, known, 'modalift models')}")


def name_of(row: str) -> str:
    """The class name of a row's model as its file writes it; UserError where there is no such model."""
    file = find(row)
    try:
        text = file.path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{file.path}: is not a text file in UTF-8; save it as one") from None
    written = re.search(rf"^class ({re.escape(file.path.stem)})\b", text, re.MULTILINE | re.IGNORECASE)
    return written[1] if written else class_name(row)  # a file without its class is named where it is loaded


def load(name: str) -> "type[Recommender]":
    """The class of a model, by its class name; UserError where its file cannot be used."""
    file, name = find(name), class_name(name)
    plugins.load(file)
    if name.lower() not in _registered:
        raise UserError(f"{file.path}: registers no model '{name}'; name the class like the file and write @register")
    return _registered[name.lower()]


def load_all() -> "dict[str, type[Recommender]]":
    """Every model's class by name; files that cannot be used are passed over (see `recsys.plugins.unusable`)."""
    return {cls.__name__: cls for cls in plugins.load_usable(_files(), load).values()}


def model_infos() -> list[ModelInfo]:
    """Every model, read from the source files; files that cannot be used are passed over."""
    found = []
    for file in _files().values():
        try:
            found.append(_info(file))
        except UserError as error:  # it is no Python
            plugins.pass_over(file, error)
        except (ValueError, LookupError) as error:  # it is no text, or holds no model
            plugins.pass_over(file, UserError(f"{file.path}: holds no model that can be read: {error}"))
    return found


def related(name: str) -> frozenset[str]:
    """The other models that are this one with or without content, by class name.

    Those of ItemKNN are its forms with content; those of such a form are ItemKNN and the other forms. A model tries
    what related models chose for hyper-parameters of the same name, which need not mean the same: validation decides.
    See `Recommender.without_content`. A row with a preset takes its settings from nobody and is related to none.
    """
    find(name)
    if preset_name(name):
        return frozenset()
    families = _families()
    own = next((model for model in families if model.lower() == name.lower()), name)
    return frozenset(model for model in families if model != own and families[model] == families.get(own))


@cache
def _families() -> dict[str, str]:
    """The model that each one is without content, by class name; itself where there is no such."""
    return {info.name: info.without_content or info.name for info in model_infos()}


def _info(file: ModelFile) -> ModelInfo:
    cls = file.read()
    about = attributes_of(cls)
    return ModelInfo(cls.__name__, file, about["source"], tuple(_tuned(about["Config"])), about["without_content"])


def _tuned(config: type) -> list[str]:
    """Fields made by `recsys.recommender.searched`."""

    def is_searched(value: Any) -> bool:
        return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] == "searched"

    return [name for name, value in attributes_of(config).items() if is_searched(value)]
