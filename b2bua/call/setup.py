"""A call until somebody takes it: what the policy decides, and what comes of each decision.

Owns the dials that one INVITE leads to, how many there may be, the legs for a dial's parties, and what the caller hears
meanwhile. It is let go of once the call is taken. Leaves the steps of a dial to `hunt`, the wire to the legs, and all
that outlasts the answer to `call`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from b2bua.call.events import Answered, Content, Progressed, Rejected
from b2bua.call.headers import edited
from b2bua.call.hunt import Hunt
from b2bua.call.leg import Leg
from b2bua.call.media import relays
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.speaking import service
from b2bua.effects import Log
from b2bua.routing.destination import Refused
from b2bua.routing.secure import secured
from b2bua.routing.verdicts import Answer, Decision, Dial, HeaderEdit, Outcome, Redirect, Reject, Target

if TYPE_CHECKING:
    from b2bua.call.call import Call

_MOST_DIALS: Final = 10
_MOST_REDIRECTIONS: Final = 5
# What one INVITE can lead to, whatever the policy and its phones: a party of many contacts is still rung as a whole.
_MOST_LEGS: Final = 100


class Setup:
    """`hunt` is the dial in progress; `breadth` what the INVITE's Max-Breadth leaves, None without one."""

    __slots__ = (
        "_dials",
        "_edits",
        "_headers",
        "_max_forwards",
        "_offer",
        "_redirections",
        "_rejection",
        "_ringing_told",
        "breadth",
        "call",
        "hunt",
    )

    def __init__(
        self,
        call: Call,
        offer: Content | None,
        headers: tuple[tuple[str, str], ...],
        max_forwards: int,
        breadth: int | None,
    ) -> None:
        self.call = call
        self.breadth = breadth
        self.hunt: Hunt | None = None
        self._offer = offer
        self._headers = headers
        self._max_forwards = max_forwards
        self._dials = 0
        self._edits: tuple[HeaderEdit, ...] = ()
        self._redirections: tuple[str, ...] = ()
        self._rejection: Rejected | None = None
        self._ringing_told = False

    # What the policy says.

    def follow(self, decision: Decision) -> None:
        """Do what was decided."""
        if decision.headers:
            self._edits += decision.headers
        if decision.media is not None:
            self.call.mode = decision.media
        match decision.action:
            case Dial() as dial:
                self._dial(dial)
            case Reject(code=code, reason=reason):
                self._reject(code, reason)
            case Redirect(code=code, uri=uri):
                self.call.incoming.reject(Rejected(code, "", (("Contact", f"<{uri}>"),)))
            case Answer() as answer:
                self._serve(answer)
            case other:
                call = self.call
                call.stack.turn.effects.append(
                    Log("error", "policy", {"call": call.id, "impossible here": repr(other)})
                )
                self._reject(500, None)

    def _dial(self, dial: Dial) -> None:
        call = self.call
        self._dials += 1
        if self._dials > _MOST_DIALS:
            self._reject(500, "the routing policy dialled too often")
            return
        if call.inquiry.privacy.session and not self._hides_media():
            return
        if call.mode == "relay" and not call.with_media().can_relay():
            self._reject(503, "no media port is free")
            return
        self.hunt = hunt = Hunt(self, dial)
        if not call.inquiry.forward(dial):
            self.dial_over(Outcome("failure", dial.forwarder))
            return
        if dial.notify is not None:
            call.incoming.progress(Progressed(dial.notify, "", None, ()), None)
        hunt.advance()

    def _hides_media(self) -> bool:
        """Be in the media's way for a caller who asks for it (RFC 3323); False where that is critical and cannot be."""
        call = self.call
        if call.mode != "direct" and call.with_media().can_relay():
            call.mode = "relay"
        elif call.inquiry.privacy.critical:
            self._reject(500, "Required Privacy Cannot Be Provided")
            return False
        return True

    def _reject(self, code: int, reason: str | None) -> None:
        headers: tuple[tuple[str, str], ...] = ()
        rejection = self._rejection
        if rejection is not None and rejection.status == code and reason is None:
            # What the called side said about its refusal goes with the same status. Why it could not be reached is for
            # the record alone: that may name our users and trunks.
            headers = rejection.headers
            if rejection.reached:
                reason = rejection.reason
            else:
                self.call.incoming.reason = rejection.reason
        self.call.incoming.reject(Rejected(code, reason or "", headers))

    def _serve(self, answer: Answer) -> None:
        """Take the call ourselves."""
        call = self.call
        ports, incoming = call.stack.ports, call.incoming
        if not ports.free(incoming.dialog.flow.local):
            self._reject(503, "no media port is free")
            return
        description = service(call.with_media(), answer, incoming.said)
        if description is None:
            self._reject(488, "no common codec")
            return
        call.settled()
        incoming.answer(Answered(description, ()), "")

    # What a dial asks for.

    def legs_to(self, target: Target, caller: Leg | None = None) -> list[OutgoingLeg] | Refused:
        """New legs to a party, not yet started, for whoever called us or another in the call."""
        call = self.call
        if call.numbers >= _MOST_LEGS:
            return Refused("failure", "the call has been tried in too many places")
        caller = caller or call.incoming
        inquiry = call.inquiry
        found = inquiry.destinations(target)
        if inquiry.secure and not inquiry.emergency:
            found = secured(found)
        if isinstance(found, Refused):
            return found
        stack = call.stack
        turn, has_ports = stack.turn, stack.ports.free(caller.dialog.flow.local) > 0
        legs = []
        for destination in found:
            relayed = (call.mode == "relay" or has_ports) and relays(call.mode, caller, destination)
            if relayed and not call.with_media().can_relay():
                if call.mode == "relay":
                    continue
                relayed = False
            call.numbers = number = call.numbers + 1
            headers = (*destination.headers, *self._headers)
            if self._edits:
                headers = edited(headers, self._edits)
            call_id = turn.dated(turn.draw())
            leg = OutgoingLeg(stack, call, number, destination, self._offer, headers, self._max_forwards, call_id)
            call.live.add(number)
            if relayed:
                call.with_media().join(leg, relayed=True)
            if destination.trunk is not None:
                apart = destination.trunk in inquiry.version.apart
                leg.witness = inquiry.meters.take_channel(destination.trunk, apart)
            legs.append(leg)
        return legs or Refused("unreachable", "no media port is free")

    def failover(self, leg: OutgoingLeg) -> frozenset[int]:
        """The statuses that this leg's trunk counts as unreachable."""
        trunk = leg.destination.trunk
        return self.call.inquiry.policy.trunks[trunk].failover if trunk is not None else frozenset()

    def trunk_progress(self, legs: Iterable[OutgoingLeg]) -> float | None:
        """The longest that any of these legs' trunks may stay silent, in seconds, if all of them say so."""
        longest = 0.0
        for leg in legs:
            trunk = leg.destination.trunk
            limit = self.call.inquiry.policy.trunks[trunk].progress if trunk is not None else None
            if limit is None:
                return None
            longest = max(longest, limit)
        return longest

    def dial_over(self, outcome: Outcome) -> None:
        """Nobody took the call: the policy says what comes next."""
        hunt, self.hunt = self.hunt, None
        assert hunt is not None
        self._ringing_told = False
        self._rejection = hunt.rejection
        redirected = outcome.redirected
        if redirected is not None:
            if redirected in self._redirections or len(self._redirections) >= _MOST_REDIRECTIONS:
                outcome = Outcome("failure", outcome.target, None, outcome.rang, outcome.tried)
            if redirected not in self._redirections:
                self._redirections += (redirected,)
        call = self.call
        call.follow(call.inquiry.resume(hunt.dial.frame, outcome, call.stack.turn.wall))

    # What the legs bring.

    def progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """Of several phones the caller hears one 180 without a description; of one, all that it says."""
        hunt = self.hunt
        if hunt is None or not hunt.progressed(leg):
            return
        call = self.call
        incoming = call.incoming
        if not hunt.several:
            content = progress.content
            if content is not None:
                call.hear(leg, content)
            incoming.progress(progress, leg.source if content is not None or progress.due is not None else None)
            if call.media is not None and content is not None and incoming.said is not None:
                call.media.agreed((incoming, leg))
            return
        if progress.due is not None:
            progress.due.acknowledge()
        if progress.status >= 180 and not self._ringing_told:
            self._ringing_told = True
            incoming.progress(Progressed(180, "", None, ()), None)

    def stop(self) -> None:
        """Nobody waits any more."""
        hunt, self.hunt = self.hunt, None
        if hunt is not None:
            hunt.stop()

    def forget(self) -> None:
        """Stop waiting for anything."""
        hunt, self.hunt = self.hunt, None
        if hunt is not None:
            hunt.forget()
