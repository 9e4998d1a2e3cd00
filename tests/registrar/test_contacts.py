"""Which contacts are taken and what is kept of them: bounds, schemes, our own address, odd octets."""

from __future__ import annotations

import pytest

from b2bua.registrar.asked import Bounds
from b2bua.registrar.binding import document
from b2bua.sip.errors import PeerError

from .phone import CONTACT, Home, refused


def test_too_many_contacts_are_refused_but_refreshed_and_removed() -> None:
    home = Home(Bounds(max_contacts=2))
    home.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>")
    error = refused(home, "Contact: <sip:c@192.0.2.7>", cseq=2)
    assert (error.status, error.reason) == (403, "Too Many Contacts")
    home.bounds = Bounds(max_contacts=1)
    home.register("Contact: <sip:a@192.0.2.7>", cseq=3)
    home.register("Contact: <sip:b@192.0.2.7>;expires=0", cseq=4)
    home.register("Contact: <sip:a@192.0.2.7>;expires=0, <sip:c@192.0.2.7>", cseq=5)
    assert home.contacts() == ["sip:c@192.0.2.7"]


def test_no_policy_lets_a_phone_fill_the_memory() -> None:
    many = ", ".join(f"<sip:a{number}@192.0.2.7>" for number in range(101))
    assert refused(Home(), f"Contact: {many}").status == 403
    home = Home()
    for batch in range(10):
        ten = ", ".join(f"<sip:a{batch}{number}@192.0.2.7>" for number in range(10))
        home.register(f"Contact: {ten}", cseq=batch + 1)
    assert refused(home, f"Contact: {CONTACT}", cseq=11).status == 403
    assert refused(Home(), f"Contact: <sip:{'a' * 1020}@192.0.2.7>").status == 400
    assert refused(Home(), f"Contact: {CONTACT};x={'a' * 1020}").status == 400
    assert refused(Home(), f"Contact: <sip:{'a' * 1020}@192.0.2.7>;expires=0").status == 400


def test_what_has_expired_neither_counts_nor_orders() -> None:
    home = Home(Bounds(max_contacts=1))
    home.register("Contact: <sip:a@192.0.2.7>", "Expires: 60", cseq=9)
    home.wall += 60
    assert home.contacts() == []
    registration = home.register("Contact: <sip:a@192.0.2.7>", cseq=1)
    assert registration.before == ()
    assert home.contacts() == ["sip:a@192.0.2.7"]


def test_a_contact_that_leads_back_to_us_is_refused_but_removed() -> None:
    home = Home()
    error = refused(home, "Contact: <sip:bob@example.com>")
    assert (error.status, error.reason) == (403, "Contact Is This Server")
    assert not home.register("Contact: <sip:bob@example.com>;expires=0", cseq=2).changed


def test_other_schemes_are_kept_and_listed_but_not_rung() -> None:
    home = Home()
    home.register("Contact: <tel:+4930123>, <mailto:alice@example.com>, <sips:alice@192.0.2.7>")
    assert home.contacts() == ["tel:+4930123", "mailto:alice@example.com", "sips:alice@192.0.2.7"]
    assert home.rung() == ["sips:alice@192.0.2.7"]
    home.register("Contact: <mailto:alice@example.com>;expires=0", cseq=2)
    assert home.contacts() == ["tel:+4930123", "sips:alice@192.0.2.7"]


def test_a_contacts_parameters_come_back() -> None:
    home = Home()
    contact = '<sip:alice@192.0.2.7;line=a1>;methods="INVITE, ACK";+sip.rendering="no";automata'
    home.register(f"Contact: {contact};q=0.333;expires=70")
    assert home.headers("Contact") == [f"{contact};q=0.333;expires=70"]


def test_a_live_contact_is_never_listed_with_0_seconds() -> None:
    home = Home()
    home.register(f"Contact: {CONTACT};expires=60")
    home.wall += 59.9
    assert home.headers("Contact") == [f"{CONTACT};expires=1"]


@pytest.mark.parametrize(
    "headers",
    [
        (b"Contact: <sip:\xff@192.0.2.7>",),
        (b'Contact: <sip:a@192.0.2.7>;x="\xff"',),
        (b"Contact: <sip:a@192.0.2.7>", b"Path: <sip:\xff@192.0.2.9;lr>"),
    ],
)
def test_octets_that_no_store_can_hold_are_400(headers: tuple[bytes, ...]) -> None:
    lines = [header.decode(errors="surrogateescape") for header in headers]
    assert refused(Home(), *lines).status == 400


def test_a_call_id_is_ascii() -> None:
    with pytest.raises(PeerError) as error:
        Home().register(f"Contact: {CONTACT}", call_id="ä@home")
    assert error.value.status == 400


def test_what_a_phone_calls_itself_is_cut_and_made_storable() -> None:
    agent = b"Phone \xff " + b"x" * 200
    home = Home()
    [binding] = home.register(f"Contact: {CONTACT}", f"User-Agent: {agent.decode(errors='surrogateescape')}").after
    assert binding.agent == "Phone ? " + "x" * 92
    assert document((binding,)) is not None
