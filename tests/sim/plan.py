"""What a party means to do with one call: drawn from the seed before it begins, so that a run can be read."""

from __future__ import annotations

from typing import Literal

import msgspec

from .timing import Terms

Act = Literal["move", "hold", "resume", "refresh", "empty", "update", "info", "message"]


class Provisional(msgspec.Struct, frozen=True):
    """A 1xx, so many seconds after the INVITE came; `media` says whether it carries the answer."""

    after: float
    status: int
    media: bool = False


class Plan(msgspec.Struct, frozen=True):
    """Times in seconds. Absent ones never come.

    The caller offers in its INVITE or leaves that to the other (`offer`), loses patience after `leave_after`, and
    acknowledges an answer after `ack_after`. The called party sends its `provisionals`, then `final` after
    `final_after` (with `contact` for a 3xx); `challenge` says that it first wants to know who calls. Once
    connected either does its `acts`, so many seconds after the ACK, and hangs up after `hang_up_after`. It answers
    the other's re-INVITE after `reply_after`, with `reply`. `codecs` are what it speaks, with payload numbers, where
    that is not the usual. `timing` is what it wants of session timers, where it knows them.

    `replaces` is the dialog whose place the caller wants (RFC 3891).

    A `reliable` party speaks 100rel, and as a caller may take nothing else (`requires`); it acknowledges after
    `prack_after`, and makes a further offer in that way (`early`).
    """

    offer: bool = True
    leave_after: float | None = None
    ack_after: float = 0.0
    follows: bool = False
    challenge: bool = False
    trying: bool = True
    provisionals: tuple[Provisional, ...] = ()
    final: int = 200
    final_after: float | None = None
    contact: str | None = None
    acts: tuple[tuple[float, Act], ...] = ()
    hang_up_after: float | None = None
    reply: int = 200
    reply_after: float = 0.0
    codecs: tuple[tuple[str, str], ...] = ()
    timing: Terms | None = None
    reliable: bool = False
    requires: bool = False
    early: Literal["", "prack", "update"] = ""
    prack_after: float = 0.0
    replaces: str = ""
