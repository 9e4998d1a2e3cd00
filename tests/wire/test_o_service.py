"""A server that was started by a service manager tells it how it is (sd_notify(3))."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ports import block
from .program import Program
from .server import B2BUA

POLICY = """policy "{name}"
domain example.test
on register {{ otherwise -> reject 403 }}
on call {{ otherwise -> reject 486 }}
"""


class Service:
    """A server and what it has said so far."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.policy = folder / "first.route"
        self.policy.write_text(POLICY.format(name="first"), encoding="utf-8")
        settings = folder / "settings.yaml"
        settings.write_text("media: {first_port: 0, last_port: 0}\nreload: {watch: off}\n", encoding="utf-8")
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(folder / "notify"))
        self._manager.settimeout(20.0)
        command = [B2BUA, "run", str(self.policy), "--settings", str(settings), "--state", str(folder / "state")]
        environment = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "400000"}
        self.program = Program(
            [*command, f"--listen=udp:127.0.0.1:{block(1)}"], folder / "log", environment=environment
        )

    def wait(self, pattern: str) -> str:
        """The next that it says of this kind."""
        while True:
            said = self._manager.recv(4096).decode()
            self.said.append(said)
            if re.search(pattern, said):
                return said

    def close(self) -> None:
        self.program.stop()
        self._manager.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def test_from_start_to_end(service: Service) -> None:
    assert service.wait("READY=1").startswith("READY=1\nSTATUS=policy first, version ")
    for _ in range(3):
        service.wait("^WATCHDOG=1$")
    service.policy.write_text(POLICY.format(name="second"), encoding="utf-8")
    service.program.send(signal.SIGHUP)
    service.wait(r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
    assert service.wait("READY=1").startswith("READY=1\nSTATUS=policy second, ")
    service.policy.write_text("nonsense", encoding="utf-8")
    service.program.send(signal.SIGHUP)
    service.wait("RELOADING=1")
    assert service.wait("READY=1").startswith("READY=1\nSTATUS=policy second, ")
    service.program.send(signal.SIGTERM)
    assert service.wait("STOPPING=1") == "STOPPING=1\nSTATUS=draining, 0 calls"
    assert service.program.wait(20.0) == 0
    assert service.said[0].startswith("READY=1")


def test_one_that_stands_still_feeds_no_watchdog(service: Service) -> None:
    service.wait("READY=1")
    service.wait("WATCHDOG=1")
    service.program.send(signal.SIGSTOP)
    try:
        service._manager.settimeout(1.0)
        with pytest.raises(TimeoutError):
            for _ in range(10):
                service.wait("WATCHDOG=1")
    finally:
        service.program.send(signal.SIGCONT)
