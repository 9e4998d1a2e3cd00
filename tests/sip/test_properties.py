"""What holds for all octets: nothing but Malformed comes out of reading, and what is written reads the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from b2bua.sip.credentials import Challenge, Credentials
from b2bua.sip.errors import Malformed, PeerError
from b2bua.sip.grammar import TOKEN, quote, split_commas, unquote
from b2bua.sip.head import read_head
from b2bua.sip.headers import NameAddr, Via
from b2bua.sip.message import Request, encode_response
from b2bua.sip.parser import KeepAlive, StreamFramer, parse
from b2bua.sip.uri import Uri, equals, escape_user

from .torture.expected import EXPECTED, octets

CALM = settings(deadline=None)
MESSAGES = [octets(name) for name in EXPECTED]
PIECES = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
    b'"',
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"%",
    b"\\",
    b" ",
    b"[",
    b"]",
    b"=",
]
NOISE = st.one_of(st.binary(max_size=6), st.sampled_from(PIECES))

token = st.text(st.sampled_from(sorted(TOKEN)), min_size=1, max_size=12)
word = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=20)
host = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,6}){0,3}", fullmatch=True),
    st.ip_addresses().map(str),
)
port = st.one_of(st.none(), st.integers(1, 65535))
params = st.lists(st.tuples(token.map(str.lower), st.one_of(st.none(), token, word.map(quote))), max_size=3).map(tuple)
uri_params = st.lists(
    st.tuples(
        st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
        st.one_of(st.none(), st.from_regex(r"[a-zA-Z0-9.]{0,8}", fullmatch=True)),
    ),
    max_size=3,
).map(tuple)
uri = st.builds(
    Uri,
    st.sampled_from(["sip", "sips"]),
    st.one_of(st.none(), word.map(escape_user).filter(bool)),
    st.none(),
    host,
    port,
    uri_params,
    st.one_of(st.none(), st.from_regex(r"[a-z]{1,5}=[a-z0-9%]{0,5}", fullmatch=True)),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message of the RFCs with a few octets replaced, added or taken away."""
    data = draw(st.sampled_from(MESSAGES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 8)))
        data = data[:start] + draw(NOISE) + data[end:]
    return data


def read_all(data: bytes) -> None:
    """Ask for everything. Only PeerError may come out."""
    try:
        message = parse(data)
    except Malformed as error:
        message_or_none = error.request
        if message_or_none is not None:
            assert message_or_none.via.host
            _ = message_or_none.from_tag, message_or_none.to_tag, message_or_none.call_id
            headers = [(name, message_or_none.get(name) or "") for name in ("From", "To", "Call-ID", "CSeq")]
            headers += [("Via", value) for value in message_or_none.all("Via")]
            encode_response(error.status, error.reason, headers)
        return
    encode_response(
        200,
        "OK",
        [(name, value) for name in message.headers for value in message.all(name) if name != "Content-Length"],
    )
    assert str(message.via)
    assert str(message.from_)
    assert message.cseq.number >= 0
    if isinstance(message, Request):
        assert str(message.request_uri)
    for ask in (lambda: message.contacts, lambda: message.max_forwards, lambda: message.content_type):
        try:
            ask()
        except PeerError as error:
            assert error.status == 400
    for name in message.headers:
        for value in message.values(name):
            for kind in (NameAddr, Via, Challenge, Credentials):
                try:
                    kind.parse(value)
                except PeerError as error:
                    assert error.status == 400


def credentials_or_error(text: str) -> Credentials | str:
    try:
        return Credentials.parse(text)
    except PeerError as error:
        return error.reason


FRAGMENTS = ["a", "nc", "B", "=", "=", '"', '"', ",", ", ", "\\", "<", ">", " ", "\t", ";", "\u00e9", "\udcff"]
NEEDED = 'username="a b",realm="r",nonce="n",uri="sip:x;y=z",response=0f'


@CALM
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_credentials_mean_the_same_however_their_scheme_is_spaced(odd: str) -> None:
    """Two spaces after the scheme are unusual, so that the whole is read in the tolerant way."""
    for rest in (
        f"{NEEDED},{odd}",
        f"{NEEDED}, qop={odd}",
        f"{NEEDED},cnonce={odd}, nc=1",
        f'{NEEDED}, opaque="{odd}"',
    ):
        assert credentials_or_error(f"Digest {rest}") == credentials_or_error(f"Digest  {rest}")


@CALM
@given(st.binary(max_size=200))
def test_any_octets_are_read_or_malformed(data: bytes) -> None:
    read_all(data)
    read_all(b"INVITE sip:b@c SIP/2.0\r\n" + data + b"\r\n\r\n")


@settings(CALM, max_examples=300)
@given(mutated())
def test_a_damaged_message_is_read_or_malformed(data: bytes) -> None:
    read_all(data)


@settings(CALM, max_examples=200)
@given(mutated(), st.lists(st.integers(0, 2000), max_size=6))
def test_a_stream_gives_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    stream = b"\r\n\r\n" + MESSAGES[5] + data + MESSAGES[5]

    def framed(pieces: list[bytes]) -> tuple[list[bytes | KeepAlive], str]:
        framer, found = StreamFramer(), []
        try:
            for piece in pieces:
                found += framer.feed(piece)
            found += framer.feed(b"")
        except Malformed as error:
            return found, str(error)
        return found, ""

    edges = sorted({0, len(stream), *[cut for cut in cuts if cut < len(stream)]})
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    assert framed(pieces) == framed([stream])


@CALM
@given(uri)
def test_a_uri_is_written_as_it_is_read(value: Uri) -> None:
    assert Uri.parse(str(value)) == value
    assert equals(value, Uri.parse(str(value)))


@CALM
@given(word)
def test_any_name_fits_into_a_uri(name: str) -> None:
    if name:
        assert Uri.parse(f"sip:{escape_user(name)}@example.com").username == name


@CALM
@given(st.text(max_size=80))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    for candidate in (text, f"sip:{text}", f"tel:{text}"):
        try:
            value = Uri.parse(candidate)
        except PeerError:
            continue
        assert Uri.parse(str(value)) == value


@CALM
@given(st.builds(NameAddr, word, uri, params))
def test_an_address_is_written_as_it_is_read(value: NameAddr) -> None:
    assert NameAddr.parse(str(value)) == value
    assert split_commas(f"{value}, {value}") == [str(value), str(value)]


@CALM
@given(st.builds(Via, st.sampled_from(["UDP", "TCP", "TLS", "X-Y"]), host, port, st.none() | token, params))
def test_a_via_is_written_as_it_is_read(value: Via) -> None:
    assert Via.parse(str(value)) == value
    assert Via.parse(str(value.seen_from("192.0.2.9", 7))).host == value.host


@CALM
@given(st.text(max_size=30))
def test_any_text_can_be_quoted(text: str) -> None:
    assert unquote(quote(text)) == text


@CALM
@given(st.text(max_size=60))
def test_splitting_loses_nothing_but_separators(text: str) -> None:
    joined = "".join(split_commas(text))
    assert sorted(joined.replace(",", "").replace(" ", "").replace("\t", "")) == sorted(
        text.replace(",", "").replace(" ", "").replace("\t", "")
    )


@CALM
@given(mutated())
def test_reading_the_head_alone_is_as_safe(data: bytes) -> None:
    try:
        read_head(data)
    except Malformed as error:
        assert error.status in (400, 505)
