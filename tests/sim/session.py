"""One party's session description in one dialog (RFC 8866, RFC 3264): streams that change, are held, come and go."""

from __future__ import annotations

from random import Random

from b2bua.sdp.negotiation import formats_of
from b2bua.sdp.session import Media, parse

MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_SPELT = {
    "PCMU": ("0", "PCMU/8000"),
    "PCMA": ("8", "PCMA/8000"),
    "G722": ("9", "G722/8000"),
    "GSM": ("3", "GSM/8000"),
    "opus": ("96", "opus/48000/2"),
    "keys": ("101", "telephone-event/8000"),
}
_USUAL = (("PCMU", ""), ("PCMA", ""), ("keys", ""))
# Streams beside the conversation: what stands after their port, and their attributes.
_OTHERS = {"video": ("RTP/AVP 97", ("a=rtpmap:97 VP8/90000",)), "image": ("udptl t38", ())}


class Session:
    """What a phone says of its media. `label` is its s= line, by which a body is known on the other side.

    `host` is the address that it names; `kinds` are its streams in their order, and
    `protocol` is that of its speech. A payload number that the other
    side gave a codec is used from then on.
    """

    def __init__(self, label: str, host: str, draw: Random) -> None:
        self.label = label
        self.kinds = ["audio"]
        self.protocol = "RTP/AVP"
        self._wanted = {"audio"}
        self._host = host
        self._id = draw.randrange(1, 1 << 40)
        self._version = draw.randrange(1, 1 << 20)
        self._port = 10_000 + 2 * draw.randrange(10_000)
        self._codecs: list[tuple[str, str]] = []
        self._meant: dict[str, tuple[str, int, int]] = {}
        self._last = ""
        self.speak(_USUAL)

    def speak(self, codecs: tuple[tuple[str, str], ...]) -> None:
        """From now on these codecs, best first, each with its payload number; without one the usual."""
        self._codecs = [(number or _SPELT[name][0], _SPELT[name][1]) for name, number in codecs]
        self._meant |= {number: _format(name) for number, name in self._codecs}

    def want(self, kind: str, wanted: bool) -> None:
        """Offer and take streams of this kind from now on, or no more."""
        if not wanted:
            self._wanted.discard(kind)
            return
        self._wanted.add(kind)
        if kind not in self.kinds:
            self.kinds.append(kind)

    def move(self, back: bool = False) -> None:
        """Another port, and the codecs the other way round: something new to say; or `back` to where that was."""
        self._port += -2 if back else 2
        self._codecs[0], self._codecs[1] = self._codecs[1], self._codecs[0]

    def body(self, direction: str = "", offer: bytes = b"", host: str = "") -> bytes:
        """The description as it stands, as an answer to `offer` where there is one; `host` stands in its c= line.

        Without a direction an answer has the one that fits. Its version has risen by one if it says something new (RFC
        3264 section 8).
        """
        offered = parse(offer).media if offer else ()
        self.kinds += [media.kind for media in offered[len(self.kinds) :]]
        for number, media in enumerate(offered):
            self.kinds[number] = media.kind
        kinds = self.kinds[: len(offered)] if offered else self.kinds
        said = f"s={self.label}\r\nc=IN IP4 {host or self._host}\r\nt=0 0\r\n"
        for number, kind in enumerate(kinds):
            said += self._stream(number, kind, direction, offered[number] if offered else None)
        if said != self._last:
            self._last = said
            self._version += 1
        return f"v=0\r\no=- {self._id} {self._version} IN IP4 {self._host}\r\n{said}".encode()

    def _stream(self, number: int, kind: str, direction: str, offered: Media | None) -> str:
        refused = kind not in self._wanted or (offered is not None and not offered.port)
        way = direction or (MIRRORED[offered.direction] if offered is not None else "sendrecv")
        port = 0 if refused else self._port + 2000 * number
        if kind == "audio":
            codecs = self._codecs if offered is None or refused else self._common(offered)
            text = f"m=audio {port} {self.protocol} {' '.join(number for number, _ in codecs)}\r\n"
            text += "".join(f"a=rtpmap:{number} {name}\r\n" for number, name in codecs)
        elif kind in _OTHERS:
            formats, attributes = _OTHERS[kind]
            text = f"m={kind} {port} {formats}\r\n" + "".join(f"{line}\r\n" for line in attributes)
        else:
            assert offered is not None
            text = f"m={kind} 0 {offered.protocol} {' '.join(offered.formats)}\r\n"
        return text if refused and kind != "audio" else f"{text}a={way}\r\n"

    def _common(self, offered: Media) -> list[tuple[str, str]]:
        """Its codecs as far as they are offered, by the numbers of the offer; all of them if none is."""
        theirs = {format: number for number, format in formats_of(offered).items()}
        numbered = [(theirs.get(_format(name), ""), name) for _, name in self._codecs]
        found = [(number, name) for number, name in numbered if number]
        self._meant |= {number: format for format, number in theirs.items() if number not in self._meant}
        if found:
            taken = {number for number, _ in found}
            pairs = zip(numbered, self._codecs, strict=True)
            self._codecs = [(new or self._free(old, name, taken), name) for (new, _), (old, name) in pairs]
        return found or self._codecs

    def _free(self, number: str, name: str, taken: set[str]) -> str:
        """A number for a codec that was not offered: its own, unless that has another meaning in this dialog by now."""
        if number not in taken and self._meant[number] == _format(name):
            return number
        found = next(str(each) for each in range(96, 128) if str(each) not in self._meant)
        self._meant[found] = _format(name)
        return found


def _format(name: str) -> tuple[str, int, int]:
    encoding, clock, *channels = name.split("/")
    return encoding.lower(), int(clock), int(channels[0]) if channels else 1


def answer_direction(offer: bytes, holding: bool) -> str:
    """What one who holds, or does not, answers to this offer of speech (RFC 3264 6.1, 8.4)."""
    offered = next((media for media in parse(offer).media if media.kind == "audio" and media.port), None)
    if offered is None:
        return "inactive"
    answer = MIRRORED[offered.direction]
    return {"sendrecv": "sendonly", "recvonly": "inactive"}.get(answer, answer) if holding else answer
