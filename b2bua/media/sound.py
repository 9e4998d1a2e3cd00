"""A sound in one codec, ready to be sent: its payloads of 20 ms, in one piece of memory that processes can share.

Owns the layout of that piece. Leaves decoding and encoding to the edge, where sounds are loaded.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from b2bua.sip.errors import LocalError

_COUNT_OCTETS = 4


def packed(payloads: Sequence[bytes]) -> bytes:
    """The number of payloads, where each begins and the last ends, then all of them. Raises LocalError if empty."""
    if not payloads:
        raise LocalError("a sound without payloads")
    starts = array("I", [0])
    for payload in payloads:
        starts.append(starts[-1] + len(payload))
    return array("I", [len(payloads)]).tobytes() + starts.tobytes() + b"".join(payloads)


class Sound:
    """What `packed` made, read in place. `len` is how many payloads it has."""

    __slots__ = ("_payloads", "_starts")

    def __init__(self, memory: memoryview) -> None:
        count = memory[:_COUNT_OCTETS].cast("I")[0]
        begin = _COUNT_OCTETS * (count + 2)
        self._starts = memory[_COUNT_OCTETS:begin].cast("I")
        self._payloads = memory[begin:]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def payload(self, position: int) -> memoryview:
        """One payload, from 0 to `len` - 1."""
        starts = self._starts
        return self._payloads[starts[position] : starts[position + 1]]
