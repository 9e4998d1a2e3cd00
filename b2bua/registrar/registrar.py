"""The table of bindings, in memory (RFC 3261 section 10.3).

Owns which contacts each address-of-record has, when they expire and which are unreachable. Pure: `wall`
(seconds since the epoch) is an argument, and storing is the core's. Leaves to the core who may register
what, and 404.

A change has two steps. `register` computes it and changes nothing; `commit` makes it visible, and is called
when the store has the row. Nothing needs to be undone: a registration that is not committed has never been.
The core lets each address-of-record have one registration under way at a time (`turns.Turns`), and leaves
out the storing of an expiry whose address-of-record is held: expired bindings are dropped whenever a row is
loaded or written.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from b2bua.effects import Flow
from b2bua.registrar.asked import MOST_CONTACTS, Bounds, Wanted, read
from b2bua.registrar.binding import Binding, restored
from b2bua.registrar.contacts import Contacts
from b2bua.registrar.reach import by_flow
from b2bua.registrar.update import Bindings, cleared, updated
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.values import Frozen

AGENT_LENGTH: Final = 100
"""Characters of a User-Agent that are kept."""

FLOW_TIMER: Final = 120
"""Seconds within which a phone shall send a keep-alive over its stream (RFC 5626 4.4.1, 5.4).

As soon as that the kernel, for its part, gives up a peer that is gone (`io.streams`).
"""


class Registration(Frozen):
    """What a REGISTER, or the passing of time, makes of one address-of-record's bindings.

    `changed` is false for a query and for the removal of what is not there: then there is nothing to store.
    `path`, `outbound` and `flow_timer` are what the 200 has to tell besides the contacts.
    """

    aor: str
    before: Bindings
    after: Bindings
    changed: bool
    path: tuple[str, ...] = ()
    outbound: bool = False
    flow_timer: bool = False


class Registrar:
    """All bindings of all addresses-of-record."""

    def __init__(self, contacts: Contacts) -> None:
        """`contacts` says which may be registered."""
        self._contacts = contacts
        self._table: dict[str, Bindings] = {}
        self._streams: dict[Flow, set[str]] = {}
        self._heap: list[tuple[float, str]] = []
        self._due: dict[str, float] = {}

    def register(
        self, aor: str, request: Request, flow: Flow, bounds: Bounds, wall: float, source: str | None = None
    ) -> Registration:
        """What a REGISTER that came by `flow` asks to become of `aor`; nothing changes yet.

        `source` is the address that it came from, where that is another than the flow's.

        Raises PeerError: 400 and 439 (see `asked.read`), 403 for a contact that may not be or is one too many,
        423 with Min-Expires, 500 when an older request with this Call-ID has come after a newer one.
        """
        asked = read(request, bounds, self._contacts.check)
        before = self._live(aor, wall)
        call_id, cseq = request.call_id, request.cseq.number
        if not call_id.isascii():
            raise PeerError(400, "Bad Call-ID")
        if asked.everything:
            after = cleared(before, call_id, cseq)
        elif asked.contacts:
            most = MOST_CONTACTS if bounds.max_contacts is None else min(bounds.max_contacts, MOST_CONTACTS)
            bind = _binder(self._contacts, aor, request, flow, asked.path, wall, source or flow.remote)
            after = updated(before, asked.contacts, call_id, cseq, most, bind)
        else:
            after = before
        path = asked.path if asked.echo_path else ()
        timed = asked.require_outbound and not asked.path and flow.transport != "UDP"
        return Registration(aor, before, after, after != before, path, asked.require_outbound, timed)

    def commit(self, registration: Registration) -> None:
        """Make a registration visible, once it is stored.

        What has happened meanwhile to bindings that it does not touch (a stream closed, a time ran out)
        stays. If the stream that the request itself came by has closed, sending the 200 will tell.
        """
        aor, before, after = registration.aor, registration.before, registration.after
        current = self._table.get(aor, ())
        if current is not before:
            new = [binding for binding in after if all(binding is not other for other in before)]
            gone = [binding for binding in before if all(binding is not other for other in after)]
            touched = [*new, *gone]
            after = (*[now for now in current if not any(_same(now, one) for one in touched)], *new)
        self._put(aor, after)

    def response_headers(
        self, aor: str, wall: float, registration: Registration | None = None
    ) -> list[tuple[str, str]]:
        """The headers of a 200: every contact with what is left of it, and Date (RFC 3261 10.3 step 8).

        With the committed registration that it answers, also its Path (RFC 3327 5.3), `Require: outbound`
        (RFC 5626 section 6) and Flow-Timer (5.4).
        """
        headers = [("Contact", binding.line(wall)) for binding in self._live(aor, wall)]
        if registration is not None:
            headers += [("Path", value) for value in registration.path]
            if registration.outbound:
                headers.append(("Require", "outbound"))
            if registration.flow_timer:
                headers.append(("Flow-Timer", str(FLOW_TIMER)))
        headers.append(("Date", _date(int(wall))))
        return headers

    def phones(self, aor: str, wall: float) -> Sequence[Bindings]:
        """Those to ring: live, reachable, by SIP; highest q first, then the freshest.

        Of several with one instance id only the first is to be rung, for they are one phone. Where RFC 5626 numbers
        them they are its flows, and the others stand behind it, to be tried when one fails (section 5.3).
        """
        live = self._table.get(aor, ())
        ringing = [binding for binding in live if binding.expires_at > wall and binding.callable]
        if len(ringing) < 2:
            return (tuple(ringing),) if ringing else ()
        ringing.sort(key=lambda binding: (-binding.q, -binding.updated_at))
        phones: dict[str, list[Binding]] = {}
        for number, binding in enumerate(ringing):
            phone = phones.setdefault(binding.instance or str(number), [])
            if not phone or (binding.reg_id is not None and phone[0].reg_id is not None):
                phone.append(binding)
        return [tuple(phone) for phone in phones.values()]

    def bindings(self, aor: str, wall: float) -> Bindings:
        """The phones to ring, each by the flow that is to be tried first."""
        return tuple([phone[0] for phone in self.phones(aor, wall)])

    def of(self, aor: str, wall: float) -> Bindings:
        """Every binding of an address-of-record that has not expired, reachable or not."""
        return self._live(aor, wall)

    def everything(self, wall: float) -> Iterator[Binding]:
        """Every binding that has not expired, reachable or not, one address-of-record after the other."""
        for bindings in self._table.values():
            yield from (binding for binding in bindings if binding.expires_at > wall)

    def counts(self) -> tuple[int, int]:
        """How many addresses-of-record have bindings, and how many bindings those are."""
        return len(self._table), sum([len(bindings) for bindings in self._table.values()])

    def flow_closed(self, flow: Flow, wall: float) -> list[str]:
        """A stream has closed: its bindings cannot be reached any more. Whose live ones these are.

        They are not gone: the phone refreshes them over a new connection. Nothing needs to be stored.
        """
        lost = []
        for aor in sorted(self._streams.get(flow, ())):
            bindings = list(self._table[aor])
            live = False
            for place, binding in enumerate(bindings):
                if binding.streamed and binding.flow == flow:
                    bindings[place] = msgspec.structs.replace(binding, reachable=False)
                    live = live or binding.expires_at > wall
            self._put(aor, tuple(bindings))
            if live:
                lost.append(aor)
        return lost

    def flow_gone(self, aor: str, contact: str, path: tuple[str, ...]) -> None:
        """A proxy says that the flow it kept for this binding has failed (RFC 5626 5.3, 430).

        It cannot be reached before its phone has registered anew.
        """
        bindings = self._table.get(aor, ())
        self._put(
            aor,
            tuple(
                [
                    msgspec.structs.replace(binding, reachable=False)
                    if binding.contact == contact and binding.path == path
                    else binding
                    for binding in bindings
                ]
            ),
        )

    def expire(self, wall: float) -> list[Registration]:
        """Drop what has run out by now. One change for each address-of-record that lost a binding."""
        changes = []
        while self._heap and self._heap[0][0] <= wall:
            due, aor = heapq.heappop(self._heap)
            if self._due.get(aor) != due:
                continue
            del self._due[aor]
            before = self._table.get(aor, ())
            after = self._live(aor, wall)
            self._put(aor, after)
            if len(after) < len(before):
                changes.append(Registration(aor, before, after, True))
        return changes

    @property
    def next_expiry(self) -> float | None:
        """When `expire` may have something to do, in wall seconds: never too late, at times too early."""
        return self._heap[0][0] if self._heap else None

    def load(self, aor: str, row: bytes, wall: float) -> Bindings:
        """Take over what another process stored for `aor`, less what has expired.

        Raises LocalError when the row cannot be read.
        """
        bindings = restored(aor, row, wall)
        self._put(aor, bindings)
        return bindings

    def _live(self, aor: str, wall: float) -> Bindings:
        """The bindings that have not expired: the very tuple of the table if that is all of them."""
        bindings = self._table.get(aor, ())
        for binding in bindings:
            if binding.expires_at <= wall:
                return tuple([binding for binding in bindings if binding.expires_at > wall])
        return bindings

    def _put(self, aor: str, bindings: Bindings) -> None:
        old, new = _flows(self._table.get(aor, ())), _flows(bindings)
        for flow in old - new:
            aors = self._streams[flow]
            aors.discard(aor)
            if not aors:
                del self._streams[flow]
        for flow in new - old:
            self._streams.setdefault(flow, set()).add(aor)
        if not bindings:
            self._table.pop(aor, None)
            return
        self._table[aor] = bindings
        earliest = min([binding.expires_at for binding in bindings])
        due = self._due.get(aor)
        if due is None or earliest < due:
            self._due[aor] = earliest
            heapq.heappush(self._heap, (earliest, aor))


def _binder(
    contacts: Contacts, aor: str, request: Request, flow: Flow, path: tuple[str, ...], wall: float, source: str
) -> Callable[[Wanted], Binding]:
    """What makes a binding of each contact of one request. It raises PeerError 403 for one that leads elsewhere."""
    call_id, cseq, agent = request.call_id, request.cseq.number, _agent(request)

    def bind(wanted: Wanted) -> Binding:
        nat = not path and (wanted.reg_id is not None or by_flow(request, flow, wanted.uri))
        return Binding(
            aor=aor,
            contact=wanted.contact,
            call_id=call_id,
            cseq=cseq,
            expires_at=wall + wanted.expires,
            updated_at=wall,
            flow=flow,
            params=wanted.params,
            q=wanted.q,
            nat=nat or contacts.by_flow(wanted.uri, path, flow, source),
            path=path,
            instance=wanted.instance,
            reg_id=wanted.reg_id,
            agent=agent,
            source=None if source == flow.remote else source,
        )

    return bind


def _agent(request: Request) -> str | None:
    """What the phone calls itself, cut and with octets that are no UTF-8 replaced."""
    agent = request.get("User-Agent")
    return agent[:AGENT_LENGTH].encode(errors="replace").decode() if agent else None


def _flows(bindings: Iterable[Binding]) -> set[Flow]:
    return {binding.flow for binding in bindings if binding.reachable and binding.streamed}


def _same(one: Binding, other: Binding) -> bool:
    """Whether two are the same binding, one of them perhaps marked unreachable since."""
    return (one.contact, one.instance, one.reg_id) == (other.contact, other.instance, other.reg_id)


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    """A Date value (RFC 3261 20.17): always GMT, always in English."""
    at = datetime.fromtimestamp(second, UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year} {at:%H:%M:%S} GMT"
