"""Servers run beside each other: started, awaited, watched, and ended together with all their children.

Each server leads a process group of its own. What it starts may leave that group (Dagster's code server does),
so children are noted before any signal is sent, and whoever has not ended after a grace time is killed.
"""

import errno
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from orchestration.addresses import HOST
from recsys.errors import UserError

GRACE_SECONDS = 4.0
START_SECONDS = 180.0
LOOK_SECONDS = 0.25
LOG_TAIL = 5


@dataclass(frozen=True)
class Service:
    """A server.

    Attributes:
        name: what a person calls it.
        command: what starts it.
        port: where it listens on 127.0.0.1.
        option: the option that gives it another port.
        log: file that takes its output.
        environment: variables beside those of this process.
        first_page: where a person starts, after the address.
    """

    name: str
    command: Sequence[str]
    port: int
    option: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    first_page: str = ""

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"


def check_ports(services: Sequence[Service]) -> None:
    """UserError that names the first port that cannot be had."""
    taken: dict[int, str] = {}
    for service in services:
        if service.port in taken:
            raise UserError(f"port {service.port} is asked for twice: give another with {service.option}")
        taken[service.port] = service.name
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, service.port))
            except OSError as error:
                why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
                raise UserError(
                    f"port {service.port} for {service.name} {why}: give another with {service.option}"
                ) from None


class Services:
    """Servers that live and end together; leaving the context ends them."""

    def __init__(self, services: Sequence[Service], cwd: Path) -> None:
        """Servers to be started in the folder `cwd`."""
        self.services = services
        self.cwd = cwd
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start them all; UserError if a port is in use."""
        check_ports(self.services)
        try:
            for service in self.services:
                self._start(service)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End them all."""
        self._end()

    def wait_until_ready(self) -> None:
        """Return when every server answers; UserError if one dies or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        for service in self.services:
            while not _answers(service):
                self._refuse_dead()
                if time.monotonic() > deadline:
                    raise UserError(f"{service.name} does not answer after {START_SECONDS:.0f} s; see {service.log}")
                time.sleep(LOOK_SECONDS)

    def watch(self) -> None:
        """Stay until a server dies, which is a UserError with the end of its log."""
        while True:
            self._refuse_dead()
            time.sleep(LOOK_SECONDS)

    def _start(self, service: Service) -> None:
        service.log.parent.mkdir(parents=True, exist_ok=True)
        with service.log.open("wb") as log:
            self._processes[service.name] = subprocess.Popen(
                service.command,
                cwd=self.cwd,
                env={**os.environ, **service.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _refuse_dead(self) -> None:
        for service in self.services:
            code = self._processes[service.name].poll()
            if code is not None:
                lines = service.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                tail = " | ".join(line.strip() for line in lines[-LOG_TAIL:]) or "it wrote nothing"
                raise UserError(f"{service.name} has ended with code {code}; the end of {service.log}: {tail}")

    def _end(self) -> None:
        # A second Ctrl-C must not leave servers behind.
        with _deaf(signal.SIGINT, signal.SIGTERM):
            self._end_all()

    def _end_all(self) -> None:
        families = [member for process in self._processes.values() for member in _family(process.pid)]
        for process in self._processes.values():
            _signal_group(process.pid, signal.SIGINT)
        _, left = psutil.wait_procs(families, timeout=GRACE_SECONDS)
        for process in self._processes.values():
            _signal_group(process.pid, signal.SIGKILL)
        for member in left:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        for process in self._processes.values():
            process.wait()


@contextmanager
def _deaf(*numbers: signal.Signals) -> Iterator[None]:
    """Ignore signals for a while."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _answers(service: Service) -> bool:
    # A proxy of the environment's knows nothing of this machine's own ports.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(service.address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
