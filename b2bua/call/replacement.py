"""A call that takes another's place: who sends an INVITE with Replaces talks to the party at the far end (RFC 3891).

Owns its steps: the `far` party of the call gets the newcomer's offer, the newcomer its answer, and the leg that was
named is hung up on; until the far party has agreed, the call is what it was. Leaves whether it may be to the policy,
and what becomes of calls and records to `transfers`.

Deviation: a dialog that still rings is not taken (RFC 3891 section 3), nor one for an INVITE without an offer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from b2bua.call.events import Answered, Content, Rejected, description
from b2bua.call.joining import Joining
from b2bua.call.leg import Leg
from b2bua.call.proceeding import Proceeding
from b2bua.call.setup import Setup
from b2bua.call.streams import described, named_host
from b2bua.call.transfer_tables import REPLACEMENT, ReplacementEvent, ReplacementState
from b2bua.sdp.introducing import introduced, returned
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.call import Call
    from b2bua.call.transfers import Transfers

Compiled: TypeAlias = dict[
    ReplacementState, dict[ReplacementEvent, tuple[ReplacementState, tuple[Callable[..., None], ...]]]
]


class Taking(Setup):
    """The newcomer's call until its place is free: it dials nobody."""

    __slots__ = ("_replacement",)

    def __init__(self, newcomer: Call, replacement: Replacement) -> None:
        super().__init__(newcomer, None, (), 0, None)
        self._replacement = replacement

    def stop(self) -> None:
        """Nobody waits any more."""
        self._replacement.cancelled()

    def forget(self) -> None:
        """Stop waiting for anything."""
        self._replacement.cancelled()


class Replacement(Proceeding):
    """The leg of the `newcomer`'s call is to have the place of the leg `before`, towards the leg `far`."""

    __slots__ = (
        "_answer",
        "_before",
        "_far",
        "_gone",
        "_joining",
        "_leg",
        "_newcomer",
        "_offer",
        "_status",
        "_transfers",
        "state",
    )

    def __init__(self, transfers: Transfers, before: Leg, far: Leg, newcomer: Call, offer: Content) -> None:
        self._transfers = transfers
        self._before = before
        self._far = far
        self._newcomer = newcomer
        self._leg = newcomer.incoming
        self._offer = offer
        self._answer: Content | None = None
        self._joining: Joining | None = None
        self._gone = False
        self._status = (480, "")
        self.state = ReplacementState.WAITING

    def start(self) -> None:
        """Offer it to the far party as soon as no other offer is open."""
        self._newcomer.wait_in(Taking(self._newcomer, self))
        self._transfers.call.with_media().face(self._far)
        self.quiet()

    def does_without(self, leg: Leg) -> bool:
        """A leg is gone: whether the call goes on without it."""
        if self.state is ReplacementState.ENDED or leg is not self._before:
            return False
        self._step(ReplacementEvent.LEFT)
        return True

    def quiet(self) -> None:
        """An offer in the call has come to its end."""
        if self.state is ReplacementState.WAITING and not self._transfers.talk.is_open(self._far):
            self._step(ReplacementEvent.QUIET)

    def drop(self, transfers: Transfers) -> None:
        """The call ends."""
        self._step(ReplacementEvent.DROP)

    def forget(self, transfers: Transfers) -> None:
        """The call is taken away."""
        self._step(ReplacementEvent.DROP)

    def cancelled(self) -> None:
        """The newcomer does not wait any more."""
        self._step(ReplacementEvent.CANCELLED)

    def agreed(self, leg: Leg, answer: Content) -> None:
        """The far party takes the newcomer."""
        if not described(answer).media:
            self.declined(leg, 488, "the answer cannot be read")
            return
        self._answer = answer
        self._step(ReplacementEvent.JOINED)

    def declined(self, leg: Leg, status: int, reason: str) -> None:
        """The far party does not."""
        self._status = (status, reason)
        self._step(ReplacementEvent.REFUSED)

    def _step(self, event: ReplacementEvent) -> None:
        row = _TABLE[self.state].get(event)
        if row is None:
            return
        call = self._transfers.call
        call.stack.turn.concerned = call
        self.state, actions = row
        for action in actions:
            action(self)

    # What the table's words do.

    def tell_far(self) -> None:
        """Offer the far party what the newcomer does, as fits its dialog."""
        transfers, far, offer = self._transfers, self._far, self._offer
        media = transfers.call.with_media()
        body = introduced(offer.body, False, media.known(far))
        relayed = self._relays()
        if body is None or relayed is None:
            self._status = (488, "no common codec") if body is None else (503, "no media port is free")
            self._step(ReplacementEvent.REFUSED)
            return
        media.join(self._leg, relayed)
        media.talks(self._leg)
        self._joining = joining = Joining(transfers.talk, far, description(body), self)
        joining.start()
        transfers.talk.begin(joining)

    def connect(self) -> None:
        """From now on the newcomer and the far party talk."""
        transfers, newcomer, offer, answer = self._transfers, self._newcomer, self._offer, self._answer
        assert answer is not None
        leg, media, before = self._leg, transfers.call.with_media(), self._before
        newcomer.settled()
        leg.answer(Answered(description(returned(answer.body, described(offer))), ()), "")
        transfers.join(before, leg, newcomer.transfers_there(), leg)
        if not self._gone:
            transfers.parted(before, "system", leg)
        media.over(before)
        transfers.talk.settled(leg, offer, self._far, answer)
        if not self._gone:
            before.end()
        newcomer.finish_if_over()

    def reject(self) -> None:
        """The newcomer hears that nothing comes of it."""
        status, reason = self._status
        self._leg.reject(Rejected(status, reason))
        if self._transfers.call.media is not None:
            self._transfers.call.media.over(self._leg)

    def note_parting(self) -> None:
        """The party that is to be replaced has hung up: the far one waits on for the newcomer."""
        self._gone = True
        before = self._before
        self._transfers.parted(before, self._transfers.role(before), before)
        self._transfers.call.with_media().stand_in(before)

    def drop_joining(self) -> None:
        """The far party was told of the newcomer in vain: tell it once more who is there."""
        if self._joining is not None:
            self._joining.drop()
        said = self._before.said
        if said is not None and not self._gone:
            self._transfers.talk.restate(self._far, said)

    def go_back(self) -> None:
        """The call is what it was; without the one that was to be replaced the far party has nobody left."""
        transfers, before = self._transfers, self._before
        media = transfers.call.with_media()
        media.over(self._leg)
        if self._gone:
            transfers.call.end(transfers.role(before), before, ())
            return
        media.talks(before)
        media.disagreed((self._far,))

    def finish(self) -> None:
        """Be gone."""
        self._joining = None
        self._transfers.over(self)

    # Inside.

    def _relays(self) -> bool | None:
        """Whether the media between the two is to flow through us; None where it has to and cannot."""
        call, leg = self._transfers.call, self._leg
        media, source = call.with_media(), leg.seen_at or leg.dialog.flow.remote
        wanted = call.mode == "relay"
        unsure = call.mode == "auto" and named_host(self._offer) != source
        families = (":" in leg.dialog.flow.remote) != (":" in self._far.dialog.flow.remote)
        if not (wanted or unsure or families or media.is_relayed):
            return False
        if media.can_relay():
            return True
        return None if wanted else False


_TABLE: Final[Compiled] = compiled(Replacement, REPLACEMENT, ReplacementState, {ReplacementState.ENDED: ("finish",)})
