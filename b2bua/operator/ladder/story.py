"""A case told as a story: who took part, and what happened, in its order.

Owns which message belongs to whom, where a decision stands among messages, and folding retransmissions. Leaves what a
message is called to `reading`, and the sentence to `sentence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from b2bua.operator.ladder.case import Case, CaseLeg, told_places
from b2bua.operator.ladder.reading import ReadMessage, read_message, user_of
from b2bua.operator.ladder.sentence import told_case, told_outcome
from b2bua.operator.ladder.session_words import media_address, told_session
from b2bua.operator.ladder.steps import Arrow, Column, Decided, Remark, Step, Story
from b2bua.sdp.session import Session
from b2bua.sip.uri import host_port
from dsl.decision import Continue
from dsl.expectation import told
from dsl.plan.recorded import Happened

_SAME_TIME = 0.0001
"""Seconds within which a decision and the message that led to it may differ, for they are written differently."""

_OFFERED = ("INVITE", "UPDATE")
_LEADS_TO = {"call": ("INVITE",), "transfer": ("REFER", "INVITE"), "hold": _OFFERED, "resume": _OFFERED}
"""The requests that lead to an event; a final response leads to all others."""


class Told(msgspec.Struct, frozen=True):
    """A message with the leg that it belongs to, and how often it came."""

    read: ReadMessage
    leg: int
    count: int
    last: float


def story_of(case: Case) -> Story:
    """Tell it."""
    read = [read_message(kept) for kept in case.messages]
    case = msgspec.structs.replace(case, legs=_named(case, read))
    numbers = {leg.sip_call_id: leg.number for leg in case.legs}
    messages = _folded(each for each in read if each.call_id in numbers)
    folded = [Told(each, numbers[each.call_id], count, last) for each, count, last in messages]
    start = min([case.start, *(kept.wall for kept in case.messages)])
    steps = _with_decisions(case, folded, _arrows(folded, _asked_for(case), start), start)
    return Story(case.call, told_case(case, read), _columns(case, folded, start), tuple(steps))


def _named(case: Case, read: Sequence[ReadMessage]) -> tuple[CaseLeg, ...]:
    """The legs with who is there, and since when. Whom we asked for stands in To: R-URI has a phone's own address."""
    asked = {each.call_id: each.to_user for each in read if each.kept.sent and each.begins("INVITE")}
    begun = {each.call_id: each.kept.wall for each in reversed(read)}
    return tuple(
        msgspec.structs.replace(
            leg, party=_name(case, leg, asked), start=leg.start or begun.get(leg.sip_call_id, case.start)
        )
        for leg in case.legs
    )


def _name(case: Case, leg: CaseLeg, asked: dict[str, str]) -> str:
    if leg.direction == "in":
        return leg.party or case.caller_name
    if leg.trunk:
        return leg.trunk
    return leg.party or asked.get(leg.sip_call_id) or user_of(leg.target)


def _folded(read: Iterable[ReadMessage]) -> list[tuple[ReadMessage, int, float]]:
    """Each message once, with how often it came, and when last."""
    known: dict[tuple[object, ...], int] = {}
    folded: list[tuple[ReadMessage, int, float]] = []
    for each in read:
        key = (each.call_id, *each.same)
        at = known.get(key)
        if at is None:
            known[key] = len(folded)
            folded.append((each, 1, each.kept.wall))
        else:
            first, count, _ = folded[at]
            folded[at] = (first, count + 1, each.kept.wall)
    return folded


def _columns(case: Case, folded: Sequence[Told], start: float) -> tuple[Column, ...]:
    """The caller, and all others that have messages; nobody where there are none."""
    columns = []
    for leg in case.legs if folded else ():
        mine = [each for each in folded if each.leg == leg.number]
        if not mine:
            if leg.number == 0:
                columns.append(Column(leg.number, leg.party, "", 0.0, 0.0))
            continue
        kept = mine[0].read.kept
        transport = "" if kept.transport == "UDP" else f" {kept.transport.lower()}"
        address = host_port(kept.remote, kept.remote_port) + transport
        last = max(each.last for each in mine)
        columns.append(Column(leg.number, leg.party, address, kept.wall - start, last - start))
    return tuple(columns)


def _asked_for(case: Case) -> dict[int, str]:
    """Whom a leg calls that goes to a phone: what the phone calls itself is in nobody's words."""
    return {leg.number: leg.party for leg in case.legs if leg.direction == "out" and leg.party and not leg.trunk}


def _arrows(folded: Sequence[Told], asked_for: Mapping[int, str], start: float) -> list[Arrow]:
    said: dict[tuple[int, bool], Session] = {}
    arrows = []
    for each in folded:
        read, kept = each.read, each.read.kept
        session, media = "", ""
        if read.session is not None:
            before = said.get((each.leg, kept.sent))
            session, media = told_session(read.session, before, read.is_offer), media_address(read.session)
            if before is not None and media == media_address(before):
                media = ""
            if read.begins("INVITE") and before is not None and before == read.session:
                session = ""
            said[each.leg, kept.sent] = read.session
        named = kept.sent and each.leg in asked_for and read.begins("INVITE")
        arrows.append(
            Arrow(
                time=kept.wall - start,
                leg=each.leg,
                sent=kept.sent,
                label=f"INVITE {asked_for[each.leg]}" if named else read.label,
                short=read.short,
                status=read.status,
                session=session,
                media=media,
                count=each.count,
                last=each.last - start,
            )
        )
    return arrows


def _moves(folded: Sequence[Told], start: float) -> dict[int, Remark]:
    """Before which message somebody is spoken with at another address than before."""
    peers: dict[int, tuple[str, str, int]] = {}
    moves = {}
    for number, each in enumerate(folded):
        kept = each.read.kept
        peer = (kept.transport, kept.remote, kept.remote_port)
        before = peers.setdefault(each.leg, peer)
        if before != peer:
            where = host_port(kept.remote, kept.remote_port) + ("" if before[0] == peer[0] else f" {peer[0].lower()}")
            moves[number] = Remark(kept.wall - start, each.leg, f"now {'to' if kept.sent else 'from'} {where}")
        peers[each.leg] = peer
    return moves


def _with_decisions(case: Case, folded: Sequence[Told], arrows: Sequence[Arrow], start: float) -> list[Step]:
    """The decisions before what came of them, and at the end of a leg that nobody answered a remark."""
    before: dict[int, list[Step]] = {number: [move] for number, move in _moves(folded, start).items()}
    ended = {leg.number: leg.end for leg in case.legs if leg.end is not None}
    if not case.events and case.rules:
        places = case.recorded_places()
        begun = next((number for number, each in enumerate(folded) if each.read.kept.sent), len(folded))
        before.setdefault(begun, []).append(Decided(0.0, "call", "", told_places(places), places[-1].text))
    for event in case.events:
        if isinstance(event.decision.action, Continue) and not event.decision.rules:
            continue
        decided = Decided(
            time=max(0.0, event.time - start),
            event=event.event,
            because="" if event.event == "call" else told_outcome(case, event),
            places=told_places(case.places(event.decision)),
            decision=told(event.decision.action),
        )
        steps = before.setdefault(_place_of(event, folded, ended), [])
        steps.insert(sum(isinstance(step, Decided) for step in steps), decided)
    for remark in _silences(case, folded, start):
        at = next((number for number, arrow in enumerate(arrows) if arrow.time > remark.time), len(arrows))
        before.setdefault(at, []).insert(0, remark)
    whole: list[Step] = []
    for number, arrow in enumerate(arrows):
        whole += before.get(number, ())
        whole.append(arrow)
    return [*whole, *before.get(len(arrows), ())]


def _place_of(event: Happened, folded: Sequence[Told], ended: Mapping[int, float]) -> int:
    """Before which message it was decided: the first that we sent after what led to it, and that says something."""
    caused = -1
    for number, each in enumerate(folded):
        if each.read.kept.wall > event.time + _SAME_TIME:
            break
        if not each.read.kept.sent and _leads_to(each.read, event.event):
            caused = number
    for number, each in enumerate(folded[caused + 1 :], caused + 1):
        kept, read = each.read.kept, each.read
        if kept.wall > event.time + _SAME_TIME:
            return number
        # What a leg sent that was over by then led to the decision, or has nothing to do with it.
        over = each.leg != 0 and ended.get(each.leg, event.time + 1.0) <= event.time and event.event not in _LEADS_TO
        if kept.wall >= event.time - _SAME_TIME and kept.sent and not over and not _is_receipt(read):
            return number
    return len(folded)


def _leads_to(read: ReadMessage, event: str) -> bool:
    methods = _LEADS_TO.get(event)
    if methods is None:
        return read.status >= 300 and read.method == "INVITE"
    return read.status == 0 and read.method in methods


def _is_receipt(read: ReadMessage) -> bool:
    return read.status == 100 or (read.status == 0 and read.method == "ACK")


def _silences(case: Case, folded: Sequence[Told], start: float) -> list[Remark]:
    """What was called and never answered by anything; an answer that was never acknowledged."""
    remarks = []
    for leg in case.legs:
        mine = [each.read for each in folded if each.leg == leg.number]
        if leg.end is None or not mine:
            continue
        if leg.direction == "out" and all(read.kept.sent for read in mine):
            remarks.append(Remark(leg.end - start, leg.number, "not a word came back"))
        if leg.direction == "in" and leg.answer is not None and leg.end > leg.answer and not _acknowledged(mine):
            remarks.append(Remark(leg.end - start, leg.number, "the answer was never acknowledged"))
    return remarks


def _acknowledged(mine: Sequence[ReadMessage]) -> bool:
    return any(not read.kept.sent and read.status == 0 and read.method == "ACK" for read in mine)
