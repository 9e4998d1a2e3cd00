"""What a call, or a registration, leaves behind of its decisions: handed over as it is, written in the store's thread.

Owns what is handed over. Leaves its form to `dsl.plan.recorded`, and when to hand over to calls and registrations.
"""

from __future__ import annotations

from b2bua.values import Frozen
from dsl.decision import Facts
from dsl.plan.recorded import Happened, Known, Recorded, Version, known_of, version_of, without_frames, written
from dsl.policy import Policy


class Recording(Frozen):
    """Decisions of one call since the last recording of it.

    `facts` are the call's own, of which only those count that stay the same all through it: they are None where what
    was handed over before has them. `number` is what a trunk gave of who calls, `headers` has those of the request that
    the policy names, and `named` is whom a REGISTER is about.
    """

    call: str
    policy: Policy
    events: list[Happened]
    facts: Facts | None
    number: str | None
    headers: dict[str, str]
    named: str | None = None

    @property
    def version(self) -> str:
        """The hash of the policy that decided."""
        return self.policy.hash

    @property
    def since(self) -> float:
        """When the first of these decisions was made, in wall seconds."""
        return self.events[0].time

    def whole(self) -> bytes | None:
        """The document of the call; None where there is one already, to which `further` is to be added."""
        known = self._known()
        return None if known is None else written(Recorded(self.call, known, without_frames(self.events)))

    def further(self) -> list[str]:
        """Each of the events as a document."""
        return [written((event,))[1:-1].decode() for event in without_frames(self.events)]

    def version_document(self) -> bytes:
        """The document of the version that decided."""
        version: Version = version_of(self.policy, self.since)
        return written(version)

    def _known(self) -> Known | None:
        facts = self.facts
        if facts is None:
            return None
        return known_of(facts, self.policy, self.number, self.headers, self.named)


def picked(policy: Policy, facts: Facts) -> dict[str, str]:
    """Those of a request's headers that a policy names."""
    headers = facts.headers
    return {name: headers[name] for name in policy.headers if name in headers}
