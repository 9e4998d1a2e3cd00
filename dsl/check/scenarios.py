"""`test` blocks: steps that make sense in their order, with times, statuses and states that exist.

Owns nothing of running them; that is for `tester`.
"""

from __future__ import annotations

import re
from datetime import datetime

from dsl import tree
from dsl.check.report import Report
from dsl.check.rules import decision_word
from dsl.check.values import Values
from dsl.diagnostics import joined, line_of, suggestion
from dsl.vocabulary import DECISIONS, WITHIN_A_CALL, Type

_GIVEN_STATES = ("registered", "busy", "up", "full")
_TRANSPORTS = ("udp", "tcp", "tls")
_HAPPENINGS: dict[type[tree.Node], str] = {
    tree.HoldStep: "hold",
    tree.ResumeStep: "resume",
    tree.TransferStep: "transfer",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d").fullmatch
_SOMETHING_FIRST = "write `call ...`, `message ...` or `register ...` first"
_IN_A_CALL = ("call", *WITHIN_A_CALL)


def check_scenarios(script: tree.Script, values: Values, report: Report) -> None:
    """Check every test."""
    titles: dict[str, tree.Text] = {}
    for declaration in script.declarations:
        if isinstance(declaration, tree.Test):
            title = declaration.title
            if title.value in titles:
                first = titles[title.value].span
                report.wrong(title, "another test has this title", f"it stands in {line_of(first, title.span)}", first)
            titles.setdefault(title.value, title)
            _Checker(values, report).test(declaration)


class _Checker:
    def __init__(self, values: Values, report: Report) -> None:
        self.values = values
        self.report = report

    def test(self, test: tree.Test) -> None:
        """Check the steps of one test."""
        event = ""
        expected = False
        for step in test.steps:
            match step:
                case tree.CallStep():
                    event = "call"
                    self._circumstances(step.circumstances, event)
                case tree.MessageStep():
                    event = "message"
                    self._circumstances(step.circumstances, event)
                case tree.RegisterStep():
                    event = "register"
                    self._circumstances(step.circumstances, event)
                case tree.HoldStep() | tree.ResumeStep() | tree.TransferStep():
                    if event not in _IN_A_CALL:
                        self.report.wrong(step, "there is no call here", "write `call ...` first")
                    event = _HAPPENINGS[type(step)]
                case tree.ExpectDecision() | tree.ExpectResponse() | tree.ExpectTag() | tree.ExpectMedia():
                    expected = True
                    if not event:
                        self.report.wrong(step, "nothing has happened yet", _SOMETHING_FIRST)
                    self._expect(step, event or "call")
                case _:
                    self._given(step)
        if not expected:
            self.report.wrong(test.title, "this test expects nothing", "add `expect ...`")

    def _circumstances(self, circumstances: tuple[tree.Circumstance, ...], event: str) -> None:
        seen: set[type[tree.Node]] = set()
        for circumstance in circumstances:
            if type(circumstance) in seen and not isinstance(circumstance, tree.WithHeader):
                self.report.wrong(circumstance, "this was said already", "leave it out")
            seen.add(type(circumstance))
            match circumstance:
                case tree.WithSource(source=tree.Network() as network):
                    self.values.type_of(network)
                case tree.WithTransport(transport=transport) if transport.text not in _TRANSPORTS:
                    advice = "write `udp`, `tcp` or `tls`"
                    self.report.wrong(transport, f"there is no transport `{transport.text}`", advice)
                case tree.WithContacts() | tree.WithExpires() if event != "register":
                    self.report.wrong(circumstance, f"a {event} has no such thing", "it belongs to `register`")
                case _:
                    pass

    def _given(self, step: tree.TestStep) -> None:
        match step:
            case tree.GivenTime(time=time):
                if not _is_a_time(time.value):
                    advice = 'one is written `"2026-12-24 19:00"`'
                    self.report.wrong(time, f"`{time.value}` is no time", advice)
            case tree.GivenAnswer(party=party, code=code):
                self.values.type_of(party)
                if not 200 <= code.value <= 699:
                    self.report.wrong(code, f"`{code.value}` is no answer", "write a status from 200 to 699")
            case tree.GivenRings(party=party):
                self.values.type_of(party)
            case tree.GivenState(subject=subject, state=state):
                self._state(subject, state)
            case _:
                pass

    def _state(self, subject: tree.Expression, state: tree.Name) -> None:
        if state.text not in _GIVEN_STATES:
            advice = suggestion(state.text, _GIVEN_STATES)
            known = joined(f"`{name}`" for name in _GIVEN_STATES)
            self.report.wrong(state, f"`{state.text}` cannot be given", advice or f"write {known}")
            return
        kind = self.values.type_of(subject)
        wanted = Type.TRUNK if state.text in ("up", "full") else Type.USER
        if kind not in (wanted, Type.UNKNOWN):
            self.report.wrong(subject, f"this is {kind}, and only {wanted} is ever `{state.text}`")

    def _expect(
        self, step: tree.ExpectDecision | tree.ExpectResponse | tree.ExpectTag | tree.ExpectMedia, event: str
    ) -> None:
        match step:
            case tree.ExpectMedia() if event not in _IN_A_CALL:
                self.report.wrong(step, f"a `{event}` has no media")
            case tree.ExpectResponse(code=code):
                if not 100 <= code.value <= 699:
                    self.report.wrong(code, f"`{code.value}` is no response", "write a status from 100 to 699")
            case tree.ExpectDecision(decision=decision):
                word = decision_word(decision)
                if isinstance(decision, tree.Do):
                    self.report.wrong(decision, "a sub is no decision", "write what it should decide")
                elif word not in DECISIONS[event]:
                    self.report.wrong(decision, f"`{word}` cannot decide a `{event}`")
                if isinstance(decision, tree.Dial) and decision.outcomes:
                    advice = "write `given ... answers ...` and the next `expect`"
                    self.report.wrong(decision.outcomes[0], "no outcome can be expected here", advice)
            case _:
                pass


def _is_a_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME(text) is not None
