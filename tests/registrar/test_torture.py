"""The REGISTERs of RFC 4475, answered as it says. The messages are the RFC's."""

from __future__ import annotations

import pytest

from b2bua.registrar.authenticator import Absent, Authenticator
from b2bua.sip.errors import PeerError

from .phone import WALL, Home, message, read

HEAD = """REGISTER sip:example.com SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=998332
Max-Forwards: 70
Call-ID: {name}.k345asrl3fdbv@10.0.0.1
CSeq: 1 REGISTER
Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw
Contact: {contact}
l: 0

"""


def torture(home: Home, name: str, contact: str) -> None:
    home.take(read(HEAD.format(name=name, contact=contact)))


def test_cparam01_a_parameter_outside_the_brackets_is_the_contacts() -> None:
    """3.3.12: it never comes back as a parameter of the URI."""
    home = Home()
    torture(home, "cparam01", "sip:+19725552222@gw1.example.net;unknownparam")
    assert home.contacts() == ["sip:+19725552222@gw1.example.net"]
    assert home.headers("Contact") == ["<sip:+19725552222@gw1.example.net>;unknownparam;expires=3600"]


def test_cparam02_a_parameter_inside_the_brackets_is_the_uris() -> None:
    """3.3.13: it has to come back in the URI."""
    home = Home()
    torture(home, "cparam02", "<sip:+19725552222@gw1.example.net;unknownparam>")
    assert home.contacts() == ["sip:+19725552222@gw1.example.net;unknownparam"]


def test_regescrt_an_escaped_header_stays_in_the_contact() -> None:
    """3.3.14: the registration succeeds, and the Route header comes back in the contact's URI."""
    home = Home()
    torture(home, "regescrt", "<sip:user@example.net?Route=%3Csip:sip.example.com%3E>")
    assert home.contacts() == ["sip:user@example.net?Route=%3Csip:sip.example.com%3E"]


def test_regbadct_a_question_mark_outside_brackets_is_400() -> None:
    """3.1.2.17."""
    home = Home()
    with pytest.raises(PeerError) as error:
        torture(home, "regbadct", "sip:user@example.net?Route=%3Csip:sip.example.com%3E")
    assert error.value.status == 400
    assert home.contacts() == []


def test_escnull_escaped_nulls_are_two_different_contacts() -> None:
    """3.1.1.4."""
    home = Home()
    home.register("Contact: <sip:%00@host5.example.com>", "Contact: <sip:%00%00@host5.example.com>")
    assert home.contacts() == ["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]


def test_unksm2_a_contact_of_an_unknown_scheme_is_kept() -> None:
    """3.3.4; its To of an unknown scheme is the core's to refuse."""
    home = Home()
    torture(home, "unksm2", "<name:John_Smith>")
    assert home.contacts() == ["name:John_Smith"]
    assert home.rung() == []


def test_scalar02_overlarge_intervals_count_as_an_hour() -> None:
    """3.1.2.4, with its other overlarge numbers put right."""
    home = Home()
    home.register(
        "Expires: 10000000000000000000000000000000",
        "Contact: <sip:user@host129.example.com>;expires=280297596632815",
    )
    assert home.headers("Contact") == ["<sip:user@host129.example.com>;expires=3600"]


def test_regaut01_an_unknown_scheme_is_as_if_no_credentials_were_there() -> None:
    """3.3.7."""
    request = message("Authorization: NoOneKnowsThisScheme opaque-data=here")
    server = Authenticator(b"k" * 32, "example.com", ("MD5",), 300.0)
    assert server.verify(request, WALL, lambda user, algorithm: None) == Absent()
