"""What each name in a script means: a fact, a user, a declaration, a parameter, or what a rule bound.

Owns scopes, the one namespace of declarations and users, the names that nothing has, and which events come to which
sub. Whether a value fits where it stands is for `check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from dsl import tree
from dsl.diagnostics import Problem, Source, joined, suggestion
from dsl.patterns import PatternError, parse_pattern
from dsl.tree import Span
from dsl.vocabulary import (
    FACT_NAMES,
    FACTS,
    LATER_FACTS,
    PARAMETER_TYPES,
    Type,
)


class Kind(StrEnum):
    """What a name stands for; the text is how an operator is told of it."""

    FACT = "a fact"
    USER = "a user"
    USERS = "a users file"
    GROUP = "a group"
    NET = "a net"
    SOUND = "a sound"
    HOURS = "hours"
    LIMIT = "a limit"
    TABLE = "a table"
    TRUNK = "a trunk"
    SUB = "a sub"
    PARAMETER = "a parameter"
    ROW = "a row"
    CAPTURE = "a capture"
    UNKNOWN = "unknown"


class Meaning(msgspec.Struct, frozen=True):
    """What a name stands for, and the type of its value, UNKNOWN where it has none.

    `optional` and `chosen` are those of a fact. `table` is that of a row.
    """

    kind: Kind
    type: Type = Type.UNKNOWN
    declared: Span | None = None
    optional: bool = False
    chosen: bool = False
    table: str | None = None


UNKNOWN = Meaning(Kind.UNKNOWN)

Scope = Mapping[str, Meaning]

_DECLARED: dict[type[tree.Node], Kind] = {
    tree.Users: Kind.USERS,
    tree.Group: Kind.GROUP,
    tree.Net: Kind.NET,
    tree.Sound: Kind.SOUND,
    tree.Hours: Kind.HOURS,
    tree.Limit: Kind.LIMIT,
    tree.Table: Kind.TABLE,
    tree.Trunk: Kind.TRUNK,
    tree.Sub: Kind.SUB,
}


_UNFINISHED = {
    "over": "`over` and the name of a limit",
    "within": "`within` and the name of hours",
    "lookup": "`lookup`, the name of a table and a key",
    "from": "`from trunk` and the name of a trunk",
    "header": '`header` and a name, such as `header "Subject"`',
    "e164": "`e164(dialed)`",
    "diverted": "`diverted by`",
}
"""Words that begin something and are names where nothing follows."""


class Names(msgspec.Struct, frozen=True):
    """The script's names resolved. `meanings` is by the span of a name; `contexts` gives the events of a sub."""

    meanings: dict[Span, Meaning]
    declared: dict[str, Meaning]
    contexts: dict[str, frozenset[str]]
    users_known: bool

    def of(self, name: tree.Name) -> Meaning:
        """What this name means where it stands."""
        return self.meanings.get(name.span, UNKNOWN)


def resolve(script: tree.Script, users: Iterable[str], problems: list[Problem]) -> Names:
    """Resolve every name; what is wrong is added to `problems`.

    `users` are those of the users files. Where a file is named and nobody is in it, it could not be read, which is
    told elsewhere, and every unknown name passes for a user.
    """
    resolver = _Resolver(script, frozenset(users), problems)
    resolver.run()
    return resolver.names


class _Resolver:
    def __init__(self, script: tree.Script, users: frozenset[str], problems: list[Problem]) -> None:
        self.script = script
        self.users = users
        self.problems = problems
        self.source = Source(script.source)
        self.subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
        wants_users = any(isinstance(item, tree.Users) for item in script.declarations)
        self.names = Names({}, {}, {}, users_known=bool(users) or not wants_users)
        self.facts: dict[str, Meaning] = {}
        self.place = ""

    def wrong(self, node: tree.Node, message: str, advice: str | None = None, other: Span | None = None) -> None:
        self.problems.append(self.source.problem(node.span, message, advice, other))

    def run(self) -> None:
        for declaration in self.script.declarations:
            kind = _DECLARED.get(type(declaration))
            name = getattr(declaration, "name", None)
            if kind is not None and isinstance(name, tree.Name):
                self._declare(name, kind)
        self.names.contexts.update(_contexts(self.script, self.subs))
        for declaration in self.script.declarations:
            self._declaration(declaration)

    def _declare(self, name: tree.Name, kind: Kind) -> None:
        known = self.names.declared.get(name.text)
        meaning = Meaning(kind, Type.TRUNK if kind is Kind.TRUNK else Type.UNKNOWN, name.span)
        if known is not None and known.declared is not None:
            self.wrong(
                name,
                f"`{name.text}` is {known.kind} already",
                f"it was declared in line {known.declared.line}",
                known.declared,
            )
        elif name.text in self.users:
            self.wrong(name, f"`{name.text}` is a user already", "declarations and users need names of their own")
        elif name.text in FACT_NAMES | LATER_FACTS:
            self.wrong(name, f"`{name.text}` is a fact already", "choose another name")
        self.names.declared.setdefault(name.text, meaning)
        self.names.meanings[name.span] = meaning

    def _declaration(self, declaration: tree.Declaration) -> None:
        match declaration:
            case tree.Group(members=members):
                for member in members:
                    self._user(member)
            case tree.On(event=event, body=body) if event.text in FACTS:
                self._enter(frozenset({event.text}), f"on {event.text}")
                self._block(body, {})
            case tree.Sub():
                self._sub(declaration)
            case tree.Test():
                self._test(declaration)
            case _:
                pass

    def _enter(self, events: frozenset[str], place: str) -> None:
        """From here on facts are those that all of these events have."""
        self.place = place
        self.facts = {
            name: Meaning(Kind.FACT, fact.type, None, fact.optional, fact.chosen)
            for name, fact in FACTS[min(events)].items()
            if all(name in FACTS[event] for event in events)
        }

    def _sub(self, sub: tree.Sub) -> None:
        scope: dict[str, Meaning] = {}
        for parameter in sub.parameters:
            kind = parameter.type.text
            if kind not in PARAMETER_TYPES:
                advice = suggestion(kind, PARAMETER_TYPES) or f"write {joined(PARAMETER_TYPES)}"
                self.wrong(parameter.type, f"`{kind}` is no type of a parameter", advice)
            meaning = Meaning(Kind.PARAMETER, PARAMETER_TYPES.get(kind, Type.UNKNOWN), parameter.name.span, True)
            scope = self._bound(parameter.name, meaning, scope)
        events = self.names.contexts.get(sub.name.text) or frozenset({"call"})
        self._enter(events, f"sub {sub.name.text}")
        self._block(sub.body, scope)

    def _bound(self, name: tree.Name, meaning: Meaning, scope: Scope) -> dict[str, Meaning]:
        """The scope with one more name."""
        known = scope.get(name.text) or self.names.declared.get(name.text)
        if known is not None:
            where = known.declared
            line = "" if where is None else f"it was declared in line {where.line}"
            self.wrong(name, f"`{name.text}` is {known.kind} already", line or None, where)
        elif name.text in FACT_NAMES | LATER_FACTS:
            self.wrong(name, f"`{name.text}` is a fact already", "choose another name")
        self.names.meanings[name.span] = meaning
        return {**scope, name.text: meaning}

    # Rules

    def _block(self, block: tree.Block, scope: Scope) -> None:
        for statement in block.statements:
            match statement:
                case tree.When(condition=condition, body=body) | tree.AlsoWhen(condition=condition, body=body):
                    self._block(body, self._condition(condition, scope))
                case tree.Otherwise(body=body):
                    self._block(body, scope)
                case _:
                    self._action(statement, scope)

    def _action(self, action: tree.Decision | tree.Action, scope: Scope) -> None:
        match action:
            case tree.Redirect(target=value) | tree.Tag(value=value) | tree.Log(text=value):
                self._value(value, scope)
            case tree.SetHeader(value=value) | tree.Deliver(target=value):
                self._value(value, scope)
            case tree.Do(sub=sub, arguments=arguments):
                self._declared(sub, Kind.SUB)
                for argument in arguments:
                    self._value(argument, scope)
            case tree.Dial(steps=steps, outcomes=outcomes):
                for step in steps:
                    for party in step.parties:
                        self._party(party, scope)
                self._outcomes(outcomes, scope)
            case tree.Transfer(party=party):
                self._party(party, scope)
            case tree.Play(sound=sound):
                self._declared(sound, Kind.SOUND)
            case tree.Answer(sound=tree.Name() as sound):
                self._declared(sound, Kind.SOUND)
            case _:
                pass

    def _party(self, party: tree.Party, scope: Scope) -> None:
        self._value(party.target, scope)
        if party.trunk is not None:
            self._declared(party.trunk, Kind.TRUNK)

    def _outcomes(self, outcomes: tuple[tree.Outcome, ...], scope: Scope) -> None:
        """An outcome is an event of its own: other facts, the same bound names."""
        facts, place = self.facts, self.place
        for outcome in outcomes:
            self._enter(frozenset({outcome.kind.text}), outcome.kind.text)
            self._block(outcome.body, scope)
        self.facts, self.place = facts, place

    # Conditions

    def _condition(self, condition: tree.Condition, scope: Scope, certain: bool = True) -> Scope:
        """Resolve a condition; what it binds is in the scope that is returned.

        `certain`: it holds wherever the rule's body is reached, so that a name can be bound in it.
        """
        match condition:
            case tree.And(conditions=conditions):
                for part in conditions:
                    scope = self._condition(part, scope, certain)
            case tree.Or(conditions=conditions):
                for part in conditions:
                    scope = self._condition(part, scope, certain=False)
            case tree.Not(condition=inner):
                scope = self._condition(inner, scope, certain=False)
            case tree.Compare(left=left, right=right):
                self._value(left, scope)
                self._value(right, scope)
            case tree.In(item=item, collection=collection):
                self._value(item, scope)
                if isinstance(collection, tree.Name):
                    self._declared(collection, Kind.GROUP, Kind.USERS, Kind.NET)
            case tree.Matches(item=item, pattern=pattern):
                self._value(item, scope)
                return self._captures(pattern, scope, certain)
            case tree.Is(subject=subject):
                self._value(subject, scope, trunks=True)
            case tree.Over(limit=limit):
                self._declared(limit, Kind.LIMIT)
            case tree.Within(hours=hours):
                self._declared(hours, Kind.HOURS)
            case tree.Lookup(table=table, key=key, bound=bound):
                self._declared(table, Kind.TABLE)
                self._value(key, scope)
                if bound is not None:
                    return self._bind(bound, Meaning(Kind.ROW, Type.ROW, bound.span, table=table.text), scope, certain)
            case tree.FromTrunk(trunk=trunk):
                self._declared(trunk, Kind.TRUNK)
            case tree.Holds(fact=fact):
                self._value(fact, scope)
        return scope

    def _bind(self, name: tree.Name, meaning: Meaning, scope: Scope, certain: bool) -> Scope:
        if not certain:
            self.wrong(
                name,
                f"`{name.text}` would be bound on some ways into this rule only",
                "bind names outside `or` and `not`",
            )
        return self._bound(name, meaning, scope)

    def _captures(self, pattern: tree.Pattern, scope: Scope, certain: bool) -> Scope:
        try:
            captures = parse_pattern(pattern.text).captures
        except PatternError as error:
            at = pattern.span.column + 1 + error.offset
            span = Span(pattern.span.file, pattern.span.line, at, pattern.span.line, at + 1)
            self.problems.append(self.source.problem(span, error.message))
            return scope
        for name, _, _ in captures:
            span = _capture_span(pattern, name)
            meaning = Meaning(Kind.CAPTURE, Type.TEXT, span, chosen=True)
            scope = self._bind(tree.Name(span, name), meaning, scope, certain)
        return scope

    # Names

    def _value(self, value: tree.Expression, scope: Scope, trunks: bool = False) -> None:
        match value:
            case tree.Reference(name=name):
                self.names.meanings[name.span] = self._meaning(name, scope, trunks)
            case tree.Attribute(base=base):
                self.names.meanings[base.span] = self._meaning(base, scope, trunks=False)
            case tree.E164(argument=argument):
                self._value(argument, scope)
            case _:
                pass

    def _meaning(self, name: tree.Name, scope: Scope, trunks: bool) -> Meaning:
        text = name.text
        if name.quoted:
            return self._user(name)
        known = scope.get(text) or self.facts.get(text)
        if known is not None:
            return known
        if text in self.users:
            return Meaning(Kind.USER, Type.USER)
        declared = self.names.declared.get(text)
        if declared is not None:
            if trunks and declared.kind is Kind.TRUNK:
                return declared
            self._has_no_value(name, declared.kind)
            return UNKNOWN
        return self._unknown(name, [*scope, *self.facts, *self.users, *(self._all(Kind.TRUNK) if trunks else [])])

    def _has_no_value(self, name: tree.Name, kind: Kind) -> None:
        advice = {
            Kind.GROUP: f"write `... in {name.text}`",
            Kind.USERS: f"write `... in {name.text}`",
            Kind.NET: f"write `source in {name.text}`",
            Kind.HOURS: f"write `within {name.text}`",
            Kind.LIMIT: f"write `over {name.text}`",
            Kind.TRUNK: f"write `from trunk {name.text}`, or `via {name.text}` after a number",
            Kind.TABLE: f"write `lookup {name.text} ...`",
            Kind.SUB: f"write `do {name.text}(...)`",
        }
        self.wrong(name, f"`{name.text}` is {kind}, not a value", advice.get(kind))

    def _unknown(self, name: tree.Name, candidates: Iterable[str]) -> Meaning:
        text = name.text
        if text in FACT_NAMES:
            events = joined(f"`{event}`" for event in FACTS if text in FACTS[event])
            self.wrong(name, f"`{text}` is not known in `{self.place}`", f"it is a fact of {events}")
        elif text in LATER_FACTS:
            self.wrong(name, f"`{text}` is not available yet")
        elif text in _UNFINISHED:
            self.wrong(name, f"`{text}` says too little by itself", f"write {_UNFINISHED[text]}")
        elif not self.names.users_known:
            return Meaning(Kind.USER, Type.USER)
        else:
            self.wrong(name, f"nothing here is called `{text}`", suggestion(text, candidates))
        return UNKNOWN

    def _user(self, name: tree.Name) -> Meaning:
        meaning = Meaning(Kind.USER, Type.USER)
        self.names.meanings[name.span] = meaning
        if name.text not in self.users and self.names.users_known:
            self.wrong(name, f"there is no user `{name.text}`", suggestion(name.text, self.users))
            self.names.meanings[name.span] = UNKNOWN
            return UNKNOWN
        return meaning

    def _declared(self, name: tree.Name, *kinds: Kind) -> None:
        known = self.names.declared.get(name.text)
        self.names.meanings[name.span] = known or UNKNOWN
        wanted = joined(kinds)
        if known is None:
            if name.text in self.users:
                self.wrong(name, f"`{name.text}` is a user, not {wanted}")
            else:
                candidates = [text for kind in kinds for text in self._all(kind)]
                advice = suggestion(name.text, candidates) or self._choice(candidates)
                there_is = "there are" if kinds == (Kind.HOURS,) else "there is"
                self.wrong(name, f"{there_is} no {_without_article(kinds)} `{name.text}`", advice)
        elif known.kind not in kinds:
            self.wrong(name, f"`{name.text}` is {known.kind}, not {wanted}")
            self.names.meanings[name.span] = UNKNOWN

    def _all(self, kind: Kind) -> list[str]:
        return [name for name, meaning in self.names.declared.items() if meaning.kind is kind]

    def _choice(self, candidates: list[str]) -> str | None:
        return f"there is {joined((f'`{name}`' for name in candidates), 'and')}" if 0 < len(candidates) < 6 else None

    # Tests

    def _test(self, test: tree.Test) -> None:
        self.place = "test"
        self.facts = {}
        for step in test.steps:
            match step:
                case tree.CallStep(caller=caller, dialed=dialed, circumstances=circumstances):
                    if caller.user is not None:
                        self._user(caller.user)
                    if caller.trunk is not None:
                        self._declared(caller.trunk, Kind.TRUNK)
                    if isinstance(dialed, tree.Name):
                        self._user(dialed)
                    self._circumstances(circumstances)
                case tree.RegisterStep(user=user, circumstances=circumstances):
                    if user is not None:
                        self._user(user)
                    self._circumstances(circumstances)
                case tree.GivenAnswer(party=party) | tree.GivenRings(party=party) | tree.GivenState(subject=party):
                    self._value(party, {}, trunks=True)
                case tree.GivenOver(limit=limit):
                    self._declared(limit, Kind.LIMIT)
                case tree.ExpectDecision(decision=decision):
                    self._action(decision, {})
                case _:
                    pass

    def _circumstances(self, circumstances: tuple[tree.Circumstance, ...]) -> None:
        for circumstance in circumstances:
            if isinstance(circumstance, tree.WithSource) and isinstance(circumstance.source, tree.Name):
                self._declared(circumstance.source, Kind.NET)


def _without_article(kinds: tuple[Kind, ...]) -> str:
    return joined(kind.removeprefix("a ") for kind in kinds)


def _capture_span(pattern: tree.Pattern, name: str) -> Span:
    start = pattern.span.column + 1 + pattern.text.index(f"{{{name}:") + 1
    return Span(pattern.span.file, pattern.span.line, start, pattern.span.line, start + len(name))


# Which events come to which sub


def _contexts(script: tree.Script, subs: dict[str, tree.Sub]) -> dict[str, frozenset[str]]:
    """For each sub that is done somewhere, the events in which that happens."""
    found: dict[str, set[str]] = {}
    waiting = [
        (declaration.event.text, declaration.body)
        for declaration in script.declarations
        if isinstance(declaration, tree.On) and declaration.event.text in FACTS
    ]
    while waiting:
        event, block = waiting.pop()
        for event_there, done in _subs_done(block, event):
            events = found.setdefault(done.sub.text, set())
            if event_there not in events and done.sub.text in subs:
                events.add(event_there)
                waiting.append((event_there, subs[done.sub.text].body))
    return {name: frozenset(events) for name, events in found.items()}


def _subs_done(block: tree.Block, event: str) -> Iterator[tuple[str, tree.Do]]:
    """Each `do` in a block with the event in which it is done: a dial's own outcomes are events of their own."""
    for statement in block.statements:
        match statement:
            case tree.When(body=body) | tree.AlsoWhen(body=body) | tree.Otherwise(body=body):
                yield from _subs_done(body, event)
            case tree.Dial(outcomes=outcomes):
                for outcome in outcomes:
                    yield from _subs_done(outcome.body, outcome.kind.text)
            case tree.Do():
                yield event, statement
            case _:
                pass
