"""Who is measured, and how each is started so that it does the same work.

Owns the command lines and configuration of the servers. Peers come from Debian (Kamailio) and PyPI (sippy, in
a virtual environment under the cache folder).
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from benchmark.failure import BenchError
from benchmark.load import FAR, OFFICE, Ports
from benchmark.machine import PYTHON, need, output
from benchmark.process import Process

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
CACHE = REPOSITORY / ".bench"
SIPPY = "sippy==2.5.0"
USERS = 1000
MANY_PORTS = 40_000
"""Where the media ports begin of a server that needs more of them than a run has: past those of tests and servers."""
PASSWORD = "secret"

_PING = """\
OPTIONS sip:{to}:{port} SIP/2.0
Via: SIP/2.0/UDP {own}:{own_port};branch=z9hG4bK{n}
Max-Forwards: 70
From: <sip:bench@{own}>;tag=b{n}
To: <sip:{to}:{port}>
Call-ID: ready-{n}-{own_port}
CSeq: 1 OPTIONS
Content-Length: 0

""".replace("\n", "\r\n")


FREE = "security: {trusted: [127.0.0.0/8]}"
"""Thousands of phones register from one address here."""


class Server(ABC):
    """One that carries calls from OFFICE to FAR. `registers` says whether it is a registrar too."""

    name: ClassVar[str]
    registers: ClassVar[bool] = False
    interpreted: ClassVar[bool] = True
    """Whether the interpreter runs it, so that a profiler of Python sees what it does."""
    first_rate: ClassVar[int]
    """Calls a second at which the search for the highest rate begins."""

    @abstractmethod
    def version(self) -> str:
        """The version that is measured; BenchError when it is not to be had."""

    @abstractmethod
    def command(self, folder: Path, ports: Ports) -> tuple[list[str], dict[str, str]]:
        """The command line and what it adds to the environment; its files are written to the folder."""

    def start(self, folder: Path, ports: Ports, core: int, trace: Path | None = None) -> Process:
        """Start it and wait until it answers OPTIONS. `trace` is where cProfile is to write when it ends."""
        argv, environment = self.command(folder, ports)
        if trace is not None:
            argv[1:1] = ["-m", "cProfile", "-o", str(trace)]
        log = folder / "server.log"
        process = Process(argv, core=core, log=log, cwd=folder, environment=environment)
        try:
            _wait_until_ready(self.name, process, ports)
        except BaseException:
            process.stop()
            raise
        return process


def _wait_until_ready(name: str, process: Process, ports: Ports, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind((OFFICE, 0))
        asker.settimeout(0.2)
        own_port = asker.getsockname()[1]
        for n in range(sys.maxsize):
            if process.exit_code() is not None:
                raise BenchError(f"{name} ended with {process.exit_code()}: {process.last_words()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{name} did not answer OPTIONS within {seconds:.0f} s: {process.last_words()}")
            ping = _PING.format(to=OFFICE, port=ports.server, own=OFFICE, own_port=own_port, n=n)
            try:
                asker.sendto(ping.encode(), (OFFICE, ports.server))
                asker.recv(65535)
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.1)
            else:
                return


class Kamailio(Server):
    """Debian's: a proxy with transactions and Record-Route, and a registrar in memory."""

    name = "kamailio"
    registers = True
    interpreted = False
    first_rate = 2000

    def version(self) -> str:
        words = output(need("kamailio"), "-v").split()
        return words[words.index("kamailio") + 1]

    def command(self, folder: Path, ports: Ports) -> tuple[list[str], dict[str, str]]:
        text = (HERE / "kamailio.cfg").read_text()
        for mark, value in {
            "@SERVER@": f"{OFFICE}:{ports.server}",
            "@UAS@": f"{FAR}:{ports.called}",
            "@USERS@": str(USERS),
        }.items():
            text = text.replace(mark, value)
        (folder / "kamailio.cfg").write_text(text)
        memory = ["-x", "fm", "-X", "fm", "-m", "4096", "-M", "32"]
        stays = ["-DD", "-E", "-w", str(folder), "-Y", str(folder), "-P", str(folder / "kamailio.pid")]
        return [need("kamailio"), "-f", str(folder / "kamailio.cfg"), *memory, *stays], {}


class Sippy(Server):
    """PyPI's, its `b2bua_radius` without RADIUS, accounting and log: what it does least."""

    name = "sippy"
    first_rate = 50

    def version(self) -> str:
        environment("sippy", SIPPY)
        return SIPPY.partition("==")[2]

    def command(self, folder: Path, ports: Ports) -> tuple[list[str], dict[str, str]]:
        programs = environment("sippy", SIPPY) / "bin"
        route = ["-u", "-A", "0", "-s", f"{FAR}:{ports.called}"]
        place = [
            "-l",
            OFFICE,
            "-p",
            str(ports.server),
            "-c",
            str(folder / "sippy.sock"),
            "-P",
            str(folder / "pid"),
        ]
        return [str(programs / "python"), str(programs / "b2bua_radius"), "-f", *route, *place], {"SIPLOG_BEND": "none"}


class B2bua(Server):
    """This project's, with a policy that has something to decide and its records written.

    Its media process runs and counts as a part of it, also where no call uses it. It has so many `pairs` of ports,
    by default those of the run. `further` is a line of its settings.
    """

    name = "b2bua"
    registers = True
    first_rate = 500

    def __init__(self, policy: str = "bench.route", pairs: int | None = None, further: str = "") -> None:
        self._policy = policy
        self._pairs = pairs
        self._further = further

    def version(self) -> str:
        return output("git", "-C", str(REPOSITORY), "describe", "--always", "--dirty").strip()

    def command(self, folder: Path, ports: Ports) -> tuple[list[str], dict[str, str]]:
        shutil.copy(REPOSITORY / "examples" / "office" / "sounds" / "jazz.wav", folder)
        for file in (self._policy, "routes.csv", "blocked.csv"):
            # The policy names the port of the called side as it is when nothing else is asked for.
            text = (HERE / file).read_text().replace(f":{Ports().called}", f":{ports.called}")
            (folder / file).write_text(text)
        (folder / "users.yaml").write_text("".join(f"u{n}: {{password: {PASSWORD}}}\n" for n in range(USERS)))
        pairs = self._pairs
        first, last = ports.media if pairs is None else (MANY_PORTS, MANY_PORTS + 2 * pairs - 1)
        media = f"media: {{first_port: {first}, last_port: {last}}}"
        settings = [f"listen: [udp:{OFFICE}:{ports.server}]", "grace: 1s", media, FREE, self._further, ""]
        (folder / "settings.yaml").write_text("\n".join(settings))
        state = folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        programs = self.programs()
        server = [str(programs / "python"), str(programs / "b2bua"), "run", str(folder / self._policy)]
        return [*server, "--settings", str(folder / "settings.yaml"), "--state", str(state)], {}

    def programs(self) -> Path:
        """The checkout's virtual environment, or one made for this."""
        own = REPOSITORY / ".venv" / "bin"
        return own if (own / "b2bua").exists() else environment("b2bua", "-e", str(REPOSITORY)) / "bin"


class CompiledB2bua(B2bua):
    """The same with its hot modules compiled, in a virtual environment of its own."""

    name = "b2bua compiled"
    interpreted = False

    def version(self) -> str:
        self.programs()
        return super().version()

    def programs(self) -> Path:
        place = CACHE / "b2bua-compiled"
        _made([str(REPOSITORY / "scripts" / "compile"), str(place)])
        return place / "bin"


def environment(name: str, *packages: str) -> Path:
    """A virtual environment in the cache folder with these packages, made when it is first needed."""
    place = CACHE / name
    done = place / "complete"
    if done.exists() and done.read_text() == " ".join(packages):
        return place
    shutil.rmtree(place, ignore_errors=True)
    for argv in (
        [PYTHON, "-m", "venv", str(place)],
        [str(place / "bin" / "pip"), "install", "--quiet", *packages],
    ):
        _made(argv)
    done.write_text(" ".join(packages))
    return place


def _made(argv: list[str]) -> None:
    made = subprocess.run(argv, capture_output=True, text=True, check=False)
    if made.returncode:
        raise BenchError(f"{' '.join(argv)}: {made.stderr.strip().splitlines()[-1:]}")
