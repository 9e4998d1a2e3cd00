"""What `b2bua.io` is in life, under the virtual clock: it feeds a core and performs its effects, in their order.

Owns the one core of a run and its place on the link, its alarm, the answers to what carries an id, and what the core
has left behind. How long answers take, and whether they are good, is for those who inherit.
"""

from __future__ import annotations

from functools import partial
from random import Random

from b2bua.core import Core
from b2bua.effects import (
    Address,
    Answer,
    CloseFlow,
    Codec,
    Effect,
    Flow,
    Log,
    MediaPort,
    Record,
    Recording,
    Remember,
    Resolve,
    Send,
    SetMedia,
    StoreBindings,
    Transport,
)
from b2bua.settings import Listener, Settings
from dsl.policy import Policy

from .audit import Audit
from .clock import Alarm, Clock
from .hearing import Hearing
from .link import Link, Place

SERVER = "192.0.2.1"
LISTENERS = (Listener("UDP", SERVER, 5060), Listener("TCP", SERVER, 5060), Listener("TLS", SERVER, 5061))
CODECS: tuple[Codec, ...] = ("PCMU", "PCMA", "G722", "opus")
_FIRST_PORT = 20_000
_STUCK = 2_000


class Shell:
    """A core at work. `records` and `logs` collect what it writes, `logged_at` when; `audit` hears all that passes.

    `standing` is what the core has without a call: the timer after which it looks its trunks' names up again. At 0 on
    the clock it is `epoch`, seconds since 1970 and the first of January 2026 unless a subclass says otherwise.
    """

    epoch = 1_767_225_600.0

    def __init__(
        self, clock: Clock, link: Link, audit: Audit, settings: Settings, policy: Policy, draw: Random
    ) -> None:
        self.clock = clock
        self.link = link
        self.audit = audit
        self.records: list[Record] = []
        self.recordings: list[Recording] = []
        self.logs: list[Log] = []
        self.logged_at: list[float] = []
        self.hearing = Hearing()
        self.core = Core(settings, policy, lambda: f"{draw.getrandbits(64):016x}", bytes(32), (), clock.now, self.wall)
        self._alarm: Alarm | None = None
        self._woken_at = (clock.now, 0)
        link.names[SERVER] = "b2bua"
        link.attach(Place("UDP", SERVER, 5060), self)
        link.attach(Place("TCP", SERVER, 5060), self)
        link.attach(Place("TLS", SERVER, 5061), self)
        self.perform(self.core.start(clock.now, self.wall))
        clock.run(clock.now + 1.0)
        self.standing = self.core.sizes()

    @property
    def wall(self) -> float:
        """Wall time in seconds since the epoch."""
        return self.epoch + self.clock.now

    @property
    def left(self) -> dict[str, int]:
        """What the core has beyond what it has without a call."""
        return {name: count for name, count in self.core.sizes().items() if count != self.standing[name]}

    def received(self, data: bytes, flow: Flow) -> None:
        """The link delivers to the core."""
        self.audit.came_in(data, flow, self.clock.now)
        self.perform(self.core.datagram(data, flow, self.clock.now, self.wall))

    def broken(self, flow: Flow) -> None:
        """The link cannot deliver what the core sent."""
        self.perform(self.core.flow_failed(flow, self.clock.now, self.wall))

    def media_up(self, ports: int) -> None:
        """The media process is there, with so many ports."""
        bound = tuple(MediaPort(number, SERVER, _FIRST_PORT + 2 * number) for number in range(1, ports + 1))
        self.hearing.begin(bound)
        self.perform(self.core.media_ready(bound, CODECS, self.clock.now, self.wall))

    def media_down(self) -> None:
        """The media process died."""
        self.hearing.end()
        self.perform(self.core.media_lost(self.clock.now, self.wall))

    def stored(self) -> tuple[float, Answer]:
        """In how many seconds the store answers, and what."""
        raise NotImplementedError

    def resolved(self, question: Resolve) -> tuple[float, Answer]:
        """In how many seconds the name server answers, and what."""
        raise NotImplementedError

    def send(self, data: bytes, flow: Flow) -> None:
        """Put octets of the core's on the link."""
        self.audit.goes_out(data, flow, self.clock.now)
        self.link.send(data, flow)

    def perform(self, effects: list[Effect]) -> None:
        """Do what the core wants done."""
        for effect in effects:
            match effect:
                case Send(data, flow):
                    self.send(data, flow)
                case StoreBindings(id=number):
                    self._answer_later(number, *self.stored())
                case Resolve(id=number):
                    self._answer_later(number, *self.resolved(effect))
                case Record():
                    self.records.append(effect)
                case Remember(recording):
                    self.recordings.append(recording)
                case Log():
                    self.logs.append(effect)
                    self.logged_at.append(self.clock.now)
                case SetMedia(port, plan):
                    self.hearing.set(port, plan)
                case CloseFlow(flow):
                    self.link.close(flow.connection)
        self._set_alarm()

    def _answer_later(self, number: int, delay: float, answer: Answer) -> None:
        self.clock.after(delay, partial(self._answer, number, answer))

    def _answer(self, number: int, answer: Answer) -> None:
        self.perform(self.core.answered(number, answer, self.clock.now, self.wall))

    def _set_alarm(self) -> None:
        due = self.core.wake_at
        if self._alarm is not None and self._alarm.act is not None and self._alarm.due == due:
            return
        self.clock.cancel(self._alarm)
        self._alarm = None if due is None else self.clock.at(due, self._tick)

    def _tick(self) -> None:
        at, times = self._woken_at
        self._woken_at = (self.clock.now, times + 1 if at == self.clock.now else 0)
        if times > _STUCK:
            raise AssertionError(f"the core asks to be woken at {self.core.wake_at} for ever")
        self.perform(self.core.tick(self.clock.now, self.wall))


def place_of(question: Resolve, transport: Transport, host: str) -> Address:
    """An address of a name, with the port and the name that its transport wants."""
    if transport == "TLS":
        return Address("TLS", host, question.port or 5061, question.host)
    return Address(transport, host, question.port or 5060)
