"""The whole world of one run: phones, gateways, a network with its faults, and what the seed wills of them.

Owns who is there, who calls whom and when, and the trouble of the run's profile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from b2bua.effects import Answer, Failed, Flow, Resolve, Stored
from b2bua.settings import SessionTimers, Settings
from b2bua.sip.message import Request

from . import secure, targets
from .agent import Agent
from .audit import Audit
from .behaviour import called_plan, caller_plan, gateway_plan
from .clock import Clock
from .consulting import Consulting
from .gateway import Gateway
from .guessing import Guesser
from .link import Link, Place
from .listening import Listening
from .noise import garble
from .office import DOMAIN, TRUNK_ACCOUNT, USERS, office, password_of
from .outbound import Instance, PhoneFlow
from .phone import Phone
from .plan import Plan
from .profile import Profile, profile_of
from .shell import LISTENERS, SERVER, Shell
from .targets import TargetGateway
from .writing import Writing

STRANGER = "203.0.113.66"
CALLS_UNTIL = 120.0
HORIZON = 890.0
_LONGEST_CALL = 300.0
# No call is left by then: what remains is to leave the registrar.
_LAST_WORDS = 40.0


class Violation(NamedTuple):
    """A rule that did not hold. `call_id` is empty where no call is concerned."""

    time: float
    rule: str
    text: str
    call_id: str

    def __str__(self) -> str:
        return f"{self.time:.3f}  {self.rule}: {self.text}  [{self.call_id[:12]}]"


class World(Shell):
    """One run. `violations` fills while it goes; `records`, `logs` and the parties are what the rules read."""

    def __init__(self, seed: int, registers: bool = False) -> None:
        """`registers` says whether the trunk is registered at, and checked."""
        self.seed = seed
        self._registers = registers
        self.draw = Random(seed)
        self.profile: Profile = profile_of(seed, self.draw)
        self.violations: list[Violation] = []
        self.excused: set[str] = set()
        clock = Clock()
        link = Link(clock, Random(self.draw.random()), self.profile.faults)
        audit = Audit(SERVER, self.report)
        audit.strangers.add(STRANGER)
        timers = SessionTimers(self.draw.choice((1800, 8, 16, 40)), 5)
        settings = Settings(listen=LISTENERS, nonce_lifetime=60.0, max_call=_LONGEST_CALL, session_timers=timers)
        super().__init__(
            clock, link, audit, settings, office(self.profile.way, registers=registers), Random(self.draw.random())
        )
        if registers:
            # What is under way at the start is a registration's, which ends as well.
            self.standing = dict.fromkeys(self.standing, 0)
        self.phones = self._install_phones()
        self.gateways = self._install_gateways()
        self.agents: list[Agent] = [*self.phones, *self.gateways]
        self.writing = Writing(self.phones, self.clock, Random(f"{seed} messages"))
        self.guesser = Guesser(Place("UDP", SERVER, 5060), clock, link, Random(f"{seed} guesses"), self.report)
        self.consulting = Consulting(self.phones, self.clock, Random(f"{seed} consultations"))
        self.listening = Listening(self.clock, self.hearing, self.profile, self.agents, self.excused, self.report)

    def report(self, rule: str, text: str, call_id: str) -> None:
        """Note that a rule does not hold."""
        self.violations.append(Violation(self.clock.now, rule, text, call_id))

    # -- who is there

    def _install_phones(self) -> list[Phone]:
        """One for each user, a second or third device for some; a few on TCP and TLS. Dave's two are one phone."""
        phones = []
        instance = Instance("dave")
        for number, user in enumerate((*USERS, "alice", "grace", "grace", "dave")):
            device = f"{user}{number}" if number >= len(USERS) else user
            place = secure.phone_place(number, f"192.0.2.{10 + number}")
            server = Place(place.transport, SERVER, place.port)
            kind = PhoneFlow if user == "dave" else Phone
            phone = kind(
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
            phone.secure = secure.uses_sips(number)
            secure.certify(self.link, phone)
            if isinstance(phone, PhoneFlow):
                phone.belongs(instance, number)
            phone.plans = lambda request: called_plan(self.draw, f"<sip:{self.draw.choice(USERS)}@{DOMAIN}>")
            self.link.names[place.host] = device
            phones.append(phone)
        return phones

    def _install_gateways(self) -> list[TargetGateway]:
        gateways = []
        for name, host in targets.HOSTS.items():
            place = secure.gateway_place(name, host)
            gateway = TargetGateway(
                name,
                "carrier.example",
                TRUNK_ACCOUNT,
                place,
                Place(place.transport, SERVER, place.port),
                self.clock,
                self.link,
                Random(self.draw.random()),
                self.report,
            )
            secure.certify(self.link, gateway)
            gateway.plans = self._plan_of_gateway
            self.link.names[host] = gateway.name
            gateways.append(gateway)
        return gateways

    def _plan_of_gateway(self, request: Request) -> Plan:
        return gateway_plan(self.draw, f"<sip:{self.draw.choice(USERS)}@{DOMAIN}>")

    # -- what answers the core

    def stored(self) -> tuple[float, Answer]:
        """The store, slow or failing as the profile says."""
        fails = self.draw.random() < self.profile.store_fails
        return self.draw.uniform(*self.profile.store_delay), Failed("the disk is full") if fails else Stored()

    def resolved(self, question: Resolve) -> tuple[float, Answer]:
        """The name server, which knows the gateways."""
        dead = self.draw.random() < self.profile.names_fail
        answer = Failed("no name server answers") if dead else targets.answer(question)
        return self.draw.uniform(0.0, 0.2), answer

    # -- the run

    def run(self) -> None:
        """Everything, to the end: phones register, people call, trouble comes, and what was begun runs out."""
        for phone in self.phones:
            self.clock.at(self.draw.uniform(1.0, 3.0), phone.register)
        for _ in range(self.draw.randrange(12, 22)):
            self._plan_call(self.draw.uniform(14.0, CALLS_UNTIL))
        for _ in range(3):
            self.clock.at(self.draw.uniform(20.0, CALLS_UNTIL), self.draw.choice(self.phones).register)
        self.clock.at(self.draw.uniform(60.0, CALLS_UNTIL), partial(self.draw.choice(self.phones).register, 0))
        self._plan_trouble()
        self._plan_media()
        self.writing.plan(14.0, CALLS_UNTIL)
        self.consulting.plan(18.0, CALLS_UNTIL)
        self.guesser.plan(5.0, CALLS_UNTIL)
        if self._registers:
            self.clock.at(HORIZON - _LAST_WORDS, self._drain)
        self.clock.run(HORIZON)

    def _plan_call(self, when: float) -> None:
        plan = caller_plan(self.draw)
        callee = self.draw.choice((*USERS, *USERS, "017012345678", "nobody", "205", "*43", "*45"))
        if self.draw.random() < 0.15:
            gateway = self.gateways[0]
            target = f"sip:{self.draw.choice(USERS)}@{DOMAIN}"
            self.clock.at(when, partial(self._call_in, gateway, target, plan))
        else:
            phone = self.draw.choice(self.phones)
            scheme = secure.scheme_of(phone, self.draw)
            self.clock.at(when, partial(phone.dial, f"{scheme}:{callee}@{DOMAIN}", plan))

    @staticmethod
    def _call_in(gateway: Gateway, target: str, plan: Plan) -> None:
        if not gateway.dead:
            gateway.call(target, plan, "<sip:+4915112345678@carrier.example>")

    def _plan_media(self) -> None:
        profile = self.profile
        if not profile.ports:
            return
        self.clock.at(1.0, partial(self.media_up, profile.ports))
        for fall, rise in profile.media_down:
            self.clock.at(fall, self._lose_media)
            self.clock.at(rise, self._regain_media)
        self.listening.begin({sound.version: name for name, sound in office(profile.way).sounds.items()})

    def _lose_media(self) -> None:
        if self.hearing.up:
            self.media_down()

    def _regain_media(self) -> None:
        if not self.hearing.up:
            self.media_up(self.profile.ports)

    def _plan_trouble(self) -> None:
        profile = self.profile
        targets.plan_disorder(self.clock, self.draw, self.gateways, CALLS_UNTIL)
        victims = self.draw.sample(self.agents, profile.silent + profile.gone)
        for number, agent in enumerate(victims):
            self.excused.add(agent.name)
            act: Callable[[], None] = partial(self._lose, agent, number >= profile.silent)
            self.clock.at(self.draw.uniform(15.0, CALLS_UNTIL), act)
        on_streams = [phone for phone in self.phones if phone.reliable]
        for _ in range(profile.closings):
            phone = self.draw.choice(on_streams)
            self.excused.add(phone.name)
            self.clock.at(self.draw.uniform(15.0, CALLS_UNTIL), partial(self._reconnect, phone))
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

    def _reconnect(self, phone: Phone) -> None:
        phone.drop_stream()
        self.clock.after(1.0, phone.register)

    def _throw_in(self) -> None:
        data = garble(self.draw, self.link.passages)
        flow = Flow("UDP", SERVER, 5060, STRANGER, 5060)
        self.perform(self.core.datagram(data, flow, self.clock.now, self.wall))

    def _reload(self) -> None:
        self.perform(
            self.core.reload(office(self.profile.way, "a second version", self._registers), self.clock.now, self.wall)
        )

    def _drain(self) -> None:
        self.perform(self.core.drain(self.clock.now, self.wall))

    def _hang_up_all(self) -> None:
        self.perform(self.core.hangup_all(self.clock.now, self.wall))
