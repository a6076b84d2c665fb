"""From a file to a study; a mistake in it is one line."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from recsys.errors import UserError
from recsys.study.study import Study


def load_study(path: Path) -> Study:
    """Read and check a study file.

    Raises:
        UserError: the file is missing, is no YAML, or a key in it is wrong; one line that names it.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give the path of a study file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file; give the path of a study file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise UserError(f"{path}:{place} is not YAML: {problem}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no study; a study is a mapping with title, datasets and models")
    try:
        return Study(name=path.stem, **content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        place = f"{path}: {key}" if key else str(path)
        raise UserError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
    except UserError as error:
        raise UserError(f"{path}: models: {error}") from None
    except TypeError as error:
        raise UserError(f"{path}: {error}") from None
