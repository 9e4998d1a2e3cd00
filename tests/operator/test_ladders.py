"""Ladders and sentences of calls as the flows play them, to the letter, and what they keep to in any width."""

from __future__ import annotations

import msgspec
import pytest

from b2bua.operator.ladder.drawing import NARROWEST, draw
from b2bua.operator.ladder.steps import Arrow
from b2bua.operator.ladder.story import story_of
from b2bua.operator.ladder.text import messages_text, told_lines

from .flow_cases import LADDERS, cases, ladder

pytestmark = pytest.mark.usefixtures("in_utc")

NAMES = sorted(path.stem for path in LADDERS.glob("*.txt"))
FLOWS = sorted({name.partition("@")[0] for name in NAMES})


@pytest.mark.parametrize("name", NAMES)
def test_a_flow_is_drawn_as_written(name: str) -> None:
    flow, _, width = name.partition("@")
    assert ladder(flow, int(width or 80)) == (LADDERS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("width", [NARROWEST, 80, 97, 200])
def test_no_line_is_longer_than_the_terminal(flow: str, width: int) -> None:
    for case in cases(flow):
        assert [line.text for line in told_lines(case, width) if len(line.text) > width] == []


@pytest.mark.parametrize("flow", FLOWS)
def test_every_message_is_an_arrow_and_in_the_text(flow: str) -> None:
    for case in cases(flow):
        story = story_of(case)
        assert sum(step.count for step in story.steps if isinstance(step, Arrow)) == len(case.messages)
        for width in (NARROWEST, 120):
            drawn = [line for line in draw(story, width) if line.kind in ("message", "failure")]
            assert len(drawn) == sum(isinstance(step, Arrow) for step in story.steps)
        text = messages_text(case)
        assert all(kept.data.decode().replace("\r\n", "\n") in text for kept in case.messages)


def test_a_call_without_messages_has_its_records_decisions_and_why() -> None:
    [case] = cases("e01-busy-then-another")
    silent = msgspec.structs.replace(case, messages=(), unkept="this server keeps none")
    assert [" ".join(line.text.split()) for line in told_lines(silent, 100)][1:] == [
        "e01-busy-then-another.route:17; carol was busy, so the call was refused with 486 Busy Here",
        f"call {case.call}, 2026-01-01 00:00:00",
        "",
        "its messages were not kept: this server keeps none",
        "LEG WAY PARTY TARGET STATUS TALKED HUNG UP BY",
        "0 in alice 486 Busy Here - -",
        "1 out bob sip:bob@192.0.2.11:5060 486 Busy Here - -",
        "2 out carol sip:carol@192.0.2.12:5060 486 Busy Here - -",
        "0.000 * e01-busy-then-another.route:16: dial bob",
        "0.500 * e01-busy-then-another.route:17: bob busy (486) -> dial carol",
        "1.000 * no rule: carol busy (486) -> reject 486",
        "",
        "e01-busy-then-another.route:16 otherwise -> dial callee {",
        "e01-busy-then-another.route:17 busy -> dial carol",
    ]


def test_decisions_that_are_not_known_yet_are_those_of_the_records() -> None:
    [case] = cases("b01-basic-call")
    bare = msgspec.structs.replace(case, events=())
    assert story_of(bare).sentence == (
        "alice called bob; decided by b01-basic-call.route:15; hung up by alice after 0:17"
    )
    unknown = msgspec.structs.replace(bare, versions={})
    assert "decided by rule 15:11" in story_of(unknown).sentence


def test_what_cannot_be_read_has_its_first_line() -> None:
    [case] = cases("b01-basic-call")
    first, *rest = case.messages
    broken = msgspec.structs.replace(first, data=first.data.replace(b"CSeq: ", b"CSeq: x"))
    told = story_of(msgspec.structs.replace(case, messages=(broken, *rest)))
    assert next(step.label for step in told.steps if isinstance(step, Arrow)) == (
        "unreadable: INVITE sip:bob@acme.example SIP/2.0"
    )


def test_a_name_cannot_write_to_the_terminal() -> None:
    [case] = cases("b01-basic-call")
    rude = msgspec.structs.replace(case, caller="al\x1b[2Jice\n")
    assert all(line.text.isprintable() for line in told_lines(rude, 80))
