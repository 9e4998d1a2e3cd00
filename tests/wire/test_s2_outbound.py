"""Outbound with a real phone (RFC 5626): baresip registers two flows of one instance, and rings once."""

from __future__ import annotations

from pathlib import Path

from .baresip import Baresip
from .lab import Lab
from .peer import Dialog

OK = r"SIP/2\.0 200 "


def test_a_phone_with_two_flows_rings_once(lab: Lab, tmp_path: Path) -> None:
    server = lab.server
    account = f';sipnat=outbound;outbound="sip:{server.udp}";outbound2="sip:{server.tcp};transport=tcp"'
    with Baresip("bob", lab.password("bob"), server.udp, tmp_path, answers=True, account=account) as bob:
        bob.wait_registered()
        bob.wait_registered()
        bob.program.wait_line(r"^Flow-Timer: 120", 5.0)
        shown = server.show("registrations")
        assert isinstance(shown, list)
        assert sorted(one["transport"] for one in shown if one["user"] == "bob") == ["tcp", "udp"]
        alice = lab.peer()
        call = Dialog.calling(alice, server.udp, "alice", "bob")
        invite = call.invite("alice", lab.password("alice"))
        call.confirm(alice.receive(OK, passing=r"SIP/2\.0 1\d\d "))
        call.acknowledge()
        bob.wait("CALL_ESTABLISHED")
        call.request("BYE")
        alice.receive(OK)
        bob.wait("CALL_CLOSED")
        records = server.records(invite.header("Call-ID"), 2)
        assert [record["direction"] for record in records] == ["in", "out"]
