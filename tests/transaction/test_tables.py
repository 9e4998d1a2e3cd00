"""Every row of the four transaction tables, one test each (RFC 3261 17.1 and 17.2, RFC 6026)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from b2bua.effects import Flow, Send
from b2bua.settings import Settings
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.keys import server_key
from b2bua.transaction.layer import Transactions
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    REQUEST_CLIENT,
    REQUEST_SERVER,
    Event,
    State,
    Table,
)
from b2bua.transaction.turn import Turn

UDP = Flow("UDP", "127.0.0.1", 5060, "127.0.0.1", 7000)
T1, T2, T4 = 0.5, 4.0, 5.0


class User:
    """Hears what a transaction tells its user."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        self.heard.append(str(response.status))

    def timed_out(self, transaction: ClientTransaction) -> None:
        self.heard.append("timed out")

    def transport_failed(self, transaction: ClientTransaction) -> None:
        self.heard.append("transport failed")

    def reply_failed(self, transaction: ServerTransaction) -> None:
        self.heard.append("reply failed")

    def cancelled(self) -> None:
        self.heard.append("cancelled")


class Bench:
    """One transaction, its user, and the clock."""

    def __init__(self) -> None:
        counter = itertools.count()
        self.turn = Turn(Settings(listen=()), lambda: f"{next(counter):016x}", 0.0, 0.0)
        self.strays: list[int] = []
        self.layer = Transactions(self.turn, lambda response, _: self.strays.append(response.status))
        self.user = User()

    def sent(self) -> list[str]:
        """The start lines of what has been sent since the last call."""
        lines = [e.data.split(b"\r\n")[0].decode() for e in self.turn.effects if isinstance(e, Send)]
        self.turn.effects = []
        return lines

    def delays(self) -> list[float]:
        """How far off the timers are that are set, nearest first."""
        queues = self.turn.timers._queues.values()
        return sorted(t.due - self.turn.now for queue in queues for t in queue.timers if t.owner is not None)


def message(start: str, cseq: str, to: str = "<sip:b@b.example>") -> bytes:
    return (
        f"{start}\r\nVia: SIP/2.0/UDP 127.0.0.1:7000;branch=z9hG4bKx;rport\r\nFrom: <sip:a@a.example>;tag=1\r\n"
        f"To: {to}\r\nCall-ID: c\r\nCSeq: 1 {cseq}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def client(method: str, state: State) -> tuple[Bench, ClientTransaction]:
    bench = Bench()
    data = message(f"{method} sip:b@b.example SIP/2.0", method)
    transaction = bench.layer.begin_client(method, "z9hG4bKx", data, UDP, bench.user)
    transaction.stop_timer()
    transaction.state = state
    bench.sent()
    return bench, transaction


def server(method: str, state: State) -> tuple[Bench, ServerTransaction]:
    bench = Bench()
    request = parse(message(f"{method} sip:b@b.example SIP/2.0", method))
    assert isinstance(request, Request)
    transaction = bench.layer.begin_server(request, UDP, server_key(request, method))
    transaction.user = bench.user
    transaction.state = state
    transaction.response = message("SIP/2.0 180 Ringing", method)
    return bench, transaction


RESPONSES = {Event.PROVISIONAL: "180 Ringing", Event.SUCCESS: "200 OK", Event.FAILURE: "486 Busy Here"}

# For each row of a client's table: what is sent, what the user hears, and which timers are set then.
CLIENT_ROWS: dict[tuple[str, State, Event], tuple[list[str], list[str], list[float]]] = {
    ("INVITE", State.CALLING, Event.TIMER_A): (["INVITE sip:b@b.example SIP/2.0"], [], [2 * T1]),
    ("INVITE", State.CALLING, Event.TIMER_B): ([], ["timed out"], []),
    ("INVITE", State.CALLING, Event.PROVISIONAL): ([], ["180"], []),
    ("INVITE", State.CALLING, Event.SUCCESS): ([], ["200"], [64 * T1]),
    ("INVITE", State.CALLING, Event.FAILURE): (["ACK sip:b@b.example SIP/2.0"], ["486"], [32.0]),
    ("INVITE", State.CALLING, Event.TRANSPORT_ERROR): ([], ["transport failed"], []),
    ("INVITE", State.PROCEEDING, Event.PROVISIONAL): ([], ["180"], []),
    ("INVITE", State.PROCEEDING, Event.SUCCESS): ([], ["200"], [64 * T1]),
    ("INVITE", State.PROCEEDING, Event.FAILURE): (["ACK sip:b@b.example SIP/2.0"], ["486"], [32.0]),
    ("INVITE", State.PROCEEDING, Event.TRANSPORT_ERROR): ([], ["transport failed"], []),
    ("INVITE", State.COMPLETED, Event.FAILURE): (["INVITE sip:b@b.example SIP/2.0"], [], []),
    ("INVITE", State.COMPLETED, Event.TIMER_D): ([], [], []),
    ("INVITE", State.COMPLETED, Event.TRANSPORT_ERROR): ([], [], []),
    ("INVITE", State.ACCEPTED, Event.SUCCESS): ([], ["200"], []),
    ("INVITE", State.ACCEPTED, Event.TIMER_M): ([], [], []),
    ("BYE", State.TRYING, Event.TIMER_E): (["BYE sip:b@b.example SIP/2.0"], [], [2 * T1]),
    ("BYE", State.TRYING, Event.TIMER_F): ([], ["timed out"], []),
    ("BYE", State.TRYING, Event.PROVISIONAL): ([], ["180"], []),
    ("BYE", State.TRYING, Event.SUCCESS): ([], ["200"], [T4]),
    ("BYE", State.TRYING, Event.FAILURE): ([], ["486"], [T4]),
    ("BYE", State.TRYING, Event.TRANSPORT_ERROR): ([], ["transport failed"], []),
    ("BYE", State.PROCEEDING, Event.TIMER_E): (["BYE sip:b@b.example SIP/2.0"], [], [T2]),
    ("BYE", State.PROCEEDING, Event.TIMER_F): ([], ["timed out"], []),
    ("BYE", State.PROCEEDING, Event.PROVISIONAL): ([], ["180"], []),
    ("BYE", State.PROCEEDING, Event.SUCCESS): ([], ["200"], [T4]),
    ("BYE", State.PROCEEDING, Event.FAILURE): ([], ["486"], [T4]),
    ("BYE", State.PROCEEDING, Event.TRANSPORT_ERROR): ([], ["transport failed"], []),
    ("BYE", State.COMPLETED, Event.TIMER_K): ([], [], []),
}

# The same for a server's. What a user sends is `answer`; what is repeated is the 180 that was sent before.
SERVER_ROWS: dict[tuple[str, State, Event], tuple[list[str], list[str], list[float]]] = {
    ("INVITE", State.PROCEEDING, Event.REQUEST): (["SIP/2.0 180 Ringing"], [], []),
    ("INVITE", State.PROCEEDING, Event.PROVISIONAL): (["SIP/2.0 180 Ringing"], [], []),
    ("INVITE", State.PROCEEDING, Event.SUCCESS): (["SIP/2.0 200 OK"], [], [64 * T1]),
    ("INVITE", State.PROCEEDING, Event.FAILURE): (["SIP/2.0 486 Busy Here"], [], [T1]),
    ("INVITE", State.PROCEEDING, Event.TRANSPORT_ERROR): ([], ["reply failed"], []),
    ("INVITE", State.COMPLETED, Event.REQUEST): (["SIP/2.0 180 Ringing"], [], []),
    ("INVITE", State.COMPLETED, Event.TIMER_G): (["SIP/2.0 180 Ringing"], [], [2 * T1]),
    ("INVITE", State.COMPLETED, Event.TIMER_H): ([], [], []),
    ("INVITE", State.COMPLETED, Event.ACK): ([], [], [T4]),
    ("INVITE", State.COMPLETED, Event.TRANSPORT_ERROR): ([], [], []),
    ("INVITE", State.CONFIRMED, Event.TIMER_I): ([], [], []),
    ("INVITE", State.ACCEPTED, Event.SUCCESS): (["SIP/2.0 200 OK"], [], []),
    ("INVITE", State.ACCEPTED, Event.TIMER_L): ([], [], []),
    ("BYE", State.TRYING, Event.PROVISIONAL): (["SIP/2.0 180 Ringing"], [], []),
    ("BYE", State.TRYING, Event.SUCCESS): (["SIP/2.0 200 OK"], [], [64 * T1]),
    ("BYE", State.TRYING, Event.FAILURE): (["SIP/2.0 486 Busy Here"], [], [64 * T1]),
    ("BYE", State.TRYING, Event.TRANSPORT_ERROR): ([], [], []),
    ("BYE", State.PROCEEDING, Event.REQUEST): (["SIP/2.0 180 Ringing"], [], []),
    ("BYE", State.PROCEEDING, Event.PROVISIONAL): (["SIP/2.0 180 Ringing"], [], []),
    ("BYE", State.PROCEEDING, Event.SUCCESS): (["SIP/2.0 200 OK"], [], [64 * T1]),
    ("BYE", State.PROCEEDING, Event.FAILURE): (["SIP/2.0 486 Busy Here"], [], [64 * T1]),
    ("BYE", State.PROCEEDING, Event.TRANSPORT_ERROR): ([], [], []),
    ("BYE", State.COMPLETED, Event.REQUEST): (["SIP/2.0 180 Ringing"], [], []),
    ("BYE", State.COMPLETED, Event.TIMER_J): ([], [], []),
    ("BYE", State.COMPLETED, Event.TRANSPORT_ERROR): ([], [], []),
}

TABLES: dict[tuple[str, str], Table] = {
    ("client", "INVITE"): INVITE_CLIENT,
    ("client", "BYE"): REQUEST_CLIENT,
    ("server", "INVITE"): INVITE_SERVER,
    ("server", "BYE"): REQUEST_SERVER,
}


def rows(side: str) -> list[tuple[str, State, Event, State]]:
    return [
        (method, state, event, after)
        for (which, method), table in TABLES.items()
        if which == side
        for state, events in table.items()
        for event, (after, _) in events.items()
    ]


@pytest.mark.parametrize(("method", "state", "event", "after"), rows("client"))
def test_client_row(method: str, state: State, event: Event, after: State) -> None:
    bench, transaction = client(method, state)
    status = RESPONSES.get(event)
    response = parse(message(f"SIP/2.0 {status}", method, "<sip:b@b.example>;tag=2")) if status else None
    assert response is None or isinstance(response, Response)
    if response is None:
        transaction.step(event)
    else:
        transaction.received(response)
    sent, heard, delays = CLIENT_ROWS[method, state, event]
    assert transaction.state is after
    assert bench.sent() == sent
    assert bench.user.heard == heard
    assert bench.delays() == delays
    assert (len(bench.layer) == 0) is (after is State.TERMINATED)


@pytest.mark.parametrize(("method", "state", "event", "after"), rows("server"))
def test_server_row(method: str, state: State, event: Event, after: State) -> None:
    bench, transaction = server(method, state)
    status = RESPONSES.get(event)
    if status is None:
        transaction.step(event)
    else:
        transaction.respond(int(status[:3]), "t")
    sent, heard, delays = SERVER_ROWS[method, state, event]
    assert transaction.state is after
    assert bench.sent() == sent
    assert bench.user.heard == heard
    assert bench.delays() == delays
    assert (len(bench.layer) == 0) is (after is State.TERMINATED)


@pytest.mark.parametrize("make", [lambda: client("INVITE", State.ACCEPTED), lambda: server("BYE", State.COMPLETED)])
def test_what_no_row_names_does_nothing(
    make: Callable[[], tuple[Bench, ClientTransaction | ServerTransaction]],
) -> None:
    bench, transaction = make()
    state = transaction.state
    for event in Event:
        if event not in transaction.table[state]:
            transaction.step(event)
    assert transaction.state is state
    assert not bench.sent()
    assert not bench.user.heard


def test_on_a_stream_nothing_is_repeated_and_nothing_lingers() -> None:
    bench = Bench()
    tcp = Flow("TCP", "127.0.0.1", 5060, "127.0.0.1", 7000, 3)
    data = message("BYE sip:b@b.example SIP/2.0", "BYE")
    transaction = bench.layer.begin_client("BYE", "z9hG4bKx", data, tcp, bench.user)
    assert bench.delays() == [64 * T1]
    response = parse(message("SIP/2.0 200 OK", "BYE"))
    assert isinstance(response, Response)
    transaction.received(response)
    bench.turn.timers.fire(0.0, 10)
    assert len(bench.layer) == 0


def test_a_2xx_that_was_acknowledged_is_acknowledged_again_without_its_user() -> None:
    bench, transaction = client("INVITE", State.CALLING)
    response = parse(message("SIP/2.0 200 OK", "INVITE", "<sip:b@b.example>;tag=2"))
    assert isinstance(response, Response)
    transaction.received(response)
    transaction.acknowledged("2", b"ACK mine SIP/2.0\r\n\r\n", UDP)
    transaction.user = None
    transaction.received(response)
    assert bench.sent() == ["ACK mine SIP/2.0", "ACK mine SIP/2.0"]
    other = parse(message("SIP/2.0 200 OK", "INVITE", "<sip:b@b.example>;tag=3"))
    assert isinstance(other, Response)
    transaction.received(other)
    assert bench.strays == [200]


def sent_at(bench: Bench) -> list[float]:
    """When something is sent until all timers have fired, from 0.0 on."""
    times = [0.0 for _ in bench.sent()]
    while bench.turn.timers.wake_at is not None:
        bench.turn.begin(bench.turn.timers.wake_at, 0.0)
        bench.turn.timers.fire(bench.turn.now, 10)
        times += [bench.turn.now for _ in bench.sent()]
    return times


DOUBLING = [0.0, 0.5, 1.5, 3.5, 7.5]
UP_TO_T2 = [*DOUBLING, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


@pytest.mark.parametrize(("method", "times"), [("INVITE", [*DOUBLING, 15.5, 31.5]), ("BYE", UP_TO_T2)])
def test_a_request_into_silence_is_repeated_until_64_t1_have_passed(method: str, times: list[float]) -> None:
    bench = Bench()
    data = message(f"{method} sip:b@b.example SIP/2.0", method)
    bench.layer.begin_client(method, "z9hG4bKx", data, UDP, bench.user)
    assert sent_at(bench) == times
    assert bench.user.heard == ["timed out"]
    assert bench.turn.now == 64 * T1


def test_a_failure_into_silence_is_repeated_until_64_t1_have_passed() -> None:
    bench, transaction = server("INVITE", State.PROCEEDING)
    transaction.respond(486, "t")
    assert sent_at(bench) == UP_TO_T2
    assert bench.turn.now == 64 * T1
    assert len(bench.layer) == 0


def test_a_provisional_response_slows_a_request_down_and_gives_it_no_more_time() -> None:
    bench = Bench()
    bench.layer.begin_client("BYE", "z9hG4bKx", message("BYE sip:b@b.example SIP/2.0", "BYE"), UDP, bench.user)
    response = parse(message("SIP/2.0 100 Trying", "BYE"))
    assert isinstance(response, Response)
    assert bench.layer.response(response)
    assert sent_at(bench) == [0.0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert bench.user.heard == ["100", "timed out"]
    assert bench.turn.now == 64 * T1
