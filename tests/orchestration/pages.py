"""`modalift ui` on a home, and a browser to look at its pages with."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from orchestration.settings import Settings
from tests.orchestration.test_cli_ui import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Served(NamedTuple):
    """Where the pages of a home are."""

    dagster: str
    mlflow: str
    settings: Settings


class Process(NamedTuple):
    """What starts modalift on a home in a process of its own."""

    command: list[str]
    env: dict[str, str]


def modalift(settings: Settings, *arguments: str) -> Process:
    """The command line, as a person calls it."""
    command = [sys.executable, "-c", "from orchestration.cli import app; app()", *arguments]
    env = os.environ | {"MODALIFT_HOME": str(settings.home), "MODALIFT_STUDIES": str(settings.studies)}
    return Process(command, env)


@contextmanager
def serve(settings: Settings) -> Iterator[Served]:
    """All pages of a home, until the context is left."""
    ports = [free_port() for _ in range(3)]
    options = [f"--{name}-port={port}" for name, port in zip(("dagster", "mlflow", "reports"), ports, strict=True)]
    command, env = modalift(settings, "ui", *options)
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Reports"):
                break
        yield Served(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", settings)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


@contextmanager
def browsed(width: int = 1500, height: int = 1200) -> Iterator[Page]:
    """A page of a new browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": width, "height": height})
        browser.close()
