"""Requests that pass between early dialogs of a caller and of a called side (RFC 3262 section 5, RFC 3311 section 5).

Owns what a PRACK or an early UPDATE becomes on the other leg, and its answer's way back. A PRACK that the called side
waits for passes as one, so that offers and answers in it cross; an offer that comes later passes as UPDATE. What cannot
pass is answered here: an UPDATE as RFC 3311 5.2 says, a PRACK with 200 in any case, and with what the called side said
before where it offers. Leaves confirmed dialogs to `exchange`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.early import CalledEarly, Due, Early
from b2bua.call.events import Content, description
from b2bua.call.glare import Refusal
from b2bua.call.headers import content_of, crossing, rendering_of
from b2bua.call.incoming import IncomingLeg
from b2bua.call.leg import ALLOW, Leg, contact_of
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.provisionals import CallerEarly, described_by, is_described
from b2bua.call.streams import described
from b2bua.call.tables import EARLY_PRACK, EARLY_UPDATE, ExchangeEvent, ExchangeState
from b2bua.call.undertaking import REACHING, Compiled, Undertaking
from b2bua.effects import Flow
from b2bua.sdp.negotiation import answer, answer_direction, receives, sends
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request, Response
from b2bua.sip.rack import rack_of
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.call import Call
    from b2bua.call.talk import Talk

_MOST_RETRY_SECONDS: Final = 10


class Passage(Undertaking):
    """One such request: `near` sent it, in the first of `dialogs`; `asked` gets it, in the second.

    `due` is the PRACK that it becomes, None where it becomes an UPDATE. `content` is what it says, and `offers` whether
    that is an offer.
    """

    __slots__ = (
        "_client",
        "_content",
        "_dialogs",
        "_due",
        "_proven",
        "_request",
        "_server",
        "asked",
        "near",
        "response",
    )

    def __init__(
        self,
        talk: Talk,
        near: Leg,
        asked: Leg,
        dialogs: tuple[Early, Early],
        request: Request,
        server: ServerTransaction,
        content: Content | None,
        offers: bool,
        due: Due | None,
    ) -> None:
        table = _PRACK if request.method == "PRACK" else _UPDATE
        super().__init__(talk, near, table, ExchangeState.PASSED, offers)
        self.near = near
        self.asked = asked
        self._dialogs = dialogs
        self._request = request
        self._server = server
        self._content = content
        self._due = due
        self._proven = False
        self.response: Response | None = None
        self._client = self._passed_on(None)

    def _passed_on(self, proof: tuple[str, str] | None) -> ClientTransaction:
        if self._due is not None:
            return self._due.send(self, self._content, proof)
        headers = () if proof is None else (proof,)
        hops = self._request.max_forwards
        max_forwards = 70 if hops is None or self._request.method == "PRACK" else hops - 1
        rendering = rendering_of(self._request)
        dialog = self._dialogs[1].dialog
        return self.asked.request("UPDATE", self, headers, self._content, max_forwards, rendering, dialog)

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """The leg that was asked answered."""
        if response.status < 200:
            return
        if response.status in (401, 407) and not self._proven:
            self._proven = True
            proof = self.asked.authorization(response, transaction.method)
            if proof is not None:
                self._client = self._passed_on(proof)
                return
        self.response = response
        self.step(ExchangeEvent.ANSWERED if response.status < 300 else ExchangeEvent.REJECTED)
        self.response = None

    def acknowledged(self, request: Request) -> bool:
        """No ACK belongs to these."""
        return False

    def forget(self) -> None:
        """What comes now is nobody's."""
        self._client.user = None

    # What the table's words do.

    def pass_answer(self) -> None:
        """Give the near leg what the other answered."""
        response = self.response
        assert response is not None
        here, there = self._dialogs
        content = content_of(response)
        if self._request.method == "PRACK" and self.offers and not is_described(content):
            self.answer_alone()
            return
        if self._due is None:
            there.dialog.retarget(response, there.dialog.flow, self.asked.stack.ways)
        self._respond(content, rendering_of(response), crossing(response, "2xx"))
        if self.offers and is_described(content):
            here.said, there.said = self._content, content
            here.updated = there.updated = True
            _agree(self.talk.call, self.near, here, self.asked, there)
        elif self.offers:
            self.talk.refused(self.near, self.asked)

    def answer_alone(self) -> None:
        """Answer a PRACK for the other side, with what that said last where the caller offers."""
        here = self._dialogs[0]
        self._respond(own_answer(here, self._content) if self.offers else None, None, ())
        if self.offers:
            here.said = self._content
            here.updated = True
            _agree(self.talk.call, self.near, here, self.asked, self._dialogs[1])
            _leave_unheard(here)

    def pass_rejection(self) -> None:
        """Give the near leg the other's refusal: the session stays as it was."""
        response = self.response
        assert response is not None
        headers = crossing(response, "3xx-6xx")
        self._server.respond(response.status, self.near.dialog.local_tag, headers, b"", response.reason)
        self.talk.refused(self.near, self.asked)

    def reject_timeout(self) -> None:
        """Answer for a leg that is silent."""
        self._server.respond(408, self.near.dialog.local_tag)
        self.talk.refused(self.near, self.asked)

    def reject_terminated(self) -> None:
        """Answer for a leg that is gone, or in a call that ends."""
        self._server.respond(487, self.near.dialog.local_tag)
        self.talk.refused(self.near, self.asked)

    def finish(self) -> None:
        """Be gone; what waited for the PRACK goes on."""
        self._client.user = None
        near, here = self.near, self._dialogs[0]
        if self._request.method == "PRACK" and isinstance(near, IncomingLeg) and isinstance(here, CallerEarly):
            near.proceed(here)
        self.talk.over(self)

    def _respond(self, content: Content | None, rendering: str | None, headers: tuple[tuple[str, str], ...]) -> None:
        here = self._dialogs[0]
        if self._request.method == "UPDATE":
            place = self.near.stack.ways.place(here.dialog.flow)
            headers = (contact_of(here.dialog, place, rendering), ALLOW, *headers)
        _respond(self.near, here, self._server, content, headers)


def acknowledge(talk: Talk, leg: Leg, request: Request, server: ServerTransaction) -> None:
    """A PRACK came: it settles what it acknowledges, and what it says passes on."""
    try:
        rack = rack_of(request)
    except PeerError as error:
        server.respond(error.status, leg.dialog.local_tag, error.headers, reason=error.reason)
        return
    provisionals = leg.provisionals if isinstance(leg, IncomingLeg) else None
    here = None if provisionals is None else provisionals.acknowledged(request, rack)
    if here is None or provisionals is None or not isinstance(leg, IncomingLeg):
        server.respond(481, leg.dialog.local_tag)
        return
    said = content_of(request)
    content = said if is_described(said) else None
    due = None if here.current is None else here.current.due
    called = _called(talk.call, here.source)
    offers = content is not None and here.settled
    if not here.settled and described_by(here) is not None:
        here.settled = True
        offers = content is not None and not provisionals.delayed
        if provisionals.delayed:
            here.said = content
    if due is not None and due.open:
        talk.begin(Passage(talk, leg, due.leg, (here, due.early), request, server, content, offers, due))
        if provisionals.delayed and not offers:
            _agree(talk.call, leg, here, due.leg, due.early)
        return
    if called is not None and offers and called[1].settled and called[1].updates:
        dialogs = (here, called[1])
        talk.begin(Passage(talk, leg, called[0], dialogs, request, server, content, offers, None))
        return
    _respond(leg, here, server, own_answer(here, content) if offers else None, ())
    if offers:
        here.said, here.updated = content, True
        leg.said = content
        _leave_unheard(here)
    if talk.call.media is not None:
        talk.call.media.agreed((leg,))
    leg.proceed(here)


def update(talk: Talk, near: Leg, request: Request, flow: Flow, server: ServerTransaction) -> None:
    """An UPDATE came before the answer: pass it, answer it, or say why not (RFC 3311 5.2)."""
    call = talk.call
    here, there = _pair(call, near, request)
    refused = _refusal(talk, near, request, here, None if there is None else there[1])
    if refused is not None:
        server.respond(refused.status, near.dialog.local_tag, refused.headers)
        return
    dialog = near.dialog_of(request)
    dialog.retarget(request, flow, near.stack.ways)
    if here is None or there is None or not there[1].updates:
        place = near.stack.ways.place(dialog.flow)
        server.respond(200, near.dialog.local_tag, (contact_of(dialog, place), ALLOW))
        return
    content = content_of(request)
    offers = is_described(content)
    talk.begin(Passage(talk, near, there[0], (here, there[1]), request, server, content, offers, None))


def own_answer(here: Early, offer: Content | None) -> Content | None:
    """The answer to a caller's offer that the called side cannot be asked about: what that said, as far as it fits."""
    told = here.told if isinstance(here, CallerEarly) else None
    if told is None or offer is None:
        return None
    asked, before = described(offer), described(told)
    ways = [
        answer_direction(stream, sends(known.direction), receives(known))
        for stream, known in zip(asked.media, before.media, strict=False)
    ]
    return description(answer(asked, told.body, before, ways))


def _respond(
    leg: Leg, here: Early, server: ServerTransaction, content: Content | None, headers: tuple[tuple[str, str], ...]
) -> None:
    body = b""
    if content is not None:
        headers = (*headers, *content.headers)
        body = leg.describe(here.dialog, content, leg.stack.ways.place(here.dialog.flow))
    server.respond(200, here.dialog.local_tag, headers, body)


def _agree(call: Call, one: Leg, one_early: Early, other: Leg, other_early: Early) -> None:
    """Both descriptions hold."""
    for leg, early, partner in ((one, one_early, other_early), (other, other_early, one_early)):
        leg.said = early.said
        if isinstance(early, CallerEarly):
            early.told = partner.said
            early.unheard = False
    if call.media is not None:
        call.media.agreed((one, other))


def _leave_unheard(early: Early) -> None:
    """What the caller has offered in it, the called side is told once the call is set up."""
    if isinstance(early, CallerEarly):
        early.unheard = True


def _called(call: Call, source: str | None) -> tuple[OutgoingLeg, CalledEarly] | None:
    """The called leg and its early dialog that this names, if it has one of the reliable kind."""
    number, _, tag = (source or "").partition(" ")
    leg = call.called(int(number)) if number else None
    early = None if leg is None or leg.early is None else leg.early.by_tag.get(tag)
    return None if leg is None or early is None else (leg, early)


def _pair(call: Call, near: Leg, request: Request) -> tuple[Early | None, tuple[Leg, Early] | None]:
    """The early dialog that a request is in, and the one on the other leg."""
    provisionals = call.incoming.provisionals
    if isinstance(near, OutgoingLeg):
        here = None if near.early is None else near.early.by_tag.get(request.from_tag or "")
        there = None if provisionals is None else provisionals.by_source(f"{near.number} {request.from_tag}")
        return here, None if there is None else (call.incoming, there)
    mine = None if provisionals is None else provisionals.by_tag.get(request.to_tag or "")
    return mine, None if mine is None else _called(call, mine.source)


def _refusal(talk: Talk, near: Leg, request: Request, here: Early | None, there: Early | None) -> Refusal | None:
    """Why an UPDATE cannot be taken now; None when it can."""
    if request.max_forwards == 0:
        return Refusal(483)
    if not is_described(content_of(request)):
        return None
    later = Refusal(500, (("Retry-After", str(int(near.stack.turn.draw()[:4], 16) % (_MOST_RETRY_SECONDS + 1))),))
    for offering in talk.under_way:
        if offering.offers:
            return later if offering.near is near else Refusal(491)
    if here is None or not here.settled:
        # The first offer is open: whose it was says which of the two it is.
        provisionals = talk.call.incoming.provisionals
        delayed = provisionals is not None and provisionals.delayed
        return Refusal(491) if delayed is (near is talk.call.incoming) else later
    if there is None or not there.settled:
        return Refusal(491)
    return None if there.updates else Refusal(488)


_PRACK: Final[Compiled] = compiled(Passage, EARLY_PRACK, ExchangeState, REACHING)
_UPDATE: Final[Compiled] = compiled(Passage, EARLY_UPDATE, ExchangeState, REACHING)
