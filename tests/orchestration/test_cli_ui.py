"""`ui`: three servers that start, answer, and end with all their children."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from orchestration.cli import services
from orchestration.cli.services import Service, Services
from orchestration.settings import Settings
from recsys.errors import UserError
from tests.orchestration.command_line import complaint

# A server that starts a child of another session, as Dagster's does, and ignores the polite signal.
STUBBORN = """
import http.server, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
LOCATIONS = "{repositoriesOrError{...on%20RepositoryConnection{nodes{location{name}}}}}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server(tmp_path: Path, code: str, name: str = "Test") -> Service:
    port = free_port()
    return Service(name, [sys.executable, "-c", code, str(port)], port, "--test-port", tmp_path / f"{name}.log")


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_children_of_other_sessions_end_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "GRACE_SECONDS", 0.5)
    one = server(tmp_path, STUBBORN)
    with Services([one], tmp_path) as running:
        running.wait_until_ready()
        (leader,) = (child for child in psutil.Process().children() if str(one.port) in child.cmdline())
        family = [leader, *leader.children(recursive=True)]
        assert len(family) == 2
    deadline = time.monotonic() + 20  # what was killed takes a moment to go on a busy machine
    while any(map(alive, family)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in family if alive(child)]


def test_servers_of_this_machine_are_not_asked_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(services, "START_SECONDS", 30.0)
    with Services([server(tmp_path, STUBBORN)], tmp_path) as running:
        running.wait_until_ready()


def test_a_server_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    good, bad = server(tmp_path, STUBBORN, "Good"), server(tmp_path, "print('first'); exit('no disk')", "Bad")
    with pytest.raises(UserError) as raised, Services([good, bad], tmp_path) as running:
        running.watch()
    assert str(raised.value) == f"Bad has ended with code 1; the end of {bad.log}: first | no disk"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", good.port))


def test_a_port_in_use_forbidden_or_asked_for_twice_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    settings = Settings(home=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = complaint(settings, "ui", "--mlflow-port", port, "--dagster-port", str(free_port()))
        assert line == f"port {port} for MLflow is in use: give another with --mlflow-port"
    monkeypatch.setattr(services.socket.socket, "bind", forbidden)
    line = complaint(settings, "ui", "--dagster-port", "80")
    assert line == "port 80 for Dagster cannot be had (Permission denied): give another with --dagster-port"
    monkeypatch.undo()
    twice = str(free_port())
    line = complaint(settings, "ui", "--dagster-port", twice, "--mlflow-port", twice)
    assert line == f"port {twice} is asked for twice: give another with --mlflow-port"


def test_ui_serves_all_three_and_ends_them(tmp_path: Path) -> None:
    """In a folder with a package of its own that is called as one of ours."""
    home = tmp_path / "home"
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "__init__.py").write_text(
        "raise ImportError('not the one that is meant')", encoding="utf-8"
    )
    (home / "reports").mkdir(parents=True)
    (home / "reports" / "demo.html").write_text("the answer", encoding="utf-8")
    ports = {name: free_port() for name in ("dagster", "mlflow", "reports")}
    options = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    environment = {**os.environ, "MODALIFT_HOME": str(home), "MODALIFT_STUDIES": str(tmp_path)}
    command = [sys.executable, "-P", "-c", "from orchestration.cli import app; app()", "ui", *options]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        pages = [process.stdout.readline().split()[-1] for _ in ports]
        addresses = [f"http://127.0.0.1:{port}" for port in ports.values()]
        assert pages == [
            f"{addresses[0]}/runs",
            f"{addresses[1]}/#/experiments?workflowType=machine_learning",
            addresses[2],
        ]
        with urllib.request.urlopen(f"{addresses[2]}/demo.html") as page:
            assert page.read() == b"the answer"
        with urllib.request.urlopen(f"{addresses[1]}/health") as page:
            assert page.read() == b"OK"
        with urllib.request.urlopen(f"{addresses[0]}/graphql?query={LOCATIONS}") as page:
            assert b'"name":"modalift"' in page.read().replace(b" ", b"")
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    finally:
        process.kill()
