"""A shell around a core that notes its inputs and returns what the test tells it to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import structlog
import trio
from structlog.testing import LogCapture

from b2bua.effects import Answer, Effect, Flow, Record, Recording, Resolve, SetMedia, StoreBindings
from b2bua.io.shell import Shell
from b2bua.sip.errors import Malformed

from .patience import in_time


class ScriptedCore:
    """`inputs` are (name, arguments without times), `whys` what was said of connections that could not be had.

    `replies` gives the effects of an input by its name.
    """

    def __init__(self) -> None:
        self.inputs: list[tuple[Any, ...]] = []
        self.times: list[float] = []
        self.whys: list[str] = []
        self.replies: dict[str, Callable[..., list[Effect]]] = defaultdict(lambda: lambda *_: [])
        self.wake_at: float | None = None
        self.news = trio.Event()

    def _take(self, name: str, *given: Any, now: float) -> list[Effect]:
        self.inputs.append((name, *given))
        self.times.append(now)
        self.news.set()
        return self.replies[name](*given)

    def datagram(self, data: bytes, flow: Flow, now: float, wall: float) -> list[Effect]:
        return self._take("datagram", data, flow, now=now)

    def malformed(self, error: Malformed, flow: Flow, now: float, wall: float) -> list[Effect]:
        return self._take("malformed", error, flow, now=now)

    def answered(self, id: int, result: Answer, now: float, wall: float) -> list[Effect]:
        return self._take("answered", id, result, now=now)

    def flow_failed(self, flow: Flow, now: float, wall: float) -> list[Effect]:
        return self._take("flow_failed", flow, now=now)

    def connection_failed(self, flow: Flow, why: str, now: float, wall: float) -> list[Effect]:
        self.whys.append(why)
        return self._take("flow_failed", flow, now=now)

    def salvage(self, now: float, wall: float) -> list[Effect]:
        return self._take("salvage", now=now)

    def abolish(self, now: float, wall: float) -> list[Effect]:
        return self._take("abolish", now=now)

    def tick(self, now: float, wall: float) -> list[Effect]:
        self.wake_at = None
        return self._take("tick", now=now)

    async def had(self, count: int) -> list[tuple[Any, ...]]:
        """The inputs so far, when there are as many."""
        with in_time():
            while len(self.inputs) < count:
                self.news = trio.Event()
                await self.news.wait()
        return self.inputs


class Noted:
    """Performs nothing, and notes what it was asked."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Flow]] = []
        self.closed: list[Flow] = []
        self.asked: list[Resolve] = []
        self.bound: list[StoreBindings] = []
        self.records: list[Record] = []
        self.remembered: list[tuple[Recording, bool]] = []
        self.plans: list[SetMedia] = []

    def send(self, data: bytes, flow: Flow) -> None:
        self.sent.append((data, flow))

    def flush(self) -> None:
        pass

    def perform(self, effect: SetMedia) -> None:
        self.plans.append(effect)

    def close(self, flow: Flow) -> None:
        self.closed.append(flow)

    def ask(self, question: Resolve) -> None:
        self.asked.append(question)

    def bindings(self, effect: StoreBindings) -> None:
        self.bound.append(effect)

    def record(self, record: Record) -> None:
        self.records.append(record)

    def remember(self, recording: Recording, registration: bool) -> None:
        self.remembered.append((recording, registration))


class Edge:
    """The core, its shell, what performs, and what was logged."""

    def __init__(self) -> None:
        self.core = ScriptedCore()
        self.logged = LogCapture()
        self.log = structlog.wrap_logger(
            None, processors=[self.logged], wrapper_class=structlog.make_filtering_bound_logger(0)
        )
        self.shell = Shell(self.core, self.log)
        self.noted = Noted()
        self.connect()

    def connect(self, **performers: Any) -> None:
        """Let these perform; the others note."""
        names = ("datagrams", "streams", "names", "memory", "ports")
        given = {name: performers.get(name, self.noted) for name in names}
        self.shell.connect(**given, tape=performers.get("tape"))

    def events(self) -> list[str]:
        """What was logged, without its fields."""
        return [str(entry["event"]) for entry in self.logged.entries]


def request(method: str = "OPTIONS", body: bytes = b"") -> bytes:
    """A whole message of a stream."""
    return (
        f"{method} sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
        "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\n"
        f"CSeq: 1 {method}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
