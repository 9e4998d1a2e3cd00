"""A running server: everything opened, tied together, watched, and put away again.

Owns the order of starting and ending, signals, and telling how the server is. Ports, state and store are opened before
anything runs, so that what is wrong with them is said at once. Leaves what an operator may ask to `commands`, the
policy to `in_force`, and the command line and the files to `operator`.
"""

from __future__ import annotations

import gc
import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec
import trio
from structlog.typing import FilteringBoundLogger

from b2bua import __version__
from b2bua.core import Core
from b2bua.io.certificate_watch import CertificateWatch
from b2bua.io.commands import Commands
from b2bua.io.control import Control, open_control
from b2bua.io.database import Database
from b2bua.io.desk import Desk
from b2bua.io.dns_queries import Dns
from b2bua.io.hep import HepSender
from b2bua.io.hosts import Hosts
from b2bua.io.ids import Ids
from b2bua.io.in_force import InForce
from b2bua.io.listening import listener_text, open_listener
from b2bua.io.location import Locator
from b2bua.io.measures import Measures
from b2bua.io.media.supervisor import MediaProcess
from b2bua.io.policy_watch import PolicyWatch
from b2bua.io.pulse import SECONDS, Pulse
from b2bua.io.repertoire import Repertoire
from b2bua.io.requests import CONTROL, Refused
from b2bua.io.resolver import Resolver
from b2bua.io.service_manager import ServiceManager
from b2bua.io.shell import Shell
from b2bua.io.state import DATABASE, StateDirectory
from b2bua.io.store import Store
from b2bua.io.streams import BEYOND_EXPIRY_SECONDS, Streams
from b2bua.io.tally import Tally
from b2bua.io.tls import Tls
from b2bua.io.trace import TraceFile, both
from b2bua.io.traffic import TransportView, transport_view
from b2bua.io.udp import Datagrams, open_udp
from b2bua.settings import Listener, Settings
from dsl.files import Files
from dsl.policy import Policy

LAST_WORDS_SECONDS = 5.0
"""After the calls that were left have been hung up: for their BYEs to be repeated and answered."""

_MEDIA_SECONDS = 2.0
"""At the start, for the media process to have its ports: calls can be set up without."""

# A pass of the collector over the calls held stops the loop for as long as T1, and what is then sent again feeds it
# more. Calls free themselves (tests/flows/test_cycles.py), so that only what is young is looked at by itself, and the
# rest, the few cycles that tracebacks leave, when there is little of it. A pass over so many takes 2 ms, also while a
# table is read.
_GC_THRESHOLDS = (10_000, 1_000_000, 1_000_000)
_TIDY_SECONDS = 600.0

_SWITCH_SECONDS = 0.001
"""How long a thread that loads a policy may go on while a message waits; alone it is never interrupted."""

_QUIET_TRANSACTIONS = 1_000


class Plan(msgspec.Struct, frozen=True):
    """What to run. `files` are those that `policy` was read from.

    `load` reads it again, at each reload, and notes the files; it raises PolicyError or OSError. `log_json` is the form
    of the log, for processes that write into it too.
    """

    settings: Settings
    policy: Policy
    files: Files
    load: Callable[[Files], Policy]
    state: Path
    log: FilteringBoundLogger
    trace: Path | None = None
    log_json: bool = False


class Resources(msgspec.Struct, frozen=True):
    """What was opened for a plan."""

    key: bytes
    database: Database
    control: socket.socket
    listening: tuple[tuple[Listener, socket.socket], ...]
    http: socket.socket | None
    tls: Tls | None
    trace: TraceFile | None


@contextmanager
def opened(plan: Plan) -> Iterator[Resources]:
    """Open everything that can fail; it is closed in the end. Raises ServerError that says what to do."""
    _raise_descriptor_limit()
    settings = plan.settings
    secure = any(listener.transport == "TLS" for listener in settings.listen)
    tls = Tls(settings.tls, time.time()) if secure else None
    with ExitStack() as stack:
        state = StateDirectory(plan.state)
        stack.callback(state.close)
        listening = []
        for listener in settings.listen:
            sock = open_udp(listener) if listener.transport == "UDP" else open_listener(listener)
            stack.callback(sock.close)
            listening.append((listener, sock))
        http = None
        if settings.http.listen is not None:
            http = open_listener(Listener("TCP", settings.http.listen.host, settings.http.listen.port), "`http`")
            stack.callback(http.close)
        control = open_control(plan.state / CONTROL)
        stack.callback((plan.state / CONTROL).unlink, missing_ok=True)
        stack.callback(control.close)
        trace = None
        if plan.trace is not None:
            trace = TraceFile(plan.trace)
            stack.callback(trace.close)
        database = Database(plan.state / DATABASE, bool(settings.records.csv or settings.records.webhook))
        stack.callback(database.close)
        yield Resources(state.key, database, control, tuple(listening), http, tls, trace)


class Server:
    """One server, to be `run` once, within trio."""

    def __init__(self, plan: Plan, resources: Resources) -> None:
        self._settings = settings = plan.settings
        self._log = plan.log
        self._began = time.time()
        self._draining = False
        self._stopping = trio.CancelScope()
        self._core = core = Core(
            settings,
            plan.policy,
            Ids(),
            resources.key,
            resources.database.bindings(),
            trio.current_time(),
            time.time(),
            resources.database.disabled_trunks(),
        )
        self._shell = shell = Shell(core, plan.log, None, settings.limits.messages)
        self._hep = (
            None if settings.hep.to is None else HepSender(settings.hep, settings.advertise, core.overview, shell)
        )
        shell.trace = both(resources.trace, self._hep)
        self._datagrams = Datagrams(shell)
        self._streams = Streams(shell, settings.registration.max_expires + BEYOND_EXPIRY_SECONDS, resources.tls)
        self._certificates = CertificateWatch(resources.tls, shell) if resources.tls is not None else None
        self._udp = []
        for listener, sock in resources.listening:
            if listener.transport == "UDP":
                self._udp.append(self._datagrams.add(sock, listener))
            else:
                self._streams.add(sock, listener)
        reach = frozenset((listener.transport, ":" in listener.host) for listener in settings.listen)
        self._resolver = Resolver(shell, Locator(reach, Dns(servers=settings.name_servers), Hosts()))
        self._tally = Tally()
        counted = None if settings.http.listen is None else self._tally
        self._store = Store(resources.database, shell, settings.history, settings.max_call, counted)
        hosts = settings.media.hosts or tuple(dict.fromkeys(listener.host for listener in settings.listen))
        self._media = MediaProcess(settings.media, hosts, core, shell)
        self.repertoire = Repertoire(self._media)
        sounds = self.repertoire if settings.media.last_port else None
        self.in_force = InForce(plan.load, plan.files, core, shell, sounds)
        self._watch = PolicyWatch(self.in_force, settings.reload.watch, settings.reload.percent)
        self.commands = Commands(
            core, shell, self._store, self.in_force, self._status, self._transports, self._measures
        )
        self._control = Control(resources.control, shell, self.commands.act)
        self._desk = Desk(plan.state, plan.log_json, resources.http, settings.records, resources.database, shell)
        self._manager = manager = ServiceManager(os.environ)
        # Half of the time that a watchdog gives, as sd_watchdog_enabled(3) has it.
        self._pulse = Pulse(manager.alive, min(SECONDS, (manager.watchdog or math.inf) / 2))
        shell.connect(self._datagrams, self._streams, self._resolver, self._store, self._media, self._store.tape)

    async def run(self) -> None:
        """Serve until a signal ends it; then everything is written."""
        self._store.start()
        try:
            with self._stopping:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._shell.clock.run)
                    nursery.start_soon(self._tidy)
                    nursery.start_soon(self._resolver.run)
                    nursery.start_soon(self._streams.run)
                    nursery.start_soon(self._control.run)
                    nursery.start_soon(self._shell.contained, self.in_force.remains.run)
                    if self._desk.is_wanted:
                        nursery.start_soon(self._shell.contained, self._desk.run)
                    if self._desk.is_wanted or self._manager.watchdog is not None:
                        nursery.start_soon(self._pulse.run)
                    if self._hep is not None:
                        nursery.start_soon(self._shell.contained, self._hep.run)
                    if self._settings.reload.watch:
                        nursery.start_soon(self._shell.contained, self._watch.run)
                    if self._certificates is not None:
                        nursery.start_soon(self._certificates.run)
                    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
                        await self._begin_media(nursery)
                        for sock in self._udp:
                            nursery.start_soon(sock.receive)
                        self._ready()
                        async for number in signals:
                            self._signalled(number, nursery)
        finally:
            with trio.CancelScope(shield=True):
                await self._store.stop()
                await self._desk.finish()
            self._manager.close()
            if self._hep is not None:
                self._hep.flush()
                self._hep.close()
        self._log.info("ended")

    def _ready(self) -> None:
        self._shell.turn(self._core.start)
        policy = self._core.policy
        self._log.info("ready", policy=policy.name, hash=policy.hash, pid=os.getpid())
        self._manager.ready(self._said())

    def _said(self) -> str:
        """What a service manager shows of us."""
        policy = self._core.policy
        return f"policy {policy.name}, version {policy.hash}"

    async def _begin_media(self, nursery: trio.Nursery) -> None:
        """Have sounds and ports before the first call, as far as they can be had."""
        if not self._settings.media.last_port:
            return
        for wrong in await self.repertoire.begin(self._core.policy):
            self._log.error("sound not loaded", why=wrong)
        nursery.start_soon(self._shell.contained, self._media.run)
        with trio.move_on_after(_MEDIA_SECONDS):
            await self._media.begun.wait()

    async def _tidy(self) -> None:
        """Collect what only the collector can free, whenever a while has passed and little is going on."""
        while True:
            await trio.sleep(_TIDY_SECONDS)
            if self._size("transactions") < _QUIET_TRANSACTIONS:
                gc.collect()
            self.repertoire.tidy()

    # Ending.

    def _signalled(self, number: int, nursery: trio.Nursery) -> None:
        if number == signal.SIGHUP:
            nursery.start_soon(self._shell.contained, self._hung_up)
        elif self._draining:
            self._log.info("ending at once", calls=self._size("calls"))
            self._manager.stopping("ending at once")
            self._shell.turn(self._core.hangup_all)
            self._stopping.cancel()
        else:
            nursery.start_soon(self._drain)

    async def _hung_up(self) -> None:
        """SIGHUP: what is wrong with the policy stands in the log."""
        self._manager.reloading()
        with suppress(Refused):
            await self.in_force.reload(100)
        self._manager.ready(self._said())

    async def _drain(self) -> None:
        """No new calls; those that are there go on for a while, and are then hung up."""
        self._draining = True
        self._shell.turn(self._core.drain)
        calls, grace = self._size("calls"), self._settings.grace
        self._manager.stopping(f"draining, {calls} calls")
        if calls:
            self._log.info("draining", calls=calls, seconds=grace, hint="a second signal ends at once")
        with trio.move_on_after(grace):
            await self._shell.until(lambda: not self._size("calls"))
        if calls := self._size("calls"):
            self._log.info("hanging up", calls=calls)
            self._shell.turn(self._core.hangup_all)
        with trio.move_on_after(LAST_WORDS_SECONDS):
            await self._shell.until(lambda: not self._size("legs") and self._core.idle)
        self._stopping.cancel()

    def _size(self, what: str) -> int:
        return self._core.sizes().get(what, 0)

    def _status(self) -> object:
        """How the server is, for whoever asks."""
        policy = self._core.policy
        tasks = trio.lowlevel.current_statistics().tasks_living
        sizes = {"tasks": tasks, "descriptors": len(os.listdir("/proc/self/fd")), "connections": len(self._streams)}
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started": self._began,
            "draining": self._draining,
            "policy": {"name": policy.name, "hash": policy.hash, "path": str(policy.path)},
            "listen": [listener_text(listener) for listener in self._settings.listen],
            "sizes": self._core.sizes() | sizes | self._store.sizes(),
            "media": self._media.status(),
            "names": self._core.names(),
            "certificates": [] if self._certificates is None else self._certificates.status(time.time()),
            "counters": self._counters(),
        }

    def _transports(self) -> list[TransportView]:
        """What goes by each listen address, for whoever asks."""
        certificates = [] if self._certificates is None else self._certificates.days(time.time())
        views = []
        for listener in self._settings.listen:
            if listener.transport == "UDP":
                sock = self._datagrams.at(listener)
                views.append(transport_view(listener, sock.traffic, sock.dropped(), ()))
            else:
                views.append(transport_view(listener, self._streams.traffic(listener), 0, certificates))
        return views

    def _counters(self) -> dict[str, int]:
        return self._core.counters | self._shell.counters | {"udp_dropped": self._datagrams.dropped()}

    def _measures(self) -> Measures:
        """The same in numbers, for whoever watches over it."""
        wall = time.time()
        users, bindings = self._core.registered()
        return Measures(
            version=__version__,
            pid=os.getpid(),
            media_pid=self._media.pid,
            started=self._began,
            draining=self._draining,
            users=users,
            bindings=bindings,
            sizes=self._core.sizes() | {"connections": len(self._streams)},
            counters=self._counters(),
            media=self._media.status(),
            trunks=self._core.trunks(wall),
            policies=self.in_force.versions(),
            calls=self._tally.counted(),
            lag=self._pulse.lag(),
            store=self._store.waiting(),
            certificates=[] if self._certificates is None else self._certificates.expiries(),
        )


def serve(plan: Plan, announce: Callable[[], None]) -> None:
    """Run a server until it is told to end. `announce` is called when its ports are open. Raises ServerError."""
    with opened(plan) as resources:
        announce()

        async def run() -> None:
            server = Server(plan, resources)
            # The policy with its tables, and all code, are here to stay.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_GC_THRESHOLDS)
            sys.setswitchinterval(_SWITCH_SECONDS)
            await server.run()

        trio.run(run)


def _raise_descriptor_limit() -> None:
    """As many descriptors as we may have: each connection takes one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
