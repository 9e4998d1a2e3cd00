"""STUN on the SIP port (RFC 5626 section 8, RFC 8489), its vectors from RFC 5769."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.stun import answer

COOKIE = bytes.fromhex("2112a442")
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
"""The transaction id of RFC 5769 section 2."""


def request(attributes: bytes = b"", kind: int = 1, cookie: bytes = COOKIE, length: int | None = None) -> bytes:
    size = len(attributes) if length is None else length
    return struct.pack("!HH", kind, size) + cookie + TRANSACTION + attributes


def test_a_binding_request_is_told_where_it_came_from() -> None:
    # RFC 5769 2.2: 192.0.2.1 port 32853.
    assert answer(request(), "192.0.2.1", 32853) == bytes.fromhex(
        "0101000c2112a442b7e7a701bc34d686fa87dfae" + "002000080001a147e112a643"
    )


def test_and_so_over_ipv6() -> None:
    # RFC 5769 2.3: 2001:db8:1234:5678:11:2233:4455:6677 port 32853.
    assert answer(request(), "2001:db8:1234:5678:11:2233:4455:6677", 32853) == bytes.fromhex(
        "010100182112a442b7e7a701bc34d686fa87dfae" + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    )


def test_what_need_not_be_understood_is_passed_over() -> None:
    software = bytes.fromhex("80220007") + b"a phone\0"
    username = bytes.fromhex("00060003") + b"bob\0"
    assert answer(request(software + username), "192.0.2.1", 32853) == answer(request(), "192.0.2.1", 32853)


def test_what_has_to_be_understood_and_is_not_is_named() -> None:
    # CHANGE-REQUEST (RFC 5780 7.2).
    told = answer(request(bytes.fromhex("0003000400000006")), "192.0.2.1", 32853)
    assert told is not None
    assert told[:2] == bytes.fromhex("0111")
    assert b"\x00\x00\x04\x14Unknown Attribute" in told
    assert told.endswith(bytes.fromhex("000a000200030000"))
    assert len(told) == 20 + struct.unpack_from("!H", told, 2)[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        request()[:19],
        request(kind=0x0101),
        request(kind=0x0011),
        request(cookie=b"\0\0\0\0"),
        request(length=4),
        request(b"\x80\x22\x00\x01a"),
        request(bytes.fromhex("80220008") + b"aaaa"),
        b"\0" * 20,
    ],
)
def test_all_else_is_no_binding_request(data: bytes) -> None:
    assert answer(data, "192.0.2.1", 5060) is None


@given(st.binary(max_size=80).map(lambda octets: request(octets)) | st.binary(max_size=80))
def test_no_octets_do_harm(data: bytes) -> None:
    told = answer(data, "192.0.2.1", 5060)
    assert told is None or len(told) <= len(data) + 64
