"""One call's dealings with the policy: the version it began with, its facts, and what it forwarded.

Owns asking for decisions, and turning the parties that a decision names into destinations. Leaves to the call what it
does with them.
"""

from __future__ import annotations

from typing import Literal

from b2bua.dialog.hops import hop_of
from b2bua.effects import Flow
from b2bua.routing.destination import Destination, Refused
from b2bua.routing.directory import Directory
from b2bua.routing.facts import EMERGENCY_URN, dialed_in, facts_of
from b2bua.routing.forwarding import MOST, History, forwarded, history_headers, history_of
from b2bua.routing.gateways import Gateway
from b2bua.routing.identity import Identity
from b2bua.routing.meters import Meters, Moment
from b2bua.routing.verdicts import Continue, Decision, Dial, Frame, Outcome, Reject, Target
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri, escape_user
from dsl.decision import NumberTarget, UriTarget, UserTarget
from dsl.evaluate import EvaluationError
from dsl.policy import Policy


class Inquiry:
    """Asks on behalf of one call. `policy` stays the version that the call began with."""

    __slots__ = (
        "_contact",
        "_directory",
        "_event",
        "_flow",
        "_gateways",
        "_history",
        "emergency",
        "facts",
        "identity",
        "meters",
        "policy",
    )

    def __init__(
        self,
        policy: Policy,
        gateways: dict[str, Gateway],
        directory: Directory,
        meters: Meters,
        request: Request,
        flow: Flow,
        source: str,
        wall: float,
        verified: str | None,
        trunk: str | None,
    ) -> None:
        self.policy = policy
        self._gateways = gateways
        self._directory = directory
        self._flow = flow
        self._contact = None if source == flow.remote else _contact_of(request)
        self.meters = meters
        self.facts = facts_of(request, flow, source, policy, Moment(policy, meters, wall), wall, verified, trunk)
        self.emergency = policy.is_emergency(self.facts.dialed)
        self.identity = Identity.of(request, policy, self.facts)
        self._history: History = history_of(request)
        self._event = "call"

    def decide(self) -> Decision:
        """What the policy says of the call."""
        try:
            return self.policy.decide("call", self.facts)
        except EvaluationError as error:
            return self._failed(error)

    def resume(self, frame: Frame, outcome: Outcome, wall: float) -> Decision:
        """What the policy says of a dial's outcome; what holds at the moment is asked anew."""
        self._event = outcome.kind
        self.facts.time = wall
        self.facts.ambient = Moment(self.policy, self.meters, wall)
        try:
            return self.policy.resume(frame, outcome, self.facts)
        except EvaluationError as error:
            return self._failed(error)

    def judge(
        self, event: Literal["hold", "resume"], callee: str, by_caller: bool, held_for: float | None, wall: float
    ) -> Decision:
        """What the policy says when one side stops hearing the other, or hears it again after `held_for` seconds."""
        facts = self.facts
        parties = (facts.caller or facts.claimed, callee)
        facts.holder, facts.held = parties if by_caller else parties[::-1]
        facts.holder_is_caller = by_caller
        facts.held_for = held_for
        facts.callee = None
        facts.time = wall
        facts.ambient = Moment(self.policy, self.meters, wall)
        try:
            return self.policy.decide(event, facts)
        except EvaluationError as error:
            return Decision(Continue(), self.policy.hash, logs=(f"the policy failed: {error}",))

    def take(self, limits: tuple[tuple[str, str], ...], wall: float) -> list[tuple[str, str]]:
        """Count what a decision uses up; what is returned has to be given back."""
        if self.emergency:
            return []
        declared = self.policy.limits
        return [(name, key) for name, key in limits if self.meters.take(declared[name], key, wall)]

    def forward(self, dial: Dial) -> bool:
        """Note that a user's calls go elsewhere; False when that user forwarded already, or too many did."""
        forwarder = dial.forwarder
        if forwarder is None:
            return True
        if len(self._history.diversions) >= MOST or forwarder in self._history.users():
            return False
        self._history = forwarded(self._history, self._user_uri(forwarder), self._event)
        return True

    def destinations(self, target: Target, forwarding: bool) -> tuple[Destination, ...] | Refused:
        """Where a party is to be called."""
        if isinstance(target, UserTarget):
            return self._user(target.user, forwarding)
        if isinstance(target, NumberTarget):
            return self._number(target, forwarding)
        return self._uri(target, forwarding)

    def forget(self) -> None:
        """The call was answered: let go of the request's own headers."""
        self.facts.headers = {}

    def _failed(self, error: EvaluationError) -> Decision:
        return Decision(Reject(500), self.policy.hash, logs=(f"the policy failed: {error}",))

    def _user(self, user: str, forwarding: bool) -> tuple[Destination, ...] | Refused:
        uri = self._user_uri(user)
        headers = self._history_headers(uri, forwarding)
        shown, wall = self._shown(), self.facts.time
        found = self._directory.destinations(user, uri, self._flow, self._contact, shown, headers, wall)
        return found or Refused("unreachable", f"{user} is not registered")

    def _number(self, target: NumberTarget, forwarding: bool) -> tuple[Destination, ...] | Refused:
        gateway, policy, number = self._gateways[target.trunk], self.policy, target.number
        trunk = gateway.trunk
        if number is None:
            return Refused("failure", "there is no number to dial")
        written = number if self.emergency else policy.trunk_number(target.trunk, number)
        if written is None:
            return Refused("failure", f"trunk {trunk.name} does not allow {number}")
        full = trunk.channels is not None and self.meters.channels(trunk.name) >= trunk.channels
        if full and not self.emergency:
            return Refused("unreachable", f"all channels of trunk {trunk.name} are taken")
        uri = written if written == EMERGENCY_URN else gateway.uri(written)
        shown, host = self.identity.towards(trunk, policy), policy.domains[0]
        headers = shown.headers(trunk.trusted, host)
        if forwarding:
            headers += history_headers(self._history, uri, self._event)
        return (
            Destination(
                uri=uri,
                party=number,
                hop=gateway.hop,
                from_=shown.from_value(host),
                to=f"<{uri}>",
                trunk=trunk.name,
                account=gateway.account,
                headers=headers,
            ),
        )

    def _uri(self, target: UriTarget, forwarding: bool) -> tuple[Destination, ...] | Refused:
        if target.uri is None:
            return Refused("failure", "there is no address to dial")
        try:
            uri = Uri.parse(target.uri)
        except PeerError as error:
            return Refused("failure", f"{target.uri}: {error.reason}")
        if self._directory.ours(uri):
            callee = self.policy.callee(dialed_in(uri))
            if callee is None:
                return Refused("failure", f"nobody here is called {dialed_in(uri)}")
            return self._user(callee, forwarding)
        if not target.written or uri.scheme != "sip":
            return Refused("failure", f"{target.uri} is none of our users")
        headers = self._history_headers(target.uri, forwarding)
        shown = self._shown()
        text = str(uri.without_headers())
        return (Destination(uri=text, party=text, hop=hop_of(uri), from_=shown, to=f"<{text}>", headers=headers),)

    def _history_headers(self, uri: str, forwarding: bool) -> tuple[tuple[str, str], ...]:
        return history_headers(self._history, uri, self._event) if forwarding else ()

    def _shown(self) -> str:
        return self.identity.from_value(self._our_host())

    def _user_uri(self, user: str) -> str:
        return f"sip:{escape_user(user)}@{self._our_host()}"

    def _our_host(self) -> str:
        return self.policy.domains[0]


def _contact_of(request: Request) -> str | None:
    """Whom a request from behind a front proxy comes from: all that its phones share with each other is a flow."""
    contacts = request.contacts
    return str(contacts[0].uri) if isinstance(contacts, list) and contacts else None
