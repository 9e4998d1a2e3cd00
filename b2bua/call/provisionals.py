"""What a caller who speaks 100rel hears before the answer (RFC 3262 sections 3 and 5).

Owns which responses are sent reliably: those with a session description, and where the caller requires it all above
100. One is on its way in each early dialog, the next waits for its PRACK. Leaves writing them to `incoming`, and what a
PRACK brings to `passage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.call.early import Early
from b2bua.call.events import Content, Progressed
from b2bua.dialog.dialog import Dialog
from b2bua.dialog.reliability import Sender, SendingEvent
from b2bua.sip.message import Request
from b2bua.sip.rack import RAck, allows, says_reliable

if TYPE_CHECKING:
    from b2bua.call.incoming import IncomingLeg


class CallerEarly(Early):
    """An early dialog of the caller's. `source` names the called dialog that it stands for.

    `current` is the response that waits for its PRACK, `told` the description that the caller was sent last, `unheard`
    whether it has offered something that the called side could not be asked about.
    """

    __slots__ = ("current", "queue", "sender", "source", "told", "unheard")

    def __init__(self, dialog: Dialog, updates: bool, sender: Sender) -> None:
        super().__init__(dialog, updates)
        self.sender = sender
        self.source: str | None = None
        self.current: Progressed | None = None
        self.told: Content | None = None
        self.unheard = False
        self.queue: list[Progressed] = []


class Provisionals:
    """One caller's. `required` is whether it takes no others, `delayed` whether its INVITE had no offer."""

    __slots__ = ("_cseq", "_leg", "_updates", "by_tag", "delayed", "required")

    def __init__(self, leg: IncomingLeg, request: Request, required: bool) -> None:
        self._leg = leg
        self._cseq = request.cseq.number
        self._updates = allows(request, "UPDATE")
        self.required = required
        self.delayed = not request.body
        self.by_tag: dict[str, CallerEarly] = {}

    def send(self, progress: Progressed, source: str | None) -> bool:
        """Send a response reliably, now or in its turn; False where it is not to be."""
        described = is_described(progress.content)
        if not described and not self.required:
            return False
        early = self._early(self._leg.dialog_for(source), source)
        if self.delayed and not described and not early.settled:
            # The first that is reliable would have to have the offer (RFC 3261 13.2.1), and others are not taken.
            return True
        early.queue.append(progress)
        self.proceed(early)
        return True

    def proceed(self, early: CallerEarly) -> None:
        """Send the next one that waits, if its turn has come."""
        if not early.queue or not early.sender.idle:
            return
        early.current = progress = early.queue.pop(0)
        early.sender.send(self._leg.send_reliably(progress, early))

    def left_to_say(self, dialog: Dialog, content: Content | None) -> Content | None:
        """What the 2xx in this dialog says of the called side's description: nothing where that could mislead."""
        early = self.by_tag.get(dialog.local_tag)
        if early is None or not early.settled:
            return content
        self._leg.said = early.said
        return None if early.updated or self.delayed else content

    def acknowledged(self, request: Request, rack: RAck) -> CallerEarly | None:
        """The early dialog in which a PRACK acknowledges what waits for it; None where it does not."""
        early = self.by_tag.get(request.to_tag or "")
        if early is None or not early.sender.waiting:
            return None
        if not rack.means(early.sender.rseq, self._cseq):
            return None
        early.sender.step(SendingEvent.PRACK)
        return early

    def withholds(self, dialog: Dialog) -> bool:
        """Whether a 2xx in this dialog has to wait: a description was sent there and not acknowledged (section 3)."""
        early = self.by_tag.get(dialog.local_tag)
        return early is not None and early.sender.waiting and described_by(early) is not None

    def abandon(self, number: int) -> None:
        """A called leg is over: what it said is not repeated any more."""
        for early in self.by_tag.values():
            if early.source is not None and early.source.startswith(f"{number} "):
                early.queue = []
                early.sender.step(SendingEvent.ABANDON)

    def close(self, dialog: Dialog) -> None:
        """A final response is sent in this dialog: nothing is repeated, and nothing new said (section 3)."""
        for early in self.by_tag.values():
            waited, early.queue = early.queue, []
            early.sender.step(SendingEvent.FINAL)
            if early.dialog is dialog:
                for progress in waited if early.current is None else [early.current, *waited]:
                    if progress.due is not None:
                        progress.due.acknowledge()
        self.by_tag = {tag: early for tag, early in self.by_tag.items() if early.dialog is dialog}

    @property
    def unheard(self) -> bool:
        """Whether the called side has yet to hear what the caller has offered."""
        return any(early.unheard for early in self.by_tag.values())

    def forget(self) -> None:
        """Know of no dialog any more."""
        self.by_tag = {}

    def unacknowledged(self) -> None:
        """No PRACK came within 64*T1."""
        self._leg.unacknowledged()

    def by_source(self, source: str) -> CallerEarly | None:
        """The early dialog that stands for this called dialog."""
        return next((early for early in self.by_tag.values() if early.source == source), None)

    def _early(self, dialog: Dialog, source: str | None) -> CallerEarly:
        early = self.by_tag.get(dialog.local_tag)
        if early is None:
            sender = Sender(self._leg.stack.turn, self)
            early = self.by_tag[dialog.local_tag] = CallerEarly(dialog, self._updates, sender)
            early.said = self._leg.said
        early.source = source or early.source
        return early


def provisionals_of(leg: IncomingLeg, request: Request) -> Provisionals | None:
    """Those of a caller, if its INVITE says that it speaks 100rel."""
    fields = request.headers
    if "Require" in fields and says_reliable(request, "Require"):
        return Provisionals(leg, request, required=True)
    if "Supported" in fields and says_reliable(request, "Supported"):
        return Provisionals(leg, request, required=False)
    return None


def is_described(content: Content | None) -> bool:
    """Whether this is a session description."""
    return content is not None and content.around is not None


def described_by(early: CallerEarly) -> Content | None:
    """The description in the response that waits for its PRACK."""
    content = None if early.current is None else early.current.content
    return content if is_described(content) else None
