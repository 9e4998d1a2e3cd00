"""A telephone: an agent that registers, with digest, and is called at its binding (RFC 3261 section 10)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from b2bua.sip.message import Request, Response

from .agent import Agent, Report
from .clock import Clock
from .link import Link, Place
from .plan import Plan
from .transactions import ServerTransaction
from .wire import Header


class Phone(Agent):
    """One device of a user. `registered` says whether the registrar has told it so; `statuses` are its finals."""

    def __init__(
        self,
        name: str,
        user: str,
        domain: str,
        password: str,
        place: Place,
        server: Place,
        clock: Clock,
        link: Link,
        draw: Random,
        report: Report,
    ) -> None:
        super().__init__(name, place, server, clock, link, draw, report)
        self.user = user
        self.address = f"sip:{user}@{domain}"
        self.registrar = f"sip:{domain}"
        self.realms[domain] = (user, password)
        self.registered = False
        self.statuses: list[int] = []
        self.plans: Callable[[Request], Plan] | None = None
        self.reads: Callable[[Request, ServerTransaction], None] | None = None
        self.supports: tuple[Header, ...] = ()
        self._register_id = self.token()
        self._register_seq = 0
        self._register_tries = 0
        self._registering = False
        self._wanted: int | None = None

    def plan_for(self, request: Request) -> Plan:
        """What it was told to do with calls; without that it rings for ever."""
        return self.plans(request) if self.plans is not None else Plan()

    def asked(self, request: Request, transaction: ServerTransaction) -> None:
        """A message is read by whoever reads them here."""
        if request.method == "MESSAGE" and self.reads is not None:
            self.reads(request, transaction)
        else:
            super().asked(request, transaction)

    def dial(self, target: str, plan: Plan) -> None:
        """Call a URI, as its user."""
        if not self.dead:
            self.call(target, plan, f"<{self.address}>")

    def register(self, expires: int = 3600) -> None:
        """Bind its contact, or unbind it with 0: once the REGISTER before that is answered (RFC 3261 10.2)."""
        if self._registering:
            self._wanted = expires
            return
        self._registering = True
        self._register_tries = 0
        self._send_register(expires, None)

    def _register_over(self, status: int) -> None:
        self.statuses.append(status)
        self._registering = False
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.register(wanted)

    def _send_register(self, expires: int, challenged: Response | None) -> None:
        if self.dead:
            return
        self._register_seq += 1
        self._register_tries += 1
        proof = self.credentials("REGISTER", self.registrar, challenged)
        self.ask(
            "REGISTER",
            self.registrar,
            from_=f"<{self.address}>;tag={self.token()}",
            to=f"<{self.address}>",
            call_id=self._register_id,
            cseq=self._register_seq,
            heard=lambda response: self._register_heard(expires, response),
            timed_out=lambda: self._register_over(0),
            extra=[("Expires", str(expires)), *self.supports, *proof],
        )

    def _register_heard(self, expires: int, response: Response) -> None:
        if response.status < 200:
            return
        if response.status == 401 and self._register_tries < 3:
            self._send_register(expires, response)
            return
        if response.status == 200:
            self.registered = expires > 0
            listed = any(self.contact in value for value in response.values("Contact"))
            if listed != self.registered:
                self.report("registered", f"{self.name}: the 200 to REGISTER lists it wrongly", response.call_id)
        self._register_over(response.status)
