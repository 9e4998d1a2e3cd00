"""Our registration at a trunk (RFC 3261 10.2): made, kept, taken back, and known to be refused.

Owns what a REGISTER of ours says, which answer means what, and how long to wait after it. An outage is tried again
after 15 s, twice as long each time up to 5 min, half of it at random (after RFC 5626 4.5); a refused password once an
hour, for each try may count against the account. Leaves the names to the resolver, the digest to `login`, and what
operators read to `line`.

Deviation: a redirection is not followed (RFC 3261 8.1.3.4): credentials go to the trunk's own addresses only.
"""

from __future__ import annotations

from typing import Protocol

from b2bua.call.attempts import retry_after
from b2bua.call.leg import Stack, contact_of
from b2bua.dialog.dialog import Dialog
from b2bua.dialog.hops import Hop
from b2bua.effects import Flow
from b2bua.routing.destination import Account
from b2bua.sip.grammar import BLANK, is_number
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Response
from b2bua.sip.uri import Uri, escape_user
from b2bua.transaction.tables import compiled
from b2bua.trunk.asking import Asking, between
from b2bua.trunk.login import Login
from b2bua.trunk.tables import REGISTRATION, RegistrationEvent, RegistrationState

ASKED_SECONDS = 600
"""What we ask for: a registrar that lost its bindings has ours again after ten minutes."""

_FIRST_WAIT = 15.0
_LONGEST_WAIT = 300.0
_LONGEST_ASKED_WAIT = 3600.0
_REFUSED_SECONDS = 3600.0
_SHORTEST_REFRESH = 10.0
_LAST_WORD_SECONDS = 4.0
_LONGEST_INTERVAL = 7 * 86_400
# The registrar does not know us, or does not let us: a password or a name has to be changed.
_REFUSALS = frozenset((401, 403, 404, 407))


class RegistrationUser(Protocol):
    """Whoever wants to know of it."""

    def registered(self) -> None:
        """We are registered, again or anew."""

    def registration_failed(self, why: str, again: float) -> None:
        """Not for now: the next try is in `again` seconds."""

    def registration_refused(self, why: str) -> None:
        """Our name or password is refused."""


class Registration(Asking):
    """One trunk's. `until` is the wall time to which the registrar has us; None where it has not."""

    __slots__ = (
        "_asked",
        "_brief",
        "_contact_user",
        "_dialog",
        "_granted",
        "_login",
        "_outages",
        "_wait",
        "until",
        "user",
    )

    def __init__(self, stack: Stack, hop: Hop, name: str, account: Account, token: str, user: RegistrationUser) -> None:
        """`name` is ours at the trunk, `token` the user of our Contact there."""
        super().__init__(stack, hop, RegistrationState.OFF)
        self.user = user
        self.until: float | None = None
        turn = stack.turn
        aor = f"<{Uri('sip', escape_user(name), None, hop.uri.host, None)}>"
        tag = turn.draw()
        self._dialog = Dialog(turn.draw(), f"{aor};tag={tag}", tag, aor, "", _NOWHERE, 0)
        self._dialog.target = str(hop.uri.replace(user=None, password=None, headers=None))
        self._dialog.secure = hop.uri.scheme == "sips"
        self._login = Login(account)
        self._contact_user = token
        self._asked = ASKED_SECONDS
        self._brief = False
        self._granted = 0
        self._outages = 0
        self._wait = 0.0

    def begin(self) -> None:
        """Register, or try again what was refused."""
        self.step(RegistrationEvent.START)

    def end(self) -> None:
        """Take the registration back, as far as the registrar lets us."""
        bound = self.until is not None and self.until > self.stack.turn.wall
        self.step(RegistrationEvent.LEAVE if bound else RegistrationEvent.STOP)

    @property
    def over(self) -> bool:
        """Whether nothing is under way or to come."""
        return self.state is RegistrationState.OFF

    # What comes.

    def found(self) -> None:
        """The registrar's addresses are known: a new try begins."""
        self._brief = False
        self._wait = 0.0
        self._login.accepted()
        self.step(RegistrationEvent.RESOLVED)

    def not_found(self) -> None:
        """There is no way to the registrar."""
        self.step(RegistrationEvent.UNRESOLVED)

    def due(self) -> None:
        """Time for the next REGISTER."""
        self.step(RegistrationEvent.TIMER)

    def unanswered(self) -> None:
        """The registrar is silent at this address."""
        if self.state is RegistrationState.LEAVING:
            self.step(RegistrationEvent.ANSWERED)
        else:
            self.step(RegistrationEvent.ELSEWHERE if self.go_elsewhere() else RegistrationEvent.FAILED)

    def answered(self, response: Response) -> None:
        """The registrar's word."""
        status = response.status
        self.why = f"{status} {response.reason}"
        if status in (401, 407) and self._login.challenged(response):
            self.step(RegistrationEvent.CHALLENGED)
        elif self.state is RegistrationState.LEAVING:
            self.step(RegistrationEvent.ANSWERED)
        elif status < 300:
            self._succeeded(response)
        elif status == 423 and self._lengthened(response):
            self.step(RegistrationEvent.BRIEF)
        elif status in _REFUSALS:
            self.step(RegistrationEvent.REFUSED)
        elif status >= 500 and self.go_elsewhere():
            self.step(RegistrationEvent.ELSEWHERE)
        else:
            self._wait = min(retry_after(response) or 0.0, _LONGEST_ASKED_WAIT)
            if status < 400:
                self.why += ", and redirections are not followed: write the new address as the trunk's uri"
            self.step(RegistrationEvent.FAILED)

    def _succeeded(self, response: Response) -> None:
        self._login.accepted()
        self._granted = granted(response, self._contact_user, self._asked)
        if self._granted:
            self.until = self.stack.turn.wall + self._granted
            self._outages = 0
            self.why = ""
            self.settle()
            self.step(RegistrationEvent.ACCEPTED)
        else:
            self.why = "the registrar said 200 and kept nothing"
            self.step(RegistrationEvent.FAILED)

    def _lengthened(self, response: Response) -> bool:
        """Ask for as long as the registrar wants (10.2.8), once a try."""
        least = seconds_in(response.get("Min-Expires"))
        if self._brief or least is None or least <= self._asked:
            return False
        self._brief = True
        self._asked = least
        return True

    # What the table's words do.

    def send(self) -> None:
        """Ask the registrar to have us at our Contact."""
        self._register(self._asked)

    def send_removal(self) -> None:
        """Take the binding back (10.2.2): one request, and its challenge, in bounded time."""
        if self.flow is None:
            self.step(RegistrationEvent.ANSWERED)
            return
        self.until = None
        self.wait(_LAST_WORD_SECONDS)
        self._register(0)

    def wait_for_refresh(self) -> None:
        """Be there again before the time granted is over, at 70 to 80 % of it; at most every 10 s all the same."""
        granted = float(self._granted)
        self.wait(max(_SHORTEST_REFRESH, between(0.7 * granted, 0.8 * granted, self.stack.turn.draw)))

    def report_registered(self) -> None:
        """Tell the trunk."""
        self.user.registered()

    def back_off(self) -> None:
        """Wait longer after each failure, and no shorter than the registrar asks (Retry-After, 21.5.4)."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(self._outages, 10))
        self._outages += 1
        self._wait = max(self._wait, between(longest / 2, longest, self.stack.turn.draw))
        self.wait(self._wait)

    def report_outage(self) -> None:
        """Tell the trunk."""
        self.user.registration_failed(self.why, self._wait)

    def wait_long(self) -> None:
        """What was refused will be refused again until somebody changes something."""
        self.until = None
        self._login.forget()
        self.wait(_REFUSED_SECONDS)

    def report_refusal(self) -> None:
        """Tell the trunk."""
        self.user.registration_refused(self.why)

    def finish(self) -> None:
        """It is over."""
        self.until = None
        super().finish()

    def _register(self, expires: int) -> None:
        stack, flow = self.stack, self.flow
        assert flow is not None
        name, ours = contact_of(self._dialog, stack.ways.place(flow))
        headers = (
            (name, ours.replace(":", f":{self._contact_user}@", 1)),
            ("Expires", str(expires)),
            *self._login.header("REGISTER", self._dialog.target, stack.turn.draw()),
            ("User-Agent", stack.turn.settings.user_agent),
        )
        self.ask(self._dialog, "REGISTER", headers)


def granted(response: Response, user: str, asked: int) -> int:
    """For how many seconds the registrar has us (10.2.4).

    It says so beside our Contact, else in Expires; some rewrite our Contact, and then any other's word is as good.
    """
    contacts = response.contacts
    listed: list[NameAddr] = contacts if isinstance(contacts, list) else []
    ours = [contact for contact in listed if contact.uri.user == user] or listed
    for contact in ours:
        seconds = seconds_in(contact.param("expires"))
        if seconds is not None:
            return seconds
    seconds = seconds_in(response.get("Expires"))
    return asked if seconds is None else seconds


def seconds_in(text: str | None) -> int | None:
    """A whole number of seconds, a week at most; None where there is none."""
    text = "" if text is None else text.strip(BLANK)
    return min(int(text), _LONGEST_INTERVAL) if is_number(text) and len(text) <= 9 else None


_NOWHERE = Flow("UDP", "", 0, "", 0)

Registration.table = compiled(Registration, REGISTRATION, RegistrationState, {RegistrationState.OFF: ("finish",)})
