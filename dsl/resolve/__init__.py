"""What each name in a script means: a fact, a user, a declaration, a parameter, or what a rule bound.

Owns scopes, the one namespace of declarations and users, the names that nothing has, and which events come to which
sub. Whether a value fits where it stands is for `check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from dsl import tree
from dsl.diagnostics import Problem, joined, nearest, suggestion
from dsl.resolve.contexts import contexts, events_of
from dsl.resolve.lookup import Lookup
from dsl.resolve.names import Kind as Kind
from dsl.resolve.names import Meaning as Meaning
from dsl.resolve.names import Names as Names
from dsl.resolve.names import Scope
from dsl.vocabulary import PARAMETER_TYPES, Type

_DECLARED: dict[type[tree.Node], Kind] = {
    tree.Users: Kind.USERS,
    tree.Group: Kind.GROUP,
    tree.Numbers: Kind.NUMBERS,
    tree.Net: Kind.NET,
    tree.Sound: Kind.SOUND,
    tree.Hours: Kind.HOURS,
    tree.Limit: Kind.LIMIT,
    tree.Table: Kind.TABLE,
    tree.Trunk: Kind.TRUNK,
    tree.Trunks: Kind.TRUNKS,
    tree.Sub: Kind.SUB,
}

_COLLECTIONS = (Kind.GROUP, Kind.USERS, Kind.NET, Kind.NUMBERS)
_HOLDING: dict[Type, tuple[Kind, ...]] = {
    Type.ADDRESS: (Kind.NET,),
    Type.USER: (Kind.GROUP, Kind.USERS),
    Type.TEXT: (Kind.NUMBERS,),
}
"""Which of them can hold a value of a type, where it is not all."""


def resolve(script: tree.Script, users: Iterable[str], problems: list[Problem]) -> Names:
    """Resolve every name; what is wrong is added to `problems`.

    `users` are those of the users files. Where a file is named and nobody is in it, it could not be read, which is
    told elsewhere, and every unknown name passes for a user.
    """
    resolver = _Resolver(script, Lookup(script, frozenset(users), problems))
    resolver.run()
    resolver.look.finish()
    return resolver.look.names


class _Resolver:
    def __init__(self, script: tree.Script, look: Lookup) -> None:
        self.script = script
        self.look = look
        has_groups = any(isinstance(item, tree.Trunks) for item in script.declarations)
        self.ways_out = (Kind.TRUNK, Kind.TRUNKS) if has_groups else (Kind.TRUNK,)
        self.subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}

    def run(self) -> None:
        for declaration in self.script.declarations:
            kind = _DECLARED.get(type(declaration))
            name = getattr(declaration, "name", None)
            if kind is not None and isinstance(name, tree.Name):
                self.look.declare(name, kind)
        self.look.names.contexts.update(contexts(self.script, self.subs))
        for declaration in self.script.declarations:
            self._declaration(declaration)

    def _declaration(self, declaration: tree.Declaration) -> None:
        match declaration:
            case tree.Group(members=members):
                for member in members:
                    self.look.user(member)
            case tree.Hours(exceptions=exceptions):
                for exception in exceptions:
                    if isinstance(exception, tree.Name):
                        self.look.declared(exception, Kind.HOURS)
            case tree.Trunks(members=members):
                for member in members:
                    self.look.declared(member, Kind.TRUNK)
            case tree.On(body=body) if events := events_of(declaration):
                self.look.enter(events, f"on {', '.join(declaration.names)}")
                self._block(body, {})
            case tree.Sub():
                self._sub(declaration)
            case tree.Test():
                self._test(declaration)
            case _:
                pass

    def _sub(self, sub: tree.Sub) -> None:
        scope: dict[str, Meaning] = {}
        for parameter in sub.parameters:
            kind = parameter.type.text
            if kind not in PARAMETER_TYPES:
                advice = suggestion(kind, PARAMETER_TYPES) or f"write {joined(PARAMETER_TYPES)}"
                self.look.wrong(parameter.type, f"`{kind}` is no type of a parameter", advice)
            meaning = Meaning(Kind.PARAMETER, PARAMETER_TYPES.get(kind, Type.UNKNOWN), parameter.name.span, True)
            scope = self.look.bound(parameter.name, meaning, scope)
        events = self.look.names.contexts.get(sub.name.text) or frozenset({"call"})
        self.look.enter(events, f"sub {sub.name.text}")
        self._block(sub.body, scope)

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
                self.look.value(value, scope)
            case tree.SetHeader(value=value) | tree.Deliver(target=value):
                self.look.value(value, scope)
            case tree.Do(sub=sub, arguments=arguments):
                self.look.declared(sub, Kind.SUB)
                for argument in arguments:
                    self.look.value(argument, scope)
            case tree.Dial(steps=steps, outcomes=outcomes):
                for step in steps:
                    for party in step.parties:
                        self.look.called(party.target, scope)
                        if isinstance(party.trunk, tree.Attribute):
                            self.look.value(party.trunk, scope)
                        elif party.trunk is not None:
                            self.look.declared(party.trunk, *self.ways_out)
                self._outcomes(outcomes, scope)
            case tree.Transfer(party=party):
                self._party(party, scope)
            case tree.Play(sound=sound):
                self.look.declared(sound, Kind.SOUND)
            case tree.Answer(sound=tree.Name() as sound):
                self.look.declared(sound, Kind.SOUND)
            case _:
                pass

    def _party(self, party: tree.Party, scope: Scope) -> None:
        """A single party, which no group can be."""
        self.look.value(party.target, scope)
        if isinstance(party.trunk, tree.Attribute):
            self.look.wrong(party.trunk, "here goes one trunk by its name", "only `dial` and `forward` look it up")
        elif party.trunk is not None:
            self.look.declared(party.trunk, Kind.TRUNK)

    def _outcomes(self, outcomes: tuple[tree.Outcome, ...], scope: Scope) -> None:
        """An outcome is an event of its own: other facts, the same bound names."""
        facts, place = self.look.facts, self.look.place
        for outcome in outcomes:
            self.look.enter(frozenset(kind.text for kind in outcome.kinds), outcome.written)
            self._block(outcome.body, scope)
        self.look.facts, self.look.place = facts, place

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
            case tree.Compare():
                self.look.compared(condition, scope)
            case tree.In(item=item, collection=collection):
                self.look.value(item, scope)
                self._collection(item, collection)
            case tree.Matches(item=item, pattern=pattern):
                self.look.value(item, scope)
                return self.look.captures(pattern, scope, certain)
            case tree.Is(subject=subject):
                self.look.value(subject, scope, trunks=True)
            case tree.Over(limit=limit):
                self.look.declared(limit, Kind.LIMIT)
            case tree.Within(hours=hours):
                self.look.declared(hours, Kind.HOURS)
            case tree.Lookup(table=table, key=key, bound=bound):
                self.look.declared(table, Kind.TABLE)
                self.look.value(key, scope)
                return scope if bound is None else self._row(bound, table, scope, certain)
            case tree.FromTrunk(trunk=trunk):
                self.look.declared(trunk, Kind.TRUNK)
            case tree.Holds(fact=fact):
                self.look.value(fact, scope)
            case _:
                assert_never(condition)
        return scope

    def _row(self, bound: tree.Name, table: tree.Name, scope: Scope, certain: bool) -> Scope:
        return self.look.bind(bound, Meaning(Kind.ROW, Type.ROW, bound.span, table=table.text), scope, certain)

    def _collection(self, item: tree.Expression, collection: tree.Collection) -> None:
        if isinstance(collection, tree.Name):
            known = self.look.names.declared
            meant = collection.text in known or nearest(collection.text, known) is not None
            self.look.declared(collection, *(_COLLECTIONS if meant else self._collections_of(item)), item=item)
        elif isinstance(collection, tree.Set):
            for element in collection.elements:
                if isinstance(element, tree.Name):
                    self.look.element(element, item, *_COLLECTIONS)

    def _collections_of(self, item: tree.Expression) -> tuple[Kind, ...]:
        """What can hold this value."""
        kind = self.look.names.of(item.name).type if isinstance(item, tree.Reference) else Type.UNKNOWN
        return _HOLDING.get(kind, _COLLECTIONS)

    # Tests

    def _test(self, test: tree.Test) -> None:
        for step in test.steps:
            expected = isinstance(step, tree.ExpectDecision | tree.ExpectRings | tree.ExpectAnswered)
            self.look.anywhere("test", expected)
            match step:
                case tree.CallStep() | tree.MessageStep():
                    caller, dialed, circumstances = step.caller, step.dialed, step.circumstances
                    self._who(caller)
                    self._dialled(dialed)
                    self._circumstances(circumstances)
                case tree.RegisterStep(user=user, circumstances=circumstances):
                    if user is not None:
                        self.look.user(user)
                    self._circumstances(circumstances)
                case tree.HoldStep(holder=holder) | tree.ResumeStep(holder=holder):
                    self._who(holder)
                case tree.TransferStep(transferor=transferor, dialed=dialed):
                    self._who(transferor)
                    self._dialled(dialed)
                case tree.ExpectDecision() | tree.ExpectRings() | tree.ExpectAnswered():
                    self._expected(step)
                case tree.ExpectNumber(trunk=trunk):
                    self.look.declared(trunk, Kind.TRUNK)
                case tree.ExpectTakes(limit=limit):
                    self.look.declared(limit, Kind.LIMIT)
                case _:
                    self._given(step)

    def _given(self, step: tree.TestStep) -> None:
        match step:
            case tree.GivenAnswer(party=party) | tree.GivenRings(party=party) | tree.GivenState(subject=party):
                self.look.value(party, {}, trunks=True)
            case tree.GivenRedirect(party=party, target=target):
                self.look.value(party, {}, trunks=True)
                self._dialled(target)
            case tree.GivenBegins(group=group, member=member):
                self._begins(group, member)
            case tree.GivenOver(limit=limit):
                self.look.declared(limit, Kind.LIMIT)
            case _:
                pass

    def _expected(self, step: tree.ExpectDecision | tree.ExpectRings | tree.ExpectAnswered) -> None:
        match step:
            case tree.ExpectDecision(decision=decision):
                self._action(decision, {})
                if isinstance(decision, tree.Play):
                    self.look.value(decision.party, {})
            case tree.ExpectRings(parties=parties):
                for party in parties:
                    self._party(party, {})
            case tree.ExpectAnswered(party=party):
                self._party(party, {})
            case _:
                assert_never(step)

    def _dialled(self, dialed: tree.Text | tree.Name) -> None:
        if isinstance(dialed, tree.Name):
            self.look.taking_part(dialed, 'write a user, a number, or an address such as `"sip:help@partner.example"`')

    def _who(self, party: tree.From) -> None:
        if party.user is not None:
            self.look.taking_part(party.user, 'write a user, `"NUMBER"` of somebody outside, or `trunk NAME`')
        if party.trunk is not None:
            self.look.declared(party.trunk, Kind.TRUNK)

    def _begins(self, group: tree.Name, member: tree.Name) -> None:
        """A group may begin with one of its members."""
        self.look.declared(group, Kind.GROUP, Kind.TRUNKS)
        declared = [
            item
            for item in self.script.declarations
            if isinstance(item, tree.Group | tree.Trunks) and item.name.text == group.text
        ]
        for item in declared[:1]:
            members = [name.text for name in item.members]
            if item.way not in ("turn", "weight"):
                advice = "this is for groups `in turn` and `by weight`"
                self.look.wrong(group, f"`{group.text}` always begins with `{members[0]}`", advice)
            elif member.text not in members:
                self.look.wrong(member, f"`{member.text}` is not in `{group.text}`", suggestion(member.text, members))
            elif isinstance(item, tree.Trunks):
                self.look.declared(member, Kind.TRUNK)
            else:
                self.look.user(member)

    def _circumstances(self, circumstances: tuple[tree.Circumstance, ...]) -> None:
        for circumstance in circumstances:
            match circumstance:
                case tree.WithSource(source=tree.Name() as source):
                    self.look.declared(source, Kind.NET)
                case tree.WithDiversion(by=by):
                    self._dialled(by)
                case _:
                    pass
