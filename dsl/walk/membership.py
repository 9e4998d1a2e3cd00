"""Whether a value is in a group, a net, declared numbers, a range or a set, one element after the other.

Owns the words for it. Absent values are in nothing.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree
from dsl.networks import Network, parse_address, parse_network
from dsl.patterns import parse_pattern
from dsl.spoken import spoken
from dsl.vocabulary import Type
from dsl.walk.values import Value
from dsl.walk.view import View

_MOST_TOLD = 4


def inside(value: Value, kind: Type, collection: tree.Collection, view: View) -> bool:
    """Whether a value of this kind is in there."""
    if value is None:
        return False
    if isinstance(collection, tree.Set):
        return any(_is_in(value, kind, element, view) for element in collection.elements)
    return _is_in(value, kind, collection, view)


def _is_in(value: str | float, kind: Type, element: tree.Element, view: View) -> bool:
    match element:
        case tree.Name():
            return _among(value, element, view)
        case tree.Network(text=text):
            return in_networks(value, (parse_network(text),))
        case tree.Text(value=text):
            return value == text
        case tree.Pattern(text=text):
            return isinstance(value, str) and parse_pattern(text).matches(value)
        case tree.Range(low=low, high=high):
            return _between(value, _bound(low, kind), _bound(high, kind))
        case tree.Integer() | tree.Duration():
            return value == _bound(element, kind)
        case _:
            assert_never(element)


def _among(value: str | float, name: tree.Name, view: View) -> bool:
    setup, text = view.setup, name.text
    if name.quoted:
        return value == text
    if text in setup.nets:
        return in_networks(value, setup.nets[text])
    if text in setup.numbers:
        return isinstance(value, str) and setup.numbers[text].has(value)
    return value in setup.groups[text] if text in setup.groups else value == text


def _bound(bound: tree.Text | tree.Integer | tree.Duration, kind: Type) -> str | float:
    """A literal as what it is compared with: amounts as amounts, and of numbers to dial their digits."""
    match bound:
        case tree.Text(value=text):
            return text
        case tree.Integer(value=number, text=text):
            return number if kind in (Type.WHOLE, Type.TIME) else text
        case tree.Duration(seconds=seconds):
            return seconds or 0.0
        case _:
            assert_never(bound)


def _between(value: str | float, low: str | float, high: str | float) -> bool:
    if isinstance(value, str) and isinstance(low, str) and isinstance(high, str):
        digits = value.removeprefix("+") if low.startswith("+") else value
        return digits.isascii() and digits.isdigit() and len(value) == len(low) and low <= value <= high
    return not (isinstance(value, str) or isinstance(low, str) or isinstance(high, str)) and low <= value <= high


def in_networks(address: Value, networks: tuple[Network, ...]) -> bool:
    """Whether an address is in one of these networks."""
    found = parse_address(address) if isinstance(address, str) else None
    if found is None:
        return False
    bits, number = found
    return any(
        network.bits == bits and number >> (bits - network.length) == network.first >> (bits - network.length)
        for network in networks
    )


def listed(collection: tree.Collection, view: View) -> str:
    """A collection in words: its name, and what is in it where that is not much."""
    if not isinstance(collection, tree.Name):
        return spoken(collection)
    name = collection.text
    if name in view.setup.nets:
        inside = [str(network) for network in view.setup.nets[name]]
    else:
        inside = sorted(view.setup.groups.get(name, ()))
    more = f" and {len(inside) - _MOST_TOLD} more" if len(inside) > _MOST_TOLD else ""
    return f"{name} ({', '.join(inside[:_MOST_TOLD])}{more})" if inside else name
