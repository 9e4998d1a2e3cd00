"""Who sent a request, and what the policy says of a REGISTER.

Owns the challenges and credentials of each realm, and the facts of a REGISTER. Bad credentials are no credentials: the
policy sees a caller who is not authenticated. The users file that was read last decides about them for all versions of
the policy whose realm it was read for: digests are of no use in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from b2bua.effects import Flow, Remember
from b2bua.registrar.asked import seconds
from b2bua.registrar.authenticator import Authenticator, Refused, Stale, Verified
from b2bua.registrar.door import Door
from b2bua.routing.facts import RequestHeaders, dialed_in
from b2bua.routing.meters import Meters, Moment
from b2bua.routing.recording import Recording, picked
from b2bua.routing.saying import say
from b2bua.routing.verdicts import Challenge, Decision
from b2bua.routing.versions import Version
from b2bua.sip.errors import LocalError, PeerError
from b2bua.sip.grammar import is_number
from b2bua.sip.message import STAR, Request
from b2bua.transaction.turn import Turn
from dsl.decision import Facts
from dsl.evaluate import EvaluationError
from dsl.networks import counting_unit
from dsl.plan.recorded import Happened
from dsl.policy import Policy
from dsl.users import Credential


class _Realm:
    """The accounts of one realm, as the users file that was read last for it has them, and its challenges."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator
        self.credentials: dict[str, Credential] = {}

    def ha1(self, user: str, algorithm: str) -> str | None:
        """What a user's answer to a challenge is computed from; None for who has no account."""
        credential = self.credentials.get(user)
        if credential is None:
            return None
        return credential.sha256 if algorithm.startswith("SHA-256") else credential.md5


_SAME_SECONDS: Final = 3600.0
"""For how long an account that is told the same again and again leaves no further record of it."""


class Admitting:
    """Knows accounts. `key` signs nonces, so that a challenge needs no state; `door` says who may try."""

    def __init__(self, turn: Turn, key: bytes, policy: Policy, meters: Meters, door: Door) -> None:
        self._turn = turn
        self._key = key
        self._meters = meters
        self._door = door
        self._told: dict[str, tuple[tuple[str, ...], float]] = {}
        self._realms: dict[str, _Realm] = {}
        self.learn(policy)

    def learn(self, policy: Policy) -> None:
        """A users file was read with this policy; challenges of its realm stay good."""
        name = policy.domains[0]
        realm = self._realms.get(name)
        if realm is None:
            settings = self._turn.settings
            authenticator = Authenticator(self._key, name, settings.algorithms, settings.nonce_lifetime)
            realm = self._realms[name] = _Realm(authenticator)
        realm.credentials = policy.directory.credentials

    def keep(self, versions: Iterable[Version]) -> None:
        """The versions are these from now on: forget all other realms, and what was said by others."""
        self._told = {}
        wanted = {version.policy.domains[0] for version in versions}
        self._realms = {name: realm for name, realm in self._realms.items() if name in wanted}

    def verify(self, request: Request, flow: Flow, source: str, version: Version) -> Verified | Stale | None:
        """The account that proved itself, one whose nonce is too old, or nobody. `source` is where the request came
        from, which a front proxy may have seen.
        """
        if "Authorization" not in request.headers and "Proxy-Authorization" not in request.headers:
            return None
        realm, door = self._realms[version.policy.domains[0]], self._door
        credentials = realm.credentials
        # A stream's peer has proved its address by the connection.
        proving = flow.transport == "UDP" or source != flow.remote
        verdict = realm.authenticator.verify(
            request,
            self._turn.wall,
            realm.ha1,
            counting_unit(source) if proving else None,
            lambda user: door.may_try(source, user, user in credentials),
        )
        match verdict:
            case Verified(user=user):
                door.right(source, user)
                return verdict
            case Stale():
                return verdict
            case Refused(user=user, reason=reason):
                door.wrong(request, flow, source, user, user in credentials, reason)
        return None

    def challenge(self, stale: bool, source: str, version: Version) -> list[tuple[str, str]]:
        """The headers of a 401 to a request from this address."""
        self._turn.count("challenges")
        authenticator = self._realms[version.policy.domains[0]].authenticator
        return authenticator.challenge(self._turn.wall, self._turn.draw, stale, False, counting_unit(source))

    def registering(
        self, request: Request, flow: Flow, source: str, verified: str | None, version: Version
    ) -> tuple[str | None, Decision]:
        """Whose address a REGISTER is about, and what the policy says, which is counted and logged here.

        `source` is the IP address that it came from, which a front proxy may have seen.

        Raises PeerError 403 when a verified account wants to register for somebody else.
        """
        policy, wall, to = version.policy, self._turn.wall, request.to.uri
        if to.scheme not in ("sip", "sips"):
            raise PeerError(400, "To must be a SIP URI")
        named = dialed_in(to)
        user = named if named in policy.users else policy.callee(named)
        if verified is not None and verified != user:
            raise PeerError(403, "This address belongs to another account")
        contacts = request.contacts
        expires = request.get("Expires")
        asked = None if expires is None or not is_number(expires) else seconds(expires)
        facts = Facts(
            time=wall,
            source=source,
            transport=flow.transport.lower(),
            ambient=Moment(version, self._meters, wall, request.call_id),
            authenticated=verified is not None,
            caller=verified,
            user=user,
            expires=asked,
            contacts=0 if contacts is STAR else len(contacts),
            agent=request.get("User-Agent"),
            headers=RequestHeaders(request),
        )
        try:
            decision = policy.decide("register", facts)
        except EvaluationError as error:
            raise LocalError(f"the policy failed: {error}") from error
        if decision.takes or decision.logs:
            self._count(decision, user, policy)
        if not isinstance(decision.action, Challenge):
            self._remember(user or "", named, facts, decision, policy)
        return user, decision

    def _remember(self, user: str, named: str | None, facts: Facts, decision: Decision, policy: Policy) -> None:
        """Have it recorded what an account was told, if that is not what it was told within the last hour."""
        rules, at = self._told.get(user, (None, 0.0))
        if rules == decision.rules and facts.time - at < _SAME_SECONDS:
            return
        self._told[user] = decision.rules, facts.time
        headers = picked(policy, facts) if policy.headers else {}
        events = [Happened("register", facts.time, decision)]
        recording = Recording(user, policy, events, facts, None, headers, named)
        self._turn.effects.append(Remember(recording, registration=True))

    def _count(self, decision: Decision, user: str | None, policy: Policy) -> None:
        """What a decision about a REGISTER uses up and says; a total cannot be held by it, so it is given back."""
        turn, meters = self._turn, self._meters
        for name, key in decision.takes:
            if meters.take(policy.limits[name], key, turn.wall):
                meters.give_back(name, key)
        say(decision, turn, {"register": user, **decision.tags})
