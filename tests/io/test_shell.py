"""Effects are performed in their order, and no input ends the server."""

from __future__ import annotations

import time

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from b2bua.effects import (
    CloseFlow,
    Effect,
    Failed,
    Flow,
    Log,
    Resolve,
    Send,
    StoreBindings,
    Stored,
)
from b2bua.io.shell import Taped

from .edge import Edge, Noted

UDP = Flow("UDP", "127.0.0.1", 5060, "127.0.0.1", 6000)
TCP = Flow("TCP", "127.0.0.1", 5060, "127.0.0.1", 6000, 7)


def message(edge: Edge, data: bytes = b"x") -> None:
    edge.shell.message(data, UDP, trio.current_time(), 0.0)
    edge.shell.settle()


async def test_every_effect_reaches_whoever_performs_it(edge: Edge) -> None:
    ask, store = Resolve(1, "gw.example", None, None), StoreBindings(2, "alice", b"[]")
    log = Log("warning", "something", {"who": "alice"})
    effects = [Send(b"1", UDP), ask, Send(b"2", TCP), store, CloseFlow(TCP), log]
    edge.core.replies["datagram"] = lambda *_: effects
    message(edge)
    noted = edge.noted
    assert noted.sent == [(b"1", UDP), (b"2", TCP)]
    assert (noted.asked, noted.bound, noted.closed) == ([ask], [store], [TCP])
    assert edge.logged.entries == [{"event": "something", "who": "alice", "log_level": "warning"}]


async def test_each_message_is_kept_with_its_time_and_way(edge: Edge) -> None:
    kept: list[Taped] = []
    edge.connect(tape=kept.append)
    edge.core.replies["datagram"] = lambda *_: [Send(b"1", UDP), Send(b"2", TCP)]
    before = time.time()
    edge.shell.message(b"in", UDP, trio.current_time(), 12.5)
    assert [message[1:] for message in kept] == [(False, UDP, b"in"), (True, UDP, b"1"), (True, TCP, b"2")]
    assert kept[0][0] == 12.5
    assert before <= kept[1][0] <= kept[2][0] <= time.time()


async def test_a_bug_loses_its_input_and_no_other(edge: Edge) -> None:
    def stumble(data: bytes, _: Flow) -> list[Effect]:
        if data == b"bad":
            raise ZeroDivisionError
        return [Send(b"fine", UDP)]

    edge.core.replies["datagram"] = stumble
    for data in (b"bad", b"good"):
        message(edge, data)
    assert edge.noted.sent == [(b"fine", UDP)]
    assert edge.events() == ["input lost"]
    assert edge.logged.entries[0]["exc_info"]
    assert edge.shell.counters["inputs_lost"] == 1


async def test_failures_and_answers_are_inputs_of_the_next_turn(edge: Edge, nursery: trio.Nursery) -> None:
    seen_inside: list[int] = []

    def fail_twice(*_: object) -> list[Effect]:
        for _ in range(2):
            edge.shell.failed(UDP)
        edge.shell.answer(3, Stored())
        edge.shell.answer(4, Failed("no"))
        seen_inside.append(len(edge.core.inputs))
        return []

    edge.core.replies["datagram"] = fail_twice
    nursery.start_soon(edge.shell.clock.run)
    await wait_all_tasks_blocked()
    message(edge)
    assert seen_inside == [1]
    assert await edge.core.had(4) == [
        ("datagram", b"x", UDP),
        ("answered", 3, Stored()),
        ("answered", 4, Failed("no")),
        ("flow_failed", UDP),
    ]


async def test_what_a_batch_leads_to_leaves_at_its_end(edge: Edge) -> None:
    sent: list[bytes] = []

    class Keeping(Noted):
        def flush(self) -> None:
            sent.extend(data for data, _ in self.sent)
            self.sent.clear()

    edge.connect(datagrams=Keeping())
    edge.core.replies["datagram"] = lambda data, _: [Send(data, UDP), Send(data.upper(), UDP)]
    edge.shell.message(b"a", UDP, 0.0, 0.0)
    edge.shell.message(b"b", UDP, 0.0, 0.0)
    assert sent == []
    edge.shell.settle()
    assert sent == [b"a", b"A", b"b", b"B"]


async def test_answers_told_by_the_loop_are_inputs_at_once(edge: Edge) -> None:
    edge.core.replies["answered"] = lambda id, _: [Send(b"%d" % id, UDP)]
    edge.shell.answers([(3, Stored()), (4, Failed("no"))])
    assert edge.core.inputs == [("answered", 3, Stored()), ("answered", 4, Failed("no"))]
    assert edge.noted.sent == [(b"3", UDP), (b"4", UDP)]


async def test_an_input_that_makes_the_core_due_earlier_is_heard(
    edge: Edge, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    nursery.start_soon(edge.shell.clock.run)
    await wait_all_tasks_blocked()
    now = trio.current_time()

    def due(*_: object) -> list[Effect]:
        edge.core.wake_at = now + 0.5
        return []

    edge.core.replies["datagram"] = due
    message(edge)
    await trio.sleep(10)
    assert edge.core.inputs == [("datagram", b"x", UDP), ("tick",)]
    assert edge.core.times[1] == now + 0.5


async def test_a_core_with_more_timers_than_a_tick_fires_is_ticked_again_at_once(
    edge: Edge, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    now = trio.current_time()

    def some_left(*_: object) -> list[Effect]:
        edge.core.wake_at = now if len(edge.core.inputs) < 5 else None
        return []

    edge.core.wake_at = now
    edge.core.replies["tick"] = some_left
    nursery.start_soon(edge.shell.clock.run)
    await trio.sleep(1)
    assert edge.core.times == [now] * 5


async def test_until_looks_after_each_batch(edge: Edge, nursery: trio.Nursery) -> None:
    over: list[int] = []

    async def wait() -> None:
        await edge.shell.until(lambda: len(edge.core.inputs) >= 2)
        over.append(len(edge.core.inputs))

    nursery.start_soon(wait)
    for _ in range(2):
        await wait_all_tasks_blocked()
        assert over == []
        message(edge)
    await wait_all_tasks_blocked()
    assert over == [2]


async def test_a_task_that_meets_a_bug_ends_alone(edge: Edge, nursery: trio.Nursery) -> None:
    async def stumble(number: int) -> None:
        raise ZeroDivisionError(number)

    nursery.start_soon(edge.shell.contained, stumble, 1)
    await wait_all_tasks_blocked()
    assert edge.events() == ["task lost"]
    assert edge.shell.counters["tasks_lost"] == 1
