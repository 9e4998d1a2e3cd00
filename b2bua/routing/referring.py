"""Who is in a call, as far as a transfer asks: as whom somebody is shown to the target, and who referred it there.

Owns that the target is shown the transferee, and is told of the transferor (Referred-By, RFC 3892) by what we know of
that one, whatever its REFER said.
"""

from __future__ import annotations

from b2bua.routing.destination import Destination
from b2bua.routing.forwarding import Fields
from b2bua.routing.identity import Identity
from b2bua.routing.verdicts import Target
from b2bua.sip.uri import escape_user
from b2bua.values import Frozen
from dsl.decision import Facts, NumberTarget
from dsl.policy import Policy


class Party(Frozen):
    """Somebody in a call: a user, else a number or a name; `account` where that is proven or registered with us."""

    name: str | None
    account: str | None
    identity: Identity


def calling(facts: Facts, identity: Identity) -> Party:
    """Whoever called us."""
    return Party(facts.caller or facts.caller_number or facts.claimed, facts.caller, identity)


def called(destination: Destination, policy: Policy) -> Party:
    """Whoever was called there. A user of ours was reached where it is registered."""
    name = destination.party
    user = policy.users.get(name) if destination.trunk is None else None
    if user is None:
        return Party(name, None, Identity("", name, None, False))
    return Party(name, name, Identity(user.display or "", name, name, False))


def referred_by(transferor: Party, target: Target, policy: Policy) -> Fields:
    """What the target is told of who sent the call there: a trunk learns of a number only."""
    if transferor.identity.anonymous:
        return ()
    said = transferor.account or transferor.identity.user
    if isinstance(target, NumberTarget):
        user = policy.users.get(transferor.account or "")
        said = policy.number_towards(target.trunk, user.number) if user is not None and user.number else ""
    return (("Referred-By", f"<sip:{escape_user(said)}@{policy.domains[0]}>"),) if said else ()
