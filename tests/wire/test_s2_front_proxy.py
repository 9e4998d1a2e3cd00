"""A Kamailio in front of us: who calls is who that proxy saw, and calls go back by it (RFC 3327). STUN (RFC 5626 8)."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .conftest import HERE
from .conversation import OK
from .lab import Lab
from .message import Address
from .peer import Dialog, Peer
from .ports import block, wait_bound
from .program import Program
from .server import Server

FRONT = "127.0.0.6"
DOMAIN = "lab.example"
BEHIND_NAT = "<sip:bob@10.9.9.9:5060>"


class Front:
    """A server, the proxy in front of it, and phones at addresses of their own."""

    def __init__(self, lab: Lab, proxy: Address, stack: ExitStack) -> None:
        self.lab = lab
        self.proxy = proxy
        self._stack = stack

    def phone(self, host: str) -> Peer:
        return self._stack.enter_context(Peer(host))

    def registered(self, user: str, phone: Peer) -> str:
        """Register a user whose Contact is behind a NAT; the Contact line of the 200."""
        aor = f"<sip:{user}@{DOMAIN}>"
        dialog = Dialog(phone, self.proxy, f"{aor};tag=r", aor, f"sip:{DOMAIN}")
        headers = [("Contact", BEHIND_NAT), ("Expires", "600"), ("Supported", "path")]
        dialog.authorized("REGISTER", user, self.lab.password(user), headers=headers)
        return phone.receive(OK).text


@pytest.fixture
def front(lab_policy: Path, tmp_path: Path) -> Iterator[Front]:
    if shutil.which("kamailio") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: kamailio")
    with ExitStack() as stack:
        policy = lab_policy.with_name("front.route")
        server = stack.enter_context(Server(policy, tmp_path, settings=f"proxies: [{FRONT}]\n"))
        proxy = Address(FRONT, block(1, FRONT))
        text = (HERE / "scenarios" / "front.cfg").read_text(encoding="utf-8")
        for name, value in (("PROXY", proxy), ("HOST", server.udp.host), ("PORT", server.udp.port)):
            text = text.replace(f"@{name}@", str(value))
        (tmp_path / "front.cfg").write_text(text, encoding="utf-8")
        command = ["kamailio", "-f", "front.cfg", "-DD", "-E", "-w", ".", "-P", "front.pid", "-Y", "."]
        kamailio = Program(command, tmp_path / "front.log", cwd=tmp_path)
        stack.callback(kamailio.stop)
        wait_bound(kamailio, proxy.host, proxy.port)
        lab = stack.enter_context(Lab(server, tmp_path))
        yield Front(lab, proxy, stack)
        server.wait_sizes({"calls": 0, "legs": 0}, 5.0)


def test_calls_and_registrations_come_from_whom_the_proxy_saw_and_go_back_by_it(front: Front) -> None:
    bob, alice = front.phone("127.0.0.7"), front.phone("127.0.0.8")
    answer = front.registered("bob", bob)
    assert f"Path: <sip:{front.proxy};lr;received=" in answer
    shown = front.lab.server.show("registrations")
    assert isinstance(shown, list)
    assert [(one["contact"], one["source"]) for one in shown] == [(BEHIND_NAT.strip("<>"), "127.0.0.7")]
    call = Dialog(alice, front.proxy, f"<sip:alice@{DOMAIN}>;tag=c", f"<sip:bob@{DOMAIN}>", f"sip:bob@{DOMAIN}")
    invite = call.invite("alice", front.lab.password("alice"))
    received = bob.receive("INVITE ")
    assert received.start == f"INVITE {BEHIND_NAT.strip('<>')} SIP/2.0"
    assert f";received={FRONT}" not in received.text
    assert str(front.proxy) in received.headers("Via")[0]
    bob.answer(received, 200, tag="b", body=bob.sdp())
    call.confirm(alice.receive(OK))
    call.acknowledge()
    bob.receive("ACK ")
    call.request("BYE")
    bob.answer(bob.receive("BYE "), 200)
    alice.receive(OK)
    records = front.lab.server.records(invite.header("Call-ID"), 2)
    assert [record["source"] for record in records] == ["127.0.0.8", "127.0.0.8"]


@pytest.mark.parametrize("invented", ["", ";received=127.0.0.7"])
def test_who_is_not_inside_stays_outside_whatever_its_via_says(front: Front, invented: str) -> None:
    stranger = front.phone("127.0.0.9")
    via = f"SIP/2.0/UDP {stranger.address};branch=z9hG4bKstranger{len(invented)};rport{invented}"
    stranger.send(
        f"INVITE sip:bob@{DOMAIN} SIP/2.0\nVia: {via}\nMax-Forwards: 70\nFrom: <sip:alice@lab.example>;tag=1\n"
        f"To: <sip:bob@lab.example>\nCall-ID: {front.lab.call_id()}\nCSeq: 1 INVITE\n"
        f"Contact: <sip:alice@{stranger.address}>\nContent-Length: 0\n\n",
        front.proxy,
    )
    stranger.receive(r"SIP/2\.0 403 ")


def test_a_phone_learns_by_stun_where_it_is_seen(lab: Lab) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(5.0)
        phone.bind(("127.0.0.7", 0))
        phone.sendto(bytes.fromhex("000100002112a442") + bytes(range(12)), lab.server.udp)
        answer, source = phone.recvfrom(100)
        assert source == tuple(lab.server.udp)
        assert answer[:2] == bytes.fromhex("0101")
        assert int.from_bytes(answer[26:28], "big") ^ 0x2112 == phone.getsockname()[1]
