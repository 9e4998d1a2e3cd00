"""What goes over the wire: every RTP packet of the tests on loopback, with the time at which it was delivered.

Owns one packet socket (Linux) that sees the ports of these tests and no others, the kernel's time stamps and the
reading of RTP's fixed header (RFC 3550 section 5.1). IPv4 only. It takes the right to capture (CAP_NET_RAW):
PermissionError without it.
"""

from __future__ import annotations

import ctypes
import ipaddress
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Self

from .message import Address
from .ports import FIRST, LAST, Ports
from .program import WireError

_ETH_P_IP = 0x0800
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE, _SO_ATTACH_FILTER = 35, 33, 26
_BUFFER = 16 << 20
_UDP = 17

_OURS = (
    # UDP from or to a port of these tests, in the kernel's filter language: (code, jump if so, jump if not, operand).
    (0x30, 0, 0, 9),  # load octet 9, the protocol
    (0x15, 0, 7, _UDP),
    (0xB1, 0, 0, 0),  # x = the IP header's length
    (0x48, 0, 0, 0),  # load the source port
    (0x35, 0, 1, FIRST),
    (0x25, 0, 4, LAST),
    (0x48, 0, 0, 2),  # load the target port
    (0x35, 0, 1, FIRST),
    (0x25, 0, 1, LAST),
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFF),  # take
)


class Packet(NamedTuple):
    """One RTP packet: `time` is wall seconds, as the kernel took it; `payload` without header and extension."""

    time: float
    source: Address
    target: Address
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class Tap:
    """All that is sent from its making to its closing. WireError at the end if the kernel lost any of it."""

    def __init__(self) -> None:
        self._packets: list[Packet] = []
        self._reading = threading.Lock()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        steps = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _OURS))
        self._socket.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(_OURS), ctypes.addressof(steps))
        )
        self._socket.bind(("lo", _ETH_P_IP))
        self._socket.setblocking(False)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._read, name="tap", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """End the capture."""
        self._wake.send(b".")
        self._thread.join()
        lost = self._lost()
        for each in (self._socket, self._wake, self._woken):
            each.close()
        if lost:
            raise WireError(f"the tap lost {lost} packets: what it shows is not what happened")

    def packets(self, wanted: Callable[[Packet], bool] = lambda packet: True) -> list[Packet]:
        """All packets so far that are wanted, in the order of their delivery."""
        with self._reading:
            self._drain()
            packets = list(self._packets)
        return [packet for packet in packets if wanted(packet)]

    def to(self, ports: Ports, *, since: float = 0.0) -> list[Packet]:
        """What was delivered at these ports, from a time on."""
        return self.packets(lambda packet: packet.target in ports and packet.time >= since)

    def out_of(self, ports: Ports, *, since: float = 0.0) -> list[Packet]:
        """What came from these ports, from a time on."""
        return self.packets(lambda packet: packet.source in ports and packet.time >= since)

    def wait(self, wanted: Callable[[Packet], bool], count: int, timeout: float = 10.0) -> list[Packet]:
        """Return the packets that are wanted when there are `count` of them; WireError when there are not in time."""
        deadline = time.monotonic() + timeout
        while len(found := self.packets(wanted)) < count:
            if time.monotonic() > deadline:
                raise WireError(f"{len(found)} of {count} packets in {timeout:g} s, of {len(self.packets())} in all")
            time.sleep(0.01)
        return found

    def wait_quiet(self, ports: Ports, seconds: float = 0.5, timeout: float = 10.0) -> float:
        """Return when nothing was delivered at these ports for so many seconds: the wall time of the last packet there.

        Raises WireError when that does not happen in time.
        """
        deadline = time.monotonic() + timeout
        begun = time.time()
        while True:
            last = max((packet.time for packet in self.to(ports)), default=0.0)
            if time.time() - max(last, begun) >= seconds:
                return last
            if time.monotonic() > deadline:
                raise WireError(f"packets still arrive at {ports} after {timeout:g} s")
            time.sleep(0.01)

    def _read(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._socket, selectors.EVENT_READ)
            ready.register(self._woken, selectors.EVENT_READ)
            while not any(key.fileobj is self._woken for key, _ in ready.select()):
                with self._reading:
                    self._drain()

    def _drain(self) -> None:
        while True:
            try:
                data, notes, _, _ = self._socket.recvmsg(4096, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("@ll", notes[0][2])
            if packet := read(data, seconds + nanoseconds / 1e9):
                self._packets.append(packet)

    def _lost(self) -> int:
        _, lost = struct.unpack("@II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        return int(lost)


def read(data: bytes, when: float) -> Packet | None:
    """Read an IPv4 packet; None for what is no RTP: other versions, and RTCP (RFC 5761 section 4)."""
    header = (data[0] & 0x0F) * 4
    body = data[header + 8 : int.from_bytes(data[2:4], "big")]
    if data[0] >> 4 != 4 or data[9] != _UDP or len(body) < 12 or body[0] >> 6 != 2 or 192 <= body[1] <= 223:
        return None
    source_port, target_port = struct.unpack_from("!HH", data, header)
    source = Address(str(ipaddress.IPv4Address(data[12:16])), source_port)
    target = Address(str(ipaddress.IPv4Address(data[16:20])), target_port)
    begin = 12 + 4 * (body[0] & 0x0F)
    if body[0] & 0x10 and len(body) >= begin + 4:
        begin += 4 + 4 * int.from_bytes(body[begin + 2 : begin + 4], "big")
    end = len(body) - (body[-1] if body[0] & 0x20 else 0)
    sequence, timestamp, ssrc = struct.unpack_from("!HII", body, 2)
    return Packet(
        when, source, target, body[1] & 0x7F, bool(body[1] & 0x80), sequence, timestamp, ssrc, body[begin:end]
    )
