"""Our RTP ports: which are free, and what those in use are doing.

Owns lending them, and saying to the media process what each does, again after that process was started anew. Leaves
to the call what a port is to do. A port that was given back is lent again last, so that a late packet of its former
peer meets nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from b2bua.effects import Codec, MediaPlan, MediaPort, SetMedia
from b2bua.transaction.turn import Turn


class User(Protocol):
    """Whoever a port is lent to."""

    def played(self, playing: int) -> None:
        """A sound that does not loop has ended on it."""

    def back(self) -> None:
        """The media process is there again."""

    def silent(self, playing: int) -> None:
        """A sound was to be played on it, and no packet has left."""


class Ports:
    """The ports of one core. `codecs` are those that sounds can be played in; none before there was a media process."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.codecs: tuple[Codec, ...] = ()
        self._up = False
        self._free: dict[str, deque[MediaPort]] = {}
        self._hosts: tuple[str, ...] = ()
        self._lent: dict[int, User] = {}
        self._plans: dict[int, MediaPlan] = {}
        self._waiting: dict[int, User] = {}
        self._playings = 0

    def __len__(self) -> int:
        """How many are lent."""
        return len(self._lent)

    def ready(self, ports: Iterable[MediaPort], codecs: tuple[Codec, ...]) -> None:
        """The media process is there with these ports: what is lent goes on."""
        self.codecs = codecs
        self._up = True
        self._free = {}
        ports = tuple(ports)
        self._hosts = tuple(dict.fromkeys(port.host for port in ports))
        for port in ports:
            if port.id not in self._lent:
                self._free.setdefault(port.host, deque()).append(port)
        self._turn.effects.extend([SetMedia(id, plan) for id, plan in self._plans.items()])
        users = {id(user): user for user in self._lent.values()} | self._waiting
        self._waiting = {}
        for user in users.values():
            user.back()

    def lost(self) -> None:
        """The media process is gone: nothing is lent until there is another."""
        self._up = False
        self._free = {}

    def wait(self, user: User) -> None:
        """A user that has no port wants to hear when the media process is there again."""
        self._waiting[id(user)] = user

    def forget(self, user: User) -> None:
        """A user wants to hear nothing more."""
        self._waiting.pop(id(user), None)

    def host(self, local: str) -> str:
        """The address of the ports for a peer that we signal with from `local`: that one, else one of its family."""
        if local in self._hosts:
            return local
        return next((host for host in self._hosts if (":" in host) == (":" in local)), local)

    def free(self, local: str) -> int:
        """How many ports for such a peer can be lent."""
        return len(self._free.get(self.host(local), ()))

    def take(self, local: str, user: User) -> MediaPort | None:
        """Lend a port for such a peer, None when none is free."""
        free = self._free.get(self.host(local))
        if not free:
            self._turn.count("media_ports_missing")
            return None
        port = free.popleft()
        self._lent[port.id] = user
        return port

    def set(self, port: MediaPort, plan: MediaPlan) -> None:
        """From now on a lent port does this."""
        if self._plans.get(port.id) != plan:
            self._plans[port.id] = plan
            self._turn.effects.append(SetMedia(port.id, plan))

    def give_back(self, port: MediaPort) -> None:
        """A port is not needed any more."""
        if self._lent.pop(port.id, None) is None:
            return
        if self._plans.pop(port.id, None) is not None:
            self._turn.effects.append(SetMedia(port.id, None))
        if self._up:
            self._free.setdefault(port.host, deque()).append(port)

    def user(self, id: int) -> User | None:
        """Whom a port is lent to."""
        return self._lent.get(id)

    def next_playing(self) -> int:
        """A name for another playing."""
        self._playings += 1
        return self._playings
