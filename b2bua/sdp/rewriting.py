"""A peer's session description, changed where it passes through us (RFC 8866, RFC 3264).

Owns the changes, each to whole lines: where media is sent to, which way it flows, which formats are left. Every other
line stays the peer's own text. Leaves the o= line to `origin`, and what is wanted to the call.
"""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.sdp.session import NEVER, Direction

_DIRECTIONS = frozenset(f"a={direction}" for direction in Direction)
# Ways around us: a peer that found another path would leave its packets out of our hands (RFC 8445, RFC 3605).
_OTHER_WAYS = (
    "a=candidate:",
    "a=remote-candidates:",
    "a=end-of-candidates",
    "a=ice-",
    "a=rtcp:",
)
_OF_A_FORMAT = ("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:")


def relayed(body: bytes, host: str, ports: Sequence[int | None]) -> bytes:
    """The description with our address and ports; a stream whose port is None keeps its own, and so do refused ones.

    `ports` has an entry for each m= line. The address 0.0.0.0 stays, for it is a hold (RFC 3264 section 8.4).
    """
    session, *streams = _sections(body)
    ours = _connection(host)
    common = next((line for line in session if line.startswith("c=")), None)
    session = [ours if _is_connection(line) else line for line in session if not line.startswith(_OTHER_WAYS)]
    written = [session]
    for stream, port in zip(streams, ports, strict=True):
        has_own = any(line.startswith("c=") for line in stream)
        if port is None or _is_refused(stream):
            kept = list(stream)
            if common is not None and not has_own and not _is_refused(stream):
                kept.insert(1, common)
        else:
            kept = [_with_port(stream[0], port)]
            kept += [ours if _is_connection(line) else line for line in stream[1:] if not line.startswith(_OTHER_WAYS)]
            if common is None and not has_own:
                kept.insert(1, ours)
        written.append(kept)
    return _text(written)


def directed(body: bytes, directions: Sequence[Direction]) -> bytes:
    """The description with each stream's direction said by its own attribute."""
    session, *streams = _sections(body)
    written = [[line for line in session if line not in _DIRECTIONS]]
    for stream, direction in zip(streams, directions, strict=True):
        written.append([*(line for line in stream if line not in _DIRECTIONS), f"a={direction}"])
    return _text(written)


def limited(body: bytes, formats: Sequence[frozenset[str] | None]) -> bytes:
    """The description with no more than these formats for each stream; one that has none left is refused.

    None leaves a stream as it is. Streams beyond `formats` are refused.
    """
    session, *streams = _sections(body)
    written = [session]
    for number, stream in enumerate(streams):
        wanted = formats[number] if number < len(formats) else frozenset[str]()
        written.append(stream if wanted is None else _limited(stream, wanted))
    return _text(written)


def shortened(body: bytes, streams: int) -> bytes:
    """The description without what comes after its first so many streams."""
    return _text(_sections(body)[: streams + 1])


def _limited(stream: list[str], wanted: frozenset[str]) -> list[str]:
    kind, port, protocol, *formats = stream[0].split()
    left = [format for format in formats if format in wanted]
    if not left or port == "0":
        return [" ".join((kind, "0", protocol, *formats))]
    kept = [" ".join((kind, port, protocol, *left))]
    for line in stream[1:]:
        if not line.startswith(_OF_A_FORMAT) or line.partition(":")[2].partition(" ")[0] in (*left, "*"):
            kept.append(line)
    return kept


def _sections(body: bytes) -> list[list[str]]:
    """The lines before the first m= line, then those of each stream, without their ends."""
    sections: list[list[str]] = [[]]
    for line in body.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            sections.append([line])
        elif line:
            sections[-1].append(line)
    return sections


def _text(sections: Sequence[Sequence[str]]) -> bytes:
    return "".join([f"{line}\r\n" for section in sections for line in section]).encode("utf-8", "surrogateescape")


def _connection(host: str) -> str:
    return f"c=IN {'IP6' if ':' in host else 'IP4'} {host}"


def _is_connection(line: str) -> bool:
    return line.startswith("c=") and line.rpartition(" ")[2] != NEVER


def _is_refused(stream: list[str]) -> bool:
    return stream[0].split()[1:2] == ["0"]


def _with_port(line: str, port: int) -> str:
    kind, _, rest = line.partition(" ")
    _, _, rest = rest.partition(" ")
    return f"{kind} {port} {rest}"
