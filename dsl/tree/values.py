"""Nodes that have a value, and nodes that hold or not."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dsl.tree.basics import Duration, Integer, Name, Network, Node, Pattern, Text


class Reference(Node, frozen=True):
    """A bare name, or a fact of two words: `diverted by`, `held for`."""

    name: Name


class Attribute(Node, frozen=True):
    """`bob.mobile`, `d.user`, `caller.number`: a user's attribute, a table row's column."""

    base: Name
    attribute: Name


class Header(Node, frozen=True):
    """`header "N"`: the first value of that header in the request; may be absent."""

    name: Text


class E164(Node, frozen=True):
    """`e164(x)`: x as an international number, absent where it is none."""

    argument: Expression


Part: TypeAlias = Text | Reference | Attribute | E164


class Composed(Node, frozen=True):
    """`"team {caller.team}"` in a header, a tag or a log line: texts and values, one after the other.

    Where a value is absent the whole is, but in a log line that value is `-`.
    """

    parts: tuple[Part, ...]


Expression: TypeAlias = Reference | Attribute | Header | E164 | Composed | Text | Integer | Duration | Network


# Conditions: what holds or not


class Or(Node, frozen=True):
    """Any of two or more, tried from the left."""

    conditions: tuple[Condition, ...]


class And(Node, frozen=True):
    """All of two or more, tried from the left."""

    conditions: tuple[Condition, ...]


class Not(Node, frozen=True):
    """The opposite: `not C`, and what `not in` and `is not` mean."""

    condition: Condition


class Compare(Node, frozen=True):
    """Two values: equality for every type, order for numbers and durations. `!=` negates `==` exactly."""

    left: Expression
    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    right: Expression


class Range(Node, frozen=True):
    """`200 to 299`, `"0200" to "0299"`, `60s to 1h`: from the lower to the higher, both of them in it."""

    low: Text | Integer | Duration
    high: Text | Integer | Duration


Element: TypeAlias = Name | Network | Text | Pattern | Integer | Duration | Range


class Set(Node, frozen=True):
    """`(alice, desk)`, `("100", 200 to 299)`: any of some; a name is a user's, or that of several declared together."""

    elements: tuple[Element, ...]


Collection: TypeAlias = Name | Network | Range | Set


class In(Node, frozen=True):
    """A user in a group or a users file; an address in a net (by name, or written out); a value in a range or a set,
    or in declared `numbers`.
    """

    item: Expression
    collection: Collection


class Matches(Node, frozen=True):
    """A text is of the pattern's form; the pattern's captures are bound in the rule's body."""

    item: Expression
    pattern: Pattern


class Is(Node, frozen=True):
    """`X is absent`, `dialed is emergency`, `U is registered|busy`, `T is up|full`."""

    subject: Expression
    state: Name


class Over(Node, frozen=True):
    """One more would pass that limit."""

    limit: Name


class Within(Node, frozen=True):
    """The present is within those hours."""

    hours: Name


class Lookup(Node, frozen=True):
    """The table has a row for the key; the row is bound to `bound` in the rule's body, if a name is given."""

    table: Name
    key: Expression
    bound: Name | None


class FromTrunk(Node, frozen=True):
    """The request came from that trunk."""

    trunk: Name


class Holds(Node, frozen=True):
    """A fact that is itself true or false: `authenticated`, `anonymous`, `rang`."""

    fact: Expression


Condition: TypeAlias = Or | And | Not | Compare | In | Matches | Is | Over | Within | Lookup | FromTrunk | Holds
