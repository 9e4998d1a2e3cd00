"""Who hears whom while calls go on, against what the phones have agreed: looked at every two seconds of a run.

The rules of FLOWS.md sections 6 and 7: two who talk hear each other; a holder hears nothing; whoever is held hears the
music, if it would hear anything, and never the holder beside it. Looked at are calls in which nothing has happened for
a while, so that whatever had to follow has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from b2bua.sdp.negotiation import holds
from b2bua.sdp.session import parse

from .agent import Agent
from .call import Call
from .clock import Clock
from .hearing import Ear, Hearing
from .profile import MANY_PORTS, Profile

_EVERY = 2.0
# Our own re-INVITE may meet glare, and be repeated where packets are lost.
_CALM = 6.0
_CALM_IN_TROUBLE = 20.0
_UNTROUBLED = ("clean", "slow store", "failing store", "malformed", "reload")
_read = lru_cache(maxsize=512)(parse)


class Listening:
    """Listens to the calls of one run. `report` is told what is wrong; `looked` counts the sides that were heard."""

    def __init__(
        self,
        clock: Clock,
        hearing: Hearing,
        profile: Profile,
        agents: Iterable[Agent],
        excused: set[str],
        report: Callable[[str, str, str], None],
    ) -> None:
        self.looked = {"talk": 0, "music": 0, "nothing": 0}
        self._clock = clock
        self._hearing = hearing
        self._profile = profile
        self._agents = agents
        self._excused = excused
        self._report = report
        self._since: dict[str, tuple[float, object]] = {}

    def begin(self, sounds: Mapping[str, str]) -> None:
        """Listen from now on; `sounds` are names by version."""
        self._hearing.sounds = sounds
        self._clock.after(_EVERY, self._listen)

    def _listen(self) -> None:
        self._clock.after(_EVERY, self._listen)
        calls = {
            call.id: (agent, call)
            for agent in self._agents
            for call in agent.calls.values()
            if call.state == "confirmed" and call.ack_seen and call.said and call.heard
        }
        ears = [
            Ear(call.id, agent.place.host, None, _read(call.said), _read(call.heard)) for agent, call in calls.values()
        ]
        heard = self._hearing.listen(ears)
        by_label = {call.session.label: call for _, call in calls.values()}
        for agent, call in calls.values():
            other = by_label.get(_read(call.heard).name)
            if other is None or other.id >= call.id or by_label.get(_read(other.heard).name) is not call:
                continue
            if self._is_calm(call, other):
                if {agent.name, calls[other.id][0].name} & self._excused:
                    continue
                for listener, speaker in ((call, other), (other, call)):
                    self._compare(listener, speaker, {(one.what, one.codec) for one in heard[listener.id]})

    def _is_calm(self, call: Call, other: Call) -> bool:
        """Whether both have been quiet for a while, in what they say as in whether they hear anything."""
        state = call.quiet and other.quiet and (call.said, call.heard, other.said, other.heard, self._hearing.up)
        since, before = self._since.get(call.id, (0.0, None))
        if not state or before != state:
            self._since[call.id] = (self._clock.now, state)
            return False
        calm = _CALM if self._profile.kind in _UNTROUBLED else _CALM_IN_TROUBLE
        return self._hearing.up and self._clock.now - since >= calm

    def _compare(self, listener: Call, speaker: Call, heard: set[tuple[str, str]]) -> None:
        if self._profile.way != "relay" and (listener.plan.reply, speaker.plan.reply) != (200, 200):
            # Whoever refuses our invitation to the music has none, and was not told of the hold.
            return
        due: set[str] = set()
        if not holds(_read(listener.said)):
            due = {"jazz"} if holds(_read(speaker.said)) else {speaker.id}
        found = {what for what, _ in heard}
        self.looked["talk" if speaker.id in due else "music" if due else "nothing"] += 1
        enough = found == due if self._profile.ports == MANY_PORTS else found <= due | {speaker.id}
        if self._profile.way != "relay" and self._is_unled(listener, speaker):
            enough = enough or found - {speaker.id} == due
        if not enough:
            self._report("heard", f"{listener!r} hears {sorted(found)}, where {sorted(due)} is due", listener.id)
        if any(codec == "NOISE" for _, codec in heard):
            self._report("heard", f"{listener!r} hears noise: {sorted(heard)}", listener.id)

    def _is_unled(self, listener: Call, speaker: Call) -> bool:
        """Whether what a holder still sends may pass by us.

        It does where the hold passed as it was: there was no media process, it was refreshed without an offer or said
        when it was asked for one, or it was said in an answer, to one who held too or who took another's place.
        """
        acts = {act for _, act in speaker.plan.acts}
        both = "hold" in acts and any(act == "hold" for _, act in listener.plan.acts)
        empty = "empty" in acts or any(act == "empty" for _, act in listener.plan.acts)
        return bool(self._profile.media_down) or empty or both or speaker.solicited or bool(listener.plan.replaces)
