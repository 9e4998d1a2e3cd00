"""The core: hands each input to transaction, dialog and call, and returns what they want done.

Pure: `now` (monotonic seconds) and `wall` (seconds since the epoch) are arguments, randomness is injected, and nothing
waits. Owns which layer an input belongs to. An INVITE goes from here to `Call.follow` in four direct calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from b2bua.core.overview import Overview
from b2bua.core.parts import Parts
from b2bua.core.requests import Requests
from b2bua.core.views import (
    CallView,
    PolicyView,
    RegistrationView,
    SecurityView,
    TrunkView,
    policy_views,
    registration_view,
    security_view,
)
from b2bua.effects import Answer, CloseFlow, Codec, Effect, Flow, Log, MediaPort
from b2bua.routing.meters import Moment
from b2bua.routing.versions import ALL
from b2bua.settings import Settings
from b2bua.sip.errors import LocalError, Malformed, PeerError
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse
from dsl.policy import Policy

_TIMERS_A_TURN: Final = 256


class Core:
    """One server's state. Every input method returns its effects, to be performed in order."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        draw: Callable[[], str],
        key: bytes,
        bindings: Iterable[tuple[str, bytes]],
        now: float,
        wall: float,
        disabled: Iterable[str] = (),
    ) -> None:
        """`draw` gives 16 random hexadecimal digits; `key` is 32 secret octets; `bindings` are the stored rows.

        `disabled` names the trunks that the operator has switched off.
        """
        self._parts = parts = Parts(settings, policy, draw, key, bindings, now, wall, disabled)
        self._requests = Requests(parts)
        self._transactions = parts.transactions
        self._turn = parts.turn
        self._limits = settings.limits.messages
        self._banned = parts.door.banned
        self._began = parts.turn.effects
        self.overview = Overview(parts)

    # Inputs.

    def start(self, now: float, wall: float) -> list[Effect]:
        """Everything that performs effects is ready: what is to be done before the first message."""
        began, self._began = self._began, []
        turn = self._turn.begin(now, wall)
        self._parts.trunks.begin()
        return began + turn.effects

    def datagram(self, data: bytes, flow: Flow, now: float, wall: float) -> list[Effect]:
        """A datagram, or one whole message of a stream."""
        turn = self._turn.begin(now, wall)
        if self._banned and self._parts.door.is_shut(flow.remote):
            if flow.connection:
                turn.effects.append(CloseFlow(flow))
            return turn.effects
        request: Request | None = None
        try:
            message = parse(data, self._limits)
            if isinstance(message, Response):
                if not self._transactions.response(message):
                    turn.count("responses_unmatched")
            else:
                request = message
                self._requests.take(message, flow)
        except Malformed as malformed:
            self._malformed(malformed, flow)
        except PeerError as error:
            self._requests.refuse(request, flow, error.status, error.reason, error.headers)
        except LocalError as fault:
            turn.effects.append(Log("error", "internal error", {"what": str(fault)}))
            self._requests.refuse(request, flow, 500, "Server Internal Error", ())
        return turn.effects

    def malformed(self, error: Malformed, flow: Flow, now: float, wall: float) -> list[Effect]:
        """A stream's framing is lost: answer if that can be done, and close it (RFC 3261 18.3)."""
        turn = self._turn.begin(now, wall)
        self._malformed(error, flow)
        turn.effects.append(CloseFlow(flow))
        return turn.effects

    def answered(self, id: int, result: Answer, now: float, wall: float) -> list[Effect]:
        """The shell has the answer to an effect that carried this id."""
        turn = self._turn.begin(now, wall)
        self._parts.pending.answered(id, result)
        return turn.effects

    def flow_failed(self, flow: Flow, now: float, wall: float) -> list[Effect]:
        """What was sent by this flow did not arrive, or this stream has closed."""
        turn = self._turn.begin(now, wall)
        turn.count("flows_failed")
        if flow.connection:
            self._parts.registrar.flow_closed(flow, wall)
            self._transactions.stream_closed(flow)
            for leg in self._parts.stack.legs.values():
                leg.dialog.stream_closed(flow)
        else:
            self._transactions.transport_error(flow)
        return turn.effects

    def connection_failed(self, flow: Flow, why: str, now: float, wall: float) -> list[Effect]:
        """No connection could be had for this flow, which has none; `why` is for the operator."""
        self._turn.why = why
        effects = self.flow_failed(flow, now, wall)
        self._turn.why = ""
        return effects

    def tick(self, now: float, wall: float) -> list[Effect]:
        """Some time has passed: `wake_at` says when this is due."""
        turn = self._turn.begin(now, wall)
        turn.timers.fire(now, _TIMERS_A_TURN)
        self._parts.registering.expire()
        return turn.effects

    def media_ready(
        self, ports: tuple[MediaPort, ...], codecs: tuple[Codec, ...], now: float, wall: float
    ) -> list[Effect]:
        """The media process is up, for the first time or again: these are its ports, and what it can play."""
        turn = self._turn.begin(now, wall)
        self._parts.stack.ports.ready(ports, codecs)
        return turn.effects

    def media_lost(self, now: float, wall: float) -> list[Effect]:
        """The media process is gone: calls go on in silence until it is back."""
        turn = self._turn.begin(now, wall)
        turn.count("media_lost")
        self._parts.stack.ports.lost()
        return turn.effects

    def played(self, port: int, playing: int, now: float, wall: float) -> list[Effect]:
        """A sound that does not loop has ended on a port."""
        turn = self._turn.begin(now, wall)
        user = self._parts.stack.ports.user(port)
        if user is not None:
            user.played(playing)
        return turn.effects

    def silent(self, port: int, playing: int, now: float, wall: float) -> list[Effect]:
        """A sound was to be played on a port, and half a second later no packet of it had left."""
        turn = self._turn.begin(now, wall)
        user = self._parts.stack.ports.user(port)
        if user is not None:
            user.silent(playing)
        return turn.effects

    def reload(self, policy: Policy, now: float, wall: float, percent: int = ALL) -> list[Effect]:
        """So many `percent` of new calls follow this version; calls in progress keep theirs."""
        turn = self._turn.begin(now, wall)
        taken = self._parts.reload(policy, percent)
        what: dict[str, object] = {"policy": policy.name, "hash": policy.hash}
        if taken == "trial":
            what["percent"] = percent
        turn.effects.append(Log("info", "policy unchanged" if taken == "unchanged" else "policy loaded", what))
        return turn.effects

    def roll_back(self, now: float, wall: float) -> list[Effect]:
        """New calls follow the version before: the one beside a trial, else the one kept. KeyError without either."""
        turn = self._turn.begin(now, wall)
        given_up, current = self._parts.roll_back().policy, self._parts.versions.current.policy
        what: dict[str, object] = {"policy": current.name, "hash": current.hash, "given_up": given_up.hash}
        turn.effects.append(Log("info", "policy rolled back", what))
        return turn.effects

    def drain(self, now: float, wall: float) -> list[Effect]:
        """Take no messages and no new calls, emergencies aside, and none from trunks where we are registered."""
        turn = self._turn.begin(now, wall)
        self._parts.draining = True
        self._parts.trunks.leave()
        return turn.effects

    def hangup(self, call_id: str, now: float, wall: float) -> list[Effect]:
        """End one call. KeyError when there is none with this id."""
        turn = self._turn.begin(now, wall)
        self._parts.calls[call_id].hang_up()
        return turn.effects

    def switch_trunk(self, trunk: str, disabled: bool, now: float, wall: float) -> list[Effect]:
        """No new calls by this trunk, or calls again."""
        turn = self._turn.begin(now, wall)
        self._parts.trunks.switch(trunk, disabled)
        return turn.effects

    def forgive(self, who: str, now: float, wall: float) -> tuple[list[str], list[Effect]]:
        """Ban an address or an account no longer: says whether it was forgiven as either."""
        turn = self._turn.begin(now, wall)
        forgiven = self._parts.door.forgive(who)
        return forgiven, turn.effects

    def hangup_all(self, now: float, wall: float) -> list[Effect]:
        """End all calls."""
        turn = self._turn.begin(now, wall)
        for call in list(self._parts.calls.values()):
            call.hang_up()
        return turn.effects

    def salvage(self, now: float, wall: float) -> list[Effect]:
        """After an input that met a bug of ours: what it had led to, and the end of the call that it was about."""
        turn = self._turn
        effects, concerned = turn.effects, turn.concerned
        self._turn.begin(now, wall)
        turn.count("calls_failed")
        if concerned is not None:
            turn.concerned = concerned
            concerned.fail()
        return effects + turn.effects

    def abolish(self, now: float, wall: float) -> list[Effect]:
        """After a `salvage` that met a bug too: take the call away without another word."""
        turn = self._turn
        effects, concerned = turn.effects, turn.concerned
        self._turn.begin(now, wall)
        if concerned is not None:
            concerned.abolish()
        return effects + turn.effects

    # What can be asked.

    @property
    def wake_at(self) -> float | None:
        """When `tick` is due, in monotonic seconds."""
        due = self._turn.timers.wake_at
        expiry = self._parts.registrar.next_expiry
        if expiry is not None:
            expiry = self._turn.now + max(0.0, expiry - self._turn.wall) + 1.0
            due = expiry if due is None else min(due, expiry)
        return due

    @property
    def idle(self) -> bool:
        """Whether no call and no message is left, nothing is asked of the shell, and no registration of ours is being
        taken back.
        """
        parts = self._parts
        return not (parts.calls or parts.messages.under_way or len(parts.pending) or parts.trunks.leaving)

    @property
    def counters(self) -> dict[str, int]:
        """How often things happened since the start."""
        return self._turn.counters

    def sizes(self) -> dict[str, int]:
        """How much of everything there is; timers without those that every trunk has as long as it is there."""
        return {
            "calls": len(self._parts.calls),
            "messages": self._parts.messages.under_way,
            "legs": len({id(leg) for leg in self._parts.stack.legs.values()}),
            "dialogs": len(self._parts.stack.legs),
            "transactions": len(self._transactions),
            "timers": self._turn.timers.live - self._parts.trunks.timers,
            "pending": len(self._parts.pending),
            "media ports": len(self._parts.stack.ports),
        }

    def names(self) -> dict[str, object]:
        """How many names are known and looked up now, and which of their targets are passed over for how long."""
        return self._parts.names.status()

    def calls(self) -> list[CallView]:
        """Every call."""
        return self.overview.calls()

    def calls_since(self, since: float, ids: frozenset[str]) -> list[CallView]:
        """Those that have begun or were answered since a wall time, and those of `ids`: views of no others are made."""
        return self.overview.calls_since(since, ids)

    @property
    def policy(self) -> Policy:
        """The version in force."""
        return self._parts.versions.current.policy

    def moment(self, wall: float) -> Moment:
        """What the version in force can ask of this time, of no call in particular; to ask changes nothing."""
        return Moment(self._parts.versions.current, self._parts.meters, wall, "")

    @property
    def trial_percent(self) -> int | None:
        """Of new calls, that follow the version on trial; None when none is."""
        versions = self._parts.versions
        return None if versions.trial is None else versions.percent

    def policies(self) -> list[PolicyView]:
        """Every version that somebody follows, or could again: what new calls follow first."""
        return policy_views(self._parts.versions, [call.inquiry.version for call in self._parts.calls.values()])

    def registrations(self, wall: float) -> list[RegistrationView]:
        """Every binding."""
        return [registration_view(binding, wall) for binding in self._parts.registrar.everything(wall)]

    def security(self, now: float, wall: float) -> SecurityView:
        """Who is shut out, and who has failed."""
        return security_view(self._parts.door, now, wall, self._turn.counters)

    def registered(self) -> tuple[int, int]:
        """How many accounts have bindings, and how many bindings those are."""
        return self._parts.registrar.counts()

    def trunks(self, wall: float) -> list[TrunkView]:
        """Every trunk, in the policy's order."""
        return self._parts.trunks.views(self._parts.meters.all_channels(), wall)

    def _malformed(self, error: Malformed, flow: Flow) -> None:
        self._turn.count("messages_malformed")
        self._requests.refuse(error.request, flow, error.status, error.reason, error.headers)
