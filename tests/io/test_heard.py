"""Which messages are gathered, and when what was gathered leaves."""

from __future__ import annotations

import pytest

from b2bua.io import heard as heard_module
from b2bua.io.heard import FRESH, MESSAGES, OCTETS, SILENT_SECONDS, Heard, Tape, call_id, kept
from b2bua.io.shell import Taped
from b2bua.tape import unpack

from .taping import taped

DAY = 86_400.0
BYE = "BYE sip:b@h SIP/2.0"


def listened(*messages: Taped) -> Heard:
    heard = Heard(DAY)
    heard.fresh.extend(messages)
    heard.listen()
    return heard


def tape(heard: Heard, key: str) -> Tape:
    found = heard.get(key.encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("To: <sip:b@h>\r\nCall-ID: a@b", b"a@b"),
        ("Call-ID:   a@b  ", b"a@b"),
        ("i:a@b", b"a@b"),
        ("I : a@b", b"a@b"),
        ("call-id\t:\ta@b", b"a@b"),
        ("Call-ID: \r\n a@b", b"a@b"),
        ("Subject: i: not me\r\nCALL-ID: a@b", b"a@b"),
        ("Subject: none", b""),
    ],
)
def test_a_call_id_is_found_however_it_is_written(fields: str, found: bytes) -> None:
    body = b"v=0\r\nCall-ID: c@d\r\ni: c@d\r\n"
    assert call_id(f"INVITE sip:b@h SIP/2.0\r\n{fields}\r\nCSeq: 1 INVITE\r\n\r\n".encode() + body) == found


def test_what_is_no_message_has_none() -> None:
    assert call_id(b"") == call_id(b"INVITE\r\nX-Call-ID: a") == b""


def test_only_an_invite_begins_a_tape() -> None:
    invite, bye = taped("a"), taped("a", BYE)
    heard = listened(taped("a", BYE), taped("r", "REGISTER sip:h SIP/2.0"), invite, bye)
    assert heard.count == 1
    assert tape(heard, "a").messages == [invite, bye]


def test_the_octets_of_what_is_there_are_counted() -> None:
    heard = listened(taped("a"), taped("b"))
    assert heard.octets == tape(heard, "a").octets + tape(heard, "b").octets > 0
    heard.forget(b"a")
    heard.forget(b"b")
    assert (heard.octets, heard.count) == (0, 0)


def test_of_a_long_tape_the_first_and_the_last_are_kept() -> None:
    messages = [taped("a", wall=float(number)) for number in range(3 * MESSAGES)]
    heard = listened(*messages)
    found = tape(heard, "a")
    assert found.messages == messages[: MESSAGES // 2] + messages[-MESSAGES // 2 :]
    assert found.left_out == 2 * MESSAGES
    assert heard.octets == found.octets


def test_of_large_messages_fewer_are_kept() -> None:
    messages = [taped("a", body=b"x" * (OCTETS // 4)) for _ in range(10)]
    heard = listened(*messages)
    found = tape(heard, "a")
    assert (found.messages[0], found.messages[-1]) == (messages[0], messages[-1])
    assert len(found.messages) + found.left_out == 10
    assert heard.octets == found.octets <= OCTETS


def test_an_invite_that_became_no_call_is_forgotten() -> None:
    heard = listened(taped("refused"), taped("refused", "SIP/2.0 401 Unauthorized"), taped("unanswered"))
    assert heard.tidy(100.0, SILENT_SECONDS - 1)
    assert heard.count == 2
    assert heard.tidy(200.0, SILENT_SECONDS + 1)
    assert heard.count == 0


@pytest.mark.parametrize("status", ["100 Trying", "180 Ringing", "200 OK"])
def test_a_call_may_be_silent_for_as_long_as_calls_may_last(status: str) -> None:
    heard = listened(taped("a"), taped("a", f"SIP/2.0 {status}"), taped("a", "SIP/2.0 491 Request Pending"))
    heard.tidy(100.0, DAY)
    assert heard.count == 1
    heard.tidy(200.0, DAY + SILENT_SECONDS + 1)
    assert heard.count == 0


def test_what_waits_for_a_call_to_be_over_stays() -> None:
    heard = listened(taped("a"))
    tape(heard, "a").tied = 1
    heard.tidy(100.0, 10 * SILENT_SECONDS)
    assert heard.count == 1


def test_where_there_is_much_quiet_calls_are_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_module, "CROWDED", 100)
    messages = [taped("a"), taped("a", "SIP/2.0 200 OK", 1.0), taped("a", body=b"v=0\r\n" * 300, wall=2.0)]
    heard = listened(*messages)
    before = heard.octets
    heard.tidy(100.0, 10.0)
    assert tape(heard, "a").messages == messages
    heard.tidy(200.0, 1000.0)
    found = tape(heard, "a")
    assert unpack(found.sealed) == kept(messages)
    assert heard.octets == found.octets < before / 4
    heard.fresh.append(taped("a", BYE, 1001.0))
    heard.listen()
    heard.tidy(300.0, 2000.0)
    assert found.messages == []
    assert [one.data[:3] for one in unpack(found.sealed)] == [b"INV", b"SIP", b"INV", b"BYE"]


def test_beyond_the_bound_strangers_go_first_and_then_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_module, "MOST", 30_000)
    calls = [message for name in "abc" for message in (taped(name), taped(name, "SIP/2.0 200 OK"))]
    flood = [taped(f"flood{number}") for number in range(200)]
    heard = listened(*calls, *flood)
    heard.tidy(1.0, 5.0)
    assert (heard.count, heard.lost) == (3, 0)
    heard.fresh.extend([taped(name, body=b"x" * 12_000) for name in "abc"])
    heard.listen()
    heard.tidy(2.0, 5.0)
    assert heard.get(b"a") is None
    assert (heard.count, heard.lost) == (2, 1)


def test_what_the_thread_has_no_time_for_is_bounded_and_told() -> None:
    heard = listened(*[taped("r", "REGISTER sip:h SIP/2.0")] * (FRESH + 10))
    assert (len(heard.fresh), heard.lost) == (0, 1)
