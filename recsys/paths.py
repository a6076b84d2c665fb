"""From a path in a study file to a place on this machine."""

from collections.abc import Sequence
from pathlib import Path

from recsys.errors import UserError

STUDY_ENDINGS = (".yaml", ".yml")


def resolve(path: str, folders: Sequence[Path], what: str) -> Path:
    """A path named in a study: absolute, or under the first of the folders that holds it.

    Raises:
        UserError: it is in none of them; names `what` asked for it.
    """
    try:
        given = Path(path).expanduser()
    except RuntimeError:  # what it says names no path
        raise UserError(f"{what}: '{path}': nobody here has that name; write the whole path") from None
    candidates = [given] if given.is_absolute() else [folder / given for folder in folders]
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    if given.is_absolute():
        raise UserError(f"{what}: '{path}' is not there; give a path that exists, or put the data there")
    looked = ", ".join(map(str, candidates))
    raise UserError(
        f"{what}: '{path}' is not there (looked at {looked}); set MODALIFT_DATA to the folder that holds it (from "
        "Python: `data`)"
    )
