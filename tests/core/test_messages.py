"""Messages that meet the limits of a server, or a bug of ours."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Remember, Send, StoreBindings, Stored
from b2bua.settings import Limits, Listener, Settings
from dsl.plan.recorded import read_recorded
from dsl.policy import load

POLICY = """
policy "messages"
domain example.com
users staff from "users.yaml"
limit open = 1 at once
on register { otherwise -> accept }
on call { otherwise -> reject 404 }
on message {
  when over open -> reject 503 "one at a time"
  otherwise { tag kind "text" log "to {dialed}" deliver to callee }
}
"""
ALICE = Flow("UDP", "192.0.2.100", 5060, "198.51.100.7", 5060)
BOB = Flow("UDP", "192.0.2.100", 5060, "198.51.100.8", 5060)


class BugError(Exception):
    """What the tests make the core meet."""


def core_of(folder: Path, limits: Limits | None = None) -> Core:
    """A core where bob is registered."""
    (folder / "users.yaml").write_text("alice: {password: a}\nbob: {password: b}\n", encoding="utf-8")
    script = folder / "messages.route"
    script.write_text(POLICY, encoding="utf-8")
    draw = random.Random(1)
    settings = Settings(listen=(Listener("UDP", "192.0.2.100", 5060),), limits=limits or Limits())
    made = Core(settings, load(script), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9)
    contact = "Contact: <sip:bob@198.51.100.8>\r\nExpires: 3600\r\n"
    effects = made.datagram(request("REGISTER", "bob", "register", contact), BOB, 0.0, 1e9)
    [asked] = [effect for effect in effects if isinstance(effect, StoreBindings)]
    made.answered(asked.id, Stored(), 0.0, 1e9)
    return made


def request(method: str, who: str, name: str, more: str = "", body: str = "") -> bytes:
    uri = "sip:example.com" if method == "REGISTER" else "sip:bob@example.com"
    return (
        f"{method} {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{name};rport\r\n"
        f"From: <sip:{who}@example.com>;tag={name}\r\nTo: <sip:bob@example.com>\r\nCall-ID: {name}\r\n"
        f"CSeq: 1 {method}\r\nMax-Forwards: 70\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def message(name: str) -> bytes:
    return request("MESSAGE", "alice", name, "Content-Type: text/plain\r\n", "hello")


def starts(effects: list[Effect]) -> list[str]:
    return [e.data.split(b"\r\n")[0].decode() for e in effects if isinstance(e, Send)]


def answer(effects: list[Effect], status: str) -> bytes:
    """An answer to the MESSAGE among these effects."""
    [sent] = [e.data.decode() for e in effects if isinstance(e, Send) and e.data.startswith(b"MESSAGE")]
    kept = [line for line in sent.split("\r\n") if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
    return "\r\n".join([f"SIP/2.0 {status}", *kept, "To: <sip:bob@x>;tag=b", "Content-Length: 0", "", ""]).encode()


def run_out(core: Core) -> None:
    for second in range(1, 120):
        core.tick(float(second), 1e9 + second)
    assert {name: size for name, size in core.sizes().items() if size} == {}


def test_a_body_says_what_it_is(tmp_path: Path) -> None:
    core = core_of(tmp_path)
    sent = core.datagram(request("MESSAGE", "alice", "plain", "", "hello"), ALICE, 0.0, 1e9)
    assert starts(sent) == ["SIP/2.0 400 A body needs a Content-Type"]


def test_only_so_many_are_on_their_way_at_once(tmp_path: Path) -> None:
    core = core_of(tmp_path, Limits(max_calls=1))
    first = core.datagram(message("first"), ALICE, 0.0, 1e9)
    assert starts(core.datagram(message("second"), ALICE, 0.0, 1e9)) == ["SIP/2.0 503 Service Unavailable"]
    assert core.sizes()["messages"] == 1 and not core.idle
    assert starts(core.datagram(answer(first, "200 OK"), BOB, 0.0, 1e9)) == ["SIP/2.0 200 OK"]
    assert core.idle
    assert starts(core.datagram(message("third"), ALICE, 0.0, 1e9)) == ["MESSAGE sip:bob@198.51.100.8 SIP/2.0"]
    run_out(core)
    counted = {name: count for name, count in core.counters.items() if name.startswith("instant")}
    assert counted == {
        "instant_messages": 2,
        "instant_messages_delivered": 1,
        "instant_messages_undelivered": 1,
        "instant_messages_refused": 1,
    }


def test_how_it_was_decided_is_recorded_without_what_it_says(tmp_path: Path) -> None:
    core = core_of(tmp_path)
    [kept] = [e for e in core.datagram(message("first"), ALICE, 0.0, 1e9) if isinstance(e, Remember)]
    document = kept.recording.whole()
    assert document is not None and b"hello" not in document
    recorded = read_recorded(document)
    assert (recorded.known.dialed, recorded.known.claimed) == ("bob", "alice")
    assert [event.event for event in recorded.events] == ["message"]
    assert recorded.events[0].decision.tags == {"kind": "text"}


@pytest.mark.parametrize("twice", [False, True])
def test_a_bug_ends_the_message_that_met_it_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twice: bool
) -> None:
    def broken(*_: object) -> None:
        raise BugError

    core = core_of(tmp_path)
    first = core.datagram(message("first"), ALICE, 0.0, 1e9)
    with monkeypatch.context() as patch:
        patch.setattr("b2bua.delivery.best.told_of_message", broken)
        with pytest.raises(BugError):
            core.datagram(answer(first, "200 OK"), BOB, 1.0, 1e9)
        if twice:
            patch.setattr("b2bua.delivery.delivery.Log", broken)
            with pytest.raises(BugError):
                core.salvage(1.0, 1e9)
            core.abolish(1.0, 1e9)
        else:
            assert starts(core.salvage(1.0, 1e9)) == ["SIP/2.0 500 Server Internal Error"]
    assert core.sizes()["messages"] == 0
    assert starts(core.datagram(message("second"), ALICE, 2.0, 1e9)) == ["MESSAGE sip:bob@198.51.100.8 SIP/2.0"]
    run_out(core)
