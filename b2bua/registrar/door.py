"""Who may try a password, who is not listened to, and how many REGISTERs are looked at.

Owns what a failed attempt leads to, by the address that it came from and by the account that it was for, and what the
operator is told of it. Leaves to `authenticator` the verdicts, to `ledger`, `known` and `pace` the counting.

Every failure that is counted here has answered a nonce of ours (see `nonces`), so that a datagram's forged source gets
nobody banned. An address that has failed too often is banned: whatever comes from there is dropped. Where accounts are
known at it, or a trunk is there, it is not; what is tried from there for others is limited instead. An account that was
tried too often from anywhere is closed: whatever is tried counts as wrong, except where it is known. To the outside all
of this looks like a wrong password. Accounts that there are not are counted as one, which nobody can tell either.

Addresses are counted as `each source` does in the language: an IPv4 address, or the /64 around an IPv6 address. Nothing
of this is kept when the server ends: whoever is registered then is known again when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from b2bua.dialog.networks import plain
from b2bua.effects import Flow, Log
from b2bua.registrar.known import Known
from b2bua.registrar.ledger import Entry, Ledger
from b2bua.registrar.pace import Pace
from b2bua.sip.message import Request
from b2bua.transaction.turn import Turn

_MINUTE: Final = 60.0
SAID: Final = 100
"""Characters of a peer's own words that a line of the log holds."""

_FLOODS_TOLD: Final = 10.0
"""Seconds from one line about a flood to the next."""

NOBODY: Final = ""
"""Under which name accounts are counted that there are not."""


class Door:
    """The door of one server. `banned` has the addresses, as they are counted, that are not listened to."""

    def __init__(self, turn: Turn, is_trunk: Callable[[str], bool], unit: Callable[[str], str]) -> None:
        """`is_trunk` tells whether an address is a trunk's, `unit` as what an address is counted."""
        security = turn.settings.security
        self._turn = turn
        self._is_trunk = is_trunk
        self._unit = unit
        self._tries = security.tries
        self._trusted = plain((*security.trusted, *turn.settings.proxies))
        self.known = Known()
        self.sources = Ledger(security.failures, security.within, security.bans, self._tries)
        self.accounts = Ledger(self._tries or 1, _MINUTE, security.account_bans if self._tries else (), self._tries)
        self._pace = Pace(security.registers, security.strangers)
        self.banned = self.sources.banned
        self._flood_told = turn.now - _FLOODS_TOLD

    def trusts(self, address: str) -> bool:
        """Whether an address is in the networks that are never banned nor limited."""
        return self._trusted.has(address)

    def is_shut(self, address: str) -> bool:
        """Whether nothing is to be heard from this address; that something came is noted. To be asked only while
        somebody is banned.
        """
        self.sources.prune(self._turn.now)
        entry = self.banned.get(self._unit(address))
        if entry is None:
            return False
        entry.turned_away += 1
        self._turn.count("messages_banned")
        return True

    def lets_register(self, source: str) -> bool:
        """Whether one more REGISTER from this address is looked at."""
        if self.trusts(source):
            return True
        turn, unit = self._turn, self._unit(source)
        if self._pace.takes(unit, not self.known.anybody(unit, turn.now), turn.now):
            return True
        turn.count("registers_dropped")
        if turn.now - self._flood_told >= _FLOODS_TOLD:
            self._flood_told = turn.now
            dropped = turn.counters["registers_dropped"]
            fields: dict[str, object] = {"what": "too many REGISTERs", "source": source, "dropped": dropped}
            turn.effects.append(Log("warning", "security", fields))
        return False

    def may_try(self, source: str, account: str, exists: bool) -> bool:
        """Whether a password for this account is judged that came from there; the same for one that there is not."""
        now, unit = self._turn.now, self._unit(source)
        name = account if exists else NOBODY
        self.accounts.prune(now)
        closed = name in self.accounts.banned and name != NOBODY
        limited = self._tries > 0 and self.sources.recent(unit, _MINUTE, now) >= self._tries
        if not closed and (not limited or self.trusts(source)):
            return True
        if self.known.has(unit, name, now):
            return True
        if closed:
            self.accounts.banned[name].turned_away += 1
        self._turn.count("authentications_held")
        return False

    def right(self, source: str, account: str) -> None:
        """The account showed its password there."""
        self.known.right(self._unit(source), account, self._turn.now)

    def wrong(self, request: Request, flow: Flow, source: str, account: str, exists: bool, reason: str) -> None:
        """Credentials from there, for an account which `exists` or not, do not hold."""
        turn, unit = self._turn, self._unit(source)
        turn.count("authentications_refused")
        name = account if exists else NOBODY
        self.known.wrong(unit, name)
        fields = whence(request, flow, source) | {"reason": reason, "account": account[:SAID]}
        self._tell("authentication failed", fields | {"call_id": request.call_id[:SAID]})
        closing = self.accounts.failed(name, unit, turn.now)
        if self.accounts.due(closing, turn.now) and name != NOBODY:
            self._close(closing)
        if self.trusts(source):
            return
        failing = self.sources.failed(unit, account[:SAID], turn.now)
        if not self.sources.due(failing, turn.now):
            return
        if not self.known.anybody(unit, turn.now) and not self._is_trunk(source):
            self._ban(failing)

    def forgive(self, who: str) -> list[str]:
        """Ban an address or an account no longer, and forget what it did. Says what was forgiven; empty for nothing."""
        turn = self._turn
        done = []
        if self.accounts.forgive(who):
            done.append("account")
        if self.sources.forgive(self._unit(who)):
            done.append("address")
        if done:
            fields: dict[str, object] = {"what": "forgiven", "who": who}
            turn.effects.append(Log("info", "security", fields))
        return done

    def _ban(self, entry: Entry) -> None:
        seconds = self.sources.ban(entry, self._turn.now)
        self._turn.count("bans")
        self._tell(
            "banned",
            {
                "source": entry.name,
                "seconds": int(seconds),
                "failures": entry.failures,
                "accounts": ", ".join(entry.others),
            },
        )

    def _close(self, entry: Entry) -> None:
        seconds = self.accounts.ban(entry, self._turn.now)
        self._turn.count("accounts_closed")
        self._tell(
            "account closed",
            {
                "account": entry.name,
                "seconds": int(seconds),
                "failures": entry.failures,
                "sources": ", ".join(entry.others),
            },
        )

    def _tell(self, what: str, fields: dict[str, object]) -> None:
        said: dict[str, object] = {"what": what}
        self._turn.effects.append(Log("warning", "security", said | fields))


def whence(request: Request, flow: Flow, source: str) -> dict[str, object]:
    """What a line of the log says of where a request came from: port 0 where only a front proxy knows it."""
    port = flow.remote_port if source == flow.remote else 0
    return {"source": source, "port": port, "transport": flow.transport.lower(), "method": request.method}
