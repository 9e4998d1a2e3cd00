"""Session timers (RFC 4028) with intervals of seconds: refreshed by us, by the other side, and by nobody any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conversation import OK
from .lab import Lab
from .peer import Dialog
from .server import Server
from .trace import Traced, read_trace

EXPIRES = 8
TIMER = [("Supported", "timer")]


@pytest.fixture(scope="module")
def timing_server(lab_policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A lab whose sessions live for seconds."""
    settings = f"session_timers: {{expires: {EXPIRES}s, min_se: 4s}}\n"
    with Server(lab_policy, tmp_path_factory.mktemp("timing"), settings=settings) as server:
        yield server


@pytest.fixture
def timing(timing_server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A bench on it."""
    with Lab(timing_server, tmp_path) as lab:
        yield lab
        timing_server.wait_sizes({"calls": 0, "legs": 0}, 5.0)


def test_z01_both_sides_are_refreshed_that_know_nothing_of_it(timing: Lab) -> None:
    phone = timing.answerer("answer-refreshed", timing.register("bob"), talk=1500)
    call_id = timing.call_id()
    caller = timing.caller("call-refreshed", "alice", "bob", call_id=call_id)
    caller.wait()
    phone.wait()
    for client, began in ((caller, "SIP/2.0 200 "), (phone, "INVITE ")):
        first, refresh = client.received(began)[0], client.received("INVITE ")[-1]
        assert refresh.header("Session-Expires") == f"{EXPIRES};refresher=uac"
        assert "timer" in refresh.header("Supported")
        assert refresh.body == first.body
    assert caller.received("SIP/2.0 200 ")[0].header("Session-Expires") == f"{EXPIRES};refresher=uas"
    assert {row["hung_up_by"] for row in timing.server.records(call_id, legs=2)} == {"callee"}


def test_z02_a_gateway_asks_for_longer_refreshes_once_and_stops(timing: Lab) -> None:
    gateway = timing.gateway("gateway-refreshing", interval=5, talk=500)
    alice = timing.peer()
    call = Dialog.calling(alice, timing.server.udp, "alice", "004930999001")
    call.invite("alice", timing.password("alice"), headers=[*TIMER, ("Session-Expires", "9;refresher=uac")])
    ok = alice.receive(OK)
    assert ok.header("Session-Expires") == f"{EXPIRES};refresher=uac"
    call.confirm(ok)
    call.acknowledge()
    alice.answer(alice.receive("BYE ", 15.0), 200)
    gateway.wait()
    rows = timing.server.records(call.call_id, legs=2)
    assert {row["reason"] for row in rows} == {"the session timer ran out"}
    assert {row["hung_up_by"] for row in rows} == {"system"}
    lasted = float(str(rows[1]["end"])) - float(str(rows[1]["answer"]))
    assert 0.5 + 5 * 2 / 3 <= lasted <= 0.5 + 5


def test_z03_a_caller_is_told_what_is_too_small_and_stops_refreshing(timing: Lab) -> None:
    bob = timing.peer(at=timing.register("bob").address)
    alice = timing.peer()
    call = Dialog.calling(alice, timing.server.udp, "alice", "bob")
    call.request("INVITE", body=alice.sdp(), headers=[*TIMER, ("Session-Expires", "2")])
    refusal = alice.receive(r"SIP/2\.0 422 ")
    call.acknowledge_failure(refusal)
    assert refusal.header("Min-SE") == "4"
    call.invite("alice", timing.password("alice"), headers=[*TIMER, ("Session-Expires", "6;refresher=uac")])
    invite = bob.receive("INVITE ")
    assert invite.header("Session-Expires") == f"{EXPIRES}"
    bob.answer(invite, 200, tag="b", body=bob.sdp())
    ok = alice.receive(OK)
    assert (ok.header("Session-Expires"), ok.header("Require")) == ("6;refresher=uac", "timer")
    call.confirm(ok)
    call.acknowledge()
    bob.receive("ACK ")
    call.request("UPDATE", headers=[*TIMER, ("Session-Expires", "6;refresher=uac")])
    assert alice.receive(OK).header("Session-Expires") == "6;refresher=uac"
    refresh = bob.receive("INVITE ", 10.0)
    assert refresh.body == invite.body
    bob.answer(refresh, 200, body=bob.sdp())
    bob.receive("ACK ")
    alice.answer(alice.receive("BYE ", 10.0), 200)
    bob.answer(bob.receive("BYE ", 10.0), 200)
    rows = timing.server.records(call.call_id, legs=2)
    assert {row["reason"] for row in rows} == {"the session timer ran out"}


def test_z04_real_phones_are_refreshed_and_talk_on(timing: Lab) -> None:
    alice, bob = timing.phone("alice"), timing.phone("bob", answers=True)
    alice.dial("bob")
    alice.wait("CALL_ESTABLISHED")
    alice.wait_heard(EXPIRES / 2 + 1.5)
    bob.wait_heard(1.5)
    for phone in (alice, bob):
        refreshes = [each for each in traced(timing.server) if is_refresh(each) and phone.user in each.message.start]
        assert refreshes
        answer = answer_to(refreshes[0], traced(timing.server))
        assert answer.message.start.startswith("SIP/2.0 200 ")
    alice.hang_up()
    for phone in (alice, bob):
        phone.wait("CALL_CLOSED")


def traced(server: Server) -> list[Traced]:
    """What passed the server."""
    return read_trace(server.trace)


def is_refresh(each: Traced) -> bool:
    """Whether it is one of ours."""
    method = each.message.start.split()[0]
    return not each.incoming and method in ("INVITE", "UPDATE") and ";tag=" in each.message.header("To")


def answer_to(refresh: Traced, trace: list[Traced]) -> Traced:
    """The final response to it."""
    branch = refresh.message.header("Via").partition("branch=")[2].partition(";")[0]
    return next(
        each
        for each in trace
        if each.incoming and branch in each.message.head and not each.message.start.startswith("SIP/2.0 1")
    )
