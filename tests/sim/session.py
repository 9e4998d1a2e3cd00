"""One party's session description in one dialog (RFC 8866, RFC 3264): an audio stream that can change and be held."""

from __future__ import annotations

from random import Random

MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_CODECS = ("0 PCMU/8000", "8 PCMA/8000", "101 telephone-event/8000")


class Session:
    """What a phone says of its media. `label` is its s= line, by which a body is known on the other side."""

    def __init__(self, label: str, host: str, draw: Random) -> None:
        self.label = label
        self._host = host
        self._id = draw.randrange(1, 1 << 40)
        self._version = draw.randrange(1, 1 << 20)
        self._port = 10_000 + 2 * draw.randrange(10_000)
        self._codecs = _CODECS
        self._last = ""

    def body(self, direction: str = "sendrecv") -> bytes:
        """The description as it stands; its version has risen by one if it says something new (RFC 3264 section 8)."""
        formats = " ".join(codec.partition(" ")[0] for codec in self._codecs)
        lines = [f"s={self.label}", f"c=IN IP4 {self._host}", "t=0 0", f"m=audio {self._port} RTP/AVP {formats}"]
        lines += [f"a=rtpmap:{codec}" for codec in self._codecs]
        lines.append(f"a={direction}")
        said = "\r\n".join(lines)
        if said != self._last:
            self._last = said
            self._version += 1
        origin = f"o=- {self._id} {self._version} IN IP4 {self._host}"
        return f"v=0\r\n{origin}\r\n{said}\r\n".encode()

    def move(self) -> None:
        """Another port, and the codecs the other way round: something new to say."""
        self._port += 2
        self._codecs = (self._codecs[1], self._codecs[0], self._codecs[2])


def direction_of(body: bytes) -> str:
    """The direction that a body of ours offers; sendrecv where it says none."""
    for direction in MIRRORED:
        if f"a={direction}\r\n".encode() in body:
            return direction
    return "sendrecv"
