"""RSeq and RAck as RFC 3262 section 7 has them, and what a message says of 100rel."""

from __future__ import annotations

import pytest

from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request, Response
from b2bua.sip.rack import RAck, allows, rack_of, rseq_of, says_reliable, with_reliable


def prack(rack: str) -> Request:
    return Request("PRACK", "sip:b@c", {"RAck": [rack]} if rack else {}, b"")


def test_a_rack_is_read_as_it_is_written() -> None:
    assert rack_of(prack("776656 1 INVITE")) == RAck(776656, 1, "INVITE")
    assert str(RAck(776656, 1, "INVITE")) == "776656 1 INVITE"
    assert rack_of(prack("4294967295  \t7   INVITE")) == RAck(4294967295, 7, "INVITE")


@pytest.mark.parametrize(
    "text", ["", "1 INVITE", "1 2", "a 2 INVITE", "1 -2 INVITE", "1 2 IN=VITE", "4294967296 1 INVITE"]
)
def test_a_broken_rack_is_refused(text: str) -> None:
    with pytest.raises(PeerError, match="Bad RAck"):
        rack_of(prack(text))


@pytest.mark.parametrize("text", ["", "x", "-1", "99999999999"])
def test_a_broken_rseq_is_refused(text: str) -> None:
    with pytest.raises(PeerError, match="Bad RSeq"):
        rseq_of(Response(183, "", {"RSeq": [text]}, b""))


def test_what_a_message_says_of_100rel_and_of_methods() -> None:
    request = Request("INVITE", "sip:b@c", {"Supported": ["timer, 100REL"], "Allow": ["INVITE,UPDATE"]}, b"")
    assert says_reliable(request, "Supported")
    assert not says_reliable(request, "Require")
    assert allows(request, "UPDATE")
    assert not allows(request, "INFO")


def test_what_we_support_stands_in_one_line() -> None:
    assert with_reliable(()) == (("Supported", "100rel"),)
    fields = (("Supported", "timer"), ("Session-Expires", "1800"))
    assert with_reliable(fields) == (("Supported", "timer, 100rel"), ("Session-Expires", "1800"))
