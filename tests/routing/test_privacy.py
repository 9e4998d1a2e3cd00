"""What a Privacy field asks for (RFC 3323 section 4.2)."""

from __future__ import annotations

import pytest

from b2bua.routing.privacy import NO_PRIVACY, Privacy, hides_person, is_nameless, privacy_of
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri


def asking(*lines: str) -> Request:
    return Request("INVITE", "sip:bob@acme.example", {"Privacy": lines}, b"")


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        (("id",), Privacy(nameless=True)),
        (("user",), Privacy(nameless=True)),
        (("header",), Privacy(history=True)),
        (("history",), Privacy(history=True)),
        (("session",), Privacy(session=True, history=True)),
        (("none",), Privacy(open=True)),
        (("id; critical",), Privacy(nameless=True, critical=True)),
        (("ID ;Session",), Privacy(nameless=True, session=True, history=True)),
        (("id", "session"), Privacy(nameless=True, session=True, history=True)),
        (("id, session",), Privacy(nameless=True, session=True, history=True)),
        (("critical",), Privacy(critical=True)),
        (("sealed",), NO_PRIVACY),
        (("",), NO_PRIVACY),
        ((";;",), NO_PRIVACY),
    ],
)
def test_what_is_asked(lines: tuple[str, ...], asked: Privacy) -> None:
    assert privacy_of(asking(*lines)) == asked
    assert hides_person(asking(*lines)) == asked.nameless


def test_what_nobody_knows_is_refused_where_it_is_critical() -> None:
    with pytest.raises(PeerError) as refused:
        privacy_of(asking("sealed;critical"))
    assert refused.value.status == 500


@pytest.mark.parametrize(
    ("uri", "nameless"),
    [
        ("sip:anonymous@anonymous.invalid", True),
        ("sip:x@anonymous.invalid", True),
        ("sip:Anonymous@carrier.example", True),
        ("sip:alice@acme.example", False),
        ("tel:+4930", False),
    ],
)
def test_a_from_that_names_nobody(uri: str, nameless: bool) -> None:
    assert is_nameless(Uri.parse(uri)) is nameless
