"""The application that commands are registered with, and how their errors read.

A user's mistake is one red line and exit code 2. Anything else that goes wrong is a fault of the program: one
line too, its traceback with `modalift --debug`, and exit code 1. Command modules import what is heavy (Dagster, torch,
MLflow) within their functions, so that help and mistakes answer at once.
"""

import functools
import gc
import inspect
import io
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, ParamSpec, TypeVar

import typer

from orchestration.cli.console import complain, note
from recsys import plugins
from recsys.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")

WRONG_INPUT = 2
"""The exit code of a user's mistake, which is also that of an option that does not exist."""

app = typer.Typer(
    name="modalift",
    help="Does item content make recommendations better here, which part of it, and can we believe the answer?",
    epilog="Start with: modalift run demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_debug = False


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"modalift {version('modalift')}")
        raise typer.Exit


@app.callback()
def main(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    global _debug
    _debug = debug
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter shows its code
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # What imports make stays for good: to look for garbage in it again and again takes a sixth of a short command.
    gc.set_threshold(10_000)


def command(name: str, *examples: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a function as a command; its docstring and the examples are its help."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        shown = "\n\n".join(f"Example: [bold]{example}[/bold]" for example in examples)
        paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
        # Line breaks of the source would stay in all paragraphs but the first.
        text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        app.command(name, help=text, epilog=shown)(_errors_as_exit_codes(function))
        return function

    return register


def _errors_as_exit_codes(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        code = 1
        try:
            return function(*args, **kwargs)
        except UserError as error:
            complain(str(error))
            code = WRONG_INPUT
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if _debug:
                raise
            said = " ".join(str(error).split()) or "no message"
            unexpected = f"unexpected {type(error).__name__}: {said} (`modalift --debug ...` shows where)"
            complain(_full_disk(error) or unexpected)
            code = 1
        finally:
            for line in plugins.unusable():
                note(f"passed over {line}")
        raise typer.Exit(code)

    return wrapped


def _full_disk(error: BaseException) -> str:
    from orchestration.full_disk import full_disk
    from orchestration.settings import Settings

    each: BaseException | None = error
    said = ""
    while each is not None:
        said, each = f"{said} {each}", each.__cause__ or each.__context__
    return full_disk(said, Settings().home)
