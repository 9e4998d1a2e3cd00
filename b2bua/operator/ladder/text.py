"""A case as text: its ladder with what belongs around it, its messages one after the other, and all of it as JSON.

Owns what stands above and below a ladder. Leaves the ladder to `drawing`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime

import msgspec

from b2bua.operator.columns import printable
from b2bua.operator.ladder.case import Case
from b2bua.operator.ladder.drawing import Line, draw
from b2bua.operator.ladder.reading import user_of
from b2bua.operator.ladder.story import story_of
from b2bua.operator.show import clock, table
from b2bua.sip.uri import host_port
from b2bua.tape import Kept

_SEPARATOR = "-" * 80


def told_lines(case: Case, width: int) -> Iterator[Line]:
    """The sentence, the ladder, the rules with their lines; the records in place of messages where there are none."""
    story = story_of(case)
    yield from _wrapped(story.sentence, width, "sentence")
    yield Line(f"call {case.call}, {_when(case.start)}", "head")
    yield Line("", "head")
    if case.messages:
        yield from (Line(printable(line.text), line.kind) for line in draw(story, width))
        if case.left_out:
            yield Line(f"{case.left_out} more messages were not kept: of each leg the first and the last are", "remark")
    else:
        yield Line(f"its messages were not kept: {case.unkept}", "remark")
        yield from (Line(text, "message") for text in _legs(case).splitlines())
        yield from (Line(printable(line.text), line.kind) for line in draw(story, width))
    yield Line("", "head")
    for place in case.fired():
        yield from _wrapped(f"{place}  {place.text}", width, "decision")
    if case.tags:
        yield from _wrapped("tags: " + ", ".join(f"{name} {value}" for name, value in case.tags.items()), width, "head")
    if case.joined:
        yield Line(f"the other call: b2bua show call {case.joined}", "head")


def _wrapped(text: str, width: int, kind: str) -> Iterator[Line]:
    for line in textwrap.wrap(printable(text), width, subsequent_indent="    ", break_on_hyphens=False):
        yield Line(line, kind)


def messages_text(case: Case) -> str:
    """Each message as it was, below a line with its time, its transport and from where it went to where."""
    return "".join(f"{_SEPARATOR}\n{_headline(kept)}\n{_SEPARATOR}\n{_text(kept)}\n" for kept in case.messages)


def case_json(case: Case) -> object:
    """All that is known, for programs: the story, the legs, the decisions, the messages with their text."""
    story = story_of(case)
    return msgspec.to_builtins(
        {
            "call": case.call,
            "sentence": story.sentence,
            "caller": case.caller,
            "callee": case.callee,
            "start": case.start,
            "in_progress": case.live,
            "policy": case.policy,
            "rules": [{"place": str(place), "column": place.column, "text": place.text} for place in case.fired()],
            "tags": case.tags,
            "legs": case.legs,
            "columns": story.columns,
            "steps": story.steps,
            "decisions": case.events,
            "messages": [_message(kept) for kept in case.messages],
            "messages_left_out": case.left_out,
            "messages_missing": case.unkept,
        }
    )


def _message(kept: Kept) -> dict[str, object]:
    return {
        "time": kept.wall,
        "sent": kept.sent,
        "transport": kept.transport,
        "local": host_port(kept.local, kept.local_port),
        "remote": host_port(kept.remote, kept.remote_port),
        "text": kept.data.decode("utf-8", "backslashreplace"),
    }


def _headline(kept: Kept) -> str:
    ours, theirs = host_port(kept.local, kept.local_port), host_port(kept.remote, kept.remote_port)
    way = f"{ours} -> {theirs}" if kept.sent else f"{theirs} -> {ours}"
    return f"{datetime.fromtimestamp(kept.wall):%Y-%m-%d %H:%M:%S.%f} {kept.transport} {way}"


def _text(kept: Kept) -> str:
    return kept.data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def _legs(case: Case) -> str:
    rows = []
    for leg in case.legs:
        who = leg.party or (case.caller_name if leg.direction == "in" else leg.trunk or user_of(leg.target))
        talked = "-" if leg.answer is None else clock((leg.end or case.now) - leg.answer)
        status = f"{leg.cause} {leg.reason}".rstrip() if leg.cause else "in progress"
        rows.append((str(leg.number), leg.direction, who, leg.target, status, talked, leg.hung_up_by or "-"))
    return table(("LEG", "WAY", "PARTY", "TARGET", "STATUS", "TALKED", "HUNG UP BY"), rows)


def _when(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall):%Y-%m-%d %H:%M:%S}"
