"""Messages that the users of phones write to each other, and what must have become of each (RFC 3428).

Has draws of its own, so that who calls whom is the same with and without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import msgspec

from b2bua.sip.message import Request, Response

from .office import DOMAIN, USERS
from .outbound import PhoneFlow
from .transactions import ServerTransaction

if TYPE_CHECKING:
    from .clock import Clock
    from .phone import Phone

_MOST_TRIES = 3
_TYPE = ("Content-Type", "text/plain")


class Written(msgspec.Struct):
    """One message. `final` is what its sender was told, 0 while nothing, -1 when the time for it was over; `taken` says
    which phone answered what to it, in order.
    """

    text: str
    sender: str
    to: str
    final: int = 0
    taken: list[tuple[str, int]] = []


class Writing:
    """All messages of a run. Every phone reads what comes, and likes some of it."""

    def __init__(self, phones: Sequence[Phone], clock: Clock, draw: Random) -> None:
        self.written: dict[str, Written] = {}
        self._phones = {phone.name: phone for phone in phones}
        self._clock = clock
        self._draw = draw
        for phone in phones:
            phone.reads = partial(self._read, phone)

    def plan(self, begin: float, end: float) -> None:
        """Have some written between these times."""
        for number in range(self._draw.randrange(3, 9)):
            phone = self._draw.choice(list(self._phones.values()))
            to = self._draw.choice((*USERS, *USERS, "nobody", "202"))
            written = Written(f"message {number} " + "." * self._draw.choice((0, 0, 0, 700, 1400)), phone.name, to)
            self.written[written.text] = written
            self._clock.at(self._draw.uniform(begin, end), partial(self._send, phone, written))

    def _send(self, phone: Phone, written: Written) -> None:
        if phone.dead:
            return
        uri, call_id, from_ = f"sip:{written.to}@{DOMAIN}", phone.token(), f"<{phone.address}>;tag={phone.token()}"

        def attempt(number: int, challenged: Response | None) -> None:
            def heard(response: Response) -> None:
                if response.status == 401 and number < _MOST_TRIES and not phone.dead:
                    attempt(number + 1, response)
                elif response.status >= 200:
                    written.final = response.status

            phone.ask(
                "MESSAGE",
                uri,
                from_=from_,
                to=f"<{uri}>",
                call_id=call_id,
                cseq=number,
                heard=heard,
                timed_out=partial(setattr, written, "final", -1),
                contact=False,
                extra=[_TYPE, *phone.credentials("MESSAGE", uri, challenged)],
                body=written.text.encode(),
            )

        attempt(1, None)

    def _read(self, phone: Phone, request: Request, transaction: ServerTransaction) -> None:
        status = self._draw.choice((200, 200, 200, 202, 486, 0))
        written = self.written.get(request.body.decode())
        if written is None:
            phone.report("written", f"{phone.name} gets {request.body!r}, which nobody wrote", request.call_id)
            return
        written.taken.append((phone.name, status))
        if status:
            phone.reply(request, transaction, status, to_tag=phone.token())

    def wrong(self, excused: set[str], smooth: bool) -> Iterator[str]:
        """What became of a message and must not; on a `smooth` network nothing is lost. Phones that died may not have
        heard what they were told.
        """
        for each in self.written.values():
            said = f"{each.sender} wrote to {each.to} and was told {each.final}; of the phones {each.taken}"
            user = "bob" if each.to == "202" else each.to
            if any(self._phones[name].user != user for name, _ in each.taken):
                yield f"read by somebody else: {said}"
            repeated = [name for name, times in Counter(name for name, _ in each.taken).items() if times > 1]
            if any(not isinstance(self._phones[name], PhoneFlow) and name not in excused for name in repeated):
                yield f"read twice by one phone: {said}"
            liked = any(200 <= status < 300 for _, status in each.taken)
            if 200 <= each.final < 300 and not liked:
                yield f"taken by nobody: {said}"
            if not smooth or excused & {each.sender, *(name for name, _ in each.taken)}:
                continue
            if each.final <= 0:
                yield f"without an answer: {said}"
            elif liked and each.final >= 300:
                yield f"taken, and its sender does not know: {said}"
