"""Random sequences of REGISTERs agree with the plainest possible model of RFC 3261 section 10.3."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from b2bua.effects import Flow
from b2bua.registrar.asked import Bounds
from b2bua.registrar.registrar import Registrar
from b2bua.sip.errors import PeerError

from .phone import AOR, UDP, WALL, contacts, message

URIS = ["sip:a@192.0.2.7", "sip:b@192.0.2.7", "sip:c@192.0.2.7:5070", "sip:d@192.0.2.7;transport=tcp"]
MOST = 3
STREAM = Flow("TCP", "192.0.2.1", 5060, "192.0.2.7", 40312, 4)


@dataclass
class Kept:
    call_id: str
    cseq: int
    until: float


@dataclass
class Model:
    """What section 10.3 says, with a dict and its words."""

    kept: dict[str, Kept] = field(default_factory=dict)

    def register(self, contacts: list[tuple[str, int]], call_id: str, cseq: int, wall: float) -> int:
        self.kept = {uri: kept for uri, kept in self.kept.items() if kept.until > wall}
        tried = dict(self.kept)
        if any(0 < expires < 60 for _, expires in contacts):
            return 423
        grew = False
        for uri, expires in contacts:
            old = self.kept.get(uri)
            if uri in tried and old and tried[uri] is old and old.call_id == call_id and old.cseq >= cseq:
                return 500
            if expires:
                grew = grew or uri not in tried
                tried[uri] = Kept(call_id, cseq, wall + min(expires, 3600))
            else:
                tried.pop(uri, None)
        if grew and len(tried) > MOST:
            return 403
        self.kept = tried
        return 200

    def clear(self, call_id: str, cseq: int, wall: float) -> int:
        live = [kept for kept in self.kept.values() if kept.until > wall]
        if any(kept.call_id == call_id and kept.cseq >= cseq for kept in live):
            return 500
        self.kept = {}
        return 200


CONTACTS = st.lists(st.tuples(st.sampled_from(URIS), st.sampled_from([0, 30, 60, 600, 9000])), max_size=3)
STEPS = st.lists(
    st.tuples(
        st.one_of(st.just("*"), CONTACTS),
        st.sampled_from(["one@home", "two@home"]),
        st.integers(1, 6),
        st.sampled_from([0.0, 1.0, 100.0, 700.0]),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_any_sequence_of_registers_leaves_what_the_model_says(
    steps: list[tuple[str | list[tuple[str, int]], str, int, float, bool]],
) -> None:
    registrar, model, wall = Registrar(contacts()), Model(), WALL
    for asked, call_id, cseq, pause, sweep in steps:
        wall += pause
        if sweep:
            registrar.expire(wall)
        if isinstance(asked, str):
            headers = ["Contact: *", "Expires: 0"]
            expected = model.clear(call_id, cseq, wall)
        else:
            headers = [f"Contact: <{uri}>;expires={expires}" for uri, expires in asked]
            expected = model.register(asked, call_id, cseq, wall)
        assert outcome(registrar, headers, call_id, cseq, wall) == expected
        live = {uri: (kept.cseq, kept.until) for uri, kept in model.kept.items() if kept.until > wall}
        stored = {binding.contact: (binding.cseq, binding.expires_at) for binding in registrar.everything(wall)}
        assert stored == live
        assert {binding.contact for binding in registrar.bindings(AOR, wall)} == live.keys()
        due = registrar.next_expiry
        assert not live or (due is not None and due <= min(until for _, until in live.values()))


def outcome(registrar: Registrar, headers: list[str], call_id: str, cseq: int, wall: float) -> int:
    request = message(*headers, call_id=call_id, cseq=cseq)
    try:
        registration = registrar.register(AOR, request, UDP, Bounds(max_contacts=MOST), wall)
    except PeerError as error:
        return error.status
    registrar.commit(registration)
    return 200


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 3), st.booleans()), max_size=20))
def test_nothing_is_left_over_when_all_has_expired(steps: list[tuple[str, int, bool]]) -> None:
    registrar, wall = Registrar(contacts()), WALL
    for cseq, (aor, minutes, stream) in enumerate(steps, 1):
        request = message(f"Contact: <sip:{aor}@192.0.2.7>;expires={minutes * 60}", cseq=cseq)
        registrar.commit(registrar.register(aor, request, STREAM if stream else UDP, Bounds(), wall))
    while (due := registrar.next_expiry) is not None:
        registrar.expire(due)
    assert list(registrar.everything(0.0)) == []
    assert registrar._streams == {}
    assert registrar._due == {}
