"""Every SIP message to a Homer server, or another that collects them, by HEP version 3 (EEP, also called HEP3).

Owns the packets, one UDP datagram a message, and which call a message belongs to. Sending never waits: what the kernel
has no room for, or nobody takes, is a counted loss. A message is sent when the core has seen it, so that the first
INVITE of a call has its call's id too.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
import time
from collections.abc import Iterable
from typing import Final, Protocol

import trio

from b2bua.effects import Flow
from b2bua.io.shell import Shell
from b2bua.settings import Hep

WAITING: Final = 10_000
"""Messages that may wait for the next turn of the loop; beyond, they are lost, and counted."""

KNOWN: Final = 100_000
"""Call-IDs whose call is remembered; the oldest are forgotten first."""

_CHUNK: Final = struct.Struct("!HHH")
_SIP: Final = 1
_FAMILIES: Final = {4: socket.AF_INET, 6: socket.AF_INET6}
_CALL_ID: Final = re.compile(rb"\n(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_TAGS: Final = re.compile(rb"\n(?:from|f|to|t)[ \t]*:[^\r\n]*;[ \t]*tag=([^;,\s]+)", re.IGNORECASE)


class Calls(Protocol):
    """What is asked of a core."""

    def call_with(self, tag: str) -> str | None:
        """The id of the call with a leg that has this tag of ours."""

    def dialogs_since(self, since: float) -> list[tuple[str, str]]:
        """Calls that have begun since a wall time, each with the Call-ID of its caller's dialog."""


class HepSender:
    """Takes each message as a trace does; `run` sends them. `address` is what we are where we listen everywhere."""

    def __init__(self, settings: Hep, address: str | None, calls: Calls, shell: Shell) -> None:
        self._packets = _Packets(settings, address)
        self._calls = calls
        self._counters = shell.counters
        self._messages: list[tuple[float, bool, Flow, bytes]] = []
        self._news = trio.Event()
        self._known: dict[bytes, str] = {}
        self._looked = 0.0
        host, port = (settings.to.host, settings.to.port) if settings.to is not None else ("127.0.0.1", 0)
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = (host, port)

    def __call__(self, wall: float, direction: str, flow: Flow, data: bytes) -> None:
        """Take one message, `in` or `out`."""
        if len(self._messages) >= WAITING:
            self._counters["hep_lost"] += 1
            return
        self._messages.append((wall, direction == "out", flow, data))
        self._news.set()

    async def run(self) -> None:
        """Send what was taken, until cancelled."""
        while True:
            await self._news.wait()
            self.flush()

    def flush(self) -> None:
        """Send what was taken, in order."""
        self._news = trio.Event()
        messages, self._messages = self._messages, []
        self._learn([data for _, _, _, data in messages])
        for wall, sent, flow, data in messages:
            try:
                self._socket.sendto(self._packets.made(wall, sent, flow, data, self._correlation(data)), self._address)
            except OSError:
                self._counters["hep_lost"] += 1
            else:
                self._counters["hep_sent"] += 1

    def close(self) -> None:
        """Send no more."""
        self._socket.close()

    def _correlation(self, data: bytes) -> bytes:
        """The id of the message's call, else its Call-ID."""
        call_id = _call_id(data)
        known = self._known.get(call_id)
        return call_id if known is None else known.encode()

    def _learn(self, messages: Iterable[bytes]) -> None:
        """Which calls have begun, and which dialogs they have by now."""
        since, self._looked = self._looked, time.time()
        for begun, dialog in self._calls.dialogs_since(since):
            self._known[dialog.encode("utf-8", "surrogateescape")] = begun
        for data in messages:
            call_id = _call_id(data)
            if call_id not in self._known:
                for tag in _TAGS.findall(data):
                    call = self._calls.call_with(tag.decode("ascii", "replace"))
                    if call is not None:
                        self._known[call_id] = call
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]


class _Packets:
    """Makes packets: chunks with a vendor of 0, a type, and their length, heads of 6 octets included."""

    def __init__(self, settings: Hep, address: str | None) -> None:
        self._address = address
        self._agent = _chunk(0x000C, struct.pack("!I", settings.capture_id))
        if settings.password:
            self._agent += _chunk(0x000E, settings.password.encode())

    def made(self, wall: float, sent: bool, flow: Flow, data: bytes, correlation: bytes) -> bytes:
        """The packet of one message."""
        remote = ipaddress.ip_address(flow.remote)
        local = ipaddress.ip_address(flow.local)
        if local.is_unspecified and self._address is not None:
            local = ipaddress.ip_address(self._address)
        if local.version != remote.version:
            # What we are known as is of the other kind: where it went is known, where from is not.
            local = type(remote)(0)
        ours, theirs = (local.packed, flow.local_port), (remote.packed, flow.remote_port)
        (source, source_port), (target, target_port) = (ours, theirs) if sent else (theirs, ours)
        first_address = 0x0003 if remote.version == 4 else 0x0005
        seconds = int(wall)
        body = b"".join(
            (
                _chunk(0x0001, bytes((_FAMILIES[remote.version],))),
                _chunk(0x0002, bytes((socket.IPPROTO_UDP if flow.transport == "UDP" else socket.IPPROTO_TCP,))),
                _chunk(first_address, source),
                _chunk(first_address + 1, target),
                _chunk(0x0007, struct.pack("!H", source_port)),
                _chunk(0x0008, struct.pack("!H", target_port)),
                _chunk(0x0009, struct.pack("!I", seconds)),
                _chunk(0x000A, struct.pack("!I", int((wall - seconds) * 1_000_000))),
                _chunk(0x000B, bytes((_SIP,))),
                self._agent,
                _chunk(0x0011, correlation),
                _chunk(0x000F, data),
            )
        )
        return b"HEP3" + _length(6 + len(body)) + body


def _chunk(kind: int, content: bytes) -> bytes:
    """Raises OSError where it is longer than a datagram."""
    return _CHUNK.pack(0, kind, _fitting(6 + len(content))) + content


def _length(octets: int) -> bytes:
    return struct.pack("!H", _fitting(octets))


def _fitting(octets: int) -> int:
    if octets > 0xFFFF:
        raise OSError("the message is too long for a datagram")
    return octets


def _call_id(data: bytes) -> bytes:
    found = _CALL_ID.search(data)
    return b"" if found is None else found[1].strip()
