"""Early dialogs, in which offers and answers may pass before the call is answered (RFC 3262 section 5, RFC 3311 5).

Owns what is known of each, and the PRACK that a called side waits for. Leaves the caller's reliable responses to
`provisionals`, and requests that pass between two early dialogs to `passage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.events import Content, refusal_of
from b2bua.call.forks import MOST_FORKS
from b2bua.call.headers import content_of
from b2bua.call.tables import LegState
from b2bua.dialog.dialog import Dialog, complete
from b2bua.dialog.reliability import Receiver
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Response
from b2bua.sip.rack import allows, rseq_of, says_reliable
from b2bua.transaction.client import ClientTransaction, ClientUser

if TYPE_CHECKING:
    from b2bua.call.outgoing import OutgoingLeg

# In which a called side still waits for its PRACK.
_WAITING: Final = (LegState.PROCEEDING, LegState.ANSWERED, LegState.CONFIRMED)


class Early:
    """One early dialog: `settled` once an offer has its answer in it, `updated` once that was done a second time.

    `said` is what the peer described of itself there; `updates` is whether it takes UPDATE.
    """

    __slots__ = ("dialog", "said", "settled", "updated", "updates")

    def __init__(self, dialog: Dialog, updates: bool) -> None:
        self.dialog = dialog
        self.updates = updates
        self.settled = False
        self.updated = False
        self.said: Content | None = None


class CalledEarly(Early):
    """One that a called side's reliable response has made."""

    __slots__ = ("receiver",)

    def __init__(self, dialog: Dialog, updates: bool) -> None:
        super().__init__(dialog, updates)
        self.receiver = Receiver()


class CalledEarlies:
    """All that one INVITE has made, by the tags of the called side; `cseq` is the INVITE's number."""

    __slots__ = ("_leg", "by_tag", "cseq", "due")

    def __init__(self, leg: OutgoingLeg, cseq: int) -> None:
        self._leg = leg
        self.cseq = cseq
        self.by_tag: dict[str, CalledEarly] = {}
        self.due: Due | None = None

    def dialog_of(self, tag: str | None) -> Dialog | None:
        """The early dialog with this tag of the called side's."""
        early = self.by_tag.get(tag or "")
        return None if early is None else early.dialog

    def settled(self, dialog: Dialog) -> bool:
        """Whether offer and answer have passed in this dialog."""
        early = self.by_tag.get(dialog.remote_tag)
        return early is not None and early.settled

    def said(self, dialog: Dialog) -> Content | None:
        """What the called side described of itself in this dialog."""
        early = self.by_tag.get(dialog.remote_tag)
        return None if early is None else early.said

    def leave_behind(self) -> None:
        """Another INVITE is sent: its numbers go on from those that these dialogs have come to."""
        dialog = self._leg.dialog
        for early in self.by_tag.values():
            other = early.dialog
            dialog.local_cseq = max(dialog.local_cseq, other.local_cseq)
            if other.sdp_version > dialog.sdp_version:
                dialog.sdp_version, dialog.sdp_hash = other.sdp_version, other.sdp_hash

    def take(self, response: Response, delayed: bool) -> bool:
        """A provisional response with RSeq came: whether it counts. Then `due` is the PRACK that it waits for.

        `delayed` is whether the INVITE had no offer: then the response may have it (RFC 3261 13.2.1).
        """
        self.due = None
        tag = response.to_tag
        if response.status == 100 or tag is None or not says_reliable(response, "Require"):
            return True
        leg = self._leg
        try:
            rseq = rseq_of(response)
        except PeerError:
            leg.stack.turn.count("provisionals_malformed")
            return False
        early = self.by_tag.get(tag)
        if early is None and len(self.by_tag) >= MOST_FORKS:
            return False
        if early is None:
            dialog = leg.dialog.beside(leg.dialog.local_tag, leg.dialog.sdp_id)
            dialog.sdp_version, dialog.sdp_hash = leg.dialog.sdp_version, leg.dialog.sdp_hash
            dialog.remote_cseq = -1
            complete(dialog, response, dialog.flow, leg.stack.ways)
            early = self.by_tag[tag] = CalledEarly(dialog, allows(response, "UPDATE"))
        if not early.receiver.accepts(rseq):
            leg.stack.turn.count("provisionals_repeated")
            return False
        early.updates = early.updates or allows(response, "UPDATE")
        early.dialog.retarget(response, early.dialog.flow, leg.stack.ways)
        content = content_of(response)
        offer = None
        if content is not None and content.around is not None and not early.settled:
            early.said = content
            early.settled = not delayed
            offer = content if delayed else None
        self.due = Due(leg, early, f"{rseq} {self.cseq} INVITE", offer)
        return True


class Due:
    """The PRACK that a called side waits for. `offer` is what it has to answer, None without."""

    __slots__ = ("_done", "early", "leg", "offer", "rack")

    def __init__(self, leg: OutgoingLeg, early: CalledEarly, rack: str, offer: Content | None) -> None:
        self.leg = leg
        self.early = early
        self.rack = rack
        self.offer = offer
        self._done = False

    @property
    def open(self) -> bool:
        """Whether the called side still waits."""
        return not self._done and self.leg.state in _WAITING

    def send(self, user: ClientUser, content: Content | None, proof: tuple[str, str] | None) -> ClientTransaction:
        """Acknowledge; `content` is the answer to its offer, or an offer of the caller's own."""
        self._done = True
        self.early.receiver.owing = False
        if self.offer is not None:
            content = content or refusal_of(self.offer)
            self.early.settled = True
        headers = (("RAck", self.rack),) if proof is None else (("RAck", self.rack), proof)
        return self.leg.request("PRACK", user, headers, content, dialog=self.early.dialog)

    def acknowledge(self) -> None:
        """Acknowledge, with nothing to say; nothing where that was done."""
        if self.open:
            Acknowledgement(self)


class Acknowledgement:
    """A PRACK that has nothing to pass on. Should it fail, the called side's INVITE will."""

    __slots__ = ("_asked_again", "_due")

    def __init__(self, due: Due) -> None:
        self._due = due
        self._asked_again = False
        due.send(self, None, None)

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """The called side answered, or wants to know who we are."""
        if response.status in (401, 407) and not self._asked_again:
            self._asked_again = True
            proof = self._due.leg.authorization(response, "PRACK")
            if proof is not None:
                self._due.send(self, None, proof)

    def timed_out(self, transaction: ClientTransaction) -> None:
        """The called side is silent."""

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """The called side cannot be reached."""


def counts(leg: OutgoingLeg, response: Response) -> bool:
    """Whether a provisional response that may be reliable is the next one of its dialog (RFC 3262 section 4)."""
    if leg.offer is None and not leg.call.hears_offers():
        # Our INVITE did not say that we speak 100rel.
        return True
    if leg.early is None:
        leg.early = CalledEarlies(leg, leg.dialog.local_cseq)
    if leg.proof is not None:
        leg.proof.accepted()
    return leg.early.take(response, leg.offer is None)
