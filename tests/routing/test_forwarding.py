"""How a call came to us, told to whoever it goes to next (RFC 5806, RFC 7044)."""

from __future__ import annotations

import pytest

from b2bua.routing.forwarding import History, forwarded, history_headers
from b2bua.sip.headers import NameAddr


def history(diversions: list[str], entries: list[str]) -> History:
    return History(tuple(map(NameAddr.parse, diversions)), tuple(map(NameAddr.parse, entries)))


@pytest.mark.parametrize(
    ("diversions", "entries", "count"),
    [
        ([], [], 0),
        (["<sip:a@x>"], [], 1),
        (["<sip:a@x>;counter=3", "<sip:b@x>;counter=2"], [], 5),
        (["<sip:a@x>;counter=many", "<sip:b@x>;counter=99999"], [], 2),
        (["<sip:a@x>;counter=999"], [], 5),
        ([], ["<sip:a@x>;index=1", "<sip:b@x>;index=1.1;mp=1", "<sip:c@y>;index=1.1.1;rc=1.1"], 1),
        (["<sip:a@x>"], ["<sip:a@x>;index=1", "<sip:b@x>;index=1.1;mp=1"], 1),
    ],
)
def test_how_often_a_call_was_forwarded(diversions: list[str], entries: list[str], count: int) -> None:
    assert history(diversions, entries).count == count
    assert forwarded(history(diversions, entries), "bob", "busy").count == count + 1


@pytest.mark.parametrize(
    ("received", "ours", "written"),
    [
        ([], ["bob"], "<sip:bob@a>;index=1, <sip:t@b;cause=486>;index=1.1;mp=1"),
        (
            [],
            ["bob", "carol"],
            "<sip:bob@a>;index=1, <sip:carol@a;cause=486>;index=1.1;mp=1, <sip:t@b;cause=486>;index=1.1.1;mp=1.1",
        ),
        (["<sip:bob@a>;index=1.2"], ["bob"], "<sip:bob@a>;index=1.2, <sip:t@b;cause=486>;index=1.2.1;mp=1.2"),
        (["<sip:202@a>;index=1"], ["bob"], "<sip:202@a>;index=1, <sip:t@b;cause=486>;index=1.1;mp=1"),
        (
            ["<sip:zoe@a>;index=1"],
            ["bob"],
            "<sip:zoe@a>;index=1, <sip:bob@a>;index=1.0.1, <sip:t@b;cause=486>;index=1.0.1.1;mp=1.0.1",
        ),
        (["<sip:202@a>;index=1"], [], "<sip:202@a>;index=1, <sip:t@b>;index=1.1"),
        (["<sip:202@a>"], [], "<sip:202@a>, <sip:t@b>;index=1.1"),
    ],
)
def test_indexes_say_who_led_to_whom(received: list[str], ours: list[str], written: str) -> None:
    past = history([], received)
    for user in ours:
        past = forwarded(past, user, "busy")
    fields = history_headers(past, "202", "sip:t@b", lambda user: f"sip:{user}@a", True, False)
    assert dict(fields)["History-Info"] == written
    assert [name for name, _ in fields] == ["Diversion"] * len(ours) + ["History-Info"]
