"""Our credentials at a registrar, from one REGISTER to the next (RFC 3261 22.2, RFC 7616 3.4).

Owns when a challenge is worth another answer: a second one in a row only if the nonce was stale, so that a password
which is refused is known as such after two requests. A nonce serves until the registrar names another.
"""

from __future__ import annotations

from b2bua.call.proof import challenges_in
from b2bua.routing.destination import Account
from b2bua.sip.credentials import Challenge
from b2bua.sip.digest import answer, choose
from b2bua.sip.message import Response

_MOST_IN_A_ROW = 2


class Login:
    """One account at one registrar."""

    __slots__ = ("_account", "_challenge", "_in_a_row", "_name", "_uses")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._challenge: Challenge | None = None
        self._in_a_row = 0
        self._name = ""
        self._uses = 0

    def header(self, method: str, uri: str, cnonce: str) -> tuple[tuple[str, str], ...]:
        """The header for the next request; none before the first challenge."""
        if self._challenge is None:
            return ()
        self._uses += 1
        account = self._account
        shown = answer(self._challenge, method, uri, account.username, account.password, cnonce, self._uses)
        return ((self._name, str(shown)),)

    def challenged(self, response: Response) -> bool:
        """Take the challenge of a 401 or 407; False when an answer to it would be in vain."""
        proxy = response.status == 407
        challenge = choose(challenges_in(response))
        if challenge is None or self._in_a_row >= _MOST_IN_A_ROW or (self._in_a_row and not challenge.stale):
            return False
        self._in_a_row += 1
        self._challenge, self._uses = challenge, 0
        self._name = "Proxy-Authorization" if proxy else "Authorization"
        return True

    def accepted(self) -> None:
        """The last answer was good."""
        self._in_a_row = 0

    def forget(self) -> None:
        """Begin from nothing: what was answered has been refused."""
        self._challenge = None
        self._in_a_row = 0
