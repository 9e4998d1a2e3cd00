"""The walk itself: an event's block, from its first rule to a decision.

Owns blocks, statements, subs and dials, and what is left of a dial until it ends. A frame of a walk numbers dials in
the order of the file and holds names as they are written, so it is resumed by a walk.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree
from dsl.compile_edits import clean
from dsl.compile_setup import Setup
from dsl.decision import (
    Accept,
    Action,
    Answer,
    Challenge,
    Continue,
    Decision,
    Dial,
    Event,
    Facts,
    Frame,
    HeaderEdit,
    Media,
    Outcome,
    Play,
    Redirect,
    Reject,
)
from dsl.policy import default_of
from dsl.resolve.contexts import contexts
from dsl.spoken import spoken
from dsl.vocabulary import GOES_ON, MEDIA, PARAMETER_TYPES, REFUSED, SERVICES, Type
from dsl.walk.conditions import answer
from dsl.walk.dialling import delivery_of, forwarder_of, redirected_to, steps_of, transfer_of, user_called
from dsl.walk.questions import Questions
from dsl.walk.trace import Part, Tried, Walked
from dsl.walk.values import Value, composed, type_of, value_of
from dsl.walk.view import View, facts_in

_NOWHERE = Reject(480)
_FORWARDED = 181


class EndedError(Exception):
    """A walk has come to where it was to end; `tried` are the rules before that."""

    def __init__(self, tried: tuple[Tried, ...]) -> None:
        super().__init__(tried)
        self.tried = tried


class Walker:
    """Walks one script: its `setup` is that of its files, and `version` its policy's hash."""

    def __init__(self, script: tree.Script, setup: Setup, version: str) -> None:
        self.setup = setup
        self.version = version
        self.events = {event: item for item in script.declarations if isinstance(item, tree.On) for event in item.names}
        self.subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
        self.contexts = contexts(script, self.subs)
        self.dials: list[tuple[tree.Dial, tree.Sub | None]] = [
            (node, item if isinstance(item, tree.Sub) else None)
            for item in script.declarations
            if isinstance(item, tree.On | tree.Sub)
            for node in tree.walk(item)
            if isinstance(node, tree.Dial)
        ]

    def decide(self, event: Event, facts: Facts, until: str = "") -> Walked:
        """What the policy says to an event that is no outcome, one that it leaves out included.

        `until`: the place of a statement at which the walk ends, with nothing decided. Raises EndedError there.
        """
        on = self.events.get(event)
        if on is None:
            left_out = Continue() if event in GOES_ON else Reject(REFUSED[event])
            return Walked(Decision(left_out, self.version), ())
        return _Walk(self, facts, until).through(on.body, View(self.setup, facts, None, facts_in([event])), top=True)

    def resume(self, frame: Frame, outcome: Outcome, facts: Facts, until: str = "") -> Walked:
        """What follows when a dial ended: its own rule, else the event's, else the default. `until` as in `decide`."""
        dial, sub = self.dials[frame.dial]
        for nested in dial.outcomes:
            kinds = [kind.text for kind in nested.kinds]
            if outcome.kind in kinds:
                walk = _Walk(self, facts, until)
                walk.came_to(nested.span, nested.written)
                view = View(self.setup, facts, outcome, facts_in(kinds))
                return walk.through(nested.body, view.with_names(frame.names, _users_among(sub)), top=False)
        on = self.events.get(outcome.kind)
        if on is None:
            return Walked(Decision(default_of(outcome), self.version), ())
        view = View(self.setup, facts, outcome, facts_in(on.names))
        return _Walk(self, facts, until).through(on.body, view, top=True)


class _Walk:
    """One event's way; `depth` is how many rules are around the one that is tried."""

    def __init__(self, walker: Walker, facts: Facts, until: str) -> None:
        self.walker = walker
        self.until = until
        self.questions = Questions(facts, walker.setup)
        self.rules: list[str] = []
        self.headers: list[HeaderEdit] = []
        self.tags: dict[str, str] = {}
        self.logs: list[str] = []
        self.media: Media | None = None
        self.tried: list[Tried] = []
        self.depth = 0

    def through(self, block: tree.Block, view: View, top: bool) -> Walked:
        """Walk a block to its decision, which a checked policy always comes to."""
        action = self._block(block, view, top)
        if action is None:
            raise ValueError(f"the block that ends at {block.end.place} was not checked")
        takes = () if isinstance(action, Challenge) else tuple(self.questions.takes)
        decision = Decision(
            action,
            self.walker.version,
            tuple(self.rules),
            takes,
            tuple(self.headers),
            self.tags,
            tuple(self.logs),
            self.questions.asked,
            self.media,
            tuple(self.questions.turns),
        )
        return Walked(decision, tuple(self.tried))

    def came_to(
        self, span: tree.Span, rule: str, why: str = "", matched: bool = True, parts: tuple[Part, ...] = ()
    ) -> None:
        """Note a rule; one that matched is one of those that decide."""
        self.tried.append(Tried(span.place, rule, matched, why, self.depth, parts))
        if matched:
            self.rules.append(span.place)

    # Statements

    def _block(self, block: tree.Block, view: View, top: bool = False) -> Action | None:
        for statement in block.statements:
            if self.until and tree.head_of(statement).place == self.until:
                raise EndedError(tuple(self.tried))
            action = self._statement(statement, view, top)
            if action is not None:
                return action
        return None

    def _statement(self, statement: tree.Statement, view: View, top: bool) -> Action | None:
        match statement:
            case tree.When(condition=condition, body=body, head=head):
                return self._rule(condition, body, head, "when", view)
            case tree.AlsoWhen(condition=condition, body=body, head=head):
                self._rule(condition, body, head, "also when", view)
                return None
            case tree.Otherwise(body=body, head=head):
                self.came_to(head, "otherwise")
                return self._inside(body, view.inner())
            case tree.Tag() | tree.Log() | tree.SetHeader() | tree.StripHeader() | tree.Media():
                self._edit(statement, view)
                return None
            case _:
                if top:
                    self.came_to(statement.span, _word(statement))
                return self._decision(statement, view)

    def _rule(
        self, condition: tree.Condition, body: tree.Block, head: tree.Span, word: str, view: View
    ) -> Action | None:
        inner = view.inner()
        found = answer(condition, inner, self.questions)
        self.came_to(head, f"{word} {spoken(condition)}", found.why, found.holds, found.parts)
        return self._inside(body, inner) if found.holds else None

    def _inside(self, body: tree.Block, view: View) -> Action | None:
        self.depth += 1
        action = self._block(body, view)
        self.depth -= 1
        return action

    def _edit(self, action: tree.Action, view: View) -> None:
        match action:
            case tree.Media(choice=choice):
                self.media = next(way for way in MEDIA if way == choice.text)
            case tree.StripHeader(name=name):
                self.headers.append(HeaderEdit(name.value, None))
            case tree.Tag(value=expression) | tree.Log(text=expression) | tree.SetHeader(value=expression):
                if isinstance(action, tree.Log) and isinstance(expression, tree.Composed):
                    value: Value = composed(expression, view, "-")
                else:
                    value = value_of(expression, view)
                if value is not None:
                    self._write(action, clean(value))
            case _:
                assert_never(action)

    def _write(self, action: tree.Tag | tree.Log | tree.SetHeader, text: str) -> None:
        match action:
            case tree.Tag(name=name):
                self.tags[name.text] = text
            case tree.Log():
                self.logs.append(text)
            case tree.SetHeader(name=header):
                self.headers.append(HeaderEdit(header.value, text))
            case _:
                assert_never(action)

    # Decisions

    def _decision(self, decision: tree.Decision, view: View) -> Action | None:
        match decision:
            case tree.Challenge():
                return Challenge()
            case tree.Accept(max_contacts=most, min_expires=low, max_expires=high):
                return Accept(None if most is None else most.value, _whole(low), _whole(high))
            case tree.Reject(code=code, reason=reason):
                return Reject(code.value, None if reason is None else reason.value)
            case tree.Redirect(code=code, target=target):
                uri = redirected_to(target, view)
                return _NOWHERE if uri is None else Redirect(code.value, uri)
            case tree.Dial():
                return self._dial(decision, view)
            case tree.Do():
                return self._do(decision, view)
            case tree.Answer(sound=tree.Name(text=sound), loop=loop):
                return Answer("play", sound, loop)
            case tree.Answer(service=service):
                return Answer(next(known for known in SERVICES if known == service.text))
            case tree.Play(sound=sound, loop=loop):
                return Play(sound.text, loop)
            case tree.Continue():
                return Continue()
            case tree.Transfer():
                return transfer_of(decision, view)
            case tree.Deliver(target=target):
                return delivery_of(target, view)
            case _:
                assert_never(decision)

    def _dial(self, dial: tree.Dial, view: View) -> Dial:
        number = next(number for number, (known, _) in enumerate(self.walker.dials) if known is dial)
        frame = Frame(self.walker.version, number, dict(view.names))
        steps = steps_of(dial, view, self.questions)
        if not dial.forwarded:
            return Dial(steps, frame)
        notify = _FORWARDED if dial.notify is None else dial.notify.value
        return Dial(steps, frame, forwarder_of(dial, view), notify)

    def _do(self, do: tree.Do, view: View) -> Action | None:
        sub = self.walker.subs[do.sub.text]
        names: dict[str, object] = {}
        for parameter, argument in zip(sub.parameters, do.arguments, strict=True):
            value = value_of(argument, view)
            wants_user = PARAMETER_TYPES[parameter.type.text] is Type.USER
            if wants_user and type_of(argument, view) is not Type.USER:
                value = user_called(value, view)
            names[parameter.name.text] = value
        known = facts_in(self.walker.contexts[do.sub.text])
        there = View(view.setup, view.facts, view.outcome, known).with_names(names, _users_among(sub))
        return self._block(sub.body, there, top=True)


def _users_among(sub: tree.Sub | None) -> frozenset[str]:
    """The names of a sub's parameters that are users."""
    parameters = () if sub is None else sub.parameters
    return frozenset(item.name.text for item in parameters if PARAMETER_TYPES[item.type.text] is Type.USER)


def _word(decision: tree.Decision) -> str:
    if isinstance(decision, tree.Do):
        return f"do {decision.sub.text}({', '.join(spoken(argument) for argument in decision.arguments)})"
    if isinstance(decision, tree.Dial) and decision.forwarded:
        return "forward"
    return type(decision).__name__.lower()


def _whole(duration: tree.Duration | None) -> int | None:
    return None if duration is None or duration.seconds is None else int(duration.seconds)
