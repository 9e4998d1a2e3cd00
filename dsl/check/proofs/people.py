"""Of whom the proofs speak: strangers, and our own people who need help.

Owns which nets prove who somebody is, with the reason where one does not. A net proves it where no trunk calls us from
there and it is not a large part of all addresses; to be one of those whose emergency calls must go out, or of those
who may learn who is here, the second alone matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dsl import tree
from dsl.check.logic import UNAUTHENTICATED, AllOf, AnyOf, Atom, Formula, Opposite
from dsl.check.proofs.cases import Case
from dsl.check.solver import Facts
from dsl.compile_setup import Setup, Trunk
from dsl.networks import Network, NetworkError, parse_network

_TOO_WIDE = 6
"""A net of a 64th of all addresses (2 to the -6th) or more is the world, not one of ours."""

_LITERAL_HOST = re.compile(r"sips?:(?:[^@]*@)?(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)(?=[:;?]|$))").match

_TRANSFEROR_KNOWN = Atom("transferor is known", "other")
_IS_CALLER = Atom("transferor is caller", "other")


class People:
    """The cases of one policy, and the nets by what they prove."""

    def __init__(self, script: tree.Script, setup: Setup) -> None:
        self._setup = setup
        self._script = script
        self.transit = {name for name, trunk in setup.trunks.items() if trunk.transit is not None}
        self.no_proof = dict(self._no_proof())
        """Nets that do not prove who calls, each with the reason."""
        self.not_wide = {name: nets for name, nets in setup.nets.items() if nets and not _wide(nets)}
        self._ours = _union(nets for name, nets in setup.nets.items() if name not in self.no_proof)
        self._near = _union(self.not_wide.values())

    def stranger(self, trunk: str | None) -> Case:
        """A caller who has not proved who they are. `trunk`: one out through which calls of other trunks may go."""
        return Case(Facts(self._unknown(trunk)))

    def transferor(self, trunk: str | None) -> Case:
        """Whoever transfers a call and is not known; who is the caller is as well known as the caller is."""
        return Case(Facts({_TRANSFEROR_KNOWN: False}), (AnyOf((Opposite(_IS_CALLER), _all_of(self._unknown(trunk)))),))

    def stranger_in_need(self, event: str) -> Case:
        """A stranger who asks for an emergency number, from none of the nets that the policy knows."""
        known = {UNAUTHENTICATED: True} | self._elsewhere(self._near)
        asks = {Atom("dialed", "emergency"): True}
        if event == "transfer":
            return Case(Facts(asks | {_TRANSFEROR_KNOWN: False}), (AnyOf((Opposite(_IS_CALLER), _all_of(known))),))
        return Case(Facts(asks | known))

    def stranger_who_asks(self) -> Case:
        """A stranger who is no trunk either, and wants to know who is here."""
        return Case(Facts({UNAUTHENTICATED: True} | self._elsewhere(self._near) | self._from_no_trunk()))

    def in_need(self) -> dict[str, Case]:
        """For each emergency number our own people who dial it; none where the policy knows nobody."""
        ours = self.ways_to_be_ours()
        if not ours:
            return {}
        return {
            number: Case(Facts(self._dialled(number) | self._from_no_trunk()), (AnyOf(tuple(ours.values())),))
            for number in (*sorted(self._setup.emergency), "urn:service:sos")
        }

    def ways_to_be_ours(self) -> dict[str, Formula]:
        """How the policy knows its own people, in words and as a formula."""
        ways: dict[str, Formula] = {
            f"from a phone in `{name}`": Atom("source", "networks", nets) for name, nets in self.not_wide.items()
        }
        if self._asks_who_calls():
            ways["by an authenticated caller"] = Opposite(UNAUTHENTICATED)
        return ways

    def _unknown(self, trunk: str | None) -> dict[Atom, bool]:
        known = {UNAUTHENTICATED: True} | self._elsewhere(self._ours)
        return known if trunk is None else known | self._from_no_trunk(other_than=trunk)

    def _dialled(self, number: str) -> dict[Atom, bool]:
        callee = self._setup.callees.get(number)
        whose = Atom("callee", "absent") if callee is None else Atom("callee", "equal", callee)
        return {Atom("dialed", "equal", number): True, Atom("dialed", "emergency"): True, whose: True}

    def _asks_who_calls(self) -> bool:
        """Whether callers show who they are here: else nobody has reason to, and nobody is known by it."""
        rules = [
            item
            for item in self._script.declarations
            if isinstance(item, tree.Sub) or (isinstance(item, tree.On) and "call" in item.names)
        ]
        return any(
            isinstance(node, tree.Challenge)
            or (isinstance(node, tree.Reference) and node.name.text in ("authenticated", "caller"))
            for rule in rules
            for node in tree.walk(rule)
        )

    def _from_no_trunk(self, other_than: str | None = None) -> dict[Atom, bool]:
        return {Atom("from trunk", "equal", name): False for name in self._setup.trunks if name != other_than}

    @staticmethod
    def _elsewhere(networks: tuple[Network, ...]) -> dict[Atom, bool]:
        return {Atom("source", "networks", networks): False} if networks else {}

    def _no_proof(self) -> Iterable[tuple[str, str]]:
        reached = {name: (*trunk.peers, *_addresses(trunk)) for name, trunk in self._setup.trunks.items()}
        for name, networks in self._setup.nets.items():
            if _wide(networks):
                yield name, f"`{name}` is a large part of all addresses, and proves nothing"
                continue
            for trunk, theirs in reached.items():
                if any(ours.overlaps(their) for ours in networks for their in theirs):
                    yield name, f"trunk `{trunk}` calls from `{name}`, so that it proves nothing"
                    break


def _all_of(known: dict[Atom, bool]) -> Formula:
    return AllOf(tuple(atom if holds else Opposite(atom) for atom, holds in known.items()))


def _addresses(trunk: Trunk) -> list[Network]:
    """The address that a trunk's uri writes out; what a name stands for is known only later."""
    literal = _LITERAL_HOST(trunk.uri)
    try:
        return [] if literal is None else [parse_network(literal[1] or literal[2])]
    except NetworkError:
        return []


def _wide(networks: tuple[Network, ...]) -> bool:
    """Whether these are together as much of all addresses as nobody has."""
    return any(
        sum(1 << (bits - network.length) for network in networks if network.bits == bits) >= 1 << (bits - _TOO_WIDE)
        for bits in (32, 128)
    )


def _union(nets: Iterable[tuple[Network, ...]]) -> tuple[Network, ...]:
    return tuple(network for networks in nets for network in networks)
