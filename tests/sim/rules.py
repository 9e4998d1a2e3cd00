"""What a whole run must have come to, read from the parties, the records and the core's own counts when all is quiet.

The rules of FLOWS.md: every call ends on both sides, both agree whether it was established, one record per leg,
our ACK to B after A's, and nothing left over. Parties that died on purpose are excused, and so are those who were in
a call with one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from b2bua.effects import Record
from b2bua.sdp.negotiation import formats_of
from b2bua.sdp.session import Session, parse

from .call import Call
from .link import Faults
from .replayed import unlike
from .timing import STRICT_FROM
from .wire import split_origin
from .world import Violation, World

# A BYE may need all its retransmissions, and a lost ACK is noticed after 64*T1; without faults the network needs 2 s.
_SLOWEST_END = 70.0
_PROMPT_END = 2.0
# What a party may see in a call whose other party died, since nobody can know better in time.
# Why a record says that its call ended, where that is for a session timer.
_STALE = ("the session timer ran out", "a refresh of the session was not answered")
_BROKEN_BY_DEATH = frozenset(("acknowledged", "sdp", "refreshed"))


def check(world: World) -> list[Violation]:
    """Everything that does not hold: what was reported during the run, then what the end shows."""
    return list(_Check(world).findings())


class _Check:
    def __init__(self, world: World) -> None:
        self.world = world
        # An INVITE that is tried elsewhere keeps its Call-ID: the last to get it counts as the one who was called.
        self.every = sorted(
            ((agent.name, call) for agent in world.agents for call in agent.calls.values()),
            key=lambda owned: owned[1].began,
        )
        self.calls = {(call.id, call.outgoing): call for _, call in self.every}
        self.owners: dict[str, set[str]] = defaultdict(set)
        for name, call in self.every:
            self.owners[call.id].add(name)
        self.groups: dict[str, list[Record]] = defaultdict(list)
        for record in world.records:
            self.groups[record.call].append(record)
        self.excused = {
            record.sip_call_id
            for group in self.groups.values()
            if any(self.owners.get(other.sip_call_id, set()) & world.excused for other in self._with_joined(group))
            for record in group
        }

    def _with_joined(self, group: list[Record]) -> list[Record]:
        """The records of a call, and of those whose parties some of its own went on with."""
        joined = {record.joined for record in group if record.joined}
        return [*group, *(record for call in joined for record in self.groups.get(call, ()))]

    def findings(self) -> Iterator[Violation]:
        for violation in self.world.violations:
            if violation.rule == "refreshed" and self.world.profile.faults != Faults():
                # On a bad network a refresh may come too late.
                continue
            if violation.rule not in _BROKEN_BY_DEATH or violation.call_id not in self.excused:
                yield violation
        yield from self._left_over()
        yield from self._registrations()
        yield from self._errors_logged()
        yield from self._trunk()
        yield from self._record_per_leg()
        smooth = self.world.profile.faults == Faults()
        for text in self.world.writing.wrong(self.world.excused, smooth):
            yield self._wrong("written", text)
        for text in self.world.guesser.wrong(list(zip(self.world.logged_at, self.world.logs, strict=True))):
            yield self._wrong("guessed", text)
        for text in unlike(self.world.recordings):
            yield self._wrong("decided alike again", text)
        for _, call in self.every:
            if not self.owners[call.id] & self.world.excused and call.id not in self.excused:
                yield from self._one_call(call)
        for group in self.groups.values():
            yield from self._both_sides(group)
        yield from self._joined()

    def _wrong(self, rule: str, text: str, call_id: str = "") -> Violation:
        return Violation(self.world.clock.now, rule, text, call_id)

    def _left_over(self) -> Iterator[Violation]:
        core = self.world.core
        if self.world.left:
            yield self._wrong("nothing left", f"the core keeps {self.world.left}")
        for view in core.calls():
            yield self._wrong("nothing left", f"the core keeps the call {view}")

    def _registrations(self) -> Iterator[Violation]:
        for phone in self.world.phones:
            if phone.name in self.world.excused:
                continue
            if not phone.statuses:
                yield self._wrong("registered", f"{phone.name} was never answered")
            allowed = {200, 500, 503} if self.world.profile.store_fails else {200}
            if not set(phone.statuses) <= allowed:
                yield self._wrong("registered", f"{phone.name} got {phone.statuses}")

    def _trunk(self) -> Iterator[Violation]:
        """The trunk's registrars are not hammered: one REGISTER and one more for its challenge, each 42 s at most."""
        came = sum(gateway.registers for gateway in self.world.gateways)
        lost = 1 if self.world.profile.faults == Faults() else 3
        if came > lost * self.world.clock.now / 10:
            yield self._wrong("not hammered", f"{came} REGISTERs came")

    def _errors_logged(self) -> Iterator[Violation]:
        for log in self.world.logs:
            expected = log.event == "registration not stored" and self.world.profile.store_fails
            if log.level == "error" and not expected:
                yield self._wrong("no error logged", f"{log.event} {log.fields}")

    def _record_per_leg(self) -> Iterator[Violation]:
        times = Counter((record.call, record.leg) for record in self.world.records)
        for (name, leg), count in times.items():
            if count > 1:
                yield self._wrong("one record", f"{count} records for leg {leg} of {name}")
        outgoing = Counter(record.sip_call_id for record in self.world.records if record.direction == "out")
        incoming = Counter(record.sip_call_id for record in self.world.records if record.direction == "in")
        for call_id in self.world.audit.invited:
            if outgoing[call_id] != 1:
                yield self._wrong("one record", f"{outgoing[call_id]} records for a leg that was called", call_id)
        for call in self.calls.values():
            count = incoming[call.id]
            if call.outgoing and (count > 1 or (200 <= call.final < 300 and count == 0)):
                yield self._wrong("one record", f"{count} records for the caller's leg", call.id)

    def _one_call(self, call: Call) -> Iterator[Violation]:
        if call.gave_up:
            yield self._wrong("answered", f"{call!r} waited in vain", call.id)
        unnoticed = not call.outgoing and not call.plan.trying and not call.provisionals and not call.final
        if call.state != "over" and not unnoticed:
            yield self._wrong("ended", f"{call!r}", call.id)
        if call.outgoing and not call.final:
            yield self._wrong("one final", f"{call!r} never had one", call.id)
        if 200 <= call.final < 300 and not call.ack_seen:
            yield self._wrong("acknowledged", f"{call!r} had no ACK", call.id)

    # -- a call's two sides

    def _both_sides(self, group: list[Record]) -> Iterator[Violation]:
        inward = next((record for record in group if record.direction == "in"), None)
        if inward is None:
            yield self._wrong("one record", f"no record of the caller's leg among {group}", group[0].sip_call_id)
            return
        for call_id in self.world.audit.secrecy.betrayed(inward.sip_call_id, group):
            yield self._wrong("secure", "a call to a sips URI left by something else than TLS", call_id)
        caller = self.calls.get((inward.sip_call_id, True))
        if caller is None:
            yield self._wrong("one record", "a record for a call that nobody made", inward.sip_call_id)
            return
        if inward.sip_call_id in self.excused:
            return
        called = [self.calls.get((record.sip_call_id, False)) for record in group if record.direction == "out"]
        answered = [call for call in called if call is not None and 200 <= call.final < 300]
        established = 200 <= caller.final < 300
        if (inward.answer is not None) != established:
            yield self._wrong("agreed", f"record says answered at {inward.answer}, {caller!r}", caller.id)
        if inward.cause != caller.final:
            yield self._wrong("agreed", f"record says {inward.cause}, {caller!r}", caller.id)
        for call in answered:
            yield from self._ack_in_order(caller, call)
        if established and not any(record.transferred_by for record in group):
            yield from self._connected(caller, answered, inward.reason)

    def _joined(self) -> Iterator[Violation]:
        """Those whom a transfer has connected end together, and have heard what the other said."""
        by_label = {call.session.label: call for _, call in self.every}
        users = {phone.name: phone.user for phone in self.world.phones}
        for record in self.world.records:
            call = self.calls.get((record.sip_call_id, record.direction == "in"))
            if not record.joined or record.answer is None or call is None or not (call.settled and call.heard):
                continue
            if record.transferred_by in {users.get(owner) for owner in self.owners[call.id]}:
                continue
            heard = parse(call.heard).name
            if heard == "-":
                # Nobody was left to answer for.
                continue
            other = by_label.get(heard)
            if other is not None and self.excused & {call.id, other.id} | self.world.excused & self.owners[other.id]:
                continue
            alone = other is None or by_label.get(parse(other.heard).name) is not call
            if call.id in self.world.consulting.wanted and alone:
                # Somebody else has its place.
                continue
            if other is None:
                yield self._wrong("joined", f"{call!r} goes on with nobody", call.id)
            elif other.settled:
                yield from self._same_media(call, other, joined=True)
                allowed = _PROMPT_END if self.world.profile.kind == "clean" else _SLOWEST_END
                if abs(call.over_at - other.over_at) > allowed:
                    yield self._wrong("ended", f"{call!r} at {call.over_at:.3f}, {other!r} at {other.over_at:.3f}")

    def _connected(self, caller: Call, answered: list[Call], reason: str) -> Iterator[Violation]:
        heard = parse(caller.heard_first)
        if heard.name == "-":
            # It was we who took the call.
            return
        winners = [call for call in answered if call.session.label == heard.name]
        if not winners:
            yield self._wrong("agreed", f"{caller!r} is connected to none of {answered}", caller.id)
            return
        winner = winners[0]
        allowed = _PROMPT_END if self.world.profile.kind == "clean" else _SLOWEST_END
        if abs(caller.over_at - winner.over_at) > allowed:
            text = f"{caller!r} ended at {caller.over_at:.3f}, {winner!r} at {winner.over_at:.3f}"
            yield self._wrong("ended", text, caller.id)
        yield from self._same_media(caller, winner)
        yield from self._refreshed((caller, winner), reason in _STALE)
        if self.world.profile.drains is None and reason not in _STALE and caller.ended_by == winner.ended_by == "them":
            yield self._wrong("ended", f"nobody hung up: {caller!r}, {winner!r}", caller.id)

    def _refreshed(self, calls: Iterable[Call], stale: bool) -> Iterator[Violation]:
        """A call ends for its session timer exactly when one side stops refreshing, or refuses to be refreshed."""
        if self.world.profile.faults != Faults():
            return
        hasty = any(0 < call.timing.interval < STRICT_FROM for call in calls)
        if stale and not hasty and not any(call.timing.tired or call.plan.reply >= 300 for call in calls):
            yield self._wrong("refreshed", f"{calls!r} ended although both were there")
        for call in calls:
            timing = call.timing
            if timing.tired and call.over_at > timing.fresh_at + timing.interval:
                yield self._wrong("refreshed", f"{call!r} outlived its session timer", call.id)

    def _same_media(self, caller: Call, called: Call, joined: bool = False) -> Iterator[Violation]:
        """What each heard last is what the other said last, the o= line aside, unless an offer was still open.

        With a media process that holds but for where media goes and which way, and so it does between two that were
        joined, whose formats are those that fit both; and for one who has answered the same
        offer twice but for what an answer leaves out. An
        offer of B's whose answer never came because A left first has been refused by us (RFC 3261 13.2.2.4).
        """
        if not (caller.settled and called.settled) or b"m=audio 0 " in called.heard:
            return
        if caller.plan.early and called.plan.reply >= 300:
            # What was agreed with the caller before the answer is told the other after it, who will not hear of it.
            return
        for heard, said in ((caller.heard, called.said), (called.heard, caller.said)):
            if self.world.profile.ports or joined:
                same = _fits(parse(heard), parse(said))
            elif caller.restated or called.restated or caller.solicited or called.solicited:
                same = _fits(parse(heard), parse(said)) and _places(heard) == _places(said)
            else:
                same = split_origin(heard)[1] == split_origin(said)[1]
            if not same:
                yield self._wrong("same media", f"{said!r} was said, {heard!r} heard", caller.id)

    def _ack_in_order(self, caller: Call, called: Call) -> Iterator[Violation]:
        """Our ACK to B follows A's, unless one of them was leaving or our own BYE ends it (RFC 3261 13.3.1.4)."""
        audit = self.world.audit
        acked = audit.first_ack_out.get(called.id)
        if acked is None:
            return
        reasons = (
            audit.first_ack_in.get(caller.id),
            audit.first_bye_in.get(caller.id),
            audit.first_bye_out.get(caller.id),
            audit.first_bye_out.get(called.id),
            audit.final_at.get(caller.id) if caller.final >= 300 else None,
        )
        if not any(reason is not None and reason <= acked for reason in reasons):
            yield self._wrong("ack order", f"ACK to {called!r} at {acked:.3f}, before {caller!r} sent one", called.id)


def _places(description: bytes) -> list[object]:
    """Where a description wants its streams sent to."""
    return [(media.connection, media.port) for media in parse(description).media]


def _fits(heard: Session, said: Session) -> bool:
    """Whether one description is the other, relayed, held or answered in its sender's name.

    Either may have formats that the other has not, since we answer and ask ourselves; a number means the same in both.
    """
    if heard.name != said.name or [media.kind for media in heard.media] != [media.kind for media in said.media]:
        return False
    for one, other in zip(heard.media, said.media, strict=True):
        formats, others = formats_of(one), formats_of(other)
        if not formats.keys() & others or any(others.get(text, format) != format for text, format in formats.items()):
            return False
    return True
