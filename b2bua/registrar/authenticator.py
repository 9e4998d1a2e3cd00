"""Digest authentication of requests, without state but for replays (RFC 3261 section 22, RFC 7616, RFC 8760).

Owns challenges and the verdict on the credentials that answer them. Leaves to the core who needs to be challenged and
what a verdict means, to `door` who may try, to `nonces` which nonces hold, to `sip.digest` the arithmetic.

A nonce that does not hold is stale whatever comes with it (RFC 7616 3.3), so that a password is only ever judged for
whoever has received one of our nonces a short while ago.

Decisions: `auth` is the only quality of protection that is offered, so `auth-int` is refused. Credentials
without qop are taken for the sake of RFC 2069 clients, but each nonce then serves once. User names, realms
and nonces are compared octet by octet; algorithm and scheme know no case.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, TypeAlias

from b2bua.registrar.nonces import Nonces
from b2bua.sip.digest import response
from b2bua.sip.errors import LocalError, PeerError
from b2bua.sip.headers import Credentials, quote
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri, equals
from b2bua.values import Frozen

DIGITS: Final = {"MD5": 32, "SHA-256": 64}
"""The algorithms that can be offered, and how many hexadecimal digits each gives."""

_HEX: Final = frozenset("0123456789abcdefABCDEF")

_HIGHEST: Final = 0xFFFFFFFF
"""The nonce count that nothing is above."""

MOST_CREDENTIALS: Final = 8
"""Authorization fields of one request that are read."""


class Verified(Frozen):
    """The request comes from this user."""

    user: str


class Stale(Frozen):
    """Used-up nonce: challenged with `stale=true`, a phone with the right password succeeds without asking."""


class Refused(Frozen):
    """The credentials do not hold. `user` is whom they name, `reason` is for the operator, not the wire."""

    user: str
    reason: str


class Held(Frozen):
    """The credentials count as wrong, whatever they are: there were too many tries for this user."""

    user: str


class Absent(Frozen):
    """There are no Digest credentials for our realm."""


Verdict: TypeAlias = Verified | Stale | Refused | Held | Absent


def _everybody(user: str) -> bool:
    return True


class Authenticator:
    """Challenges for one realm, and the check of what comes back."""

    def __init__(
        self, key: bytes, realm: str, algorithms: tuple[str, ...], nonce_lifetime: float, nonces: int = 50_000
    ) -> None:
        """`algorithms` in the order in which they are offered; `nonce_lifetime` in seconds.

        `nonces` is how many used nonces are remembered. Raises LocalError for an algorithm that is not known.
        """
        self._algorithms = tuple([algorithm.upper() for algorithm in algorithms])
        if not self._algorithms or not DIGITS.keys() >= set(self._algorithms):
            raise LocalError(f"digest algorithms must be some of {', '.join(DIGITS)}: {', '.join(algorithms)}")
        self._realm = realm
        self._nonces = Nonces(key, realm, nonce_lifetime, nonces)
        self._before = f"Digest realm={quote(realm)}, nonce="
        self._after = f'qop="auth", opaque="{blake2b(b"opaque", key=key, digest_size=8).hexdigest()}", algorithm='
        decoy = blake2b(b"decoy", key=key, digest_size=32).hexdigest()
        self._decoys = {algorithm: decoy[: DIGITS[algorithm]] for algorithm in self._algorithms}

    def challenge(
        self, wall: float, draw: Callable[[], str], stale: bool = False, proxy: bool = False, address: str = ""
    ) -> list[tuple[str, str]]:
        """The challenges of a 401, or of a 407 with `proxy`: a header for each algorithm (RFC 8760 2.3).

        `draw` gives 16 random hexadecimal digits; `address` is where whoever is asked was seen. Nothing is kept.
        """
        name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        start = f'{self._before}"{self._nonces.make(wall, draw, address)}", {self._after}'
        end = f", stale={'true' if stale else 'false'}"
        return [(name, f"{start}{algorithm}{end}") for algorithm in self._algorithms]

    def verify(
        self,
        request: Request,
        wall: float,
        credentials: Callable[[str, str], str | None],
        address: str | None = None,
        may_try: Callable[[str], bool] = _everybody,
    ) -> Verdict:
        """Whose request this is, by its Authorization or Proxy-Authorization. To be asked once a request.

        `credentials(user, algorithm)` gives HA1 in lower-case hexadecimal, or None for an unknown user;
        either way the same is computed and compared. `address` is where the nonce has to have been sent to, None where
        that does not matter. Whoever `may_try` says no to is `Held`, after the same work. Raises PeerError 400 for
        Digest credentials that cannot be read.
        """
        given = self._given(request)
        if given is None or given.realm != self._realm:
            return Absent()
        count = _count(given)
        if not self._nonces.fresh(given.nonce, _HIGHEST if count is None else count, wall, address):
            return Stale()
        algorithm = (given.algorithm or "MD5").upper()
        if algorithm not in self._decoys:
            return Refused(given.username, "algorithm not offered")
        if given.qop is not None and given.qop.lower() != "auth":
            return Refused(given.username, "qop not offered")
        if not _meant_for(given.uri, request):
            return Refused(given.username, "credentials for another URI")
        if count is None:
            return Refused(given.username, "no nonce count or cnonce")
        known = credentials(given.username, algorithm)
        right = _matches(given, request.method, known or self._decoys[algorithm], algorithm)
        if not may_try(given.username):
            return Held(given.username)
        if known is None or not right:
            return Refused(given.username, "wrong user or password")
        self._nonces.spend(given.nonce, count, wall)
        return Verified(given.username)

    def _given(self, request: Request) -> Credentials | None:
        """The Digest credentials to judge: the first for our realm and algorithms, else just the first."""
        headers = request.headers
        fields = [*headers.get("Authorization", ()), *headers.get("Proxy-Authorization", ())]
        first = None
        for field in fields[:MOST_CREDENTIALS]:
            if field[:7].lower() != "digest ":
                continue
            given = Credentials.parse(field)
            if given.realm == self._realm and (given.algorithm or "MD5").upper() in self._decoys:
                return given
            first = first or given
        return first


def _matches(given: Credentials, method: str, ha1: str, algorithm: str) -> bool:
    expected = response(ha1, method, given.uri, given.nonce, given.nc, given.cnonce, given.qop, algorithm)
    return compare_digest(expected.encode(), given.response.lower().encode(errors="replace"))


def _count(given: Credentials) -> int | None:
    """The nonce count: 1 without qop. None where qop is there without what it needs (RFC 7616 3.4)."""
    if given.qop is None:
        return 1
    if not given.cnonce or not given.nc or len(given.nc) != 8 or not _HEX.issuperset(given.nc):
        return None
    return int(given.nc, 16)


def _meant_for(uri: str, request: Request) -> bool:
    """Whether credentials were computed for this Request-URI: the same text, or equal by RFC 3261 19.1.4.

    Deviation: RFC 7616 3.4.6 wants the same resource. Some clients, SIPp among them, leave the user out; whoever knows
    the password and asks the same server for the same method may.
    """
    if uri == request.uri:
        return True
    try:
        given, asked = Uri.parse(uri), request.request_uri
    except PeerError:
        return False
    return equals(given, asked) or (given.user is None and equals(given, asked.replace(user=None, password=None)))
