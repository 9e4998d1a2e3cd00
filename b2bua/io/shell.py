"""The one place where inputs go into the core and its effects come out.

Owns performing effects in their order without ever waiting, what happens to an input that meets a bug of ours, and
the inputs that effects themselves give rise to (a send that failed, a name that was known already): those wait
for the clock's task, so that no input begins inside another. Leaves octets to `udp` and `streams`, names to
`resolver`, what must last to `store`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

import trio
from structlog.typing import FilteringBoundLogger

from b2bua.effects import (
    Answer,
    CloseFlow,
    Effect,
    Flow,
    Log,
    Record,
    Recording,
    Remember,
    Resolve,
    Send,
    SetMedia,
    StoreBindings,
)
from b2bua.io.clock import Clock
from b2bua.sip.errors import Malformed
from b2bua.sip.limits import NO_OTHERS, MessageLimits

Input: TypeAlias = Callable[..., list[Effect]]
Trace: TypeAlias = Callable[[float, str, Flow, bytes], None]
Taped: TypeAlias = tuple[float, bool, Flow, bytes]
"""A message to be kept: wall seconds, whether it was sent, its way, its octets."""


class Inputs(Protocol):
    """What the shell needs of a core."""

    @property
    def wake_at(self) -> float | None:
        """When `tick` is due, by trio's clock."""

    def datagram(self, data: bytes, flow: Flow, now: float, wall: float) -> list[Effect]:
        """One whole message."""

    def malformed(self, error: Malformed, flow: Flow, now: float, wall: float) -> list[Effect]:
        """A stream lost its framing."""

    def answered(self, id: int, result: Answer, now: float, wall: float) -> list[Effect]:
        """What an effect asked for."""

    def flow_failed(self, flow: Flow, now: float, wall: float) -> list[Effect]:
        """Nothing arrives by this flow."""

    def connection_failed(self, flow: Flow, why: str, now: float, wall: float) -> list[Effect]:
        """No connection could be had for this flow."""

    def tick(self, now: float, wall: float) -> list[Effect]:
        """Time has passed."""

    def salvage(self, now: float, wall: float) -> list[Effect]:
        """An input met a bug: end what it was about."""

    def abolish(self, now: float, wall: float) -> list[Effect]:
        """So did that: take it away."""


class Sender(Protocol):
    """What sends by flows of one transport. What fails is told to `Shell.failed`, later."""

    def send(self, data: bytes, flow: Flow) -> None:
        """Send without waiting."""


class Datagrams(Sender, Protocol):
    """A sender that may keep what it is to send until the batch at hand is over."""

    def flush(self) -> None:
        """Send what was kept, in order."""


class Streams(Sender, Protocol):
    """A sender whose flows can be closed."""

    def close(self, flow: Flow) -> None:
        """Send what is queued, then close."""


class Names(Protocol):
    """What finds addresses."""

    def ask(self, question: Resolve) -> None:
        """Answer `Shell.answer` later, once."""


class Memory(Protocol):
    """What writes things that must last."""

    def bindings(self, effect: StoreBindings) -> None:
        """Write, and answer `Shell.answer` later, once."""

    def record(self, record: Record) -> None:
        """Write behind."""

    def remember(self, recording: Recording, registration: bool) -> None:
        """Write behind how a call, or a registration, was decided."""


class Ports(Protocol):
    """What does as plans say at our RTP ports. It may keep plans until the batch at hand is over."""

    def perform(self, effect: SetMedia) -> None:
        """Let one port do that."""

    def flush(self) -> None:
        """Hand over what was kept, in order."""


class Shell:
    """One core and everything that performs for it. `counters` counts what happened at the edge.

    `trace` is told of every message. `limits` are the core's on the size of messages.
    """

    _datagrams: Datagrams
    _streams: Streams
    _names: Names
    _memory: Memory
    _ports: Ports | None

    def __init__(
        self,
        core: Inputs,
        log: FilteringBoundLogger,
        trace: Trace | None = None,
        limits: MessageLimits = NO_OTHERS,
    ) -> None:
        self.core = core
        self.log = log
        self.limits = limits
        self.counters: Counter[str] = Counter()
        self.clock = Clock(self._due, self._alarm)
        self.trace = trace
        self._tape: Callable[[Taped], None] | None = None
        self._answers: list[tuple[int, Answer]] = []
        self._failed: dict[Flow, str] = {}
        self._watched: trio.Event | None = None

    def connect(
        self,
        datagrams: Datagrams,
        streams: Streams,
        names: Names,
        memory: Memory,
        ports: Ports | None = None,
        tape: Callable[[Taped], None] | None = None,
    ) -> None:
        """Say who performs: once, before the first input. A server need not have ports, or keep messages by `tape`."""
        self._datagrams, self._streams, self._names, self._memory = datagrams, streams, names, memory
        self._ports = ports
        self._tape = tape

    # Inputs.

    def message(self, data: bytes, flow: Flow, now: float, wall: float) -> None:
        """One whole message from the wire. The batch that it belongs to ends with `settle`."""
        if self.trace is not None:
            self.trace(time.time(), "in", flow, data)
        if self._tape is not None:
            self._tape((wall, False, flow, data))
        self._feed(self.core.datagram, data, flow, now, wall)

    def settle(self) -> None:
        """A batch of messages is over: what they led to leaves, and the alarm may be due earlier."""
        self._flush()
        self.clock.look()
        self._moved()

    def _flush(self) -> None:
        """Ports know what to do before a peer learns of them."""
        if self._ports is not None:
            self._ports.flush()
        self._datagrams.flush()

    def turn(self, take: Input, *given: object) -> None:
        """One input by itself: a method of the core with what it takes before `now` and `wall`."""
        self._feed(take, *given, trio.current_time(), time.time())
        self.settle()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until inputs have brought something about; it is looked at after each batch."""
        while not holds():
            self._watched = trio.Event()
            await self._watched.wait()

    def _moved(self) -> None:
        if self._watched is not None:
            self._watched.set()
            self._watched = None

    def answers(self, known: list[tuple[int, Answer]]) -> None:
        """What effects asked for, told by somebody who is called by the loop itself and not from within an input."""
        now, wall = trio.current_time(), time.time()
        for id, result in known:
            self._feed(self.core.answered, id, result, now, wall)
        self.settle()

    def answer(self, id: int, result: Answer) -> None:
        """What was asked for is known: the core hears of it in the clock's next turn."""
        self._answers.append((id, result))
        self.clock.hurry()

    def failed(self, flow: Flow, why: str = "") -> None:
        """Nothing arrives by this flow: the core hears of it, once, in the clock's next turn. `why` there is no
        connection is for the operator.
        """
        self._failed[flow] = why
        self.clock.hurry()

    def _due(self) -> float | None:
        return self.core.wake_at

    def _alarm(self) -> None:
        core, now, wall = self.core, trio.current_time(), time.time()
        answers, self._answers = self._answers, []
        for id, result in answers:
            self._feed(core.answered, id, result, now, wall)
        failed, self._failed = self._failed, {}
        for flow, why in failed.items():
            if why:
                self._feed(core.connection_failed, flow, why, now, wall)
            else:
                self._feed(core.flow_failed, flow, now, wall)
        due = core.wake_at
        if due is not None and due <= now:
            self._feed(core.tick, now, wall)
            due = core.wake_at
            if due is not None and due <= now:
                # A core fires so many timers a tick; for the others, whoever waits has his turn first.
                self.clock.hurry()
        self._flush()
        self._moved()

    def _feed(self, take: Input, *given: object) -> None:
        """The seam. An input that meets a bug, ours or a policy's, is logged with its trace, and the call that it was
        about ends; it must not take the calls of all others with it, so that this one place catches everything.
        """
        try:
            self.perform(take(*given))
        except Exception:
            self.counters["inputs_lost"] += 1
            self.log.exception("input lost", input=take.__name__)
            self._mend(*given[-2:])

    def _mend(self, *times: Any) -> None:
        for end in (self.core.salvage, self.core.abolish):
            try:
                self.perform(end(*times))
            except Exception:
                self.log.exception("call not ended", by=end.__name__)
            else:
                return

    # Effects.

    def perform(self, effects: list[Effect]) -> None:
        """Do what the core wants done, first to last, without waiting."""
        for effect in effects:
            match effect:
                case Send():
                    flow = effect.flow
                    if self.trace is not None:
                        self.trace(time.time(), "out", flow, effect.data)
                    if self._tape is not None:
                        self._tape((time.time(), True, flow, effect.data))
                    if flow.transport == "UDP":
                        self._datagrams.send(effect.data, flow)
                    else:
                        self._streams.send(effect.data, flow)
                case Record():
                    self._memory.record(effect)
                case Remember():
                    self._memory.remember(effect.recording, effect.registration)
                case Log():
                    getattr(self.log, effect.level)(effect.event, **effect.fields)
                case StoreBindings():
                    self._memory.bindings(effect)
                case Resolve():
                    self._names.ask(effect)
                case SetMedia():
                    if self._ports is not None:
                        self._ports.perform(effect)
                case CloseFlow():
                    self._streams.close(effect.flow)

    # Tasks.

    async def contained(self, work: Callable[..., Awaitable[None]], *given: object) -> None:
        """Run a task whose bugs end itself only: a connection, a look-up, a request of the operator's."""
        try:
            await work(*given)
        except Exception:
            self.counters["tasks_lost"] += 1
            self.log.exception("task lost", task=getattr(work, "__qualname__", str(work)))
