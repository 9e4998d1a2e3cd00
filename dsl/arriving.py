"""The facts of a request as a sentence of a test says it: `call from alice to bob source office`.

Owns what holds where the sentence leaves something out: UDP, from an address that is in no net and no trunk's peers.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree
from dsl.decision import Facts
from dsl.networks import Network, NetworkSet, first_address
from dsl.numbers import without_separators
from dsl.policy import Policy
from dsl.rehearsal import World

_ELSEWHERE = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")


class Arriving:
    """Requests as they come to one policy, in a world and at a time."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def _facts(
        self, user: tree.Name | None, circumstances: tuple[tree.Circumstance, ...], world: World, time: float
    ) -> Facts:
        with_password = user is not None
        facts = Facts(time=time, source=self._elsewhere(), transport="udp", ambient=world)
        headers: dict[str, str] = {}
        for circumstance in circumstances:
            match circumstance:
                case tree.WithSource(source=source):
                    facts.source = self._source(source)
                case tree.WithoutPassword():
                    with_password = False
                case tree.WithHeader(name=name, value=value):
                    headers.setdefault(name.value.lower(), value.value)
                case tree.WithContacts(count=count):
                    facts.contacts = count.value
                case tree.WithExpires(duration=duration):
                    facts.expires = int(duration.seconds or 0)
                case tree.WithTransport(transport=transport):
                    facts.transport = transport.text
                case tree.WithAgent(agent=agent):
                    facts.agent = agent.value
                case tree.WithoutName():
                    facts.anonymous = True
                case tree.WithDiversion(by=by):
                    facts.diverted_by = dialled(by)
                case tree.WithLabel() | tree.WithTimes():
                    pass
                case _:
                    assert_never(circumstance)
        if with_password and user is not None:
            facts.authenticated, facts.caller = True, user.text
        facts.headers = headers
        facts.trunk = self._policy.trunk_of(facts.source)
        return facts

    def of_call(self, step: tree.CallStep | tree.MessageStep, world: World, time: float) -> Facts:
        """The facts of an INVITE or a MESSAGE."""
        caller = step.caller
        facts = self._facts(caller.user, step.circumstances, world, time)
        facts.claimed = caller.user.text if caller.user is not None else None
        if caller.trunk is not None:
            facts.trunk = caller.trunk.text
            if not any(isinstance(item, tree.WithSource) for item in step.circumstances):
                facts.source = self._at_trunk(facts.trunk, facts.source)
        if caller.claimed is not None:
            facts.claimed = caller.claimed.value
            if facts.trunk is not None:
                facts.caller_number = self._policy.number_from(facts.trunk, facts.claimed)
        facts.dialed = dialled(step.dialed)
        facts.callee = self._policy.callee(facts.dialed)
        return facts

    def of_register(self, step: tree.RegisterStep, world: World, time: float) -> Facts:
        """The facts of a REGISTER."""
        facts = self._facts(step.user, step.circumstances, world, time)
        facts.user = None if step.user is None else step.user.text
        facts.contacts = 1 if facts.contacts is None else facts.contacts
        facts.expires = 0 if step.leaves else 3600 if facts.expires is None else facts.expires
        return facts

    def _source(self, source: tree.Name | tree.Network) -> str:
        if isinstance(source, tree.Network):
            return source.text
        return first_address(self._policy.setup.nets[source.text][0])

    def _at_trunk(self, trunk: str, otherwise: str) -> str:
        peers = self._policy.trunks[trunk].peers
        return first_address(peers[0]) if peers else otherwise

    def _elsewhere(self) -> str:
        """An address in no net of the policy and in no trunk's peers."""
        known: list[Network] = [network for nets in self._policy.setup.nets.values() for network in nets]
        known += [network for trunk in self._policy.trunks.values() for network in trunk.peers]
        inside = NetworkSet((0, network) for network in known)
        return next((address for address in _ELSEWHERE if not inside.match(address)), _ELSEWHERE[0])


def dialled(dialed: tree.Name | tree.Text) -> str:
    """What a phone sends for what is written: a user's name, or a number without what is for the eye."""
    return dialed.text if isinstance(dialed, tree.Name) else without_separators(dialed.value)
