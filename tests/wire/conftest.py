"""What the tests of this ring start, share and put away.

Two servers run for the whole session: the office as it is shipped, and the lab with the policies of this
folder.
Each test gets a bench on one of them, and no call may be left on it when the test is over; when the session
is over, both must be back to the sizes with which they began.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from . import music
from .lab import Lab
from .server import Server
from .tap import Tap

HERE = Path(__file__).parent
OFFICE = HERE.parent.parent / "examples" / "office"
CLIENTS = ("sipp", "baresip", "unbound", "openssl", "nvim", "fail2ban-regex")
LINGERING = 40.0
"""Seconds until the last timer is over: 64*T1 is 32, and then some for a slow machine."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests here, and put them last: what fails fastest comes first."""
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.wire)
    items[:] = [item for item in items if HERE not in item.path.parents] + mine


@pytest.fixture(scope="session", autouse=True)
def _clients() -> None:
    """Without the real clients there is nothing to test: said aloud, and in CI an error."""
    if missing := [client for client in CLIENTS if shutil.which(client) is None]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not installed: {', '.join(missing)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put beside a failure what the servers said during the test, and where its artefacts are."""
    report = yield
    if report.failed:
        for server, before in item.stash.get(SERVERS, []):
            said = server.program.lines()[before:]
            report.sections.append((f"{server.policy.name}: {server.log}", "\n".join(said[-80:])))
    return report


SERVERS = pytest.StashKey[list[tuple[Server, int]]]()


@pytest.fixture(scope="session")
def office_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The shipped office."""
    yield from _running(OFFICE / "office.route", tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="session")
def lab_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab's policy, in a copy whose secrets nobody else may read, as the server demands."""
    folder = tmp_path_factory.mktemp("policies")
    shutil.copytree(HERE / "policies", folder, dirs_exist_ok=True)
    (folder / "secrets.yaml").chmod(0o600)
    return folder / "lab.route"


@pytest.fixture(scope="session")
def lab_server(lab_policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The lab."""
    yield from _running(lab_policy, tmp_path_factory.mktemp("lab"))


@pytest.fixture
def lab6(lab_policy: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A bench on a lab of its own, which listens on IPv6 only."""
    with Server(lab_policy, tmp_path, host="::1") as server:
        yield from _bench(server, tmp_path, request)


@pytest.fixture
def brisk(lab_policy: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A bench on a lab of its own, whose T1 is 0.1 s and whose nonces live for a second."""
    with Server(lab_policy, tmp_path, settings="timers: {t1: 100ms}\nnonce_lifetime: 1s\n") as server:
        yield from _bench(server, tmp_path, request)


@pytest.fixture
def office(office_server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A bench on the office."""
    yield from _bench(office_server, tmp_path, request)


@pytest.fixture
def lab(lab_server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A bench on the lab."""
    yield from _bench(lab_server, tmp_path, request)


@pytest.fixture(scope="session")
def hold_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A lab where who waits hears music."""
    folder = tmp_path_factory.mktemp("hold")
    shutil.copytree(HERE / "policies", folder, dirs_exist_ok=True)
    for sound, seconds in (("waltz", 4.0), ("polka", 4.0), ("chime", 1.5)):
        music.write_tune(folder / f"{sound}.wav", sound, seconds)
    yield from _running(folder / "hold.route", folder / "server")


@pytest.fixture
def holding(hold_server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A bench on the lab where who waits hears music."""
    yield from _bench(hold_server, tmp_path, request)


@pytest.fixture
def tap() -> Iterator[Tap]:
    """All RTP on loopback during the test."""
    try:
        opened = Tap()
    except PermissionError:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no right to capture: CAP_NET_RAW is needed")
    with opened:
        yield opened


def _running(policy: Path, folder: Path) -> Iterator[Server]:
    with Server(policy, folder) as server:
        begun = server.sizes()
        yield server
        server.wait_sizes(begun, LINGERING)


def _bench(server: Server, folder: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    seen = request.node.stash.setdefault(SERVERS, [])
    seen.append((server, len(server.program.lines())))
    begun = server.sizes()
    with Lab(server, folder) as lab:
        yield lab
        server.wait_sizes({name: begun[name] for name in ("calls", "legs")}, lab.patience)
