"""Many calls that began together are refreshed one after the other, and are nowhere kept when they are over."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Send
from b2bua.settings import Listener, SessionTimers, Settings
from dsl.policy import load

POLICY = """
policy "refreshing"
domain example.com
on register { otherwise -> reject 403 }
on call { otherwise -> dial "sip:gateway@192.0.2.9" for 20s }
"""
PHONE = Flow("UDP", "192.0.2.100", 5060, "198.51.100.7", 5060)
GATEWAY = Flow("UDP", "192.0.2.100", 5060, "192.0.2.9", 5060)
CALLS = 250
BODY = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def started(folder: Path, expires: int) -> Core:
    script = folder / "refreshing.route"
    script.write_text(POLICY, encoding="utf-8")
    draw = random.Random(1)
    settings = Settings(listen=(Listener("UDP", "192.0.2.100", 5060),), session_timers=SessionTimers(expires))
    return Core(settings, load(script), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9)


def sent(effects: list[Effect], start: str) -> list[str]:
    return [e.data.decode() for e in effects if isinstance(e, Send) and e.data.startswith(start.encode())]


def request(method: str, name: str, number: int, tag: str, body: str = "") -> bytes:
    return (
        f"{method} sip:bob@example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{name}{method};rport\r\n"
        f"From: <sip:alice@example.com>;tag={name}\r\nTo: <sip:bob@example.com>{tag}\r\nCall-ID: {name}\r\n"
        f"CSeq: {number} {method}\r\nContact: <sip:alice@198.51.100.7>\r\nMax-Forwards: 70\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def answer(request: str, tag: str = "", body: str = BODY) -> bytes:
    kept = [line for line in request.split("\r\n") if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
    to = next(line for line in request.split("\r\n") if line.startswith("To:")) + tag
    lines = ["SIP/2.0 200 OK", *kept, to, "Contact: <sip:peer@192.0.2.9>", "Content-Type: application/sdp"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def talking(core: Core, now: float) -> list[str]:
    """Calls that are all answered within a second; the To tags of their callers' dialogs."""
    tags = []
    for number in range(CALLS):
        now += 1.0 / CALLS
        [invite] = sent(core.datagram(request("INVITE", f"c{number}", 1, "", BODY), PHONE, now, 1e9), "INVITE")
        [ok] = sent(core.datagram(answer(invite, ";tag=g"), GATEWAY, now, 1e9), "SIP/2.0 200")
        tags.append(";tag=" + next(line for line in ok.split("\r\n") if line.startswith("To:")).partition(";tag=")[2])
        core.datagram(request("ACK", f"c{number}", 1, tags[-1]), PHONE, now, 1e9)
    return tags


@pytest.mark.parametrize("expires", [120, 1800])
def test_refreshes_do_not_come_in_a_burst(expires: int, tmp_path: Path) -> None:
    core = started(tmp_path, expires)
    tags = talking(core, 0.0)
    seconds: Counter[int] = Counter()
    for tenth in range(20, expires * 5 + 20):
        now = tenth / 10
        refreshes = [text for text in sent(core.tick(now, 1e9 + now), "INVITE") if "CSeq: 1001 " not in text]
        for text in refreshes:
            seconds[int(now)] += 1
            flow = GATEWAY if "sip:peer@" in text.split("\r\n")[0] else PHONE
            core.datagram(answer(text), flow, now, 1e9 + now)
    assert sum(seconds.values()) == 2 * CALLS
    assert min(seconds) >= expires * 7 / 16 - 62
    assert max(seconds) <= expires / 2 + 2
    assert max(seconds.values()) < 2 * CALLS / 4
    for number, tag in enumerate(tags):
        effects = core.datagram(request("BYE", f"c{number}", 2, tag), PHONE, expires, 1e9)
        [bye] = sent(effects, "BYE")
        core.datagram(answer(bye, body=""), GATEWAY, expires, 1e9)
    for second in range(100):
        core.tick(expires + second, 1e9)
    assert core.sizes()["timers"] == 0
    assert core.idle
