"""What tests give, and under which circumstances something happens in them: times, statuses and states that exist.

Owns each sentence by itself; their order is `scenarios`'.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import assert_never

from dsl import tree
from dsl.check.report import Report
from dsl.check.values import Values
from dsl.compile_hours import calendar_date
from dsl.diagnostics import joined, suggestion
from dsl.vocabulary import SILENT, Type

MOST_TIMES = 1000
"""How often one sentence can let something happen."""

_STATES = ("registered", "busy", "up", "full", SILENT)
_TRANSPORTS = ("udp", "tcp", "tls")
_CALLED = {"register": "registration", "message": "message"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d").fullmatch


def check_circumstances(
    circumstances: tuple[tree.Circumstance, ...], event: str, values: Values, report: Report, leaves: bool = False
) -> None:
    """Check what is said of how something happens; `leaves`: it is a phone that unregisters."""
    seen: set[type[tree.Node]] = set()
    for circumstance in circumstances:
        if type(circumstance) in seen and not isinstance(circumstance, tree.WithHeader):
            report.wrong(circumstance, "this was said already", "leave it out")
        seen.add(type(circumstance))
        match circumstance:
            case tree.WithSource(source=tree.Network() as network):
                values.type_of(network)
            case tree.WithTransport(transport=transport) if transport.text not in _TRANSPORTS:
                advice = "write `udp`, `tcp` or `tls`"
                report.wrong(transport, f"there is no transport `{transport.text}`", advice)
            case tree.WithContacts() | tree.WithExpires() | tree.WithAgent() if event != "register":
                report.wrong(circumstance, f"a {event} has no such thing", "it belongs to `register`")
            case tree.WithExpires() if leaves:
                report.wrong(circumstance, "a phone that unregisters asks for no time", "leave it out")
            case tree.WithoutName() | tree.WithDiversion() | tree.WithLabel() if event != "call":
                report.wrong(circumstance, f"a {_CALLED[event]} has no such thing", "it belongs to `call`")
            case tree.WithTimes(count=count) if not 1 <= count.value <= MOST_TIMES:
                report.wrong(count, f"nothing happens {count.text} times", f"write a number from 1 to {MOST_TIMES}")
            case _:
                pass


def check_given(step: tree.Given, values: Values, report: Report) -> None:
    """Check one `given`."""
    match step:
        case tree.GivenTime(time=time):
            if not _is_a_time(time.value):
                advice = 'write `"2026-12-24 19:00"`, or without quotes `fri 19:00`, `dec 24 19:00` or `19:00`'
                report.wrong(time, f"`{time.value}` is no time", advice)
        case tree.GivenMoment(day=day, time=time):
            if time.minutes is None or time.minutes == 24 * 60:
                report.wrong(time, f"there is no time `{time.text}`", "times go from `00:00` to `23:59`")
            if isinstance(day, tree.Date) and calendar_date(day) is None:
                report.wrong(day, f"there is no `{day.text}`")
        case tree.GivenAnswer(party=party, code=code):
            values.type_of(party)
            if not 200 <= code.value <= 699:
                report.wrong(code, f"`{code.value}` is no answer", "write a status from 200 to 699")
        case tree.GivenRedirect(party=party, target=target):
            values.type_of(party)
            if isinstance(target, tree.Text):
                values.uri(target)
        case tree.GivenRings(party=party):
            values.type_of(party)
        case tree.GivenState(subject=subject, state=state):
            _state(subject, state, values, report)
        case tree.GivenOver() | tree.GivenBegins():
            pass
        case _:
            assert_never(step)


def _state(subject: tree.Expression, state: tree.Name, values: Values, report: Report) -> None:
    kind = values.type_of(subject)
    if state.text not in _STATES:
        known = joined(f"`{name}`" for name in _STATES)
        report.wrong(state, f"`{state.text}` cannot be given", suggestion(state.text, _STATES) or f"write {known}")
    elif state.text != SILENT:
        wanted = Type.TRUNK if state.text in ("up", "full") else Type.USER
        if kind not in (wanted, Type.UNKNOWN):
            report.wrong(subject, f"this is {kind}, and only {wanted} is ever `{state.text}`")


def _is_a_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME(text) is not None
