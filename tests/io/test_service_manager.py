"""What systemd is told, and that nothing of it can hold us up."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bua.io.children import environment
from b2bua.io.service_manager import ServiceManager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5.0)
        yield listening


def test_each_step_is_said(manager: socket.socket) -> None:
    told = ServiceManager({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000000"})
    told.ready("policy office")
    told.reloading()
    told.alive()
    told.stopping("draining, 2 calls")
    assert manager.recv(1000) == b"READY=1\nSTATUS=policy office"
    said = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)", manager.recv(1000))
    assert said is not None
    assert 0 <= time.clock_gettime(time.CLOCK_MONOTONIC) - int(said[1]) / 1_000_000 < 60
    assert manager.recv(1000) == b"WATCHDOG=1"
    assert manager.recv(1000) == b"STOPPING=1\nSTATUS=draining, 2 calls"
    assert told.watchdog == 3.0
    told.close()


def test_a_name_without_a_file_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0b2bua-test-{os.getpid()}")
        told = ServiceManager({"NOTIFY_SOCKET": f"@b2bua-test-{os.getpid()}"})
        told.ready("")
        assert listening.recv(1000).startswith(b"READY=1")
        told.close()


def test_a_watchdog_of_another_process_is_not_fed(manager: socket.socket) -> None:
    told = ServiceManager({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"})
    assert told.watchdog is None
    told.alive()
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(1000)
    told.close()


def test_without_a_manager_nothing_is_said() -> None:
    told = ServiceManager({})
    told.ready("")
    assert told.watchdog is None
    told.close()


def test_a_manager_that_is_gone_or_does_not_read_holds_nobody_up(manager: socket.socket, tmp_path: Path) -> None:
    gone = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    gone.ready("")
    gone.close()
    deaf = ServiceManager({"NOTIFY_SOCKET": manager.getsockname()})
    for _ in range(10_000):
        deaf.ready("")
    deaf.close()


def test_our_children_are_no_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "1")
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC"} & environment().keys()
