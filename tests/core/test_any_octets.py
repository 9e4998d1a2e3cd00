"""Whatever octets come, the core raises nothing, and what it sends is well formed: fuzzing from valid messages on.

A caller, a called phone and a gateway say what is due in a call, some of it damaged. In the end all is over and nothing
is left.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import count
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from b2bua.core import Core
from b2bua.effects import Effect, Failed, Flow, Resolve, Send, StoreBindings, Stored
from b2bua.settings import Listener, Settings
from b2bua.sip.errors import Malformed
from b2bua.sip.message import Request
from b2bua.sip.parser import parse
from dsl.policy import Policy
from tests.flows.cast import policy_of
from tests.sim.wire import write_request, write_response

SERVER = "192.0.2.1"
CALM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
_LINE = re.compile(rb"[A-Za-z0-9.!%*_+`'~-]+: [^\r\n]*")
_START = re.compile(rb"(SIP/2\.0 [1-6][0-9][0-9] [^\r\n]*|[A-Z]+ [^ \r\n]+ SIP/2\.0)")
_SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n"
    b"a=rtpmap:0 PCMU/8000\r\n"
)
_FRAGMENTS = (
    b"\r\n", b"\n", b"\r", b"\0", b'"', b"<", b">", b";", b",", b":", b"@", b"\xff\xfe", b"%", b"?", b"=", b" ", b"\t",
    b"\r\n ", b"*", b"0", b"-1", b"99999999999", b"sip:", b"sips:a@b", b"tel:+1", b"[::1]", b"SIP/2.0/UDP ", b"z9hG4bK",
    b";tag=", b";rport", b";received=192.0.2.99", b";branch=", b";lr", b";ob", b";reg-id=1", b"Require: 100rel\r\n",
    b"Content-Length: 5\r\n", b"l: 0\r\n", b"Contact: *\r\n", b"Record-Route: <sip:x;lr>\r\n", b"Path: <sip:x>\r\n",
    b"Expires: 0\r\n", b"Max-Forwards: 0\r\n", b"INVITE", b"ACK", b"CANCEL", b"BYE", b"OPTIONS",
    b"m=audio 1 RTP/AVP 0\r\n", b"RSeq: 1\r\n", b"Session-Expires: 90\r\n", b"Replaces: a;to-tag=b;from-tag=c\r\n",
)  # fmt: skip


_POLICY = """\
on call { otherwise -> dial callee for 20s }
on message { otherwise -> deliver to callee }
"""


@cache
def policy() -> Policy:
    return policy_of(_POLICY, "octets")


class Bench:
    """A core between alice, who calls, and bob, who is called; what they would say next is known."""

    def __init__(self) -> None:
        numbers = count(1)
        listen = (Listener("UDP", SERVER, 5060), Listener("TCP", SERVER, 5060))
        self.now = 0.0
        self.core = Core(
            Settings(listen), policy(), lambda: f"{next(numbers):016x}", bytes(32), (), self.now, 1e9 + self.now
        )
        self.heard: dict[str, list[Request]] = {"alice": [], "bob": []}
        self.answered: dict[str, str] = {}
        self.perform(self.core.start(self.now, 1e9 + self.now))
        self.standing = self.core.sizes()
        self.take("bob", self.request("bob", "REGISTER", ("sip:acme.example")))

    def request(self, who: str, method: str, uri: str, body: bytes = b"") -> bytes:
        host = {"alice": "192.0.2.10", "bob": "192.0.2.11"}[who]
        remote = self.answered.get(who, f"<{uri}>") if method in ("ACK", "BYE", "INFO", "UPDATE") else f"<{uri}>"
        if method == "REGISTER":
            remote = f"<sip:{who}@acme.example>"
        return write_request(
            method,
            uri,
            via=f"SIP/2.0/UDP {host}:5060;rport;branch=z9hG4bK{who}{method}",
            from_=f"<sip:{who}@acme.example>;tag=1",
            to=remote,
            call_id=f"{who}-1",
            cseq=2 if method in ("BYE", "INFO", "UPDATE") else 1,
            contact=f"<sip:{who}@{host}:5060>",
            extra=[("Content-Type", "application/sdp" if body == _SDP else "text/plain")] if body else [],
            body=body,
        )

    def due(self, what: str) -> tuple[str, bytes] | None:
        """Who says what; None for an answer to something that was not asked."""
        who, _, word = what.partition(" ")
        if word.isdigit():
            asked = self.heard[who]
            if not asked:
                return None
            status = int(word)
            body = _SDP if status == 200 and asked[-1].method == "INVITE" else b""
            contact = f"<sip:{who}@192.0.2.11:5060>"
            extra = [("Content-Type", "application/sdp")] if body else []
            return who, write_response(asked[-1], status, to_tag="bob", contact=contact, extra=extra, body=body)
        uri = "sip:acme.example" if word == "REGISTER" else "sip:bob@acme.example"
        bodies = {"INVITE": _SDP, "UPDATE": _SDP, "MESSAGE": b"hello"}
        return who, self.request(who, word, uri, bodies.get(word, b""))

    def take(self, who: str, data: bytes) -> None:
        host = {"alice": "192.0.2.10", "bob": "192.0.2.11"}[who]
        self.perform(self.core.datagram(data, Flow("UDP", SERVER, 5060, host, 5060), self.now, 1e9 + self.now))

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            now, wall = self.now, 1e9 + self.now
            if isinstance(effect, Send):
                self.check(effect.data)
                self.hear(effect)
            elif isinstance(effect, StoreBindings):
                self.perform(self.core.answered(effect.id, Stored(), now, wall))
            elif isinstance(effect, Resolve):
                self.perform(self.core.answered(effect.id, Failed("no such name"), now, wall))

    def hear(self, sent: Send) -> None:
        who = "bob" if sent.flow.remote == "192.0.2.11" else "alice"
        try:
            message = parse(sent.data)
        except Malformed:
            return
        if isinstance(message, Request):
            if message.method != "ACK":
                self.heard[who].append(message)
        elif message.cseq.method == "INVITE":
            self.answered[who] = message.headers["To"][0]

    def check(self, data: bytes) -> None:
        """A message of ours: a start line, whole header lines, and just the body that it announces."""
        head, end, body = data.partition(b"\r\n\r\n")
        start, *lines = head.split(b"\r\n")
        assert end
        assert _START.fullmatch(start), start
        for line in lines:
            assert _LINE.fullmatch(line), line
        lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
        assert lengths == [b"Content-Length: %d" % len(body)]

    def run_out(self) -> None:
        """All timers, to their end."""
        for _ in range(10_000):
            due = self.core.wake_at
            if due is None or self.core.sizes() == self.standing:
                return
            self.now = max(self.now, due)
            self.perform(self.core.tick(self.now, 1e9 + self.now))


Damage: TypeAlias = list[tuple[int, int, int]]


def damaged(data: bytes, damage: Damage) -> bytes:
    """Each of these puts a fragment where some octets stood."""
    for place, length, number in damage:
        start = place % (len(data) + 1)
        data = data[:start] + _FRAGMENTS[number % len(_FRAGMENTS)] + data[start + length :]
    return data


WORDS = st.sampled_from(
    ["alice INVITE"] * 4
    + ["bob 180", "bob 183", "bob 200", "bob 486", "bob 302", "bob 401", "bob 481", "alice ACK", "alice CANCEL"]
    + ["alice MESSAGE", "bob 202", "bob 503"]
    + ["alice BYE", "alice INFO", "alice UPDATE", "alice OPTIONS", "alice MESSAGE", "bob REGISTER", "bob BYE"]
)
DAMAGE: st.SearchStrategy[Damage] = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 12), st.integers(0, 99)), max_size=3
)
STARTS = (b"", b"INVITE sip:bob@acme.example SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n")
STEPS = st.lists(st.tuples(WORDS, DAMAGE), min_size=1, max_size=12)


def test_undamaged_they_make_a_call() -> None:
    bench = Bench()
    for what in ("alice INVITE", "bob 180", "bob 200", "alice ACK", "alice BYE", "bob 200"):
        said = bench.due(what)
        assert said is not None
        bench.take(*said)
    assert [request.method for request in bench.heard["bob"]] == ["INVITE", "BYE"]
    bench.run_out()
    assert bench.core.sizes() == bench.standing


def test_undamaged_a_message_is_delivered() -> None:
    bench = Bench()
    for what in ("alice MESSAGE", "bob 202"):
        said = bench.due(what)
        assert said is not None
        bench.take(*said)
    assert [request.method for request in bench.heard["bob"]] == ["MESSAGE"]
    assert bench.core.counters["instant_messages_delivered"] == 1
    bench.run_out()
    assert bench.core.sizes() == bench.standing


UNREADABLE = (
    ("bob 302", b"Contact: <sip:bob@", b"Contact: <\r\n sip:bob@"),
    ("bob 302", b"5060>\r\nContent", b"5060>;q=x\r\nContent"),
    ("bob 200", b"Contact: <sip:bob@", b"Contact: <<sip:bob@"),
    ("bob 200", b"Contact:", b"Record-Route: <sip:p@\r\nContact:"),
    ("bob 183", b"Contact: <sip:bob@", b"Contact: <<sip:bob@"),
)


@pytest.mark.parametrize(("what", "old", "new"), UNREADABLE)
def test_what_a_response_says_unreadably_counts_as_not_said(what: str, old: bytes, new: bytes) -> None:
    bench = Bench()
    for step in ("alice INVITE", what):
        said = bench.due(step)
        assert said is not None
        who, data = said
        assert step != what or old in data
        bench.take(who, data.replace(old, new) if step == what else data)
    assert bench.core.counters.get("messages_dropped") is None
    bench.perform(bench.core.hangup_all(bench.now, 1e9 + bench.now))
    bench.run_out()
    assert bench.core.sizes() == bench.standing


@settings(CALM, max_examples=400)
@given(STEPS)
def test_a_call_of_damaged_messages_ends_and_leaves_nothing(
    steps: list[tuple[str, Damage]],
) -> None:
    bench = Bench()
    for what, damage in steps:
        said = bench.due(what)
        if said is not None:
            bench.take(said[0], damaged(said[1], damage))
            bench.now += 0.1
    bench.perform(bench.core.hangup_all(bench.now, 1e9 + bench.now))
    bench.run_out()
    assert bench.core.sizes() == bench.standing


@settings(CALM, max_examples=200)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"INVITE sip:bob@acme.example SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n"])
)
def test_any_octets_are_answered_well_or_dropped(data: bytes, start: bytes) -> None:
    bench = Bench()
    bench.take("alice", start + data)
    bench.take("alice", start + data + b"\r\n\r\n")
