"""An account has calls sent to whoever registers it, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2bua.effects import Flow
from b2bua.settings import Security
from b2bua.sip import digest

from .knocking import HOME, WALL, Door

HERE, NAT = f"{HOME}:5071", "192.168.1.5:5060"


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ("sip:x@192.0.2.100", "contact is this server"),
        ("sip:x@192.0.2.100:5060;transport=tcp", "contact is this server"),
        ("sip:x@example.com", "contact is this server"),
        ("sip:x@EXAMPLE.com:5060", "contact is this server"),
        ("sip:x@224.0.1.75", "contact is no address of a phone"),
        ("sip:x@[ff02::1]", "contact is no address of a phone"),
        ("sip:x@255.255.255.255", "contact is no address of a phone"),
        ("sip:x@0.0.0.0:5060", "contact is no address of a phone"),
        ("sip:x@8.8.4.4", "contact of a third party"),
        ("sips:x@8.8.4.4", "contact of a third party"),
        ("sip:x@[2a00:1450::1]", "contact of a third party"),
    ],
)
def test_what_is_no_contact_of_its_own_is_refused_and_told(tmp_path: Path, contact: str, reason: str) -> None:
    door = Door(tmp_path)
    assert door.attempt(password="secret", contact=contact) == 403
    assert door.rows == {}
    [said] = door.logs
    assert said | {"call_id": ""} == {
        "what": "registration refused",
        "source": HOME,
        "port": 5071,
        "transport": "udp",
        "method": "REGISTER",
        "reason": reason,
        "account": "u0",
        "contact": f"<{contact}>",
        "call_id": "",
    }


@pytest.mark.parametrize(
    ("contact", "via"),
    [
        (f"sip:x@{HERE}", HERE),
        # Another port of the same machine, and none at all.
        (f"sip:x@{HOME}:7000", HERE),
        (f"sip:x@{HOME}", HERE),
        # Behind a home router, with or without knowing it; with an address that a STUN server told it.
        (f"sip:x@{NAT}", NAT),
        (f"sip:x@{NAT}", HERE),
        ("sip:x@8.8.4.4:5060", NAT),
        ("sip:x@8.8.4.4:5060", "8.8.4.4:5060"),
        # A name, as some phones have one: it is not asked for.
        ("sip:x@phone.example.net", HERE),
        ("sip:x@df7jal23ls0d.invalid", "df7jal23ls0d.invalid"),
        # On another port of ours than we listen on: a phone on the same machine.
        ("sip:x@192.0.2.100:7000", "192.0.2.100:7000"),
        ("tel:+4930123", HERE),
    ],
)
def test_real_phones_are_registered(tmp_path: Path, contact: str, via: str) -> None:
    assert Door(tmp_path).attempt(password="secret", contact=contact, via=via) == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"<sip:{HOME};lr>", 200),
        (f"<sip:edge@{HOME}:5080;lr;ob>, <sip:inner.example.net;lr>", 200),
        ("<sip:8.8.4.4;lr>", 403),
        ("<sip:victim.example.net;lr>", 403),
    ],
)
def test_a_path_begins_where_the_register_came_from(tmp_path: Path, path: str, status: int) -> None:
    door = Door(tmp_path)
    via = f"{HERE};branch=z9hG4bKp{{}}, SIP/2.0/UDP 10.0.0.2"
    headers = f"Path: {path}\r\nSupported: path\r\n"
    assert door.attempt(password="secret", contact="sip:x@10.0.0.2", via=via, headers=headers) == status


def test_behind_a_proxy_that_leaves_no_path_the_contact_is_the_proxys_or_refused(tmp_path: Path) -> None:
    door = Door(tmp_path)
    via = f"{HERE};branch=z9hG4bKp{{}}, SIP/2.0/UDP 10.0.0.2"
    assert door.attempt(password="secret", contact="sip:x@10.0.0.2", via=via) == 403
    assert door.attempt(password="secret", contact=f"sip:x@{HOME}:5080", via=via) == 200


@pytest.mark.parametrize(
    "security",
    [Security(contacts=("8.8.4.0/24",)), Security(contacts=("any",)), Security(trusted=("198.51.100.0/24",))],
)
def test_what_the_operator_allows_is_taken(tmp_path: Path, security: Security) -> None:
    assert Door(tmp_path, security).attempt(password="secret", contact="sip:x@8.8.4.4") == 200


def test_a_contact_elsewhere_can_still_be_removed(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.attempt(password="secret", contact="sip:x@8.8.4.4", headers="Expires: 0\r\n") == 200


def test_on_a_stream_the_connection_is_the_way_whatever_the_contact_says(tmp_path: Path) -> None:
    door = Door(tmp_path)
    stream = Flow("TCP", "192.0.2.100", 5060, HOME, 40_000, 7)
    challenge = door.challenge()
    given = str(digest.answer(challenge, "REGISTER", "sip:example.com", "u0", "secret", "0a4f113b", 1))
    data, _ = door.request(authorization=given, contact="sip:x@8.8.4.4")
    response = door.answer(data, stream)
    assert response is not None
    assert response.status == 200
    [view] = door.core.registrations(WALL)
    assert view.source == f"{HOME}:40000"
