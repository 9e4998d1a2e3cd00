"""What a REGISTER makes of the bindings of one address-of-record: all of it or nothing (RFC 3261 10.3).

Owns the matching of contacts and the order of requests (Call-ID and CSeq). Pure functions: bindings in,
bindings out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from b2bua.registrar.asked import Wanted
from b2bua.registrar.binding import Binding
from b2bua.sip.errors import PeerError
from b2bua.sip.uri import equals

Bindings = tuple[Binding, ...]


def cleared(before: Bindings, call_id: str, cseq: int) -> Bindings:
    """What `Contact: *` leaves: nothing (step 6). PeerError 500 when the request is older than a binding."""
    for binding in before:
        _in_order(binding, call_id, cseq)
    return ()


def updated(
    before: Bindings,
    contacts: Sequence[Wanted],
    call_id: str,
    cseq: int,
    most: int,
    bind: Callable[[Wanted], Binding],
) -> Bindings:
    """What these contacts make of the bindings (step 7). `bind` makes a binding of one, `most` may be.

    A contact that is named twice counts as it was named last. Raises PeerError 500 when the request is
    older than a binding that it would touch, 403 when it adds a contact and then there are too many.
    """
    after = list(before)
    made: list[Binding] = []
    added = False
    for wanted in contacts:
        place = _place(after, wanted)
        if place is None:
            if wanted.expires:
                made.append(bind(wanted))
                after.append(made[-1])
                added = True
            continue
        old = after[place]
        if not made or all(old is not new for new in made):
            _in_order(old, call_id, cseq)
        if wanted.expires:
            made.append(bind(wanted))
            after[place] = made[-1]
        else:
            del after[place]
    if added and len(after) > most:
        _make_room(after, made, most)
    return tuple(after)


def _in_order(binding: Binding, call_id: str, cseq: int) -> None:
    if binding.call_id == call_id and binding.cseq >= cseq:
        raise PeerError(500, "CSeq Out Of Order")


def _place(bindings: Sequence[Binding], wanted: Wanted) -> int | None:
    """Which binding a contact is about, if any.

    By instance and reg-id where it has both (RFC 5626 section 6). Else by its URI: the same text, or else
    the first that is equal by RFC 3261 19.1.4, a relation under which one URI may equal two that differ
    from each other.
    """
    if wanted.reg_id is not None:
        for place, binding in enumerate(bindings):
            if binding.reg_id == wanted.reg_id and binding.instance == wanted.instance:
                return place
        return None
    for place, binding in enumerate(bindings):
        if binding.contact == wanted.contact:
            return place
    for place, binding in enumerate(bindings):
        if equals(binding.uri(), wanted.uri):
            return place
    return None


def _make_room(after: list[Binding], made: list[Binding], most: int) -> None:
    """Let go of bindings whose connection is gone, the oldest first, until the new ones fit."""
    lost = sorted([binding for binding in after if not binding.reachable], key=lambda binding: binding.updated_at)
    for binding in lost[: len(after) - most]:
        after.remove(binding)
    if len(after) > most:
        raise PeerError(403, "Too Many Contacts")
