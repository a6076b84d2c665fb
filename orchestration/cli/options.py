"""Arguments that several commands share."""

from typing import Annotated

import typer

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="Path of a study file, or its name in the studies folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", metavar="NAME", help="Dataset, where the study has several.")
]
