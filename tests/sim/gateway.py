"""A carrier's gateway: an agent that takes calls for numbers, may ask who calls, and brings calls in."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from b2bua.sip.digest import ha1
from b2bua.sip.digest import response as digest_response
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import Credentials
from b2bua.sip.message import Request

from .agent import Agent, Report
from .clock import Clock
from .link import Link, Place
from .plan import Plan
from .transactions import ServerTransaction


class Gateway(Agent):
    """A trunk's far end. `account` is the username and password that it knows us by."""

    def __init__(
        self,
        name: str,
        realm: str,
        account: tuple[str, str],
        place: Place,
        server: Place,
        clock: Clock,
        link: Link,
        draw: Random,
        report: Report,
    ) -> None:
        super().__init__(name, place, server, clock, link, draw, report)
        self.plans: Callable[[Request], Plan] | None = None
        self.realm = realm
        self.account = account
        self.nonce = self.token()
        self._drawn: dict[str, Plan] = {}

    def plan_for(self, request: Request) -> Plan:
        """What it was told to do with calls, once for each; without that it rings for ever."""
        plan = self._drawn.get(request.call_id)
        if plan is None:
            plan = self._drawn[request.call_id] = self.plans(request) if self.plans is not None else Plan()
        return plan

    def invited(self, request: Request, transaction: ServerTransaction) -> None:
        """Ask for credentials where the plan says so, and take the call when they are right."""
        if not self.plan_for(request).challenge or self._is_ours(request):
            super().invited(request, transaction)
            return
        challenge = f'Digest realm="{self.realm}", nonce="{self.nonce}", algorithm=MD5, qop="auth"'
        extra = [("WWW-Authenticate", challenge)]
        self.reply(request, transaction, 401, to_tag=self.token(), extra=extra)

    def _is_ours(self, request: Request) -> bool:
        line = request.get("Authorization")
        if line is None:
            return False
        try:
            given = Credentials.parse(line)
        except PeerError as error:
            self.report("digest", f"{self.name} cannot read {line!r}: {error}", request.call_id)
            return False
        username, password = self.account
        secret = ha1(username, self.realm, password, "MD5")
        due = digest_response(
            secret, request.method, given.uri, given.nonce, given.nc or "", given.cnonce or "", given.qop or "", "MD5"
        )
        right = given.nonce == self.nonce and given.username == username and given.response == due
        if not right:
            self.report("digest", f"{self.name} is given wrong credentials", request.call_id)
        return right
