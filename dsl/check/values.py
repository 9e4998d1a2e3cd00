"""Types and units: what may be compared with what, and which value may stand where.

Owns the type of every expression, and what the users file and the tables have of the attributes and columns that are
named. Names that mean nothing have been told of by `resolve`, and fit everywhere here.
"""

from __future__ import annotations

import re
from typing import assert_never

from dsl import tree
from dsl.check.report import Report
from dsl.check.sets import Sets
from dsl.compile_setup import Setup
from dsl.composing import ComposingError, composed, wanted
from dsl.diagnostics import joined, suggestion
from dsl.networks import NetworkError, parse_network
from dsl.resolve import Kind, Names
from dsl.spoken import spoken
from dsl.vocabulary import PARAMETER_TYPES, STATES, Type

_USERS = frozenset({Type.USER, Type.PARTY, Type.WRITTEN, Type.UNKNOWN})
_TEXTS = frozenset({Type.TEXT, Type.PARTY, Type.WRITTEN, Type.UNKNOWN})
_COMPARABLE: dict[Type, frozenset[Type]] = {
    Type.USER: _USERS,
    Type.PARTY: _USERS | _TEXTS,
    Type.TEXT: _TEXTS,
    Type.WRITTEN: _USERS | _TEXTS,
    Type.WHOLE: frozenset({Type.WHOLE, Type.UNKNOWN}),
    Type.TIME: frozenset({Type.TIME, Type.UNKNOWN}),
    Type.ADDRESS: frozenset({Type.ADDRESS, Type.UNKNOWN}),
    Type.TRUTH: frozenset({Type.UNKNOWN}),
    Type.ROW: frozenset({Type.UNKNOWN}),
    Type.TRUNK: frozenset({Type.UNKNOWN}),
    Type.UNKNOWN: frozenset(Type),
}
_ALWAYS_KNOWN = frozenset({"name", "extension", "number", "display"})
_ACTORS = {"held": "holder", "transferee": "transferor"}
"""Who does something in a call, by whom it is done to."""

_NUMBER = re.compile(r"\+?[0-9][0-9 ()/.-]*").fullmatch
_URI = re.compile(r"(sips?|tel):[^\s<>\"]+").fullmatch


class Values:
    """Types of expressions, and the checks of those that stand in conditions and decisions."""

    def __init__(self, names: Names, setup: Setup, report: Report) -> None:
        self.names = names
        self.setup = setup
        self.report = report
        self.sets = Sets(names, report)
        written = {attribute for user in setup.directory.users.values() for attribute in user.attributes}
        self.attributes = _ALWAYS_KNOWN | written

    def type_of(self, value: tree.Expression) -> Type:
        """The type of a value, its parts checked."""
        match value:
            case tree.Reference(name=name):
                return self.names.of(name).type
            case tree.Attribute():
                return self._attribute(value)
            case tree.E164(argument=argument):
                kind = self.type_of(argument)
                if kind not in _TEXTS | _USERS:
                    self.report.wrong(argument, f"`{spoken(argument)}` is {kind}, not a number to dial")
                return Type.TEXT
            case tree.Composed(parts=parts):
                for part in parts:
                    self.text(part)
                return Type.TEXT
            case tree.Header() | tree.Text():
                return Type.TEXT
            case tree.Integer():
                return Type.WHOLE
            case tree.Duration():
                return Type.TIME
            case tree.Network():
                self._network(value)
                return Type.ADDRESS
            case _:
                assert_never(value)

    def may_be_absent(self, value: tree.Expression) -> bool:
        """Whether a value may be absent at all."""
        match value:
            case tree.Reference(name=name):
                meaning = self.names.of(name)
                return meaning.optional or meaning.kind is Kind.UNKNOWN
            case tree.Attribute() | tree.Header() | tree.E164():
                return True
            case _:
                return False

    def _network(self, network: tree.Network) -> None:
        try:
            parse_network(network.text)
        except NetworkError as error:
            self.report.wrong(network, error.message, error.advice)

    def _attribute(self, value: tree.Attribute) -> Type:
        base, attribute = value.base, value.attribute
        meaning = self.names.of(base)
        if meaning.type is Type.ROW:
            self._column(attribute, meaning.table or "")
        elif meaning.type in _USERS:
            if meaning.kind is not Kind.UNKNOWN:
                self._user_attribute(base, attribute, meaning.kind is Kind.USER)
        else:
            self.report.wrong(attribute, f"`{spoken(base)}` is {meaning.type} and has no `{attribute.text}`")
        return Type.WRITTEN

    def _column(self, column: tree.Name, table: str) -> None:
        known = self.setup.tables.get(table)
        if known is not None and known.columns and column.text not in known.columns:
            columns = joined((f"`{name}`" for name in known.columns), "and")
            advice = suggestion(column.text, known.columns) or f"it has {columns}"
            self.report.wrong(column, f"table `{table}` has no column `{column.text}`", advice)

    def known_attribute(self, attribute: tree.Name) -> bool:
        """Whether some user has this attribute; one that nobody has is told of."""
        if attribute.text in self.attributes:
            return True
        if self.names.users_known:
            advice = suggestion(attribute.text, self.attributes)
            self.report.wrong(attribute, f"no user has `{attribute.text}`", advice)
        return False

    def _user_attribute(self, base: tree.Name, attribute: tree.Name, one_user: bool) -> None:
        if self.known_attribute(attribute) and one_user:
            user = self.setup.directory.users.get(base.text)
            if user is not None and user.attribute(attribute.text) is None:
                message = f"`{base.text}` has no `{attribute.text}` in the users file"
                self.report.doubtful(attribute, message, "it is absent, and dialling it fails")

    # Conditions

    def condition(self, condition: tree.Condition) -> None:
        """Check the types in a condition."""
        match condition:
            case tree.And(conditions=parts) | tree.Or(conditions=parts):
                for part in parts:
                    self.condition(part)
            case tree.Not(condition=inner):
                self.condition(inner)
            case tree.Compare():
                self._compare(condition)
            case tree.In(item=item, collection=collection):
                self.sets.collection(item, self.type_of(item), collection)
            case tree.Matches(item=item):
                kind = self.type_of(item)
                if kind not in _TEXTS:
                    self.report.wrong(item, f"`{spoken(item)}` is {kind}; a pattern needs a text", _text_of(item, kind))
            case tree.Is(subject=subject, state=state):
                self._is(subject, state)
            case tree.Lookup(key=key):
                kind = self.type_of(key)
                if kind not in _TEXTS | _USERS:
                    self.report.wrong(key, f"`{spoken(key)}` is {kind} and cannot be looked up")
            case tree.Holds(fact=fact):
                self._holds(fact)
            case _:
                pass

    def _compare(self, comparison: tree.Compare) -> None:
        left, right = comparison.left, comparison.right
        one, other = self.type_of(left), self.type_of(right)
        written = spoken(left), spoken(right)
        for value, kind in ((written[0], one), (written[1], other)):
            if kind is Type.TRUTH and Type.UNKNOWN in (one, other):
                return
            if kind is Type.TRUTH:
                self.report.wrong(
                    comparison, f"`{value}` is true or false by itself", f"write `{value}` or `not {value}`"
                )
                return
        if other not in _COMPARABLE[one] and one not in _COMPARABLE[other]:
            message = f"`{written[0]}` is {one}, `{written[1]}` is {other}: they cannot be compared"
            self.report.wrong(comparison, message, _converted(right, one) or _converted(left, other))
        elif comparison.operator not in ("==", "!=") and one not in (Type.WHOLE, Type.TIME, Type.UNKNOWN):
            message = f"`{comparison.operator}` compares whole numbers and times, and `{written[0]}` is {one}"
            advice = f"for a range write `{written[0]} in 200 to 299`" if one is Type.TEXT else None
            self.report.wrong(comparison, message, advice)

    def _is(self, subject: tree.Expression, state: tree.Name) -> None:
        kind, name, word = self.type_of(subject), spoken(subject), state.text
        if word not in STATES:
            advice = suggestion(word, STATES) or f"write {joined(f'`{known}`' for known in STATES)}"
            self.report.wrong(state, f"nothing is ever `{word}`", advice)
        elif word == "absent":
            if not self.may_be_absent(subject):
                self.report.wrong(subject, f"`{name}` is never absent")
        elif word == "emergency":
            if name != "dialed":
                self.report.wrong(subject, f"`{name}` is no emergency number", "write `dialed is emergency`")
        elif word == "caller":
            if name not in _ACTORS.values():
                known = "`holder is caller` or `transferor is caller`"
                actor = f"`{_ACTORS[name]} is not caller`" if name in _ACTORS else known
                self.report.wrong(subject, f"`{name}` is never `caller`", f"write {actor}")
        elif word == "known":
            if name != "transferor":
                self.report.wrong(subject, f"`{name}` is never `known`", "write `transferor is known`")
        elif word in ("up", "full"):
            if kind not in (Type.TRUNK, Type.UNKNOWN):
                registered = f"write `{name} is registered`" if kind in _USERS else None
                self.report.wrong(subject, f"`{name}` is {kind}, and only a trunk is ever `{word}`", registered)
        elif kind not in _USERS:
            self.report.wrong(subject, f"`{name}` is {kind}, and only a user is ever `{word}`")

    def _holds(self, fact: tree.Expression) -> None:
        kind = self.type_of(fact)
        if kind in (Type.TRUTH, Type.UNKNOWN):
            return
        name = spoken(fact)
        advice = f"write `{name} is not absent`" if self.may_be_absent(fact) else "compare it with something"
        self.report.wrong(fact, f"`{name}` is {kind}, which neither holds nor not", advice)

    # Decisions

    def party(self, party: tree.Party, user: str) -> None:
        """Whom a step calls: a user, a SIP URI that the operator wrote, or a number through a trunk.

        `user` is the fact that is the user who was dialled.
        """
        if isinstance(party.target, tree.Reference) and self.names.of(party.target.name).kind is Kind.GROUP:
            return
        kind, name = self.type_of(party.target), spoken(party.target)
        if isinstance(party.trunk, tree.Attribute) and self.names.of(party.trunk.base).kind is Kind.ROW:
            self.type_of(party.trunk)
        if party.trunk is not None:
            if kind not in _TEXTS | _USERS:
                self.report.wrong(party.target, f"`{name}` is {kind}, not a number to dial")
        elif isinstance(party.target, tree.Text) and not _NUMBER(party.target.value):
            self.uri(party.target)
        elif isinstance(party.target, tree.Reference) and party.target.name.text == "redirected":
            return
        elif isinstance(party.target, tree.Integer):
            advice = f'write `"{name}"`, and `via` and a trunk'
            self.report.wrong(party.target, f"`{name}` is a number, and a number needs a trunk", advice)
        elif kind is Type.TEXT:
            name = name.strip('"')
            advice = (
                f"write `{user}` for the user, or `via` and a trunk" if name == "dialed" else "write `via` and a trunk"
            )
            self.report.wrong(party.target, f"`{name}` is a number, and a number needs a trunk", advice)
        elif kind not in _USERS:
            self.report.wrong(party.target, f"`{name}` is {kind}, and cannot be called")

    def uri(self, text: tree.Text) -> None:
        """A SIP URI that the operator wrote; of values in it `texts` speaks."""
        if not _URI(text.value) and not wanted(text):
            self.report.wrong(text, f"`{text.value}` is no SIP address", 'one is written `"sip:help@example.com"`')

    def redirect(self, target: tree.Expression) -> None:
        """Where a caller is sent."""
        kind = self.type_of(target)
        if isinstance(target, tree.Text):
            if self.setup.plan.e164(target.value) is None and not _URI(target.value) and not wanted(target):
                advice = 'write `"sip:help@example.com"`, `"+4930123456"`, or a user without quotes'
                self.report.wrong(target, f"`{target.value}` is neither a SIP address nor a number", advice)
        elif kind not in _TEXTS | _USERS:
            self.report.wrong(target, f"`{spoken(target)}` is {kind}, and nobody can be sent there")

    def delivered(self, target: tree.Expression) -> None:
        """Who gets a message."""
        kind = self.type_of(target)
        if kind not in _USERS:
            message = f"`{spoken(target)}` is {kind}, and a message goes to a user"
            self.report.wrong(target, message, _converted(target, Type.USER))

    def text(self, value: tree.Expression) -> None:
        """A value that is written somewhere: a tag, a log line, a header, or a part of one."""
        kind = self.type_of(value)
        if kind in (Type.TRUTH, Type.ROW, Type.TRUNK):
            self.report.wrong(value, f"`{spoken(value)}` is {kind}, not a text")

    def braces(self, text: tree.Text) -> None:
        """A text that could not be composed."""
        try:
            composed(text)
        except ComposingError as error:
            at = text.span.on_line(text.span.column + 1 + error.offset, error.length)
            advice = "values are written `{caller.number}`, and a brace itself `{{` or `}}`"
            self.report.wrong(at, error.message, advice)

    def heard_by(self, party: tree.Expression) -> None:
        """Who is expected to hear music: a user or a number."""
        kind = self.type_of(party)
        if kind not in _TEXTS | _USERS:
            self.report.wrong(party, f"`{spoken(party)}` is {kind}, and no party of a call")

    def arguments(self, do: tree.Do, sub: tree.Sub) -> None:
        """What a sub is done with."""
        wanted, given = len(sub.parameters), len(do.arguments)
        if wanted != given:
            names = [parameter.name.text for parameter in sub.parameters]
            what = joined((f"`{name}`" for name in names), "and") if names else "nothing"
            values = "1 value is" if given == 1 else f"{given} values are"
            message = f"`{sub.name.text}` is done with {what}, and {values} given here"
            self.report.wrong(do, message, f"write `do {sub.name.text}({', '.join(names)})`")
            return
        for parameter, argument in zip(sub.parameters, do.arguments, strict=True):
            if parameter.type.text not in PARAMETER_TYPES:
                continue
            kind, name = self.type_of(argument), spoken(argument)
            fits = _USERS if parameter.type.text == "user" else _TEXTS | {Type.WHOLE}
            if kind not in fits:
                advice = "write `callee`" if name == "dialed" else None
                message = f"`{name}` is {kind}, and `{parameter.name.text}` of `{sub.name.text}` is {_word(parameter)}"
                self.report.wrong(argument, message, advice)


def _word(parameter: tree.Parameter) -> str:
    return f"a {parameter.type.text}"


def _text_of(item: tree.Expression, kind: Type) -> str | None:
    return f"write `{spoken(item)}.number` or `dialed`" if kind is Type.USER else None


def _converted(value: tree.Expression, wanted: Type) -> str | None:
    """How a literal of the wrong type would be written in the right one."""
    match value:
        case tree.Text(value=text) if wanted is Type.USER:
            return f"write {text} without quotes"
        case tree.Reference(name=tree.Name(text="dialed")) if wanted is Type.USER:
            return "`callee` is the user who was dialled"
        case tree.Integer(text=digits) if wanted is Type.TIME:
            return f"a time needs a unit, such as `{digits}s`"
        case tree.Integer(text=digits) if wanted in (Type.TEXT, Type.PARTY, Type.WRITTEN):
            return f'write `"{digits}"`'
        case tree.Text(value=text) if wanted is Type.ADDRESS:
            return f"write {text} without quotes"
        case _:
            return None
