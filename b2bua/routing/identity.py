"""As whom a caller is shown to the called side (RFC 3323, RFC 3325).

An account that proved itself is shown by its own name and number, whatever its From said. Somebody who proved nothing
is shown by the number that a trunk gives, and never by the name of a user of ours.
"""

from __future__ import annotations

from typing import Self

from b2bua.routing.facts import dialed_in
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr, quote
from b2bua.sip.message import Request
from b2bua.sip.uri import escape_user
from b2bua.values import Frozen
from dsl.compile_setup import Trunk
from dsl.decision import Facts
from dsl.policy import Policy

_ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


class Identity(Frozen):
    """`user` is what stands before the @, empty where nobody may be named; `account` the verified caller."""

    display: str
    user: str
    account: str | None
    anonymous: bool

    @classmethod
    def of(cls, request: Request, policy: Policy, facts: Facts) -> Self:
        """The identity of whoever sent an INVITE that these are the facts of."""
        verified, anonymous = facts.caller, facts.anonymous
        if verified is not None:
            user = policy.users.get(verified)
            display = (user.display if user is not None else None) or ""
            return cls(display, verified, verified, anonymous)
        claimed = _asserted(request, policy, facts)
        if claimed is None or policy.callee(claimed) is not None:
            return cls("", "", None, anonymous)
        return cls("", policy.e164(claimed) or claimed, None, anonymous)

    def from_value(self, host: str) -> str:
        """A From value without tag."""
        if self.anonymous or not self.user:
            return _ANONYMOUS
        uri = f"<sip:{escape_user(self.user)}@{host}>"
        return f"{quote(self.display)} {uri}" if self.display else uri

    def towards(self, trunk: Trunk, policy: Policy) -> Identity:
        """The identity that a trunk is shown: a number, or the trunk's own account (`from account`)."""
        number: str | None = trunk.caller_id
        if trunk.from_ == "account" and trunk.account is not None:
            number = trunk.account
        if number is None and self.account is not None:
            user = policy.users.get(self.account)
            number = user.number if user is not None else None
            number = (policy.e164(number) or number) if number is not None else None
        if number is None and self.account is None:
            number = self.user
        return Identity(self.display, number or "", self.account, self.anonymous)

    def headers(self, trusted: bool, host: str) -> tuple[tuple[str, str], ...]:
        """What only a trusted trunk is told, and that the rest is to be kept from the called party."""
        if not trusted or not self.user:
            return (("Privacy", "id"),) if self.anonymous else ()
        asserted = ("P-Asserted-Identity", f"<sip:{escape_user(self.user)}@{host}>")
        return (asserted, ("Privacy", "id")) if self.anonymous else (asserted,)


def _asserted(request: Request, policy: Policy, facts: Facts) -> str | None:
    if facts.trunk is not None and policy.trunks[facts.trunk].trusted:
        values = request.values("P-Asserted-Identity")
        if values:
            try:
                return dialed_in(NameAddr.parse(values[0]).uri)
            except PeerError:
                return None
    return facts.claimed
