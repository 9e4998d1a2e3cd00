"""A node as it would be written, on one line and in the one style: for messages, and to tell equal expressions.

Owns expressions, conditions and names; a place plays no part, so two that say the same are written the same.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree


def spoken(node: tree.Expression | tree.Condition | tree.Element | tree.Set) -> str:
    """The node's text."""
    match node:
        case tree.Name(text=text, quoted=quoted):
            return f'user "{text}"' if quoted else text
        case tree.Reference(name=name):
            return spoken(name)
        case tree.Attribute(base=base, attribute=attribute):
            return f"{spoken(base)}.{attribute.text}"
        case tree.Header(name=header):
            return f'header "{header.value}"'
        case tree.E164(argument=argument):
            return f"e164({spoken(argument)})"
        case tree.Composed(parts=parts):
            return f'"{"".join(_part(part) for part in parts)}"'
        case tree.Text(value=value):
            return f'"{value}"'
        case tree.Integer(text=text) | tree.Duration(text=text) | tree.Network(text=text):
            return text
        case tree.Pattern(text=text):
            return f"`{text}`"
        case tree.Range(low=low, high=high):
            return f"{spoken(low)} to {spoken(high)}"
        case tree.Set(elements=elements):
            return f"({', '.join(spoken(element) for element in elements)})"
        case _:
            return _condition(node)


def spoken_time(seconds: float) -> str:
    """A duration in the largest unit of which it is a whole number."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _part(part: tree.Part) -> str:
    if isinstance(part, tree.Text):
        return part.value.replace("{", "{{").replace("}", "}}")
    return f"{{{spoken(part)}}}"


def _condition(node: tree.Condition) -> str:
    match node:
        case tree.Or(conditions=conditions):
            return " or ".join(spoken(condition) for condition in conditions)
        case tree.And(conditions=conditions):
            return " and ".join(_grouped(condition) for condition in conditions)
        case tree.Not(condition=tree.In(item=item, collection=collection)):
            return f"{spoken(item)} not in {_collection(collection)}"
        case tree.Not(condition=tree.Matches(item=item, pattern=pattern)):
            return f"{spoken(item)} not matches `{pattern.text}`"
        case tree.Not(condition=tree.Is(subject=subject, state=state)):
            return f"{spoken(subject)} is not {state.text}"
        case tree.Not(condition=condition):
            return f"not {_grouped(condition, single=True)}"
        case tree.Compare(left=left, operator=operator, right=right):
            return f"{spoken(left)} {operator} {spoken(right)}"
        case tree.In(item=item, collection=collection):
            return f"{spoken(item)} in {_collection(collection)}"
        case tree.Matches(item=item, pattern=pattern):
            return f"{spoken(item)} matches `{pattern.text}`"
        case tree.Is(subject=subject, state=state):
            return f"{spoken(subject)} is {state.text}"
        case tree.Over(limit=limit):
            return f"over {limit.text}"
        case tree.Within(hours=hours):
            return f"within {hours.text}"
        case tree.Lookup(table=table, key=key, bound=bound):
            return f"lookup {table.text} {spoken(key)}" + (f" as {bound.text}" if bound else "")
        case tree.FromTrunk(trunk=trunk):
            return f"from trunk {trunk.text}"
        case tree.Holds(fact=fact):
            return spoken(fact)
        case _:
            assert_never(node)


def _grouped(condition: tree.Condition, single: bool = False) -> str:
    text = spoken(condition)
    grouped = isinstance(condition, tree.Or) or (single and isinstance(condition, tree.And))
    return f"({text})" if grouped else text


def _collection(collection: tree.Collection) -> str:
    return collection.text if isinstance(collection, tree.Name | tree.Network) else spoken(collection)
