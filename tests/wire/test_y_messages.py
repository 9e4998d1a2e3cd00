"""Messages outside of calls reach phones (RFC 3428): real ones, those of SIPp, and by TCP what is too large for UDP."""

from __future__ import annotations

from .lab import Lab


def test_y01_a_real_phone_writes_to_another(office: Lab) -> None:
    bob = office.phone("bob")
    alice = office.phone("alice", writes_to="bob")
    before = len(alice.program.lines())
    alice.write("the soup is ready")
    bob.program.wait_line("^the soup is ready", 10.0)
    bob.program.wait_line('^From: "Alice" <sip:alice@office.example>;tag=', 5.0)
    alice.program.wait_line(r"^SIP/2\.0 200 OK", 5.0, after=before)


def test_y02_every_phone_of_a_user_gets_it_and_one_that_takes_it_is_enough(office: Lab) -> None:
    first = office.answerer("read", office.register("bob"), status=486)
    second = office.answerer("read", office.register("bob"), status=202)
    writer = office.caller("write", "alice", "bob", status=202, text="lunch at noon")
    writer.wait()
    for phone in (first, second):
        phone.wait()
        [got] = phone.received("MESSAGE ")
        assert "lunch at noon" in got.body
        assert got.header("From").startswith('"Alice" <sip:alice@office.example>;tag=')
        assert got.header("Subject") == "lunch"
        assert not got.headers("Contact")
    assert first.received("MESSAGE ")[0].header("Call-ID") != second.received("MESSAGE ")[0].header("Call-ID")


def test_y03_nobody_there(office: Lab) -> None:
    office.caller("write", "alice", "carol", status=480, text="lunch at noon").wait()


def test_y04_what_outgrows_a_datagram_goes_by_tcp_or_not_at_all(office: Lab) -> None:
    bob = office.phone("bob", transport="tcp")
    long = "a long story " * 110
    office.caller("write", "alice", "bob", status=200, text=long, transport="t1").wait()
    bob.program.wait_line("^a long story", 10.0)
    office.register("dave")
    office.caller("write", "alice", "dave", status=413, text=long, transport="t1").wait()
