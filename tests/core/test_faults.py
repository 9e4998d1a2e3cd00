"""A bug of ours ends the call that it met, and no other."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Record, Send
from b2bua.settings import Listener, Settings
from dsl.policy import load

POLICY = """
policy "faults"
domain example.com
on register { otherwise -> reject 403 }
on call { otherwise -> dial "sip:gateway@192.0.2.9" for 20s }
"""
PHONE = Flow("UDP", "192.0.2.100", 5060, "198.51.100.7", 5060)
GATEWAY = Flow("UDP", "192.0.2.100", 5060, "192.0.2.9", 5060)


class BugError(Exception):
    """What the tests make the core meet."""


@pytest.fixture
def core(tmp_path: Path) -> Core:
    script = tmp_path / "faults.route"
    script.write_text(POLICY, encoding="utf-8")
    draw = random.Random(1)
    settings = Settings(listen=(Listener("UDP", "192.0.2.100", 5060),))
    return Core(settings, load(script), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9)


def invite(name: str) -> bytes:
    return (
        "INVITE sip:bob@example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{name};rport\r\n"
        f"From: <sip:alice@example.com>;tag={name}\r\nTo: <sip:bob@example.com>\r\nCall-ID: {name}\r\n"
        "CSeq: 1 INVITE\r\nContact: <sip:alice@198.51.100.7>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def ringing(effects: list[Effect]) -> bytes:
    """The 180 to the INVITE among these effects."""
    [sent] = [e.data.decode() for e in effects if isinstance(e, Send) and e.data.startswith(b"INVITE")]
    kept = [line for line in sent.split("\r\n") if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
    lines = ["SIP/2.0 180 Ringing", *kept, "To: <sip:gateway@192.0.2.9>;tag=g", "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


def starts(effects: list[Effect]) -> list[str]:
    return [e.data.split(b"\r\n")[0].decode() for e in effects if isinstance(e, Send)]


def broken(*_: object) -> None:
    raise BugError


def test_the_call_that_met_the_bug_gets_500_and_the_other_goes_on(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ringing(core.datagram(invite("first"), PHONE, 0.0, 1e9))
    second = ringing(core.datagram(invite("second"), PHONE, 0.0, 1e9))
    with monkeypatch.context() as patch:
        patch.setattr("b2bua.call.outgoing.Progressed", broken)
        with pytest.raises(BugError):
            core.datagram(first, GATEWAY, 1.0, 1e9)
    ended = starts(core.salvage(1.0, 1e9))
    assert "SIP/2.0 500 Server Internal Error" in ended
    assert "CANCEL sip:gateway@192.0.2.9 SIP/2.0" in ended
    assert starts(core.datagram(second, GATEWAY, 1.0, 1e9)) == ["SIP/2.0 180 Ringing"]


def test_a_call_that_cannot_even_be_ended_is_taken_away(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ringing(core.datagram(invite("first"), PHONE, 0.0, 1e9))
    with monkeypatch.context() as patch:
        patch.setattr("b2bua.call.outgoing.Progressed", broken)
        patch.setattr("b2bua.call.call.Rejected", broken)
        with pytest.raises(BugError):
            core.datagram(first, GATEWAY, 1.0, 1e9)
        with pytest.raises(BugError):
            core.salvage(1.0, 1e9)
    effects = core.abolish(1.0, 1e9)
    assert [e.leg for e in effects if isinstance(e, Record)] == [0, 1]
    for second in range(2, 120):
        core.tick(float(second), 1e9)
    assert {name: size for name, size in core.sizes().items() if size} == {}
