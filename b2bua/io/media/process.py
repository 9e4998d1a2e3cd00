"""The media process itself: one thread, one epoll over all sockets, no event loop of a library.

Owns the order of the work: sounds first, since their pace is heard, then packets to relay, then what the server says.
Ends when the server does: its end of the connection closes then. Signals are the server's, who lets calls end first.
"""

from __future__ import annotations

import gc
import math
import os
import random
import select
import signal
import socket
import sys
import time
from collections import Counter, deque
from contextlib import suppress

from b2bua.effects import MediaPlan
from b2bua.io.media import protocol
from b2bua.io.media.memory import mapped
from b2bua.io.media.players import Players
from b2bua.io.media.ports import Port, Way, bind, raise_descriptor_limit
from b2bua.io.media.protocol import Bound, Event, Forget, Learn, NotLearned, Open, Plans, Ready, Report
from b2bua.io.media.relay import Relay

GATHER_SECONDS = 0.001
"""After packets were relayed, others may gather for so long: waking up for each costs more than to relay it."""

COURTESY = 0.1
"""The part of its time that a busy process leaves to others, whatever comes: it may be before them all."""

_LONGEST_WAIT_SECONDS = 60.0
_SHORTEST_REST_SECONDS = 0.000_05
_EVENTS = 128
_COMMANDS = 16


class ServerGoneError(Exception):
    """The server has ended."""


class MediaLoop:
    """Everything in this process. `control` is its end of the connection to the server."""

    def __init__(self, control: socket.socket) -> None:
        now = time.monotonic()
        draw = random.SystemRandom().getrandbits
        self._control = control
        self._descriptors = raise_descriptor_limit()
        self._epoll = select.epoll()
        self._epoll.register(control, select.EPOLLIN)
        self._ports: dict[int, Port] = {}
        self._ways: dict[int, Way] = {}
        self._in_use = 0
        self._relay = Relay(self._ports, draw)
        self._players = Players(draw, self._tell, now)
        self._unsaid: deque[bytes] = deque()
        self._report_seconds = self._report_at = math.inf

    def run(self) -> None:
        """Work until the server is gone. Raises ServerGoneError then."""
        ways, take, players = self._ways, self._relay.take, self._players
        while True:
            found = self._epoll.poll(self._patience(time.monotonic()), _EVENTS)
            now = time.monotonic()
            players.run(now)
            relayed = False
            self._relay.turn += 1
            for descriptor, _ in found:
                way = ways.get(descriptor)
                if way is None:
                    self._hear(now)
                else:
                    take(way)
                    relayed = True
            if now >= self._report_at:
                self._report(now)
            self._rest(now, GATHER_SECONDS if relayed and len(found) < _EVENTS else 0.0)

    def _patience(self, now: float) -> float:
        """How long to wait for packets, in seconds."""
        due = self._players.due
        until = self._report_at if due is None else min(due, self._report_at)
        return min(max(0.0, until - now), _LONGEST_WAIT_SECONDS)

    def _rest(self, began: float, gather: float) -> None:
        """Let some packets come, unless a sound is due; in any case leave some time to others."""
        now = time.monotonic()
        rest = max(min(began + gather - now, self._patience(now)), COURTESY * (now - began))
        if rest > _SHORTEST_REST_SECONDS:
            time.sleep(rest)

    # What the server says.

    def _hear(self, now: float) -> None:
        self._say()
        for _ in range(_COMMANDS):
            try:
                data, descriptors, _, _ = socket.recv_fds(self._control, protocol.MESSAGE_OCTETS, 1)
            except BlockingIOError:
                return
            except ConnectionError:
                raise ServerGoneError from None
            if not data:
                raise ServerGoneError
            match protocol.command(data):
                case Plans(plans):
                    for id, plan in plans:
                        self._plan(id, plan, now)
                case Learn() as learn:
                    self._learn(learn, descriptors, now)
                case Forget(version):
                    self._players.forget(version)
                case Open() as opening:
                    self._open(opening, now)

    def _learn(self, learn: Learn, descriptors: list[int], now: float) -> None:
        if not descriptors:
            # The kernel leaves them out when the process has all that it may have.
            self._tell(NotLearned(learn.version, learn.codec, "no descriptor is free"))
            return
        try:
            sound = mapped(descriptors[0])
        except OSError as error:
            self._tell(NotLearned(learn.version, learn.codec, str(error)))
        else:
            self._players.learn(learn.version, learn.codec, sound, now)

    def _plan(self, id: int, plan: MediaPlan | None, now: float) -> None:
        port = self._ports.get(id)
        if port is None or port.plan == plan:
            return
        self._in_use += (plan is not None) - (port.plan is not None)
        self._relay.route(port, plan)
        self._players.plan(port, plan, now)
        port.plan = plan

    def _open(self, opening: Open, now: float) -> None:
        missing: Counter[str] = Counter()
        for port in bind(opening, self._descriptors, missing):
            self._ports[port.id] = port
            for way in (port.media, port.control):
                self._ways[way.sock.fileno()] = way
                self._epoll.register(way.sock, select.EPOLLIN)
        shown = [port.shown for port in self._ports.values()]
        for first in range(0, len(shown), protocol.PORTS):
            self._tell(Bound(tuple(shown[first : first + protocol.PORTS])))
        self._tell(Ready(dict(missing), os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR))
        self._report_seconds, self._report_at = opening.report_seconds, now

    # What it is told.

    def _tell(self, event: Event) -> None:
        self._unsaid.append(protocol.encode(event))
        self._say()

    def _say(self) -> None:
        """Say what the connection takes; of the rest, when there is room."""
        while self._unsaid:
            try:
                self._control.send(self._unsaid[0])
            except BlockingIOError:
                self._epoll.modify(self._control, select.EPOLLIN | select.EPOLLOUT)
                return
            except ConnectionError:
                raise ServerGoneError from None
            self._unsaid.popleft()
            if not self._unsaid:
                self._epoll.modify(self._control, select.EPOLLIN)

    def _report(self, now: float) -> None:
        self._report_at = now + self._report_seconds
        if self._unsaid:
            return
        relay, players = self._relay, self._players
        self._tell(
            Report(
                ports=len(self._ports),
                in_use=self._in_use,
                players=len(players),
                relayed=relay.relayed,
                strangers=relay.strangers,
                unwanted=relay.unwanted,
                played=players.played,
                late=players.late,
                skipped=players.skipped,
                lost=relay.lost + players.lost,
            )
        )


def main() -> None:
    """Work for the server at the other end of the descriptor that the first argument names."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(PermissionError):
        # When everybody wants the processor, sounds are not the ones to wait: the others would not notice, ears do.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    control = socket.socket(fileno=int(sys.argv[1]))
    control.setblocking(False)
    loop = MediaLoop(control)
    # Nothing here refers to itself, and a pass of the collector would be heard.
    gc.freeze()
    gc.disable()
    try:
        loop.run()
    except ServerGoneError:
        # Whatever is open closes with the process; putting it away piece by piece would only keep the ports longer.
        os._exit(0)


if __name__ == "__main__":
    main()
