"""Who forwarded a call: Diversion (RFC 5806) and History-Info (RFC 7044), read and written.

Owns the two headers and the rule against going round. What came with a call goes on with it, so that whoever it comes
to next can count too; what in it is private shows to trusted trunks only. Leaves to the policy whether to forward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from b2bua.routing.facts import dialed_in
from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import decode_percent, is_number
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request
from b2bua.sip.uri import write_params
from b2bua.values import Frozen
from dsl.policy import Policy

# The most forwardings that one call may have been through, ours included.
MOST: Final = 5

_REASONS: Final = {
    "call": ("unconditional", 302),
    "busy": ("user-busy", 486),
    "no-answer": ("no-answer", 408),
    "unreachable": ("unavailable", 503),
    "failure": ("unknown", 404),
    "redirect": ("deflection", 302),
}
_ANONYMOUS: Final = "<sip:anonymous@anonymous.invalid>"

Fields: TypeAlias = tuple[tuple[str, str], ...]


class Forwarding(Frozen):
    """One of ours: the user whose calls went elsewhere, and the event that said so."""

    user: str
    event: str


class History(Frozen):
    """What came with the caller's INVITE: Diversion values, newest first, and History-Info values, oldest first; then
    what we forwarded, oldest first.
    """

    diversions: tuple[NameAddr, ...] = ()
    entries: tuple[NameAddr, ...] = ()
    ours: tuple[Forwarding, ...] = ()

    @property
    def count(self) -> int:
        """How often the call was forwarded, as far as its headers say (RFC 5806 section 4, RFC 7044 section 9)."""
        diverted = 0
        for address in self.diversions:
            counter = address.param("counter") or ""
            diverted += min(int(counter), MOST) if is_number(counter) and len(counter) < 4 else 1
        retargeted = sum(1 for entry in self.entries if entry.param("mp") is not None)
        return max(diverted, retargeted) + len(self.ours)

    def parties(self) -> set[str]:
        """All that forwarded, or were called before: users and numbers as these headers write them."""
        received = {dialed_in(address.uri) or "" for address in (*self.diversions, *self.entries)}
        return received.union(forwarding.user for forwarding in self.ours)

    def names(self, user: str, policy: Policy) -> bool:
        """Whether a user of ours is among them, by name, extension or number."""
        known = policy.users.get(user)
        number = policy.e164(known.number) if known is not None else None
        for party in self.parties():
            if party == user or policy.callee(party) == user or (number is not None and policy.e164(party) == number):
                return True
        return False


NO_HISTORY: Final = History()


def history_of(request: Request) -> History:
    """What an INVITE says of earlier forwarding; values that cannot be read say nothing."""
    if "Diversion" not in request.headers and "History-Info" not in request.headers:
        return NO_HISTORY
    return History(_addresses(request, "Diversion"), _addresses(request, "History-Info"))


def diverter_of(history: History, policy: Policy) -> str | None:
    """The party that forwarded last: a user of ours if it is one, else what stands there.

    Diversion says so with its first value (RFC 5806 section 5), History-Info by what its last `mp` points to.
    """
    party = None
    if history.diversions:
        party = dialed_in(history.diversions[0].uri)
    else:
        pointers = [entry.param("mp") for entry in history.entries if entry.param("mp")]
        for entry in history.entries:
            if pointers and entry.param("index") == pointers[-1]:
                party = dialed_in(entry.uri)
    return policy.callee(party) or party


def forwarded(history: History, user: str, event: str) -> History:
    """The history with one more forwarding on top, for this user, because of this event."""
    return History(history.diversions, history.entries, (*history.ours, Forwarding(user, event)))


def history_headers(
    history: History, dialed: str, target_uri: str, spelled: Callable[[str], str], told: bool, all_private: bool
) -> Fields:
    """The headers of an INVITE to `target_uri` (RFC 5806 section 5, RFC 7044 section 10).

    `spelled` is the URI of somebody here as the next hop wants it, `dialed` what we were asked for. Who is not `told`
    sees no address that is to be kept private (RFC 7044 10.1): none that came, if all of them are.
    """
    ours = history.ours
    fields: Fields = tuple(
        [("Diversion", f"<{spelled(one.user)}>;reason={_REASONS[one.event][0]};counter=1") for one in reversed(ours)]
        + [("Diversion", _written(address, not told and _hides(address))) for address in history.diversions]
    )
    if not ours and not history.entries:
        return fields
    entries = [_written(entry, not told and (all_private or _is_private(entry))) for entry in history.entries]
    index, first = _place(history, dialed)
    if first is not None:
        entries.append(f"<{spelled(first)}>;index={index}")
    for number, one in enumerate(ours):
        target = spelled(ours[number + 1].user) if number + 1 < len(ours) else target_uri
        entries.append(f"<{target};cause={_REASONS[one.event][1]}>;index={index}.1;mp={index}")
        index += ".1"
    if not ours:
        entries.append(f"<{target_uri}>;index={index}.1")
    return (*fields, ("History-Info", ", ".join(entries)))


def _place(history: History, dialed: str) -> tuple[str, str | None]:
    """The index of whom the call came to, and who that is where the last entry does not say so (RFC 7044 10.3).

    A 0 in an index says that somebody on the way before us added nothing.
    """
    first = history.ours[0].user if history.ours else dialed
    if not history.entries:
        return "1", first
    last = history.entries[-1]
    index = last.param("index") or "1"
    return (index, None) if dialed_in(last.uri) in (first, dialed) else (f"{index}.0.1", first)


def _addresses(request: Request, name: str) -> tuple[NameAddr, ...]:
    found = []
    for value in request.values(name) if name in request.headers else ():
        try:
            found.append(NameAddr.parse(value))
        except PeerError:
            continue
    return tuple(found)


def _written(address: NameAddr, hidden: bool) -> str:
    if hidden:
        return f"{_ANONYMOUS}{write_params(address.params)}"
    return str(address)


def _hides(diversion: NameAddr) -> bool:
    """Whether a Diversion says that its address is to be kept (RFC 5806 section 4)."""
    return (diversion.param("privacy") or "off").strip('"').lower() != "off"


def _is_private(entry: NameAddr) -> bool:
    """Whether an entry of History-Info says so of itself, in the Privacy that its URI holds (RFC 7044 10.1.2)."""
    fields = decode_percent(entry.uri.headers or "").lower()
    return "privacy=" in fields and "privacy=none" not in fields
