"""From the tree of a checked policy to functions: `compiled_program` is the whole of it.

Owns blocks, statements, subs and dials, and the places (`Span.place`) that a decision reports. Expressions,
conditions, dialling and indexes are compiled by the modules of those names; a policy that `check` refuses
must not come here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from dsl import tree
from dsl.compile_conditions import Conditions
from dsl.compile_dialing import compiled_delivery, compiled_forwarder, compiled_steps, compiled_transfer, compiled_uri
from dsl.compile_edits import compiled_edit
from dsl.compile_index import Statement, indexed
from dsl.compile_setup import Setup
from dsl.compile_values import Kind, Scope
from dsl.decision import Accept, Action, Answer, Challenge, Continue, Dial, Frame, Play, Redirect, Reject
from dsl.evaluate import MOST_STEPS, BudgetError, Execute, Run, Value
from dsl.resolve.contexts import contexts
from dsl.steps import most_steps, steps
from dsl.values import Frozen
from dsl.vocabulary import FACTS, SERVICES

_NOWHERE = Reject(480)
_FORWARDED = 181


class Program(Frozen):
    """Blocks by event, and for each dial of the policy the blocks of its own outcomes by kind.

    `headers` are those of the request that some rule may come to ask for, by their lower-case names.
    """

    events: dict[str, Execute]
    dials: tuple[dict[str, Execute], ...]
    headers: tuple[str, ...]


def compiled_program(script: tree.Script, setup: Setup, version: str) -> Program:
    """Compile every event of a script; `version` is the policy's hash, which frames carry."""
    compiler = _Compiler(script, setup, version)
    events = {
        event: block
        for declaration in script.declarations
        if isinstance(declaration, tree.On)
        for block in [compiler.block(declaration.body, compiler.scope(declaration.names), top=True)]
        for event in declaration.names
    }
    return Program(events, tuple(compiler.dials), tuple(sorted(compiler.headers)))


class _Compiler:
    def __init__(self, script: tree.Script, setup: Setup, version: str) -> None:
        self.setup = setup
        self.version = version
        self.dials: list[dict[str, Execute]] = []
        self.headers: set[str] = set()
        self._slots: dict[str, int] = {}
        self._subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
        self._events = contexts(script, self._subs)
        # Where no way is longer than a decision may take, nobody has to count.
        self._counts = most_steps(script) > MOST_STEPS
        self._done: dict[str, tuple[list[tuple[str, Kind]], list[Execute]]] = {}

    def scope(self, events: Iterable[str]) -> Scope:
        """The scope of a block to which these events come, with the facts that all of them have."""
        return Scope(self.setup.plan, self._slots, _facts_of(events), self.headers)

    def block(self, block: tree.Block, scope: Scope, top: bool = False) -> Execute:
        """A block; at the `top` of an event, sub or outcome a bare decision reports its own place."""
        statements = [self._statement(statement, scope, top) for statement in block.statements]
        if self._counts:
            pairs = zip(block.statements, statements, strict=True)
            statements = [(_counted(written, execute), keys) for written, (execute, keys) in pairs]
        return indexed(statements) if statements else lambda run: None

    def _statement(self, statement: tree.Statement, scope: Scope, top: bool) -> Statement:
        match statement:
            case tree.When():
                return self._rule(statement, scope, decides=True)
            case tree.AlsoWhen():
                return self._rule(statement, scope, decides=False)
            case tree.Otherwise(body=body, head=head):
                return _fired(head.place, self.block(body, scope.inner())), ()
            case tree.Tag() | tree.Log() | tree.SetHeader() | tree.StripHeader() | tree.Media():
                return compiled_edit(statement, scope), ()
            case _:
                decision = self._decision(statement, scope)
                return (_fired(statement.span.place, decision) if top else decision), ()

    def _rule(self, rule: tree.When | tree.AlsoWhen, scope: Scope, decides: bool) -> Statement:
        inner = scope.inner()
        condition = Conditions(self.setup, inner).rule(rule.condition)
        test, body, place = condition.test, self.block(rule.body, inner), rule.head.place

        def when(run: Run) -> Action | None:
            if not test(run):
                return None
            run.rules.append(place)
            return body(run)

        def also_when(run: Run) -> None:
            if test(run):
                run.rules.append(place)
                body(run)

        return (when if decides else also_when), condition.keys

    def _decision(self, decision: tree.Decision, scope: Scope) -> Execute:
        match decision:
            case tree.Challenge():
                return _always(Challenge())
            case tree.Accept(max_contacts=most, min_expires=low, max_expires=high):
                contacts = None if most is None else most.value
                return _always(Accept(contacts, _whole_seconds(low), _whole_seconds(high)))
            case tree.Reject(code=code, reason=reason):
                return _always(Reject(code.value, None if reason is None else reason.value))
            case tree.Redirect(code=code, target=target):
                return _redirect(code.value, compiled_uri(target, scope, self.setup))
            case tree.Dial():
                return self._dial(decision, scope)
            case tree.Do(sub=sub, arguments=arguments):
                return self._do(sub.text, arguments, scope)
            case tree.Answer(sound=tree.Name(text=sound), loop=loop):
                return _always(Answer("play", sound, loop))
            case tree.Answer(service=service):
                return _always(Answer(next(known for known in SERVICES if known == service.text)))
            case tree.Play(sound=sound, loop=loop):
                return _always(Play(sound.text, loop))
            case tree.Continue():
                return _always(Continue())
            case tree.Transfer():
                return compiled_transfer(decision, scope, self.setup)
            case tree.Deliver():
                return compiled_delivery(decision, scope, self.setup)
            case _:
                assert_never(decision)

    def _dial(self, dial: tree.Dial, scope: Scope) -> Execute:
        number, version = len(self.dials), self.version
        outcomes: dict[str, Execute] = {}
        self.dials.append(outcomes)
        for outcome in dial.outcomes:
            kinds = [kind.text for kind in outcome.kinds]
            body = _fired(outcome.span.place, self.block(outcome.body, scope.inner(_facts_of(kinds))))
            outcomes |= dict.fromkeys(kinds, body)
        steps = compiled_steps(dial.steps, scope, self.setup)
        notify = _FORWARDED if dial.notify is None else dial.notify.value
        forwarder = compiled_forwarder(dial.steps, scope) if dial.forwarded else None
        plain = Frame(version, number)
        if isinstance(steps, tuple) and forwarder is None and not outcomes:
            return _always(Dial(steps, plain))

        def execute(run: Run) -> Action:
            frame = Frame(version, number, dict(run.names)) if outcomes else plain
            made = steps if isinstance(steps, tuple) else steps(run)
            return Dial(made, frame) if forwarder is None else Dial(made, frame, forwarder(run), notify)

        return execute

    def _do(self, name: str, arguments: tuple[tree.Expression, ...], scope: Scope) -> Execute:
        parameters, bodies = self._sub(name)
        given: list[tuple[str, Value]] = []
        for (slot, kind), argument in zip(parameters, arguments, strict=True):
            value = scope.compiled(argument)
            as_user = kind is Kind.USER and value.kind is not Kind.USER
            given.append((slot, self._user_named(value.value) if as_user else value.value))

        def execute(run: Run) -> Action | None:
            for slot, value in given:
                run.names[slot] = value(run)
            return bodies[0](run)

        return execute

    def _sub(self, name: str) -> tuple[list[tuple[str, Kind]], list[Execute]]:
        """A sub's parameters and its body, which is there once the first `do` of it is compiled."""
        if name not in self._done:
            sub, scope = self._subs[name], self.scope(self._events[name])
            parameters: list[tuple[str, Kind]] = []
            bodies: list[Execute] = []
            self._done[name] = (parameters, bodies)
            for parameter in sub.parameters:
                kind = Kind.USER if parameter.type.text == "user" else Kind.TEXT
                parameters.append((scope.bind(parameter.name.text, kind), kind))
            bodies.append(self.block(sub.body, scope, top=True))
        return self._done[name]

    def _user_named(self, value: Value) -> Value:
        users, callees = self.setup.directory.users, self.setup.callees

        def user(run: Run) -> str | None:
            text = value(run)
            if not isinstance(text, str):
                return None
            return text if text in users else callees.get(text)

        return user


def _facts_of(events: Iterable[str]) -> frozenset[str]:
    """The facts that all of these events have."""
    return frozenset.intersection(*(frozenset(FACTS[event]) for event in events))


def _always(action: Action) -> Execute:
    return lambda run: action


def _fired(place: str, execute: Execute) -> Execute:
    def fired(run: Run) -> Action | None:
        run.rules.append(place)
        return execute(run)

    return fired


def _counted(statement: tree.Statement, execute: Execute) -> Execute:
    """A statement that counts its steps, and is given up where they are too many."""
    takes, place = steps(statement), tree.head_of(statement).place

    def counted(run: Run) -> Action | None:
        run.steps += takes
        if run.steps > MOST_STEPS:
            raise BudgetError(place)
        return execute(run)

    return counted


def _redirect(code: int, uri: Callable[[Run], str | None]) -> Execute:
    def execute(run: Run) -> Action:
        target = uri(run)
        return _NOWHERE if target is None else Redirect(code, target)

    return execute


def _whole_seconds(duration: tree.Duration | None) -> int | None:
    return None if duration is None or duration.seconds is None else int(duration.seconds)
