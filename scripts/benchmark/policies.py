"""Policies and tables of any size, made up for `scripts/bench language`, and the calls that find what is in them.

Every rule and row is about another number, prefix, network or text; the one that a call finds is known by its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from dsl.decision import Facts
from dsl.policy import Policy
from dsl.rehearsal import World

USERS = "alice:\n  password: secret\n"

_ABROAD = "192.0.2.1"
_HEAD = """policy "bench"
domain bench.example
timezone "Europe/Berlin" country +49
users staff from "users.yaml"
"""
_EVENTS = """trunk out { uri "sip:gw.bench.example" }
on register { when not authenticated -> challenge
  otherwise -> accept }
on call {
  when not authenticated -> challenge
"""
_SHORT = 3
"""How many digits more a caller dials than the prefix of a rule or row."""

Kind = Literal["number", "prefix", "text"]


@dataclass(frozen=True)
class Shape:
    """Rules of one sort: how one is written, and what a call has that finds it, of those that are numbered from 0.

    A negative number is that of no rule.
    """

    name: str
    condition: Callable[[int], str]
    call: Callable[[int], tuple[str, str]]


def _number(place: int) -> str:
    return f"0{place + 30_000_000:08}" if place >= 0 else f"0{-place + 90_000_000:08}"


def _prefix(place: int) -> str:
    return f"0{place % 1_000_000:06}" if place >= 0 else f"1{-place % 1_000_000:06}"


def _dialed_with(prefix: str) -> str:
    return prefix + "1" * _SHORT


def _address(place: int) -> str:
    return str(IPv4Address((10 << 24) + place)) if place >= 0 else str(IPv4Address((172 << 24) - place))


def _mixed(place: int) -> str:
    by_prefix = f"dialed matches `{_prefix(place)}X({_SHORT})`"
    conditions = (f'dialed == "{_number(place)}"', by_prefix, f"{by_prefix} and source not in {_address(place)}")
    return conditions[place % len(conditions)]


SHAPES = (
    Shape("by number", lambda n: f'dialed == "{_number(n)}"', lambda n: (_number(n), _ABROAD)),
    Shape(
        "by pattern",
        lambda n: f"dialed matches `{_prefix(n)}X({_SHORT})`",
        lambda n: (_dialed_with(_prefix(n)), _ABROAD),
    ),
    Shape("by network", lambda n: f"source in {_address(n)}", lambda n: ("999", _address(n))),
    Shape(
        "by all sorts",
        _mixed,
        lambda n: (_number(n) if n % 3 == 0 else _dialed_with(_prefix(n)), _ABROAD),
    ),
)


def policy_of(shape: Shape, rules: int) -> str:
    """A policy with so many rules in its `on call`, every other of which dials."""
    decisions = ("reject 410", "dial dialed via out")
    written = [f"  when {shape.condition(place)} -> {decisions[place % 2]}\n" for place in range(rules)]
    return "".join([_HEAD, _EVENTS, *written, "  otherwise -> reject 404\n}\n"])


def policy_with(file: str, kind: Kind) -> str:
    """A policy that looks what is dialled up in a table."""
    key = "" if kind == "text" else f" {kind}"
    table = f'table rows from "{file}" key{key or " text"}\n'
    rule = "  when lookup rows dialed as row -> redirect 302 row.way\n"
    return f"{_HEAD}{table}{_EVENTS}{rule}  otherwise -> reject 404\n}}\n"


def csv_of(kind: Kind, rows: int) -> str:
    """A table of so many rows with three columns."""
    written = [f"{_key(kind, place)},{_way(place)},0.0{place % 90 + 10}\n" for place in range(rows)]
    return "".join([f"{kind},way,price\n", *written])


def yaml_of(kind: Kind, rows: int) -> str:
    """The same table in YAML."""
    written = [
        f'"{_key(kind, place)}": {{way: "{_way(place)}", price: "0.0{place % 90 + 10}"}}\n' for place in range(rows)
    ]
    return "".join(written)


def row_call(kind: Kind) -> Callable[[int], tuple[str, str]]:
    """What a call has that finds a row."""
    if kind == "prefix":
        return lambda place: (_dialed_with(_key(kind, place)), _ABROAD)
    return lambda place: (_key(kind, place), _ABROAD)


def _way(place: int) -> str:
    return f"sip:way{place % 100}@bench.example"


def _key(kind: Kind, place: int) -> str:
    if kind == "text":
        return f"name{place}"
    return _number(place) if kind == "number" else _prefix(place)


def facts_of(policy: Policy, world: World, dialed: str, source: str) -> Facts:
    """A call by alice, as the engine asks about it."""
    return Facts(
        time=1_780_000_000.0,
        source=source,
        transport="udp",
        ambient=world,
        authenticated=True,
        caller="alice",
        claimed="alice",
        dialed=dialed,
        callee=policy.callee(dialed),
    )
