"""A story as a ladder of a given width: one lifeline for each party, ours second, time downwards.

Owns the layout. Where not all parties fit beside each other, one takes the place of another that has left; where that
is not enough, the rest have a ladder of their own below. What is too long for its place loses addresses first. Plain
characters, so that it can be pasted anywhere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import msgspec

from b2bua.operator.ladder.steps import Arrow, Column, Decided, Remark, Story

NARROWEST = 60
"""Characters that a ladder needs at least."""

_TIME = 9
_LEFT = 3
_RIGHT = 6
_LEAST_GAP = 17
_WIDEST_GAP = 44
_US = "b2bua"


class Line(msgspec.Struct, frozen=True):
    """A line and what it is: head, message, failure, decision or remark."""

    text: str
    kind: str


class _Layout:
    """Where the lifelines of the caller, of us (number 1) and of so many `places` more stand in a width."""

    def __init__(self, places: int, width: int) -> None:
        self.width = width
        count = places + 2
        self.gap = min(_WIDEST_GAP, (width - _TIME - _LEFT - _RIGHT) // (count - 1))
        self.lifelines = [_TIME + _LEFT + self.gap * number for number in range(count)]

    def empty(self) -> list[str]:
        """A row with the lifelines alone."""
        row = [" "] * (self.width + 1)
        for at in self.lifelines:
            row[at] = "|"
        return row

    def names(self, named: Sequence[tuple[int, str]]) -> str:
        """A row with names at their lifelines."""
        row = [" "] * (self.width + 1)
        for number, name in named:
            text = _cut(name, self.gap - 1)
            begin = max(0, min(self.lifelines[number] - len(text) // 2, self.width - len(text)))
            row[begin : begin + len(text)] = text
        return "".join(row).rstrip()


def draw(story: Story, width: int) -> list[Line]:
    """The ladder's lines, none longer than `width` (or NARROWEST, if that is more)."""
    width = max(width, NARROWEST)
    caller, others = list(story.columns[:1]), list(story.columns[1:])
    fit = max(1, (width - _TIME - _LEFT - _RIGHT) // _LEAST_GAP - 1)
    lines: list[Line] = []
    if not caller:
        return [_decision(step, [], width) for step in story.steps if isinstance(step, Decided)]
    first = True
    while first or others:
        placed, others = _placed(others, fit)
        places = max([*placed.values(), 1])
        lines += [] if first else [Line("", "head"), Line("further legs:", "head")]
        lines += _block(story, caller[0], placed, places, width, first)
        first = False
    return lines


def _placed(columns: Sequence[Column], fit: int) -> tuple[dict[Column, int], list[Column]]:
    """A place from 1 on for each: its own where they fit, else that of somebody who has left; and who has none."""
    placed: dict[Column, int] = {}
    left: list[Column] = []
    taken: list[float] = []
    for column in columns:
        free = next((number for number, until in enumerate(taken) if until <= column.first), None)
        if len(taken) < fit and (free is None or len(columns) <= fit):
            taken.append(column.last)
            placed[column] = len(taken)
        elif free is not None:
            taken[free] = column.last
            placed[column] = free + 1
        else:
            left.append(column)
    return placed, left


def _block(
    story: Story, caller: Column, placed: dict[Column, int], places: int, width: int, whole: bool
) -> Iterator[Line]:
    """A ladder of these; with the caller's messages and the decisions where it is the `whole` story."""
    layout = _Layout(places, width)
    at = {column.leg: place + 1 for column, place in placed.items()} | {caller.leg: 0}
    named: dict[int, Column] = {0: caller}
    for column, place in placed.items():
        named.setdefault(place + 1, column)
    yield Line(layout.names([(0, caller.name), (1, _US), *((n, c.name) for n, c in named.items() if n)]), "head")
    yield Line(layout.names([(n, _fitting(c.address, layout.gap - 1)) for n, c in named.items()]), "head")
    for step in story.steps:
        if isinstance(step, Decided):
            if whole:
                yield from _decision_lines(step, layout)
            continue
        number = at.get(step.leg)
        if number is None or (number == 0 and not whole):
            continue
        owner = next((column for column in (caller, *placed) if column.leg == step.leg), caller)
        if named[number] is not owner:
            named[number] = owner
            yield Line(_newcomer(layout, number, owner), "head")
        yield _message(step, number, layout) if isinstance(step, Arrow) else _remark(step, number, layout)


def _newcomer(layout: _Layout, number: int, column: Column) -> str:
    """Somebody takes a place that somebody else had."""
    row = layout.empty()
    text = _cut(
        f" {column.name} {_fitting(column.address, layout.gap - len(column.name) - 4)}".rstrip() + " ", layout.gap
    )
    begin = min(layout.lifelines[number] - len(text) // 2, layout.width - len(text))
    row[begin : begin + len(text)] = text
    return "".join(row).rstrip()


def _message(arrow: Arrow, number: int, layout: _Layout) -> Line:
    """An arrow between our lifeline and a party's, its text in the gap before the party."""
    row = layout.empty()
    ours, theirs = layout.lifelines[1], layout.lifelines[number]
    left, right = min(ours, theirs) + 1, max(ours, theirs)
    to_the_right = arrow.sent == (theirs > ours)
    inside = right - left - 1
    near = min(inside, layout.gap - 2)
    text = _dashed(_label(arrow, near - 3), near)
    text = text.rjust(inside, "-")
    row[left:right] = f"{text}>" if to_the_right else f"<{text}"
    return Line(_timed(arrow.time, row), "failure" if arrow.status >= 400 else "message")


def _label(arrow: Arrow, room: int) -> str:
    """The longest way of saying it for which there is room: first the address is left out, then what the rest means."""
    times = f" x{arrow.count}" if arrow.count > 1 else ""
    in_a_word = arrow.session.partition(" (")[0]
    sessions = [f"{arrow.session} at {arrow.media}" if arrow.media else "", arrow.session, in_a_word]
    said = [_bracketed(session) for session in dict.fromkeys(sessions) if session]
    short = [f"{arrow.short}{session}" for session in said]
    whole = [f"{arrow.label}{session}" for session in said]
    texts = [*whole, arrow.label] if arrow.label.startswith("INVITE ") else [*whole, *short, arrow.label]
    texts += [arrow.short] if " " in arrow.short else []
    fitting = next((text for text in texts if len(text) + len(times) <= room), None)
    return (fitting or _cut(arrow.label, room - len(times))) + times


def _bracketed(session: str) -> str:
    return f" {session}" if "(" in session or session in ("on hold", "resumed") else f" ({session})"


def _dashed(text: str, room: int) -> str:
    return f" {text} ".center(room, "-")


def _remark(remark: Remark, number: int, layout: _Layout) -> Line:
    row = layout.empty()
    text = _cut(f"[{remark.text}]", layout.width - _TIME - 1)
    begin = max(_TIME + 1, min(layout.lifelines[number] - len(text) // 2, layout.width - len(text)))
    row[begin : begin + len(text)] = text
    return Line(_timed(remark.time, row), "remark")


def _decision_lines(step: Decided, layout: _Layout) -> Iterator[Line]:
    """Across the ladder, right of the caller's lifeline."""
    begin = layout.lifelines[0] + 2
    for number, text in enumerate(_wrapped(step, layout.width - begin)):
        row = layout.empty()
        row[begin:] = " " * (layout.width - begin)
        row[begin : begin + len(text)] = text
        time = _timed(step.time, row) if number == 0 else "".join(row).rstrip()
        yield Line(time, "decision")


def _decision(step: Decided, row: list[str], width: int) -> Line:
    return Line(_timed(step.time, [" "] * _TIME + list(_said(step))), "decision")


def _wrapped(step: Decided, room: int) -> list[str]:
    return textwrap.wrap(_said(step), room, subsequent_indent="    ", break_long_words=True)


def _said(step: Decided) -> str:
    because = f"{step.because} -> " if step.because else ""
    return f"* {step.places or 'no rule'}: {because}{step.decision}"


def _timed(time: float, row: list[str]) -> str:
    text = f"{time:{_TIME - 1}.3f}"
    return (text + "".join(row)[len(text) :]).rstrip()


def _fitting(address: str, room: int) -> str:
    return address if len(address) <= room else ""


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 2)]}.."
