"""Expressions into functions: where a value comes from in a run, and what kind of value it is.

Owns names in scope, facts, attributes and literals. What a value may be compared with is settled by
`check`; here a wrong kind is simply never equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import assert_never

from dsl import tree
from dsl.evaluate import Run, Value
from dsl.numbers import NumberPlan
from dsl.spoken import spoken
from dsl.users import User
from dsl.values import Frozen


class Kind(StrEnum):
    """What a value is; a party is a user, else a number."""

    USER = "user"
    PARTY = "party"
    TEXT = "text"
    WHOLE = "whole"
    TRUTH = "truth"


class Compiled(Frozen):
    """An expression. `same` is equal for expressions that always have the same value in one run; `slot`
    is the name in `Run.names` that it depends on, if any.

    `constant` is the value itself where it is known now.
    """

    value: Value
    kind: Kind
    same: str
    constant: str | float | None = None
    slot: str | None = None


class Local(Frozen):
    """A name that a rule or a sub bound: the slot in `Run.names` and the kind; a row has None."""

    slot: str
    kind: Kind | None


FACTS: dict[str, tuple[Kind, Value]] = {
    "user": (Kind.USER, lambda run: run.facts.user),
    "caller": (Kind.USER, lambda run: run.facts.caller),
    "callee": (Kind.USER, lambda run: run.facts.callee),
    "dialed": (Kind.TEXT, lambda run: run.facts.dialed),
    "claimed": (Kind.TEXT, lambda run: run.facts.claimed),
    "source": (Kind.TEXT, lambda run: run.facts.source),
    "transport": (Kind.TEXT, lambda run: run.facts.transport),
    "expires": (Kind.WHOLE, lambda run: run.facts.expires),
    "contacts": (Kind.WHOLE, lambda run: run.facts.contacts),
    "agent": (Kind.TEXT, lambda run: run.facts.agent),
    "diverted by": (Kind.PARTY, lambda run: run.facts.diverted_by),
    "authenticated": (Kind.TRUTH, lambda run: run.facts.authenticated),
    "anonymous": (Kind.TRUTH, lambda run: run.facts.anonymous),
    "target": (Kind.PARTY, lambda run: run.facts.target if run.outcome is None else run.outcome.target),
    "code": (Kind.WHOLE, lambda run: None if run.outcome is None else run.outcome.code),
    "rang": (Kind.TRUTH, lambda run: run.outcome is not None and run.outcome.rang),
    "tried": (Kind.WHOLE, lambda run: None if run.outcome is None else run.outcome.tried),
    "redirected": (Kind.TEXT, lambda run: None if run.outcome is None else run.outcome.redirected),
    "holder": (Kind.PARTY, lambda run: run.facts.holder),
    "held": (Kind.PARTY, lambda run: run.facts.held),
    "held for": (Kind.WHOLE, lambda run: run.facts.held_for),
    "transferor": (Kind.PARTY, lambda run: run.facts.transferor),
    "transferee": (Kind.PARTY, lambda run: run.facts.transferee),
    "attended": (Kind.TRUTH, lambda run: run.facts.attended),
}
"""Facts by the name that a policy gives them."""


class Scope:
    """The names that an expression may use besides users; a body's scope begins as a copy.

    `facts` are those of the events that come here: in others, users may be called so. `headers` gathers the lower-case
    names of the request's headers that are asked for.
    """

    def __init__(
        self,
        plan: NumberPlan,
        slots: dict[str, int],
        facts: Iterable[str] = FACTS,
        headers: set[str] | None = None,
    ) -> None:
        self.plan = plan
        self.names: dict[str, Local] = {}
        self._slots = slots
        self._facts = frozenset(facts)
        self._headers = headers if headers is not None else set()

    def inner(self, facts: Iterable[str] | None = None) -> Scope:
        """A scope that sees these names, and whose own stay out of this one; with other facts in another event."""
        scope = Scope(self.plan, self._slots, self._facts if facts is None else facts, self._headers)
        scope.names = dict(self.names)
        return scope

    def bind(self, name: str, kind: Kind | None) -> str:
        """Bind a name; the slot is its own in the whole policy, so no rule sees what another left behind."""
        count = self._slots[name] = self._slots.get(name, 0) + 1
        slot = name if count == 1 else f"{name}#{count}"
        self.names[name] = Local(slot, kind)
        return slot

    def compiled(self, expression: tree.Expression) -> Compiled:
        """The function of an expression."""
        match expression:
            case tree.Reference(name=name):
                return self._reference(name)
            case tree.Attribute(base=base, attribute=attribute):
                return self._attribute(base, attribute.text)
            case tree.Header(name=name):
                wanted = name.value.lower()
                self._headers.add(wanted)
                return Compiled(lambda run: run.facts.headers.get(wanted), Kind.TEXT, f"header {wanted}")
            case tree.E164(argument=argument):
                return self._e164(self.compiled(argument))
            case tree.Composed():
                return self.composed(expression, None)
            case tree.Text(value=text) | tree.Network(text=text):
                return _constant(text, Kind.TEXT)
            case tree.Integer(value=number):
                return _constant(number, Kind.WHOLE)
            case tree.Duration(seconds=seconds):
                return _constant(seconds or 0, Kind.WHOLE)
            case _:
                assert_never(expression)

    def composed(self, text: tree.Composed, absent: str | None) -> Compiled:
        """A text with its values, `absent` for one that is not there; without it the whole is absent too."""
        values = tuple(self.compiled(part).value for part in text.parts)

        def value(run: Run) -> str | None:
            made = ""
            for part in values:
                found = part(run)
                if found is None:
                    if absent is None:
                        return None
                    found = absent
                made += str(found)
            return made

        return Compiled(value, Kind.TEXT, spoken(text))

    def _reference(self, name: tree.Name) -> Compiled:
        local = None if name.quoted else self.names.get(name.text)
        if local is not None:
            slot, kind = local.slot, local.kind or Kind.TEXT
            return Compiled(_bound(slot), kind, f"name {slot}", slot=slot)
        if not name.quoted and name.text in self._facts:
            kind, value = FACTS[name.text]
            return Compiled(value, kind, f"fact {name.text}")
        return _constant(name.text, Kind.USER)

    def _attribute(self, base: tree.Name, attribute: str) -> Compiled:
        local = None if base.quoted else self.names.get(base.text)
        if local is not None and local.kind is None:
            slot = local.slot
            same = f"cell {slot} {attribute}"
            return Compiled(_cell(slot, attribute), Kind.TEXT, same, slot=slot)
        if (base.quoted, local, base.text, attribute) == (False, None, "caller", "number"):
            return Compiled(caller_number, Kind.TEXT, "fact caller.number")
        owner = self._reference(base)
        value, same = _user_attribute(owner.value, attribute), f"{owner.same} . {attribute}"
        return Compiled(value, Kind.TEXT, same, slot=owner.slot)

    def _e164(self, argument: Compiled) -> Compiled:
        plan, inner = self.plan, argument.value
        through_user = number_of if argument.kind in (Kind.USER, Kind.PARTY) else None

        def value(run: Run) -> str | None:
            text = inner(run)
            if through_user is not None:
                text = through_user(run, text)
            return plan.e164(text) if isinstance(text, str) else None

        same = f"e164 {argument.same}"
        return Compiled(value, Kind.TEXT, same, slot=argument.slot)


def _constant(constant: str | float, kind: Kind) -> Compiled:
    return Compiled(lambda run: constant, kind, f"{kind} {constant!r}", constant=constant)


def _bound(slot: str) -> Value:
    def value(run: Run) -> str | float | None:
        held = run.names.get(slot)
        return held if isinstance(held, str | int | float) else None

    return value


def _cell(slot: str, column: str) -> Value:
    def value(run: Run) -> str | None:
        row = run.names.get(slot)
        cell = row.get(column) if isinstance(row, dict) else None
        return cell if isinstance(cell, str) else None

    return value


def caller_number(run: Run) -> str | None:
    """The number of the account that calls; of a call from a trunk, what that says of who calls."""
    user = run.directory.get(run.facts.caller) if run.facts.caller is not None else None
    return run.facts.caller_number if user is None else user.number


def _user_attribute(owner: Value, attribute: str) -> Value:
    def value(run: Run) -> str | None:
        name = owner(run)
        user = run.directory.get(name) if isinstance(name, str) else None
        return None if user is None else user.attribute(attribute)

    return value


def number_of(run: Run, party: str | float | None) -> str | float | None:
    """A user's number, or the party itself where it is no user."""
    user: User | None = run.directory.get(party) if isinstance(party, str) else None
    return party if user is None else user.number
