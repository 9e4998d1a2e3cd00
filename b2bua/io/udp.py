"""Datagrams (RFC 3261 section 18): one task a socket, and everything in a message's way done inline.

Owns sockets, their drains, and what the network says of datagrams that did not arrive. A message goes from the
socket through the core and back out without a wait or a task of its own: wait until readable, take what is there up
to a bound, send without blocking. A full send buffer is a counted loss, as the network's own would be.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from typing import Final

import trio

from b2bua.effects import Flow
from b2bua.io import icmp
from b2bua.io.listening import open_listener
from b2bua.io.shell import Shell
from b2bua.io.traffic import Traffic
from b2bua.settings import Listener
from b2bua.sip import stun
from b2bua.sip.parser import is_keep_alive

BATCH: Final = 64
"""Datagrams taken before the other tasks, the clock's above all, have their turn."""

BUFFER_OCTETS: Final = 4 * 1024 * 1024
"""Asked of the kernel for each direction: some thousand messages, for when a turn takes long."""

FLOWS = 65_536
"""Peers' addresses whose `Flow` is kept; beyond, all are forgotten and made anew."""

_DATAGRAM_OCTETS: Final = 65_535
_FULL: Final = (errno.EAGAIN, errno.ENOBUFS)
_ATTEMPTS: Final = 3

# asm-generic/socket.h and linux/sock_diag.h; Python's socket module lacks these names.
_SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 33, 32
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
_DROPS: Final = 8


def open_udp(listener: Listener) -> socket.socket:
    """Bind a socket with room for bursts, that tells what did not arrive. Raises ServerError that says what to do."""
    sock = open_listener(listener)
    _enlarge(sock, socket.SO_RCVBUF, _SO_RCVBUFFORCE)
    _enlarge(sock, socket.SO_SNDBUF, _SO_SNDBUFFORCE)
    icmp.enable(sock)
    return sock


def _enlarge(sock: socket.socket, option: int, forced: int) -> None:
    """As large as the kernel lets us; with the right to it (CAP_NET_ADMIN), beyond its usual bound."""
    sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_OCTETS)
    with contextlib.suppress(PermissionError):
        sock.setsockopt(socket.SOL_SOCKET, forced, BUFFER_OCTETS)


class UdpSocket:
    """One listening address. `traffic` counts what goes by it."""

    def __init__(self, sock: socket.socket, listener: Listener, shell: Shell) -> None:
        self._socket = sock
        self._listener = listener
        self._shell = shell
        self._counters = shell.counters
        self._flows: dict[tuple[str, int], Flow] = {}
        self._errors_wait = False
        self.traffic = Traffic()

    async def receive(self) -> None:
        """Take datagrams until cancelled."""
        wait = trio.lowlevel.wait_readable
        while True:
            await wait(self._socket)
            taken = self._drain()
            self.traffic.received += taken
            if taken == 0 or self._errors_wait:
                self._take_errors()
            self._shell.settle()

    def _drain(self) -> int:
        """Take what is there, up to a bound; how much that was."""
        receive, flows, message = self._socket.recvfrom, self._flows, self._shell.message
        now, wall = trio.current_time(), time.time()
        for taken in range(BATCH):
            try:
                data, address = receive(_DATAGRAM_OCTETS)
            except BlockingIOError:
                return taken
            except OSError:
                # An error of something sent: its details are in the error queue.
                self._errors_wait = True
                self.traffic.received -= 1
                continue
            if (not data or data[0] < 32) and self._keeps_alive(data, address[0], address[1]):
                continue
            flow = flows.get(address[:2]) or self._flow(address[0], address[1])
            message(data, flow, now, wall)
        return BATCH

    def _keeps_alive(self, data: bytes, host: str, port: int) -> bool:
        """Whether a datagram only keeps a flow open; one that asks where it came from is told (RFC 5626 3.5.2)."""
        told = stun.answer(data, host, port)
        if told is not None:
            self.send(told, self._flow(host, port))
        elif not is_keep_alive(data):
            return False
        self._counters["keep_alives"] += 1
        return True

    def send(self, data: bytes, flow: Flow) -> None:
        """Send without waiting. What the kernel refuses fails this flow; what it has no room for is lost."""
        self.traffic.sent += 1
        try:
            self._socket.sendto(data, (flow.remote, flow.remote_port))
        except OSError as error:
            self._refused(error, data, flow, _ATTEMPTS - 1)

    def _refused(self, error: OSError, data: bytes, flow: Flow, attempts: int) -> None:
        if error.errno in _FULL:
            self._counters["udp_full"] += 1
            return
        self._errors_wait = True
        if not attempts:
            self._counters["udp_refused"] += 1
            self._shell.failed(flow)
            return
        # Maybe the error of an earlier datagram, to anybody: such a one is told once, so try again.
        try:
            self._socket.sendto(data, (flow.remote, flow.remote_port))
        except OSError as another:
            self._refused(another, data, flow, attempts - 1)

    def _take_errors(self) -> None:
        self._errors_wait = False
        for host, port in icmp.unreachable(self._socket, BATCH):
            self._counters["udp_unreachable"] += 1
            self._shell.failed(self._flow(host, port))

    def _flow(self, host: str, port: int) -> Flow:
        """The flow of a peer: the same value for as long as it is remembered."""
        flow = self._flows.get((host, port))
        if flow is None:
            if len(self._flows) >= FLOWS:
                self._flows.clear()
            flow = Flow("UDP", self._listener.host, self._listener.port, host, port)
            self._flows[host, port] = flow
        return flow

    def dropped(self) -> int:
        """Datagrams that found no room in the receive buffer since the start, as the kernel counts them."""
        try:
            found = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        except OSError:
            return 0
        return int(_MEMINFO.unpack(found)[_DROPS]) if len(found) == _MEMINFO.size else 0


class Datagrams:
    """All listening addresses as one sender.

    What a batch leads to is sent together at its end: a peer on this machine, or the network's driver, is then woken
    once, where a waking for each datagram costs more than sending it.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._sockets: dict[tuple[str, int], UdpSocket] = {}
        self._waiting: list[tuple[bytes, Flow]] = []

    def add(self, sock: socket.socket, listener: Listener) -> UdpSocket:
        """Send by this socket what goes out by its listener's address."""
        opened = UdpSocket(sock, listener, self._shell)
        self._sockets[listener.host, listener.port] = opened
        return opened

    def send(self, data: bytes, flow: Flow) -> None:
        """Send with the next `flush`, by the flow's own local address; one that is no longer ours fails then."""
        self._waiting.append((data, flow))

    def flush(self) -> None:
        """Send what waits, in order."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for data, flow in waiting:
            sock = self._sockets.get((flow.local, flow.local_port))
            if sock is None:
                self._shell.failed(flow)
            else:
                sock.send(data, flow)

    def at(self, listener: Listener) -> UdpSocket:
        """The socket of a listen address."""
        return self._sockets[listener.host, listener.port]

    def dropped(self) -> int:
        """Datagrams that found no room, of all sockets."""
        return sum(sock.dropped() for sock in self._sockets.values())
