"""Trunks tried out while no server runs: each is asked by a real OPTIONS, and where we register, a real REGISTER.

Owns a core for as long as that takes: it has ports of its own, takes no calls, keeps nothing, and takes its
registrations back. So a trunk is tried by what would use it later, names, credentials and TLS included.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack

import msgspec
import structlog
import trio
from structlog.typing import EventDict, WrappedLogger

from b2bua.core import Core, TrunkView
from b2bua.effects import Record, Recording, StoreBindings
from b2bua.io.dns_queries import Dns
from b2bua.io.hosts import Hosts
from b2bua.io.ids import Ids
from b2bua.io.listening import open_listener
from b2bua.io.location import Locator
from b2bua.io.resolver import Resolver
from b2bua.io.shell import Shell
from b2bua.io.streams import Streams
from b2bua.io.tls import Tls
from b2bua.io.udp import Datagrams, open_udp
from b2bua.settings import Listener, Settings
from dsl.policy import Policy

PATIENCE_SECONDS = 10.0
"""For all trunks to answer: longer than one question at one address is repeated (`trunk.check`)."""

LEAVING_SECONDS = 3.0
_EVERY_SECONDS = 60.0
_KEY_OCTETS = 32
_SETTLED = ("off", "registered", "refused", "waiting")


class _Nothing:
    """What is to last is not kept: there is nothing that should."""

    def bindings(self, effect: StoreBindings) -> None:
        """Nobody registers here."""

    def record(self, record: Record) -> None:
        """There are no calls."""

    def remember(self, recording: Recording, registration: bool) -> None:
        """Nor any other decisions."""


def probe(settings: Settings, policy: Policy) -> list[TrunkView]:
    """How each trunk of the policy is, after one question to each. Raises ServerError where we cannot listen."""
    with ExitStack() as stack:
        opened = []
        for listener in settings.listen:
            anywhere = msgspec.structs.replace(listener, port=0)
            sock = open_udp(anywhere) if listener.transport == "UDP" else open_listener(anywhere)
            stack.callback(sock.close)
            opened.append((msgspec.structs.replace(listener, port=int(sock.getsockname()[1])), sock))
        # Read before anything is sent: what is wrong with certificates is said of them.
        secure = any(listener.transport == "TLS" for listener in settings.listen)
        tls = Tls(settings.tls, time.time()) if secure else None
        there = msgspec.structs.replace(settings, listen=tuple(listener for listener, _ in opened))
        return trio.run(_probed, there, _asked(policy), opened, tls)


def _asked(policy: Policy) -> Policy:
    """The policy with a check for each of its trunks."""
    trunks = {
        name: trunk if trunk.check is not None else msgspec.structs.replace(trunk, check=_EVERY_SECONDS)
        for name, trunk in policy.trunks.items()
    }
    setup = msgspec.structs.replace(policy.setup, trunks=trunks)
    return Policy(policy.script, policy.path, setup, policy.hash, policy.warnings, policy.notices)


async def _probed(
    settings: Settings, policy: Policy, opened: list[tuple[Listener, socket.socket]], tls: Tls | None
) -> list[TrunkView]:
    core = Core(settings, policy, Ids(), os.urandom(_KEY_OCTETS), (), trio.current_time(), time.time())
    log = structlog.wrap_logger(None, processors=[_unsaid], wrapper_class=structlog.make_filtering_bound_logger(0))
    shell = Shell(core, log)
    datagrams, streams = Datagrams(shell), Streams(shell, PATIENCE_SECONDS, tls)
    reach = frozenset((listener.transport, ":" in listener.host) for listener in settings.listen)
    resolver = Resolver(shell, Locator(reach, Dns(servers=settings.name_servers), Hosts()))
    shell.connect(datagrams, streams, resolver, _Nothing())
    async with trio.open_nursery() as nursery:
        for listener, sock in opened:
            if listener.transport == "UDP":
                nursery.start_soon(datagrams.add(sock, listener).receive)
            else:
                streams.add(sock, listener)
        for work in (shell.clock.run, resolver.run, streams.run):
            nursery.start_soon(work)
        await trio.lowlevel.checkpoint()
        # No call is to be taken, and then the trunks are begun with all the same.
        shell.turn(core.drain)
        shell.turn(core.start)
        with trio.move_on_after(PATIENCE_SECONDS):
            await shell.until(lambda: all(map(_known, core.trunks(time.time()))))
        views = core.trunks(time.time())
        shell.turn(core.drain)
        with trio.move_on_after(LEAVING_SECONDS):
            await shell.until(lambda: core.idle)
        nursery.cancel_scope.cancel()
    return views


def _known(view: TrunkView) -> bool:
    return bool(view.latency is not None or view.check_why) and view.registration in _SETTLED


def _unsaid(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    raise structlog.DropEvent
