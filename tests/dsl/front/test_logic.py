"""The solver against every possible world of a small one: it never calls impossible what is possible."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.check.logic import AllOf, AnyOf, Atom, Formula, Opposite
from dsl.check.solver import Facts, Solver
from dsl.compile_setup import Setup
from dsl.networks import NetworkSet, parse_network
from dsl.patterns import parse_pattern

SETUP = Setup(emergency=frozenset({"110"}))

USERS = (None, "alice", "bob", "carol")
TEXTS = (None, "110", "0301234567", "201")
SOURCES = ("10.0.0.1", "10.1.0.1", "192.0.2.1")

CALLER_ATOMS = [
    Atom("caller", "absent"),
    Atom("caller", "equal", "alice"),
    Atom("caller", "equal", "bob"),
    Atom("caller", "among", frozenset({"alice", "carol"})),
    Atom("caller", "among", frozenset({"alice"})),
]
DIALED_ATOMS = [
    Atom("dialed", "absent"),
    Atom("dialed", "equal", "110"),
    Atom("dialed", "equal", "201"),
    Atom("dialed", "form", "0X(6-14)"),
    Atom("dialed", "emergency"),
]
SOURCE_ATOMS = [
    Atom("source", "networks", (parse_network("10.0.0.0/8"),)),
    Atom("source", "networks", (parse_network("10.1.0.0/16"),)),
    Atom("source", "networks", (parse_network("192.0.2.0/24"), parse_network("10.1.0.0/16"))),
    Atom("source", "equal", "10.0.0.1"),
]
OTHER_ATOMS = [Atom("over toll", "other")]

formulas = st.recursive(
    st.sampled_from([*CALLER_ATOMS, *DIALED_ATOMS, *SOURCE_ATOMS, *OTHER_ATOMS]),
    lambda inner: st.one_of(
        inner.map(Opposite),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=8,
)


def holds(formula: Formula, world: dict[str, object]) -> bool:
    match formula:
        case AllOf(parts=parts):
            return all(holds(part, world) for part in parts)
        case AnyOf(parts=parts):
            return any(holds(part, world) for part in parts)
        case Opposite(part=part):
            return not holds(part, world)
        case Atom(subject=subject, kind="other"):
            return bool(world[subject])
        case Atom(subject=subject, kind=kind, operand=operand):
            value = world[subject]
            if kind == "absent" or value is None:
                return kind == "absent" and value is None
            match kind:
                case "equal":
                    return value == operand
                case "among":
                    return isinstance(operand, frozenset) and value in operand
                case "networks":
                    assert isinstance(operand, tuple)
                    return bool(NetworkSet((0, network) for network in operand).match(str(value)))
                case "form":
                    return parse_pattern(str(operand)).matches(str(value))
                case _:
                    return SETUP.is_emergency(str(value))


WORLDS = [
    {"caller": caller, "dialed": dialed, "source": source, "over toll": over}
    for caller, dialed, source, over in itertools.product(USERS, TEXTS, SOURCES, (True, False))
]


@settings(max_examples=400, deadline=None)
@given(st.lists(formulas, min_size=1, max_size=4))
def test_what_is_true_in_some_world_is_never_called_impossible(together: list[Formula]) -> None:
    if any(all(holds(formula, world) for formula in together) for world in WORLDS):
        assert Solver(SETUP).possible(together)


A, B = Atom("caller", "equal", "alice"), Atom("caller", "equal", "bob")
DESK = Atom("caller", "among", frozenset({"alice", "carol"}))
OVER = Atom("over toll", "other")


@pytest.mark.parametrize(
    "together",
    [
        [A, B],
        [A, Opposite(DESK)],
        [DESK, B],
        [DESK, Atom("caller", "absent")],
        [AllOf((A, OVER)), Opposite(OVER)],
        [AnyOf((A, B)), Opposite(A), Opposite(B)],
        [Opposite(AnyOf((A, OVER))), OVER],
        [Opposite(Opposite(A)), B],
        [AnyOf((AllOf((A, OVER)), AllOf((A, Opposite(OVER))))), Opposite(A)],
        [Atom("dialed", "equal", "110"), Opposite(Atom("dialed", "emergency"))],
        [Atom("dialed", "equal", "0301234567"), Opposite(Atom("dialed", "form", "0X(6-14)"))],
        [SOURCE_ATOMS[1], Opposite(SOURCE_ATOMS[0])],
        [AnyOf(())],
    ],
)
def test_what_is_plainly_impossible_is_seen(together: list[Formula]) -> None:
    assert not Solver(SETUP).possible(together)


def test_what_would_take_too_long_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [Opposite(Atom("dialed", "equal", str(number))) for number in range(20)]
    impossible = [*others, AnyOf((Atom("dialed", "equal", "3"), Atom("dialed", "equal", "7")))]
    among = [Opposite(Atom("dialed", "among", frozenset({"3", "7"}))), *impossible[-1:], *others]
    known = Facts({Atom("dialed", "equal", str(number)): False for number in range(30)})
    asked = Atom("dialed", "among", frozenset({"3"}))
    for formulas in (impossible, among):
        assert not Solver(SETUP).possible(formulas)
    assert Solver(SETUP).simplified(asked, known) is False
    monkeypatch.setattr("dsl.check.solver._MOST_LOOKED_AT", 20)
    for formulas in (impossible, among):
        assert Solver(SETUP).possible(formulas)
    assert Solver(SETUP).simplified(asked, known) == asked
