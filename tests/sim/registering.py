"""A registrar for our trunk: it asks who we are, and has us for a minute.

Owns what a gateway answers to REGISTER, and when a whole trunk is away.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from b2bua.sip.digest import ha1
from b2bua.sip.digest import response as digest_response
from b2bua.sip.headers import Credentials
from b2bua.sip.message import Request

from .clock import Clock
from .gateway import Gateway
from .transactions import ServerTransaction

_GRANTED = 60


class RegisteringGateway(Gateway):
    """A gateway that registers us. `registers` counts REGISTERs, `accepted` the good ones, `left` the removals.

    While it is `away` nothing new reaches it; the calls that it has go on, so that no rule is excused.
    """

    registers = 0
    accepted = 0
    left = 0
    away = False

    def invited(self, request: Request, transaction: ServerTransaction) -> None:
        """While it is away it takes no new call, and says nothing."""
        if not self.away or request.call_id in self.calls:
            super().invited(request, transaction)

    def asked(self, request: Request, transaction: ServerTransaction) -> None:
        """Register whoever shows the trunk's account with our nonce; while it is away, nobody."""
        if self.away:
            return
        if request.method != "REGISTER":
            super().asked(request, transaction)
            return
        self.registers += 1
        line = request.get("Authorization")
        fresh = self._is_right(request, line) if line is not None else False
        if not fresh:
            stale = ", stale=true" if line is not None else ""
            asks = f'Digest realm="{self.realm}", nonce="{self.nonce}", algorithm=MD5, qop="auth"{stale}'
            self.reply(request, transaction, 401, to_tag=self.token(), extra=[("WWW-Authenticate", asks)])
            return
        expires = min(int(request.get("Expires") or 0), _GRANTED)
        self.accepted += 1
        self.left += expires == 0
        self.reply(request, transaction, 200, to_tag=self.token(), extra=[("Expires", str(expires))])

    def _is_right(self, request: Request, line: str) -> bool:
        """Whether the credentials are for our nonce; wrong ones are reported."""
        given = Credentials.parse(line)
        username, password = self.account
        secret = ha1(username, self.realm, password, "MD5")
        counted = given.nc or "", given.cnonce or "", given.qop or ""
        due = digest_response(secret, "REGISTER", given.uri, given.nonce, *counted, "MD5")
        if given.username != username or given.response != due:
            self.report("digest", f"{self.name} is given wrong credentials", request.call_id)
        return given.nonce == self.nonce


def plan_absence(clock: Clock, draw: Random, gateways: Sequence[RegisteringGateway], until: float) -> None:
    """Let a whole trunk be away for a while, and return."""
    goes = draw.uniform(15.0, until)
    returns = goes + draw.uniform(60.0, 120.0)
    for gateway in gateways:
        clock.at(goes, partial(setattr, gateway, "away", True))
        clock.at(returns, partial(setattr, gateway, "away", False))
