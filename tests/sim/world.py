"""The whole world of one run: a core, its phones and gateways, the network between them, and what the seed wills.

Owns the shell's part under the virtual clock: it hands the core what the link delivers, performs the effects in
their order, answers what has an id later (or with a failure), and calls `tick` when the core asks to be woken.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from random import Random
from typing import NamedTuple

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
)
from b2bua.settings import Listener, Settings
from b2bua.sip.message import Request

from .agent import Agent
from .audit import Audit
from .behaviour import called_plan, caller_plan, gateway_plan
from .clock import Alarm, Clock
from .gateway import Gateway
from .link import Link, Place
from .noise import garble
from .office import DOMAIN, TRUNK_ACCOUNT, USERS, office, password_of
from .phone import Phone
from .plan import Plan
from .profile import Profile, profile_of

SERVER = "192.0.2.1"
STRANGER = "203.0.113.66"
WALL = 1_767_225_600.0
CALLS_UNTIL = 120.0
LONGEST_CALL = 300.0
HORIZON = 890.0
_STUCK = 2_000
_GATEWAYS = {"gw.carrier.example": "198.51.100.1", "gw2.carrier.example": "198.51.100.17"}


class Violation(NamedTuple):
    """A rule that did not hold. `call_id` is empty where no call is concerned."""

    time: float
    rule: str
    text: str
    call_id: str

    def __str__(self) -> str:
        return f"{self.time:.3f}  {self.rule}: {self.text}  [{self.call_id[:12]}]"


class World:
    """One run. `violations` fills while it goes; `records`, `logs` and the parties are what the rules read.

    `standing` is what the core has without a call: the timer after which it looks its trunks' names up again.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.draw = Random(seed)
        self.profile: Profile = profile_of(seed, self.draw)
        self.clock = Clock()
        self.link = Link(self.clock, Random(self.draw.random()), self.profile.faults)
        self.violations: list[Violation] = []
        self.records: list[Record] = []
        self.logs: list[Log] = []
        self.excused: set[str] = set()
        self.drained = False
        self.audit = Audit(SERVER, self.report)
        self.audit.strangers.add(STRANGER)
        ids = Random(self.draw.random())
        self.core = Core(
            Settings(
                listen=(Listener("UDP", SERVER, 5060), Listener("TCP", SERVER, 5060)),
                nonce_lifetime=60.0,
                max_call=LONGEST_CALL,
            ),
            office(),
            lambda: f"{ids.getrandbits(64):016x}",
            bytes(32),
            (),
            0.0,
            WALL,
        )
        self._alarm: Alarm | None = None
        self._woken_at = (0.0, 0)
        for transport in ("UDP", "TCP"):
            self.link.attach(Place(transport, SERVER, 5060), self)
        self.link.names[SERVER] = "b2bua"
        self.phones = self._install_phones()
        self.gateways = self._install_gateways()
        self.agents: list[Agent] = [*self.phones, *self.gateways]
        self._perform(self.core.started)
        self.clock.run(1.0)
        self.standing = self.core.sizes()

    def report(self, rule: str, text: str, call_id: str) -> None:
        """Note that a rule does not hold."""
        self.violations.append(Violation(self.clock.now, rule, text, call_id))

    @property
    def wall(self) -> float:
        """Wall time in seconds since the epoch."""
        return WALL + self.clock.now

    # -- who is there

    def _install_phones(self) -> list[Phone]:
        """Ten of them: one for each user, and a second or third device for some; a few on TCP."""
        phones = []
        for number, user in enumerate((*USERS, "alice", "grace", "grace")):
            device = f"{user}{number}" if number >= len(USERS) else user
            place = Place("TCP" if number in (3, 7) else "UDP", f"192.0.2.{10 + number}", 5060)
            server = Place(place.transport, SERVER, 5060)
            phone = Phone(
                device,
                user,
                DOMAIN,
                password_of(user),
                place,
                server,
                self.clock,
                self.link,
                Random(self.draw.random()),
                self.report,
            )
            phone.plans = lambda request: called_plan(self.draw, f"<sip:{self.draw.choice(USERS)}@{DOMAIN}>")
            self.link.names[place.host] = device
            phones.append(phone)
        return phones

    def _install_gateways(self) -> list[Gateway]:
        gateways = []
        for name, host in _GATEWAYS.items():
            place = Place("UDP", host, 5060)
            gateway = Gateway(
                name.partition(".")[0],
                "carrier.example",
                TRUNK_ACCOUNT,
                place,
                Place("UDP", SERVER, 5060),
                self.clock,
                self.link,
                Random(self.draw.random()),
                self.report,
            )
            gateway.plans = self._plan_of_gateway
            self.link.names[host] = gateway.name
            gateways.append(gateway)
        return gateways

    def _plan_of_gateway(self, request: Request) -> Plan:
        return gateway_plan(self.draw, f"<sip:{self.draw.choice(USERS)}@{DOMAIN}>")

    # -- the shell's part

    def received(self, data: bytes, flow: Flow) -> None:
        """The link delivers to the core."""
        self.audit.came_in(data, flow, self.clock.now)
        self._perform(self.core.datagram(data, flow, self.clock.now, self.wall))

    def broken(self, flow: Flow) -> None:
        """The link cannot deliver what the core sent."""
        self._perform(self.core.flow_failed(flow, self.clock.now, self.wall))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(data, flow):
                    self.audit.goes_out(data, flow, self.clock.now)
                    self.link.send(data, flow)
                case StoreBindings(id=number):
                    self._answer_later(number, self._stored(), self.draw.uniform(*self.profile.store_delay))
                case Resolve(id=number):
                    self._answer_later(number, self._resolved(effect), self.draw.uniform(0.0, 0.2))
                case Record():
                    self.records.append(effect)
                case Log():
                    self.logs.append(effect)
                case CloseFlow(flow):
                    self.link.close(flow.connection)
        self._set_alarm()

    def _stored(self) -> Answer:
        fails = self.draw.random() < self.profile.store_fails
        return Failed("the disk is full") if fails else Stored()

    def _resolved(self, question: Resolve) -> Answer:
        host = _GATEWAYS.get(question.host, question.host)
        try:
            ip_address(host)
        except ValueError:
            return Failed("no such name")
        if self.draw.random() < self.profile.names_fail:
            return Failed("the server does not answer")
        return Resolved((Address(question.transport or "UDP", host, question.port or 5060),))

    def _answer_later(self, number: int, answer: Answer, delay: float) -> None:
        self.clock.after(delay, partial(self._answer, number, answer))

    def _answer(self, number: int, answer: Answer) -> None:
        self._perform(self.core.answered(number, answer, self.clock.now, self.wall))

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
        self._perform(self.core.tick(self.clock.now, self.wall))

    # -- the run

    def run(self) -> None:
        """Everything, to the end: phones register, people call, trouble comes, and what was begun runs out."""
        for phone in self.phones:
            self.clock.at(self.draw.uniform(1.0, 3.0), phone.register)
        for _ in range(self.draw.randrange(12, 22)):
            self._plan_call(self.draw.uniform(14.0, CALLS_UNTIL))
        for _ in range(3):
            self.clock.at(self.draw.uniform(20.0, CALLS_UNTIL), self.draw.choice(self.phones).register)
        self._plan_trouble()
        self.clock.run(HORIZON)

    def _plan_call(self, when: float) -> None:
        plan = caller_plan(self.draw)
        callee = self.draw.choice((*USERS, *USERS, "017012345678", "nobody", "205"))
        if self.draw.random() < 0.15:
            gateway = self.gateways[0]
            target = f"sip:{self.draw.choice(USERS)}@{DOMAIN}"
            self.clock.at(when, partial(self._call_in, gateway, target, plan))
        else:
            phone = self.draw.choice(self.phones)
            self.clock.at(when, partial(phone.dial, f"sip:{callee}@{DOMAIN}", plan))

    @staticmethod
    def _call_in(gateway: Gateway, target: str, plan: Plan) -> None:
        if not gateway.dead:
            gateway.call(target, plan, "<sip:+4915112345678@carrier.example>")

    def _plan_trouble(self) -> None:
        profile = self.profile
        victims = self.draw.sample(self.agents, profile.silent + profile.gone)
        for number, agent in enumerate(victims):
            self.excused.add(agent.name)
            act: Callable[[], None] = partial(self._lose, agent, number >= profile.silent)
            self.clock.at(self.draw.uniform(15.0, CALLS_UNTIL), act)
        for _ in range(profile.malformed):
            self.clock.at(self.draw.uniform(0.0, CALLS_UNTIL), self._throw_in)
        if profile.reloads is not None:
            self.clock.at(profile.reloads, self._reload)
        if profile.drains is not None:
            self.clock.at(profile.drains, self._drain)
            self.clock.at(profile.drains + 30.0, self._hang_up_all)

    def _lose(self, agent: Agent, loudly: bool) -> None:
        agent.fall_silent()
        if loudly:
            self.link.detach(agent.place.host)

    def _throw_in(self) -> None:
        data = garble(self.draw, self.link.passages)
        flow = Flow("UDP", SERVER, 5060, STRANGER, 5060)
        self._perform(self.core.datagram(data, flow, self.clock.now, self.wall))

    def _reload(self) -> None:
        self._perform(self.core.reload(office("a second version"), self.clock.now, self.wall))

    def _drain(self) -> None:
        self.drained = True
        self._perform(self.core.drain(self.clock.now, self.wall))

    def _hang_up_all(self) -> None:
        self._perform(self.core.hangup_all(self.clock.now, self.wall))
