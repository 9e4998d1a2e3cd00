"""A decision that takes more steps than it may: the caller hears 500, and the operator of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Log, Send
from b2bua.settings import Listener, Settings
from dsl.policy import load

SLOW = "".join(f'  when header "X-{number}" == "1" and authenticated -> reject 403\n' for number in range(9))
SCRIPT = f"""policy "slow"
domain example.com
emergency 112
on register {{
{SLOW}  otherwise -> accept
}}
on call {{
  when dialed == "1" -> reject 404
  also when dialed == "2" -> log "two"
{SLOW}  otherwise -> reject 404
}}
"""
STEPS = 15
GIVEN_UP = SCRIPT[: SCRIPT.index("on call")].count("\n") + 1 + 2 + 7
PHONE = Flow("UDP", "192.0.2.100", 5060, "198.51.100.7", 5060)


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Core:
    for module in ("dsl.compile", "dsl.evaluate", "dsl.policy"):
        monkeypatch.setattr(f"{module}.MOST_STEPS", STEPS)
    script = tmp_path / "slow.route"
    script.write_text(SCRIPT, encoding="utf-8")
    policy = load(script)
    draw = random.Random(1)
    settings = Settings(listen=(Listener("UDP", "192.0.2.100", 5060),))
    return Core(settings, policy, lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9)


def request(core: Core, method: str, dialed: str) -> list[Effect]:
    """What a request leads to."""
    data = (
        f"{method} sip:{dialed}@example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{method}{dialed};rport\r\n"
        f"From: <sip:alice@example.com>;tag=1\r\nTo: <sip:{dialed}@example.com>\r\nCall-ID: {dialed}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:alice@198.51.100.7>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    return core.datagram(data.encode(), PHONE, 1.0, 1e9)


def status(effects: list[Effect]) -> str:
    sent = [effect.data.split(b"\r\n")[0].decode() for effect in effects if isinstance(effect, Send)]
    return sent[-1]


def alarms(effects: list[Effect]) -> list[Log]:
    return [effect for effect in effects if isinstance(effect, Log) and effect.level == "error"]


def test_a_call_is_refused_and_the_operator_is_told_where(core: Core) -> None:
    effects = request(core, "INVITE", "2")
    assert status(effects) == "SIP/2.0 500 Server Internal Error"
    [alarm] = alarms(effects)
    assert alarm.event == "policy failed"
    assert alarm.fields["why"] == f"the decision was given up at {GIVEN_UP}:3: it took more than {STEPS} steps"
    assert [effect.fields["said"] for effect in effects if isinstance(effect, Log) and effect.event == "policy"] == [
        "two"
    ]
    assert core.counters["decisions_failed"] == 1


def test_a_registration_is_refused_likewise(core: Core) -> None:
    effects = request(core, "REGISTER", "bob")
    assert status(effects) == "SIP/2.0 500 Server Internal Error"
    assert len(alarms(effects)) == core.counters["decisions_failed"] == 1


@pytest.mark.parametrize("dialed", ["1", "112"])
def test_what_is_decided_before_and_a_call_for_help_is_not(core: Core, dialed: str) -> None:
    effects = request(core, "INVITE", dialed)
    assert status(effects).split()[1] in ("403", "404")
    assert alarms(effects) == []
    assert "decisions_failed" not in core.counters
