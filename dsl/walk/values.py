"""What expressions are worth in a walk, and how that is told.

Owns absence: None is the value of what is not there. Types were checked, so nothing here is compared that cannot be.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from dsl import tree
from dsl.compile_edits import clean
from dsl.spoken import spoken
from dsl.vocabulary import Type
from dsl.walk.view import View

Value: TypeAlias = str | float | None

_LONGEST = 60


def value_of(expression: tree.Expression, view: View) -> Value:
    """The value of an expression, None where it is absent."""
    match expression:
        case tree.Reference(name=name):
            return _named(name, view)
        case tree.Attribute(base=base, attribute=attribute):
            return _attribute(base, attribute.text, view)
        case tree.Header(name=name):
            return view.facts.headers.get(name.value.lower())
        case tree.E164(argument=argument):
            number = number_of(argument, view)
            return view.setup.plan.e164(number) if isinstance(number, str) else None
        case tree.Composed():
            return composed(expression, view, None)
        case tree.Text(value=text) | tree.Network(text=text):
            return text
        case tree.Integer(value=number):
            return number
        case tree.Duration(seconds=seconds):
            return seconds or 0.0
        case _:
            assert_never(expression)


def composed(text: tree.Composed, view: View, absent: str | None) -> str | None:
    """A text with its values, `absent` for one that is not there; None where that is None."""
    values = [value_of(part, view) for part in text.parts]
    shown = [absent if value is None else str(value) for value in values]
    return None if None in shown else "".join(part or "" for part in shown)


def _named(name: tree.Name, view: View) -> Value:
    if name.quoted:
        return name.text
    if name.text in view.names:
        return _plain(view.names[name.text])
    return _plain(view.fact(name.text)) if name.text in view.known else name.text


def _plain(value: object) -> Value:
    return value if isinstance(value, str | int | float) else None


def _attribute(base: tree.Name, attribute: str, view: View) -> str | None:
    row = None if base.quoted else view.names.get(base.text)
    if isinstance(row, dict):
        return row.get(attribute)
    owner = _named(base, view)
    user = view.users.get(owner) if isinstance(owner, str) else None
    if user is not None:
        return user.attribute(attribute)
    of_a_trunk = not base.quoted and base.text == "caller" and base.text not in view.names
    return view.facts.caller_number if of_a_trunk and attribute == "number" else None


def type_of(expression: tree.Expression, view: View) -> Type:
    """Whether an expression is a user, a user or a number, a time, or something else."""
    match expression:
        case tree.Reference(name=name):
            if not name.quoted and name.text in view.names:
                return Type.USER if name.text in view.parties else Type.TEXT
            return Type.USER if name.quoted else view.known.get(name.text, Type.USER)
        case tree.Duration():
            return Type.TIME
        case tree.Network():
            return Type.ADDRESS
        case _:
            return Type.TEXT


def number_of(expression: tree.Expression, view: View) -> Value:
    """What is dialled for an expression: a user's number, else the value itself."""
    value = value_of(expression, view)
    if isinstance(value, str) and type_of(expression, view) in (Type.USER, Type.PARTY):
        user = view.users.get(value)
        return value if user is None else user.number
    return value


def told(value: Value, kind: Type, view: View) -> str:
    """A value in words."""
    if value is None:
        return "absent"
    if kind is Type.TIME:
        return f"{value:g}s"
    if not isinstance(value, str):
        return f"{value:g}"
    text = clean(value)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return shown if kind is Type.ADDRESS or value in view.users else f'"{shown}"'


def as_it_is(expression: tree.Expression, view: View) -> str:
    """`dialed is "0301"`: an expression and its value."""
    return f"{spoken(expression)} is {told(value_of(expression, view), type_of(expression, view), view)}"


def is_constant(expression: tree.Expression, view: View) -> bool:
    """Whether it says its own value."""
    match expression:
        case tree.Reference(name=name):
            return name.quoted or (name.text not in view.names and name.text not in view.known)
        case tree.Text() | tree.Integer() | tree.Duration() | tree.Network():
            return True
        case _:
            return False
