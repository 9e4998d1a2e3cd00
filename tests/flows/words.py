"""What the brackets of a line that sends may say, and what the message is to be then."""

from __future__ import annotations

import re

import msgspec

from .script import FlowError, Message

_HEADER = re.compile(r"(?P<name>[A-Z][A-Za-z-]*):\s*(?P<value>.*)")
_PLAIN = re.compile(r"(?P<word>[a-z-]+)(?:\s+(?P<value>.*))?")
_CODEC = re.compile(r"(?P<name>[A-Za-z0-9]+)(?::(?P<number>\d+))?")
_STREAMS = ("audio", "video", "image")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


class Wording(msgspec.Struct):
    """How a message differs from what the party would send by itself.

    `sdp` is `usual`, `none`, `new` (another port), `big` (beyond what fits a datagram) or a direction; `again` sends
    the octets of the last such message once more, `merged` as if they had come by another way; `returned` sends what
    came back to where it came from, as a proxy does; `challenge` names the realm of a 401 or 407, `nonce` another nonce
    than the call's, with `stale` because that is too old; `reliable` gives a 1xx its RSeq, the next or that one;
    `plain` leaves credentials out. `streams` come and go by kind, `codecs` are names with payload numbers, empty for
    the usual ones, and `connection` is the address that the description names, `protocol` that of its speech.
    `replacing` names a dialog as `PARTY.CALL`, and `how` it is named: with `early-only`, with a `wrong` tag.
    """

    target: str = ""
    uri: str = ""
    headers: list[tuple[str, str]] = []
    left_out: set[str] = set()
    sdp: str = "usual"
    body: bytes = b""
    to_tag: str = ""
    cseq: int | None = None
    password: str = ""
    challenge: str = ""
    nonce: str = ""
    stale: bool = False
    plain: bool = False
    reliable: str = ""
    streams: list[tuple[str, bool]] = []
    codecs: tuple[tuple[str, str], ...] = ()
    connection: str = ""
    protocol: str = ""
    replacing: str = ""
    how: str = ""
    again: bool = False
    returned: bool = False
    merged: bool = False


def wording_of(message: Message, where: str) -> Wording:
    """Read the items of a message that is to be sent. Raises FlowError."""
    wording = Wording(headers=[], left_out=set(), streams=[])
    for item in message.items:
        header = _HEADER.fullmatch(item)
        plain = _PLAIN.fullmatch(item)
        if header is not None:
            wording.headers.append((header["name"], header["value"]))
        elif plain is None or not _set_word(wording, plain["word"], (plain["value"] or "").strip('"')):
            raise FlowError(f"{where}: `{item}` changes nothing that one can send")
    return wording


def _set_word(wording: Wording, word: str, value: str) -> bool:
    match word:
        case "again":
            wording.again = True
        case "merged":
            wording.again = wording.merged = True
        case "returned":
            wording.returned = True
        case "to":
            wording.target = value
        case "uri":
            wording.uri = value
        case "no" if value == "sdp":
            wording.sdp = "none"
        case "no" if value == "credentials":
            wording.plain = True
        case "no":
            wording.left_out.add(value)
        case "with" | "without" if value in _STREAMS:
            wording.streams.append((value, word == "with"))
        case "codecs" if all(map(_CODEC.fullmatch, value.split())):
            wording.codecs = tuple((found["name"], found["number"] or "") for found in _CODEC.finditer(value))
        case "protocol":
            wording.protocol = value
        case "replacing" if value:
            wording.replacing, _, wording.how = value.partition(" ")
        case "sdp" if value == "at 0.0.0.0":
            wording.connection = "0.0.0.0"
        case "sdp" if value in ("", "new", "big", *_DIRECTIONS):
            wording.sdp = value or "forced"
        case "body":
            wording.body = value.encode()
        case "octets":
            wording.body = wording.body.ljust(int(value), b".")
        case "to-tag":
            wording.to_tag = value
        case "cseq":
            wording.cseq = int(value)
        case "challenge":
            wording.challenge = value or "carrier.example"
        case "nonce":
            wording.nonce = value
        case "stale":
            wording.stale = True
        case "reliable":
            wording.reliable = value or "next"
        case "password":
            wording.password = value
        case _:
            return False
    return True
