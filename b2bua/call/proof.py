"""Proving who we are to a trunk that asks (RFC 3261 22.2, RFC 8760).

Owns which challenge is answered and how often: an answer that is refused is given once more only if the nonce was stale
(22.1), and never a third time in a row.
"""

from __future__ import annotations

from typing import Final

from b2bua.routing.destination import Account
from b2bua.sip.credentials import Challenge
from b2bua.sip.digest import answer, choose
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Response

_MOST_IN_A_ROW: Final = 2


class Proof:
    """One account's answers. `given` is the header of the last one, for the ACK of what it was sent with."""

    __slots__ = ("_account", "_in_a_row", "given")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._in_a_row = 0
        self.given: tuple[str, str] | None = None

    def answer(self, response: Response, method: str, uri: str, cnonce: str) -> tuple[str, str] | None:
        """The header that answers a 401 or 407; None where nothing that we know would."""
        proxy = response.status == 407
        challenge = choose(challenges_in(response))
        if challenge is None or self._in_a_row >= _MOST_IN_A_ROW or (self._in_a_row and not challenge.stale):
            return None
        self._in_a_row += 1
        account = self._account
        credentials = answer(challenge, method, uri, account.username, account.password, cnonce, 1)
        self.given = ("Proxy-Authorization" if proxy else "Authorization", str(credentials))
        return self.given

    def move(self) -> None:
        """Another server is asked, which knows nothing of the last one's challenge."""
        self._in_a_row = 0
        self.given = None

    def accepted(self) -> None:
        """An answer was good."""
        self._in_a_row = 0


def challenges_in(response: Response) -> list[Challenge]:
    """The challenges of a 401 or 407 that can be read."""
    found = []
    for value in response.all("Proxy-Authenticate" if response.status == 407 else "WWW-Authenticate"):
        try:
            found.append(Challenge.parse(value))
        except PeerError:
            # One that cannot be read may stand beside one that can (RFC 8760 2.3).
            continue
    return found
