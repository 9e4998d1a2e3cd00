"""One call's dealings with the policy, or a message's: the version it began with, its facts, what it forwarded.

Owns asking for decisions, and turning the parties that a decision names into destinations. Leaves to the call what it
does with them.
"""

from __future__ import annotations

from typing import Literal

from b2bua.dialog.hops import hop_of
from b2bua.effects import Flow, Remember
from b2bua.routing.destination import Destination, Refused
from b2bua.routing.directory import Directory
from b2bua.routing.facts import EMERGENCY_URN, dialed_in, facts_of
from b2bua.routing.forwarding import (
    MOST,
    NO_HISTORY,
    Fields,
    History,
    diverter_of,
    forwarded,
    history_headers,
    history_of,
)
from b2bua.routing.identity import Identity
from b2bua.routing.meters import Meters, Moment
from b2bua.routing.privacy import NO_PRIVACY, Privacy, is_nameless, privacy_of
from b2bua.routing.recording import Recording, picked
from b2bua.routing.referring import Party, calling
from b2bua.routing.secure import secured
from b2bua.routing.verdicts import Continue, Decision, Dial, Frame, Outcome, Reject, Target
from b2bua.routing.versions import Version
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri, escape_user
from dsl.compile_setup import Trunk
from dsl.decision import NumberTarget, UriTarget, UserTarget
from dsl.evaluate import EvaluationError
from dsl.plan.recorded import MOST_EVENTS, Happened

_SERVER_ERROR = Reject(500)


class Inquiry:
    """Asks on behalf of one call.

    `policy` stays the version that the call began with, of the hash `began_with`, until that has been replaced for too
    long: then what happens in the call is decided by the one in force. `secure`: to a sips URI.

    `events` are those that were decided and not yet handed over for the record.
    """

    __slots__ = (
        "_call",
        "_contact",
        "_directory",
        "_event",
        "_flow",
        "_history",
        "_named",
        "_recorded",
        "began_with",
        "emergency",
        "events",
        "facts",
        "identity",
        "last_resort",
        "meters",
        "passed_over",
        "policy",
        "privacy",
        "secure",
        "version",
    )

    def __init__(
        self,
        version: Version,
        directory: Directory,
        meters: Meters,
        request: Request,
        flow: Flow,
        source: str,
        wall: float,
        verified: str | None,
        trunk: str | None,
    ) -> None:
        self.version = version
        self.policy = policy = version.policy
        self.began_with = policy.hash
        self._directory = directory
        self._flow = flow
        self.secure = flow.transport == "TLS" and request.request_uri.scheme == "sips"
        self._contact = None if source == flow.remote else _contact_of(request)
        self.meters = meters
        self.privacy: Privacy = privacy_of(request) if "Privacy" in request.headers else NO_PRIVACY
        self._history: History = history_of(request)
        anonymous = self.privacy.nameless or (is_nameless(request.from_.uri) and not self.privacy.open)
        diverter = None if self._history is NO_HISTORY else diverter_of(self._history, policy)
        self._call = request.call_id
        moment = Moment(version, meters, wall, self._call)
        self.facts = facts = facts_of(request, flow, source, policy, moment, wall, verified, trunk, anonymous, diverter)
        self.emergency = policy.is_emergency(facts.dialed)
        self.identity = identity = Identity.of(request, policy, facts, self.privacy)
        if trunk is not None and verified is None:
            facts.anonymous = identity.anonymous
            facts.caller_number = policy.number_from(trunk, identity.number) if identity.number is not None else None
        self._named: dict[str, str] = picked(policy, facts) if policy.headers else {}
        self.events: list[Happened] = []
        self._recorded = 0
        self._event = "call"
        self.last_resort = False
        self.passed_over: tuple[NumberTarget, ...] = ()

    def decide(self) -> Decision:
        """What the policy says of the call."""
        decision = self._decided("call")
        self.events.append(Happened("call", self.facts.time, decision))
        return decision

    def decide_message(self) -> Decision:
        """What the policy says of a message."""
        decision = self._decided("message")
        self.events.append(Happened("message", self.facts.time, decision))
        return decision

    def resume(self, frame: Frame, outcome: Outcome, wall: float) -> Decision:
        """What the policy says of a dial's outcome."""
        self._event = outcome.kind
        self._renew_moment(wall)
        try:
            decision = self.policy.resume(frame, outcome, self.facts)
        except EvaluationError as error:
            decision = self._failed(error)
        self.events.append(Happened(outcome.kind, wall, decision, outcome))
        return decision

    def judge(
        self,
        event: Literal["hold", "resume"],
        parties: tuple[str | None, str | None],
        by_caller: bool | None,
        held_for: float | None,
        wall: float,
    ) -> Decision:
        """What the policy says when one side stops hearing the other, or hears it again after `held_for` seconds.

        `parties` are that one and the other, by name; `by_caller` is None where neither is the caller any more.
        """
        facts = self.facts
        facts.holder, facts.held = parties
        facts.holder_is_caller = by_caller is True
        facts.held_for = held_for
        facts.callee = None
        self._renew_moment(wall)
        try:
            decision = self.policy.decide(event, facts)
        except EvaluationError as error:
            decision = self._failed(error, Continue())
        own: dict[str, str | bool | float | None] = {
            "holder": facts.holder,
            "held": facts.held,
            "held_for": held_for,
        }
        if by_caller is not None:
            own["holder_is_caller"] = by_caller
        self._note(Happened(event, wall, decision, None, own))
        return decision

    def remember(self, call: str) -> Remember:
        """What was decided since this was last asked, for the record of the call with this id."""
        events, self.events = self.events, []
        first = self._recorded == 0
        self._recorded += len(events)
        facts = self.facts if first else None
        number = self.identity.number if first else None
        return Remember(Recording(call, self.policy, events, facts, number, self._named))

    def _note(self, happened: Happened) -> None:
        """Keep for the record what was decided within the call, while it holds some."""
        if self._recorded + len(self.events) < MOST_EVENTS:
            self.events.append(happened)

    def refer(
        self,
        transferor: Party,
        transferee: Party,
        by_caller: bool | None,
        uri: Uri,
        consulted: Party | None,
        wall: float,
    ) -> Decision:
        """What the policy says when one party in the call has the other go to this URI; `by_caller` as in `judge`.

        Whom the transferor has `consulted`, and talks to in another call, is the target, whatever the URI says.
        """
        before = self.facts.dialed
        dialed = dialed_in(uri) if consulted is None else consulted.name
        target = self.policy.callee(dialed) if consulted is None else consulted.account
        parties = (transferor, transferee)
        decision = self._transferred(parties, by_caller, dialed, target, consulted is not None, wall)
        self.facts.dialed = before
        return decision

    def take_place(self, transferee: Party, wall: float) -> Decision:
        """What the policy says when whoever sent this INVITE wants to have the transferee of another call."""
        party = calling(self.facts, self.identity)
        return self._transferred((party, transferee), None, self.facts.dialed, party.account, True, wall)

    def _transferred(
        self,
        parties: tuple[Party, Party],
        by_caller: bool | None,
        dialed: str | None,
        target: str | None,
        attended: bool,
        wall: float,
    ) -> Decision:
        facts, (transferor, transferee) = self.facts, parties
        facts.dialed, facts.target, facts.callee = dialed, target, None
        facts.transferor, facts.transferee = transferor.name, transferee.name
        facts.transferor_is_known = transferor.account is not None
        facts.transferor_is_caller = by_caller is True
        facts.attended = attended
        self._renew_moment(wall)
        decision = self._decided("transfer")
        own: dict[str, str | bool | float | None] = {
            "dialed": dialed,
            "target": target,
            "transferor": facts.transferor,
            "transferee": facts.transferee,
            "transferor_is_known": facts.transferor_is_known,
            "attended": attended,
        }
        if by_caller is not None:
            own["transferor_is_caller"] = by_caller
        self._note(Happened("transfer", wall, decision, None, own))
        return decision

    def call_for(self, party: Party, flow: Flow, contact: str | None, target: Target) -> None:
        """From here on destinations are those of a call on behalf of this party in the call, by this flow of its own.

        `contact` tells it from others on that flow, where a front proxy stands between.
        """
        self.identity = party.identity
        self._history = NO_HISTORY
        self._flow, self._contact = flow, contact
        self.emergency = isinstance(target, NumberTarget) and self.policy.is_emergency(target.number)
        self.last_resort, self.passed_over = False, ()

    def is_ours(self, uri: Uri) -> bool:
        """Whether calling this URI is for us to decide."""
        return uri.scheme == "tel" or self._directory.ours(uri)

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
        if self._history.count >= MOST or self._history.names(forwarder, self.policy):
            return False
        self._history = forwarded(self._history, forwarder, self._event)
        return True

    def destinations(self, target: Target) -> tuple[Destination, ...] | Refused:
        """Where a party is to be called, whether by TLS or not."""
        if isinstance(target, UserTarget):
            return self._user(target.user)
        if isinstance(target, NumberTarget):
            return self._number(target)
        return self._uri(target)

    def phones(self, user: str | None) -> tuple[Destination, ...] | Refused:
        """Where a user is to be found, but for the phone that asks; by TLS alone where a sips URI was."""
        if user is None:
            return Refused("failure", "nobody here is called so")
        found = self._user(user)
        return secured(found) if self.secure else found

    def renew(self) -> None:
        """The version has been replaced for too long: the one in force decides from now on."""
        self.version = self.version.among.current
        self.policy = self.version.policy

    def forget(self) -> None:
        """The call was answered: let go of the request's own headers."""
        self.facts.headers = {}

    def _decided(self, event: Literal["call", "transfer", "message"]) -> Decision:
        try:
            return self.policy.decide(event, self.facts)
        except EvaluationError as error:
            return self._failed(error)

    def _renew_moment(self, wall: float) -> None:
        """What holds at the moment is asked anew."""
        self.facts.time = wall
        self.facts.ambient = Moment(self.version, self.meters, wall, self._call)

    def _failed(self, error: EvaluationError, action: Continue | Reject = _SERVER_ERROR) -> Decision:
        fault = str(error)
        return Decision(action, self.policy.hash, logs=(fault,), fault=fault)

    def _user(self, user: str) -> tuple[Destination, ...] | Refused:
        uri = self._user_uri(user)
        headers = self._history_headers(uri)
        shown, wall = self._shown(), self.facts.time
        found = self._directory.destinations(user, uri, self._flow, self._contact, shown, headers, wall)
        return found or Refused("unreachable", f"{user} is not registered")

    def _number(self, target: NumberTarget) -> tuple[Destination, ...] | Refused:
        version, policy, number = self.version, self.policy, target.number
        gateway = version.gateways[target.trunk]
        trunk = gateway.trunk
        if number is None:
            return Refused("failure", "there is no number to dial")
        written = number if self.emergency else policy.trunk_number(target.trunk, number)
        if written is None:
            return Refused("failure", f"trunk {trunk.name} does not allow {number}")
        if trunk.name in self.meters.barred and trunk.name not in version.apart and not self.last_resort:
            if self.emergency:
                self.passed_over = (*self.passed_over, target)
            return Refused("unreachable", f"trunk {trunk.name} takes no calls: {self.meters.lines.why(trunk.name)}")
        full = trunk.channels is not None and self.meters.channels(trunk.name) >= trunk.channels
        if full and not self.emergency:
            return Refused("unreachable", f"all channels of trunk {trunk.name} are taken")
        uri = written if written == EMERGENCY_URN else gateway.uri(written)
        from_, headers = self.identity.towards(trunk, gateway.hop.uri.host, policy)
        if self._history is not NO_HISTORY:
            headers += self._history_headers(uri, trunk)
        return (
            Destination(
                uri=uri,
                party=number,
                hop=gateway.hop,
                from_=from_,
                to=f"<{uri}>",
                trunk=trunk.name,
                account=gateway.account,
                headers=headers,
            ),
        )

    def _uri(self, target: UriTarget) -> tuple[Destination, ...] | Refused:
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
            return self._user(callee)
        if not target.written or uri.scheme not in ("sip", "sips"):
            return Refused("failure", f"{target.uri} is none of our users")
        headers = self._history_headers(target.uri)
        shown = self._shown()
        text = str(uri.without_headers())
        return (Destination(uri=text, party=text, hop=hop_of(uri), from_=shown, to=f"<{text}>", headers=headers),)

    def _history_headers(self, uri: str, trunk: Trunk | None = None) -> Fields:
        """How the call came here, for whoever it goes to; a trunk reads numbers where our users have one."""
        history = self._history
        if history is NO_HISTORY:
            return ()
        policy = self.policy

        def spelled(party: str) -> str:
            user = policy.users.get(party)
            if trunk is not None and user is not None and user.number is not None:
                party = policy.number_towards(trunk.name, user.number)
            return self._user_uri(party)

        told = trunk is not None and trunk.trusted
        return history_headers(history, self.facts.dialed or "", uri, spelled, told, self.privacy.history)

    def _shown(self) -> str:
        return self.identity.from_value(self._our_host())

    def _user_uri(self, user: str) -> str:
        return f"sip:{escape_user(user)}@{self._our_host()}"

    def _our_host(self) -> str:
        return self.policy.domains[0]


def _contact_of(request: Request) -> str:
    """Whom a request from behind a front proxy comes from: all that its phones share with each other is a flow.

    One that does not say so, as a message never does, may come from any of them: that is none whom one could name.
    """
    contacts = request.contacts
    return str(contacts[0].uri) if isinstance(contacts, list) and contacts else ""
