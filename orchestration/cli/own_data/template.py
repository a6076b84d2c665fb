"""The text of a study file for own data, and the study that it makes: nothing is written that does not load."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestration.cli.own_data.draft import Draft
from orchestration.cli.own_data.questions import Answers
from orchestration.cli.own_data.rivals import NEIGHBOURS, Rivals
from recsys.study.file import load_study
from recsys.study.study import Study
from recsys.tuning.budget import CLOSED_FORM_TRIALS, TRAINED_TRIALS
from recsys.tuning.plateau import FEWEST_TRIALS

_TEMPLATE = "study.yaml.jinja"


def study_text(name: str, draft: Draft, answers: Answers, rivals: Rivals) -> str:
    """The study file as text."""
    folder = FileSystemLoader(Path(__file__).parent)
    # The text is YAML, in which values are quoted by `_block` and `_key`.
    environment = Environment(
        loader=folder, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.update(block=_block, key=_key, printable=_printable)
    usual = f"{CLOSED_FORM_TRIALS}, or {TRAINED_TRIALS} where a model is trained by gradient,"
    return environment.get_template(_TEMPLATE).render(
        name=name,
        draft=draft,
        scenario=answers.scenario,
        rivals=rivals,
        neighbours=[model for model in rivals.models if model in NEIGHBOURS],
        usual=usual,
        fewest=FEWEST_TRIALS,
    )


def loaded(name: str, text: str) -> Study:
    """The study that a text makes; UserError where it makes none. Nothing is left behind."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return load_study(file)


def _block(content: dict[str, Any], indent: int) -> str:
    written = _dumped(content, readable=True)
    if yaml.safe_load(written) != content:  # a line break of Unicode, which PyYAML does not escape by itself
        written = _dumped(content, readable=False)
    return "\n".join(f"{' ' * indent}{line}" for line in written.removesuffix("\n").split("\n"))


def _dumped(content: dict[str, Any], readable: bool) -> str:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=readable, default_flow_style=False, width=110)
    return str(text)


def _key(name: str, indent: int) -> str:
    """A name as a key, quoted where YAML would read something else in it, such as `no`."""
    return _block({name: 0}, indent).removesuffix(" 0")


def _printable(line: str) -> str:
    """A line of a comment; what stands in a column's name cannot end it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())
