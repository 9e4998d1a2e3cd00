"""As whom a caller is shown to the called side (RFC 3323, RFC 3325).

An account that proved itself is shown by its own name and number, whatever its From said. Somebody who proved nothing
is shown by the number that a trunk gives, and never by the name of a user of ours. Owns who vouches for a number: the
operator, an account's digest, a trusted trunk, and nobody else; only such a one is ever asserted.
"""

from __future__ import annotations

from typing import Final, Self

from b2bua.routing.facts import dialed_in
from b2bua.routing.privacy import NO_PRIVACY, Privacy, is_nameless
from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import is_number
from b2bua.sip.headers import NameAddr, quote
from b2bua.sip.message import Request
from b2bua.sip.uri import escape_user
from b2bua.values import Frozen
from dsl.compile_setup import Trunk
from dsl.decision import Facts
from dsl.policy import Policy
from dsl.users import User

_ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
_FULL: Final = frozenset(("full", "uri"))


class Identity(Frozen):
    """`user` is what stands before the @ in From, empty where nobody may be named; `account` the verified caller.

    `number` is the one of its own that an account chose, or what a trunk gave; `vouched` says that a trusted one did.
    """

    display: str
    user: str
    account: str | None
    anonymous: bool
    number: str | None = None
    vouched: bool = False
    privacy: Privacy = NO_PRIVACY

    @classmethod
    def of(cls, request: Request, policy: Policy, facts: Facts, privacy: Privacy = NO_PRIVACY) -> Self:
        """The identity of whoever sent an INVITE that these are the facts of."""
        verified, anonymous = facts.caller, facts.anonymous
        if verified is not None:
            user = policy.users.get(verified)
            display = (user.display if user is not None else None) or ""
            preferred = None
            if user is not None and "P-Preferred-Identity" in request.headers:
                preferred = _preferred(request, policy, user)
            return cls(display, verified, verified, anonymous, preferred, privacy=privacy)
        if facts.trunk is not None and policy.trunks[facts.trunk].trusted:
            told = _asserted(request) or _remote_party(request)
            if told is not None:
                display, number, hidden = told
                return cls(
                    display, _shown(number, policy, facts.trunk), None, anonymous or hidden, number, True, privacy
                )
        claimed = facts.claimed
        if (anonymous or privacy.open) and is_nameless(request.from_.uri):
            claimed = None
        return cls("", _shown(claimed, policy, facts.trunk), None, anonymous, claimed, privacy=privacy)

    def from_value(self, host: str) -> str:
        """A From value without tag."""
        return self._written(self.user, host)

    def towards(self, trunk: Trunk, host: str, policy: Policy) -> tuple[str, tuple[tuple[str, str], ...]]:
        """From without tag, and what else a trunk is told of who calls; `host` is what stands after the trunk's @.

        A trunk sees a number in the form that it wants, or with `from account` our account there. Only one that is
        trusted is told who it is although that is to be kept from the called party.
        """
        number, vouched, ours = self._own(policy), self.account is not None or self.vouched, policy.domains[0]
        shown = number = policy.number_towards(trunk.name, number) if number else ""
        if trunk.caller_id is not None and not (number and vouched):
            # The operator vouches for this one: asserted beside what only the caller says, shown where that is nothing.
            number, vouched = policy.number_towards(trunk.name, trunk.caller_id), True
            shown = shown or number
        if trunk.from_ == "account" and trunk.account is not None:
            from_ = self._written(trunk.account, host)
        else:
            from_ = self._written(shown, ours)
        headers: tuple[tuple[str, str], ...] = ()
        if trunk.trusted and vouched and number:
            headers = (("P-Asserted-Identity", f"<sip:{escape_user(number)}@{ours}>"),)
        if self.anonymous:
            return from_, (*headers, ("Privacy", "id;critical" if self.privacy.critical else "id"))
        return from_, (*headers, ("Privacy", "none")) if self.privacy.open else headers

    def _written(self, user: str, host: str) -> str:
        if self.anonymous or not user:
            return _ANONYMOUS
        uri = f"<sip:{escape_user(user)}@{host}>"
        return f"{quote(self.display)} {uri}" if self.display else uri

    def _own(self, policy: Policy) -> str | None:
        if self.account is None:
            return self.user
        user = policy.users.get(self.account)
        return self.number or (user.number if user is not None else None)


def _shown(number: str | None, policy: Policy, trunk: str | None) -> str:
    """What a From may say of a number that somebody else gave: never the name or the extension of a user of ours.

    Both take as long, so that no stranger can tell by it which it is.
    """
    if number is None:
        return ""
    written = policy.number_from(trunk, number) or number
    return "" if policy.callee(number) is not None else written


def _asserted(request: Request) -> tuple[str, str, bool] | None:
    """The name and number of P-Asserted-Identity: of two values, the one with a number (RFC 3325 9.1)."""
    found = None
    for value in request.values("P-Asserted-Identity") if "P-Asserted-Identity" in request.headers else ():
        address = _read(value)
        number = dialed_in(address.uri) if address is not None else None
        if address is None or number is None:
            continue
        if is_number(number.lstrip("+")):
            return address.display, number, False
        found = found or (address.display, number, False)
    return found


def _remote_party(request: Request) -> tuple[str, str, bool] | None:
    """The name and number of Remote-Party-ID, and whether they are to be hidden (draft-ietf-sip-privacy-04).

    Of several, the first that is about the calling party and was screened.
    """
    for value in request.values("Remote-Party-ID") if "Remote-Party-ID" in request.headers else ():
        address = _read(value)
        number = dialed_in(address.uri) if address is not None else None
        if address is None or number is None:
            continue
        if (address.param("party") or "calling").lower() != "calling" or (
            address.param("screen") or ""
        ).lower() != "yes":
            continue
        hidden = (address.param("privacy") or "off").strip('"').lower()
        return "" if hidden == "name" else address.display, number, hidden in _FULL
    return None


def _preferred(request: Request, policy: Policy, user: User) -> str | None:
    """The number that an account wants to be shown by (RFC 3325 9.2), if it is one of its own.

    Its own are `number` and those that stand in `numbers`, between commas or spaces.
    """
    own = f"{user.number or ''} {user.attributes.get('numbers', '')}".replace(",", " ").split()
    for value in request.values("P-Preferred-Identity"):
        address = _read(value)
        wanted = dialed_in(address.uri) if address is not None else None
        for number in own if wanted is not None else ():
            if number == wanted or (policy.e164(number) or number) == policy.e164(wanted):
                return number
    return None


def _read(value: str) -> NameAddr | None:
    try:
        return NameAddr.parse(value)
    except PeerError:
        return None
