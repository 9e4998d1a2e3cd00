"""Whatever a peer describes: what we change of it, what we leave alone, and what we answer (RFC 3264, RFC 8866)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from b2bua.sdp.negotiation import (
    answer,
    answer_direction,
    audio_of,
    common_formats,
    first_answer,
    formats_of,
    receives,
    same_content,
    sends,
)
from b2bua.sdp.origin import around_origin
from b2bua.sdp.rewriting import directed, limited, relayed
from b2bua.sdp.session import NEVER, Direction, Session, parse

_ENCODINGS = ("PCMU/8000", "PCMA/8000", "G722/8000", "opus/48000/2", "iLBC/8000", "telephone-event/8000", "L16/44100/2")
_PASSED = ("a=ptime:20", "a=mid:1", "a=fmtp:0 x=1", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "b=AS:64", "i=é")
_TAKEN = ("a=rtcp:4001", "a=candidate:1 1 UDP 1 10.0.0.9 4000 typ host", "a=ice-ufrag:x", "a=end-of-candidates")
_DIRECTIONS = [f"a={direction}" for direction in Direction]
_ADDRESSES = ("10.0.0.1", "192.0.2.9", NEVER)

numbers = st.sampled_from(["0", "8", "9", "96", "97", "101", "111"])
extras = st.lists(st.sampled_from([*_PASSED, *_TAKEN]), max_size=4)


@st.composite
def streams(draw: st.DrawFn) -> list[str]:
    """The lines of one stream."""
    kind = draw(st.sampled_from(["audio", "audio", "video"]))
    formats = draw(st.lists(numbers, min_size=1, max_size=4, unique=True))
    port = draw(st.sampled_from([0, 4000, 4002, 65535]))
    lines = [
        f"m={kind} {port} {draw(st.sampled_from(['RTP/AVP', 'RTP/SAVP', 'UDP/TLS/RTP/SAVPF']))} {' '.join(formats)}"
    ]
    if draw(st.booleans()):
        lines.append(f"c=IN IP4 {draw(st.sampled_from(_ADDRESSES))}")
    for number in formats:
        # The static numbers keep their meaning (RFC 3551 6).
        if int(number) >= 96:
            lines.append(f"a=rtpmap:{number} {draw(st.sampled_from(_ENCODINGS))}")
    lines += draw(extras)
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from(_DIRECTIONS)))
    return lines


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A description of up to four streams, with CRLF or LF."""
    lines = ["v=0", "o=- 1 1 IN IP4 10.0.0.1", "s=-"]
    if draw(st.booleans()):
        lines.append(f"c=IN IP4 {draw(st.sampled_from(_ADDRESSES))}")
    lines += ["t=0 0", *draw(extras)]
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from(_DIRECTIONS)))
    for stream in draw(st.lists(streams(), max_size=4)):
        lines += stream
    end = draw(st.sampled_from(["\r\n", "\n"]))
    return "".join(line + end for line in lines).encode()


def lines_of(body: bytes) -> list[str]:
    return body.decode().replace("\r\n", "\n").split("\n")[:-1]


def ports_for(session: Session, data: st.DataObject) -> list[int | None]:
    return [data.draw(st.sampled_from([None, 20_000 + 2 * number])) for number in range(len(session.media))]


@given(bodies(), st.data())
def test_relaying_changes_where_media_goes_and_nothing_else(body: bytes, data: st.DataObject) -> None:
    before = parse(body)
    ports = ports_for(before, data)
    after = parse(relayed(body, "192.0.2.1", ports))
    for was, now, port in zip(before.media, after.media, ports, strict=True):
        taken = port is not None and was.port != 0
        assert now.port == (port if taken else was.port)
        assert (now.kind, now.protocol, now.formats, now.direction) == (
            was.kind,
            was.protocol,
            was.formats,
            was.direction,
        )
        if was.port:
            old = was.connection.address if was.connection is not None else None
            address = now.connection.address if now.connection is not None else None
            assert address == ("192.0.2.1" if taken and old != NEVER else old)
            assert now.held == was.held
    kept = [line for line in lines_of(body) if line in _PASSED or line in _DIRECTIONS or line.startswith("a=rtpmap")]
    assert [line for line in lines_of(relayed(body, "192.0.2.1", ports)) if line in kept] == kept


@given(bodies(), st.data())
def test_what_is_relayed_names_no_way_around_us(body: bytes, data: st.DataObject) -> None:
    before = parse(body)
    ports = ports_for(before, data)
    after = parse(relayed(body, "192.0.2.1", ports))
    for was, now, port in zip(before.media, after.media, ports, strict=True):
        if port is not None and was.port:
            assert not [name for name, _ in now.attributes if name.startswith(("candidate", "ice-", "rtcp"))]


@given(bodies(), st.data())
def test_relaying_twice_is_relaying_once(body: bytes, data: st.DataObject) -> None:
    ports = ports_for(parse(body), data)
    once = relayed(body, "192.0.2.1", ports)
    assert relayed(once, "192.0.2.1", ports) == once
    assert around_origin(once) is not None


@given(bodies(), st.data())
def test_relaying_says_the_same_of_each_stream(body: bytes, data: st.DataObject) -> None:
    before = parse(body)
    assert same_content(before, parse(relayed(body, "192.0.2.1", ports_for(before, data))))


@given(bodies(), st.data())
def test_directions_are_said_once_for_each_stream_and_nothing_else_changes(body: bytes, data: st.DataObject) -> None:
    before = parse(body)
    wanted = [data.draw(st.sampled_from(Direction)) for _ in before.media]
    changed = directed(body, wanted)
    assert [media.direction for media in parse(changed).media] == wanted
    others = [line for line in lines_of(body) if line not in _DIRECTIONS]
    assert [line for line in lines_of(changed) if line not in _DIRECTIONS] == others
    assert sum(line in _DIRECTIONS for line in lines_of(changed)) == len(before.media)


@given(bodies(), st.data())
def test_limiting_leaves_formats_out_with_all_that_is_said_of_them(body: bytes, data: st.DataObject) -> None:
    before = parse(body)
    wanted = [data.draw(st.none() | st.frozensets(numbers)) for _ in before.media]
    after = parse(limited(body, wanted))
    assert len(after.media) == len(before.media)
    for was, now, left in zip(before.media, after.media, wanted, strict=True):
        if left is None:
            assert now == was
        elif was.port and left & set(was.formats):
            assert now.formats == tuple(text for text in was.formats if text in left)
            named = [value.partition(" ")[0] for name, value in now.attributes if name in ("rtpmap", "fmtp") and value]
            assert set(named) <= set(now.formats)
            assert formats_of(now).items() <= formats_of(was).items()
        else:
            assert (now.port, now.formats) == (0, was.formats)


@given(bodies(), bodies(), st.data())
def test_a_later_answer_has_formats_of_the_offer_with_the_same_meaning(
    told: bytes, offered: bytes, data: st.DataObject
) -> None:
    before, offer = parse(told), parse(offered)
    if len(offer.media) < len(before.media):
        # An offer never has fewer streams than were agreed (RFC 3264 section 8).
        return
    able = [data.draw(st.tuples(st.booleans(), st.booleans())) for _ in offer.media]
    ways = [answer_direction(media, *each) for media, each in zip(offer.media, able, strict=True)]
    answered = parse(answer(offer, told, before, ways))
    assert len(answered.media) == len(offer.media)
    for media, asked, known in zip(answered.media, offer.media, [*before.media, *[None] * 4], strict=False):
        assert media.kind == asked.kind or media.port == 0
        if media.port:
            assert asked.port and known is not None
            assert set(media.formats) == common_formats(asked, known)
            assert formats_of(media).items() <= formats_of(asked).items()
            assert not sends(media.direction) or receives(asked)
            assert media.direction in (Direction.SENDONLY, Direction.INACTIVE) or sends(asked.direction)


@given(bodies())
def test_a_first_answer_takes_the_conversation_and_refuses_the_rest(body: bytes) -> None:
    offer = parse(body)
    number = audio_of(offer)
    chosen = [] if number is None else list(formats_of(offer.media[number]))[:2]
    if not chosen:
        return
    answered = parse(first_answer(offer, "192.0.2.1", 20_000, chosen))
    assert [media.kind for media in answered.media] == [media.kind for media in offer.media]
    assert [i for i, media in enumerate(answered.media) if media.port] == [number]
    assert number is not None
    assert formats_of(answered.media[number]) == {
        text: format for text, format in formats_of(offer.media[number]).items() if text in chosen
    }
    assert receives(offer.media[number]) or not sends(answered.media[number].direction)
