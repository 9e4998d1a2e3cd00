"""The registrar (RFC 3261 section 10): challenges, bindings, and the ways that requests go to them."""

from __future__ import annotations

import re

import pytest

from .conversation import OK
from .lab import Lab
from .message import Message
from .peer import Dialog, Header, Peer, credentials, parameters
from .program import WireError


def test_a01_a_challenge_carries_all_that_digest_needs(lab: Lab) -> None:
    peer = lab.peer()
    Dialog.registering(peer, lab.server.udp, "alice").request("REGISTER")
    challenge = peer.receive(r"SIP/2\.0 401 ").header("WWW-Authenticate")
    assert challenge.startswith("Digest ")
    asked = parameters(challenge)
    assert asked["realm"] == "lab.example"
    assert 'qop="auth"' in challenge
    assert asked["algorithm"] == "MD5"
    assert asked["stale"].lower() == "false"
    assert len(asked["nonce"]) > 10
    assert "opaque" in asked


def test_a02_a_phone_registers_and_hears_how_long_its_binding_lasts(lab: Lab) -> None:
    line = lab.register("alice", expires=300)
    contacts = _query(lab, "alice")
    assert list(contacts) == [f"sip:alice@{line.address}"]
    assert 290 <= contacts[f"sip:alice@{line.address}"] <= 300


def test_a03_a_wrong_password_and_an_unknown_user_look_the_same(lab: Lab) -> None:
    answers = []
    for user in ("alice", "nobody"):
        peer = lab.peer()
        Dialog.registering(peer, lab.server.udp, user).authorized("REGISTER", user, "a wrong password")
        answer = peer.receive(r"SIP/2\.0 ")
        shown = re.sub(r'nonce="[^"]*"|opaque="[^"]*"|tag=[\w.-]+|branch=\w+', "", answer.text)
        for mine in (user, str(peer.address), str(peer.address.port), answer.header("Call-ID")):
            shown = shown.replace(mine, "")
        answers.append(re.sub(r"Date: .*", "", shown))
    assert answers[0] == answers[1]
    assert answers[0].startswith("SIP/2.0 401 ")


def test_a04_used_credentials_are_stale_and_fresh_ones_are_taken(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "alice")
    password = lab.password("alice")
    used = dialog.authorized("REGISTER", "alice", password).header("Authorization")
    peer.receive(OK)
    dialog.request("REGISTER", headers=[("Authorization", used)])
    challenge = peer.receive(r"SIP/2\.0 401 ").header("WWW-Authenticate")
    assert parameters(challenge)["stale"].lower() == "true"
    fresh = credentials(challenge, "REGISTER", dialog.target, "alice", password)
    dialog.request("REGISTER", headers=[("Authorization", fresh)])
    peer.receive(OK)


def test_a05_a_refresh_replaces_its_own_binding(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "alice")
    contact = f"<sip:alice@{peer.address}>"
    first = _register(lab, peer, dialog, "alice", [("Contact", f"{contact};expires=100")])
    again = _register(lab, peer, dialog, "alice", [("Contact", f"{contact};expires=900")])
    assert list(_contacts(first)) == list(_contacts(again)) == [f"sip:alice@{peer.address}"]
    assert 890 <= _contacts(again)[f"sip:alice@{peer.address}"] <= 900
    _register(lab, peer, dialog, "alice", [("Contact", "*"), ("Expires", "0")])


def test_a06_several_contacts_are_shown_and_removed_each_by_itself(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "alice")
    desk, mobile = f"sip:desk@{peer.address}", f"sip:mobile@{peer.address}"
    both = [("Contact", f"<{desk}>;q=0.5;expires=200, <{mobile}>;q=0.9;expires=300")]
    answer = _register(lab, peer, dialog, "alice", both)
    assert set(_contacts(answer)) == {desk, mobile}
    values = ", ".join(answer.headers("Contact"))
    assert re.search(rf"<{re.escape(desk)}>[^,]*;q=0\.5", values)
    assert re.search(rf"<{re.escape(mobile)}>[^,]*;q=0\.9", values)
    left = _register(lab, peer, dialog, "alice", [("Contact", f"<{desk}>;expires=0")])
    assert set(_contacts(left)) == {mobile}
    gone = _register(lab, peer, dialog, "alice", [("Contact", "*"), ("Expires", "0")])
    assert gone.headers("Contact") == []
    assert _query(lab, "alice") == {}


def test_a07_a_star_with_any_other_expiry_is_a_bad_request(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "alice")
    password = lab.password("alice")
    dialog.authorized("REGISTER", "alice", password, headers=[("Contact", "*"), ("Expires", "60")])
    peer.receive(r"SIP/2\.0 400 ")


def test_a08_too_brief_an_interval_is_told_the_least(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "alice")
    brief = [("Contact", f"<sip:alice@{peer.address}>;expires=5")]
    dialog.authorized("REGISTER", "alice", lab.password("alice"), headers=brief)
    assert peer.receive(r"SIP/2\.0 423 ").header("Min-Expires") == "60"
    assert _query(lab, "alice") == {}


def test_a09_an_older_request_of_the_same_phone_changes_nothing(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "alice")
    contact = f"<sip:alice@{peer.address}>"
    dialog.cseq = 100
    _register(lab, peer, dialog, "alice", [("Contact", f"{contact};expires=300")])
    dialog.cseq = 50
    dialog.authorized("REGISTER", "alice", lab.password("alice"), headers=[("Contact", f"{contact};expires=0")])
    assert not re.match(OK, peer.receive(r"SIP/2\.0 ").start)
    assert list(_query(lab, "alice")) == [f"sip:alice@{peer.address}"]
    dialog.cseq = 200
    _register(lab, peer, dialog, "alice", [("Contact", "*"), ("Expires", "0")])


def test_a10_nobody_registers_in_the_name_of_another(lab: Lab) -> None:
    peer = lab.peer()
    dialog = Dialog.registering(peer, lab.server.udp, "bob")
    contact = [("Contact", f"<sip:bob@{peer.address}>")]
    dialog.authorized("REGISTER", "alice", lab.password("alice"), headers=contact)
    peer.receive(r"SIP/2\.0 403 ")
    assert _query(lab, "bob") == {}


def test_a11_requests_to_a_phone_behind_nat_go_by_the_way_it_came(lab: Lab) -> None:
    line = lab.register("bob", contact="sip:bob@192.0.2.77:5060")
    phone = lab.answerer("answer", line)
    caller = lab.caller("call", "alice", "bob")
    caller.wait()
    phone.wait()
    assert phone.received("INVITE ")[0].start == "INVITE sip:bob@192.0.2.77:5060 SIP/2.0"


def test_a12_a_phone_whose_connection_closed_is_unreachable(lab: Lab) -> None:
    phone = lab.phone("erin", transport="tcp")
    lab.caller("call-cancelled", "alice", "erin").wait()
    phone.wait("CALL_CLOSED")
    phone.kill()
    lab.caller("call-refused", "alice", "erin", status=480).wait()


def test_a13_the_office_registers_its_phones(office: Lab) -> None:
    office.phone("alice")
    shown = office.server.show("registrations")
    assert "alice" in str(shown)


def test_a14_an_expired_nonce_is_stale_and_the_password_is_not_asked_again(brisk: Lab) -> None:
    peer = brisk.peer()
    dialog = Dialog.registering(peer, brisk.server.udp, "alice")
    password = brisk.password("alice")
    dialog.request("REGISTER")
    old = peer.receive(r"SIP/2\.0 401 ").header("WWW-Authenticate")
    peer.receive_nothing(1.5)
    proof = credentials(old, "REGISTER", dialog.target, "alice", password)
    dialog.request("REGISTER", headers=[("Authorization", proof)])
    challenge = peer.receive(r"SIP/2\.0 401 ").header("WWW-Authenticate")
    assert parameters(challenge)["stale"].lower() == "true"
    proof = credentials(challenge, "REGISTER", dialog.target, "alice", password)
    dialog.request("REGISTER", headers=[("Authorization", proof)])
    peer.receive(OK)


def _register(lab: Lab, peer: Peer, dialog: Dialog, user: str, headers: list[Header]) -> Message:
    dialog.authorized("REGISTER", user, lab.password(user), headers=headers)
    return peer.receive(OK)


def _query(lab: Lab, user: str) -> dict[str, int]:
    """Ask the registrar for a user's bindings: URI to remaining seconds."""
    peer = lab.peer()
    return _contacts(_register(lab, peer, Dialog.registering(peer, lab.server.udp, user), user, []))


def _contacts(answer: Message) -> dict[str, int]:
    values = ", ".join(answer.headers("Contact"))
    return {uri: int(left) for uri, left in re.findall(r"(?:^|, )<([^>]+)>[^,]*?;expires=(\d+)", values)}


@pytest.fixture(autouse=True)
def _nobody_stays_registered(lab: Lab) -> None:
    """Each test here begins with no binding of alice or bob: what another left would be seen as its own."""
    for user in ("alice", "bob"):
        if left := _query(lab, user):
            raise WireError(f"{user} is still registered at {left}")
