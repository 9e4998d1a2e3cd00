"""The stored form of a call's messages."""

from __future__ import annotations

import pytest

from b2bua.tape import Kept, pack, unpack


def kept(wall: float, data: bytes, *, sent: bool = False) -> Kept:
    return Kept(wall, sent, "UDP", "127.0.0.1", 5060, "192.0.2.1", 5080, data)


def test_what_is_packed_is_unpacked() -> None:
    messages = [
        kept(1.5, b"INVITE sip:bob@h SIP/2.0\r\n\r\n\x00\xff"),
        kept(2.5, b"SIP/2.0 100 Trying\r\n\r\n", sent=True),
    ]
    assert unpack(pack(messages)) == messages


def test_what_comes_later_is_put_behind_and_read_in_the_order_of_time() -> None:
    first, late, last = kept(1.0, b"a"), kept(2.0, b"b"), kept(3.0, b"c")
    assert unpack(pack([first, last]) + pack([late])) == [first, late, last]


def test_nothing_is_no_messages() -> None:
    assert unpack(b"") == []
    assert unpack(pack([])) == []


@pytest.mark.parametrize("damaged", [b"junk", pack([kept(1.0, b"x" * 99)])[:-3], pack([kept(1.0, b"x")]) + b"junk"])
def test_what_is_no_tape_is_said(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="tape"):
        unpack(damaged)
