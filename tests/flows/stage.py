"""The world of a flow: a core on a perfect network where nothing takes time, and what the operator may do to it."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_address
from random import Random

from b2bua.core import Core
from b2bua.effects import (
    Address,
    Answer,
    CloseFlow,
    Effect,
    Failed,
    Flow,
    Log,
    Record,
    Resolve,
    Resolved,
    Send,
    StoreBindings,
    Stored,
    Transport,
)
from b2bua.settings import Limits, Listener, Settings
from tests.sim.audit import Audit
from tests.sim.clock import Alarm, Clock
from tests.sim.link import Faults, Link, Place

from .cast import NAMES, SERVER, Cast, policy_of
from .script import Flow as FlowFile
from .script import FlowError

WALL = 1_767_225_600.0


class Stage:
    """The core and everybody around it. `wrong` is what the audit finds, `errors` what the core logs."""

    def __init__(self, flow: FlowFile) -> None:
        self.clock = Clock(-10.0)
        self.cast = Cast(flow)
        self.records: list[Record] = []
        self.errors: list[str] = []
        self.wrong: list[str] = []
        self.audit = Audit(SERVER, self._report)
        draw = Random(1)
        self.link = Link(self.clock, draw, Faults(delay=(0.0, 0.0)))
        self.link.names[SERVER] = "b2bua"
        for transport in ("UDP", "TCP"):
            self.link.attach(Place(transport, SERVER, 5060), self)
        for actor in self.cast.actors.values():
            actor.join(self.link, draw)
        self._names = {**NAMES, **flow.names}
        self._store_works = True
        self._store_delay = 0.0
        self._alarm: Alarm | None = None
        self.core = Core(
            _settings(flow.settings),
            policy_of(flow),
            lambda: f"{draw.getrandbits(64):016x}",
            bytes(32),
            (),
            self.clock.now,
            self.wall,
        )
        self._perform(self.core.started)
        self.clock.run(self.clock.now)
        self._standing = self.core.sizes()

    @property
    def left(self) -> dict[str, int]:
        """What the core has beyond what it has without a call."""
        return {name: count for name, count in self.core.sizes().items() if count != self._standing[name]}

    @property
    def wall(self) -> float:
        """Wall time in seconds since the epoch."""
        return WALL + self.clock.now

    def _report(self, rule: str, text: str, call_id: str) -> None:
        self.wrong.append(f"{self.clock.now:.3f}  {rule}: {text}")

    def received(self, data: bytes, flow: Flow) -> None:
        """The network delivers to the core."""
        self.audit.came_in(data, flow, self.clock.now)
        self._perform(self.core.datagram(data, flow, self.clock.now, self.wall))

    def broken(self, flow: Flow) -> None:
        """The network cannot deliver what the core sent."""
        self._perform(self.core.flow_failed(flow, self.clock.now, self.wall))

    def command(self, who: str, words: str, where: str) -> None:
        """What the operator, the store or the network does. Raises FlowError for what none of them can do."""
        now, wall = self.clock.now, self.wall
        match (who, *words.split()):
            case ("operator", "drain"):
                self._perform(self.core.drain(now, wall))
            case ("operator", "hang-up-all"):
                self._perform(self.core.hangup_all(now, wall))
            case ("store", "fail"):
                self._store_works = False
            case ("store", "work"):
                self._store_works = True
            case ("store", "takes", seconds):
                self._store_delay = float(seconds)
            case ("network", "lose", name) if name in self.cast.actors:
                self.link.detach(self.cast.actors[name].place.host)
            case _:
                raise FlowError(f"{where}: {who} cannot `{words}`")

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(data, flow):
                    self.audit.goes_out(data, flow, self.clock.now)
                    self.link.send(data, flow)
                case StoreBindings(id=number):
                    answer: Answer = Stored() if self._store_works else Failed("the disk is full")
                    self.clock.after(self._store_delay, partial(self._answer, number, answer))
                case Resolve(id=number):
                    self.clock.after(0.0, partial(self._answer, number, self._resolved(effect)))
                case Record():
                    self.records.append(effect)
                case Log():
                    if effect.level == "error":
                        self.errors.append(f"{effect.event} {effect.fields}")
                case CloseFlow(flow):
                    self.link.close(flow.connection)
        self._set_alarm()

    def _resolved(self, question: Resolve) -> Answer:
        """Names stand for parties; addresses for themselves. A name may end in `tcp`, or be nobody's."""
        names = self._names.get(question.host)
        if names is None:
            try:
                ip_address(question.host)
            except ValueError:
                return Failed("no such name")
            return Resolved((Address(question.transport or "UDP", question.host, question.port or 5060),))
        transport: Transport = "TCP" if "tcp" in names else question.transport or "UDP"
        hosts = [self.cast.actors[name].place.host for name in names if name in self.cast.actors]
        if not hosts:
            return Failed("no such name")
        return Resolved(tuple(Address(transport, host, question.port or 5060) for host in hosts))

    def _answer(self, number: int, answer: Answer) -> None:
        self._perform(self.core.answered(number, answer, self.clock.now, self.wall))

    def _set_alarm(self) -> None:
        due = self.core.wake_at
        if self._alarm is not None and self._alarm.act is not None and self._alarm.due == due:
            return
        self.clock.cancel(self._alarm)
        self._alarm = None if due is None else self.clock.at(due, self._tick)

    def _tick(self) -> None:
        self._perform(self.core.tick(self.clock.now, self.wall))


def _settings(changed: dict[str, float]) -> Settings:
    known = {"max-calls", "max-call", "nonce-lifetime", "grace"}
    if not set(changed) <= known:
        raise FlowError(f"settings that a flow can change are {', '.join(sorted(known))}")
    base = Settings(listen=())
    return Settings(
        listen=(Listener("UDP", SERVER, 5060), Listener("TCP", SERVER, 5060)),
        nonce_lifetime=changed.get("nonce-lifetime", base.nonce_lifetime),
        limits=Limits(max_calls=int(changed.get("max-calls", base.limits.max_calls))),
        grace=changed.get("grace", base.grace),
        max_call=changed.get("max-call", base.max_call),
    )
