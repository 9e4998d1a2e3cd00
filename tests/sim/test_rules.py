"""The rules bite: a core that does one thing wrong is found out, whichever thing it is.

The core itself is left as it is; what it sends or records is spoilt on the way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from b2bua.effects import Effect, Flow, Record

from .profile import KINDS
from .report import explain
from .rules import check
from .world import World

Spoil = Callable[[bytes], list[bytes]]
CLEAN = range(KINDS.index("clean"), 12 * len(KINDS), len(KINDS))


class Spoilt(World):
    """A world whose core sends what `spoil` makes of its messages, and records what `spoil_record` makes of them."""

    def __init__(self, seed: int, spoil: Spoil, spoil_record: Callable[[Record], list[Record]]) -> None:
        self._spoil = spoil
        self._spoil_record = spoil_record
        super().__init__(seed)

    def send(self, data: bytes, flow: Flow) -> None:
        for message in self._spoil(data):
            super().send(message, flow)

    def perform(self, effects: list[Effect]) -> None:
        spoilt: list[Effect] = []
        for effect in effects:
            spoilt += self._spoil_record(effect) if isinstance(effect, Record) else [effect]
        super().perform(spoilt)


def is_noticed(
    rule: str,
    spoil: Spoil = lambda data: [data],
    spoil_record: Callable[[Record], list[Record]] = lambda record: [record],
) -> bool:
    """Whether one of the clean runs, spoilt so, breaks that rule."""
    for seed in CLEAN:
        world = Spoilt(seed, spoil, spoil_record)
        world.run()
        if any(violation.rule == rule for violation in check(world)):
            return True
    return False


def without(*starts: bytes) -> Spoil:
    return lambda data: [] if data.startswith(starts) else [data]


def changed(start: bytes, pattern: bytes, replacement: bytes) -> Spoil:
    return lambda data: [re.sub(pattern, replacement, data, count=1) if data.startswith(start) else data]


def also(start: bytes, pattern: bytes, replacement: bytes) -> Spoil:
    return lambda data: [data, re.sub(pattern, replacement, data, count=1)] if data.startswith(start) else [data]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        pytest.param(without(b"BYE"), "ended", id="no BYE"),
        pytest.param(without(b"CANCEL"), "ended", id="no CANCEL"),
        pytest.param(without(b"ACK"), "acknowledged", id="no ACK"),
        pytest.param(without(b"SIP/2.0 487", b"SIP/2.0 480"), "one final", id="no final response"),
        pytest.param(also(b"SIP/2.0 200", rb"200 OK", b"202 Accepted"), "one final", id="two final responses"),
        pytest.param(also(b"SIP/2.0 486", rb"486 Busy Here", b"180 Ringing"), "one final", id="180 after a final"),
        pytest.param(changed(b"BYE", rb"CSeq: \d+", b"CSeq: 1"), "cseq", id="CSeq used again"),
        pytest.param(changed(b"BYE", rb"To: (.*);tag=\w+", rb"To: \1;tag=no"), "known", id="wrong tag"),
        pytest.param(changed(b"CANCEL", rb"branch=[\w.-]+", b"branch=z9hG4bKno"), "cancel", id="CANCEL of nothing"),
        pytest.param(changed(b"INVITE", rb"Max-Forwards: \d+", b"Max-Forwards: 0"), "request", id="no hops left"),
        pytest.param(changed(b"INVITE", rb"Via: ", b"Via: SIP/2.0/UDP a;branch=z9hG4bK1, "), "request", id="two Vias"),
        pytest.param(changed(b"SIP/2.0 200", rb"\no=- (\d+) \d+", rb"\no=- \1 9"), "origin", id="wrong version"),
        pytest.param(changed(b"SIP/2.0 200", rb"\ns=\w+", b"\ns=nobody"), "agreed", id="somebody else's media"),
        pytest.param(changed(b"SIP/2.0 180", rb"To: (.*);tag=\w+", rb"To: \1"), "response", id="180 without tag"),
        pytest.param(changed(b"INVITE", rb"INVITE [^\r]*", b"INVITE"), "readable", id="no Request-URI"),
        pytest.param(also(b"MESSAGE", rb"branch=\w+", b"branch=z9hG4bKno"), "written", id="a message twice"),
        pytest.param(changed(b"MESSAGE", rb"message", b"massage"), "written", id="what nobody wrote"),
        pytest.param(changed(b"SIP/2.0 480", rb"480 .*", b"200 OK"), "written", id="a message that nobody got"),
    ],
)
def test_what_the_core_sends_wrong_is_noticed(spoil: Spoil, rule: str) -> None:
    assert is_noticed(rule, spoil)


@pytest.mark.parametrize(
    ("spoil_record", "rule"),
    [
        pytest.param(lambda record: [record, record], "one record", id="twice"),
        pytest.param(lambda record: [] if record.direction == "in" else [record], "one record", id="no caller's"),
        pytest.param(lambda record: [] if record.direction == "out" else [record], "one record", id="no called's"),
        pytest.param(lambda record: [msgspec.structs.replace(record, answer=None)], "agreed", id="never answered"),
        pytest.param(lambda record: [msgspec.structs.replace(record, cause=499)], "agreed", id="another cause"),
    ],
)
def test_what_the_core_records_wrong_is_noticed(spoil_record: Callable[[Record], list[Record]], rule: str) -> None:
    assert is_noticed(rule, spoil_record=spoil_record)


def test_an_ack_that_does_not_wait_for_the_caller_is_noticed() -> None:
    class Deaf(World):
        """The audit hears no caller's ACK, as if ours had gone out before one came."""

        def received(self, data: bytes, flow: Flow) -> None:
            if data.startswith(b"ACK"):
                self.perform(self.core.datagram(data, flow, self.clock.now, self.wall))
            else:
                super().received(data, flow)

    world = Deaf(0)
    world.run()
    assert "ack order" in {violation.rule for violation in check(world)}


def test_a_failed_run_shows_the_seed_the_rule_and_the_ladder() -> None:
    world = Spoilt(0, without(b"BYE"), lambda record: [record])
    world.run()
    text = explain(world, check(world))
    assert text.startswith("seed 0 (clean): ")
    assert "ended: " in text
    assert " -> b2bua " in text
    assert text.endswith("python -m tests.sim 0")
