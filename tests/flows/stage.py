"""The world of a flow: a core on a perfect network where nothing takes time, and what the operator may do to it."""

from __future__ import annotations

from datetime import datetime
from random import Random

from b2bua.effects import Answer, Failed, Resolve, Stored
from b2bua.sdp.session import parse
from b2bua.settings import Limits, Reload, Security, SessionTimers, Settings
from dsl.policy import Policy
from tests.sim.audit import Audit
from tests.sim.clock import Clock
from tests.sim.hearing import Ear, Heard
from tests.sim.link import Faults, Link
from tests.sim.shell import LISTENERS, SERVER, Shell

from .cast import NAMES, Cast, example_of, policy_of
from .script import MANY_PORTS, Flow, FlowError
from .zone import Zone

# What a NAT adds to the ports behind it.
_NAT_SHIFT = 31


class Stage(Shell):
    """The core and everybody around it. `wrong` is what the audit finds."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._sounds: dict[str, str] = {}
        policy = self._known(example_of(flow.example)) if flow.example else self._policy(flow.policy)
        self.cast = Cast(flow, policy)
        if flow.date:
            self.epoch = datetime.fromisoformat(flow.date).replace(tzinfo=policy.setup.zone).timestamp()
        self.wrong: list[str] = []
        hosts = {name: actor.place.host for name, actor in self.cast.actors.items()}
        self.zone = Zone({**NAMES, **flow.names}, hosts)
        self._store_works = True
        self._store_delay = 0.0
        draw = Random(1)
        clock = Clock(-10.0)
        link = Link(clock, draw, Faults(delay=(0.0, 0.0)))
        audit = Audit(SERVER, self._report, [host for _, host in flow.known])
        super().__init__(clock, link, audit, _settings(flow), policy, draw)
        for actor in self.cast.actors.values():
            actor.join(link, draw)
            actor.others = self.cast.actors
        if flow.media_ports:
            self.media_up(flow.media_ports)

    def _policy(self, text: str) -> Policy:
        return self._known(policy_of(text, self._flow.path.stem))

    def _known(self, policy: Policy) -> Policy:
        """The same, with its sounds known by their names."""
        self._sounds |= {sound.version: sound.name for sound in policy.sounds.values()}
        return policy

    def _report(self, rule: str, text: str, call_id: str) -> None:
        self.wrong.append(f"{self.clock.now:.3f}  {rule}: {text}")

    def ears(self) -> list[Ear]:
        """Everybody who has agreed on media and not hung up."""
        return [
            Ear(
                actor.name,
                actor.place.host,
                _NAT_SHIFT if actor.behind else None,
                parse(talk.agreed.mine),
                parse(talk.agreed.theirs),
            )
            for actor in self.cast.actors.values()
            for talk in actor.conversations.values()
            if talk.agreed.mine and not talk.agreed.over
        ]

    def listen(self) -> dict[str, list[Heard]]:
        """What each of them hears now."""
        self.hearing.sounds = self._sounds
        return self.hearing.listen(self.ears())

    def stored(self) -> tuple[float, Answer]:
        """The store, as the flow has it."""
        return self._store_delay, Stored() if self._store_works else Failed("the disk is full")

    def resolved(self, question: Resolve) -> tuple[float, Answer]:
        """Names stand for parties; addresses for themselves."""
        return self.zone.answer(question)

    def command(self, who: str, words: str, where: str) -> None:
        """What the operator, the store or the network does. Raises FlowError for what none of them can do."""
        now, wall = self.clock.now, self.wall
        match (who, *words.split()):
            case ("operator", "reload"):
                self.perform(self.core.reload(self._policy(self._flow.next_policy), now, wall))
            case ("operator", "reload", "last"):
                self.perform(self.core.reload(self._policy(self._flow.last_policy), now, wall))
            case ("operator", "reload", percent) if percent.endswith("%"):
                policy = self._policy(self._flow.next_policy)
                self.perform(self.core.reload(policy, now, wall, int(percent.removesuffix("%"))))
            case ("operator", "roll-back"):
                self.perform(self.core.roll_back(now, wall))
            case ("operator", "disable" | "enable" as what, trunk):
                self.perform(self.core.switch_trunk(trunk, what == "disable", now, wall))
            case ("operator", "drain"):
                self.perform(self.core.drain(now, wall))
            case ("operator", "hang-up-all"):
                self.perform(self.core.hangup_all(now, wall))
            case ("store", "fail"):
                self._store_works = False
            case ("store", "work"):
                self._store_works = True
            case ("store", "takes", seconds):
                self._store_delay = float(seconds)
            case ("network", "lose", name) if name in self.cast.actors:
                self.link.detach(self.cast.actors[name].place.host)
            case ("names", *changed):
                self.zone.change(changed, where)
            case ("media", "up", *ports) if len(ports) <= 1:
                self.media_up(int(ports[0]) if ports else MANY_PORTS)
            case ("media", "down"):
                self.media_down()
            case ("media", "played" | "silent" as what, name) if found := self.hearing.playing_to(self.ears(), name):
                told = self.core.played if what == "played" else self.core.silent
                self.perform(told(*found, now, wall))
            case _:
                raise FlowError(f"{where}: {who} cannot `{words}`")


def _settings(flow: Flow) -> Settings:
    changed = flow.settings
    known = {
        "max-calls",
        "max-call",
        "nonce-lifetime",
        "grace",
        "session-expires",
        "min-se",
        "max-age",
        "contacts-anywhere",
    }
    if not set(changed) <= known:
        raise FlowError(f"settings that a flow can change are {', '.join(sorted(known))}")
    base = Settings(listen=())
    return Settings(
        listen=LISTENERS,
        nonce_lifetime=changed.get("nonce-lifetime", base.nonce_lifetime),
        limits=Limits(max_calls=int(changed.get("max-calls", base.limits.max_calls))),
        grace=changed.get("grace", base.grace),
        session_timers=SessionTimers(
            int(changed.get("session-expires", base.session_timers.expires)),
            int(changed.get("min-se", base.session_timers.min_se)),
        ),
        max_call=changed.get("max-call", base.max_call),
        reload=Reload(max_age=changed.get("max-age", base.reload.max_age)),
        security=Security(contacts=("any",) if changed.get("contacts-anywhere") else ()),
        proxies=tuple(flow.fronts),
        advertise_in=tuple(flow.known),
    )
