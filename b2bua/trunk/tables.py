"""The three machines of a trunk, as tables: its registration, its checks, and the trust that its calls earn.

A row says: in this state, at this event, go to that state and do these things in this order. What is not in a table
does not happen. `registration`, `check` and `trust` say how each thing is done.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias


class RegistrationState(StrEnum):
    """Where our registration at a trunk stands (RFC 3261 10.2)."""

    OFF = "Off"
    RESOLVING = "Resolving"
    REGISTERING = "Registering"
    REGISTERED = "Registered"
    WAITING = "Waiting"
    REFUSED = "Refused"
    LEAVING = "Leaving"


class RegistrationEvent(StrEnum):
    """What it meets. `stop` is said where no binding of ours can be left there, `leave` where one may be.

    `challenged` and `brief` can be mended by asking again, `elsewhere` by another address of the trunk's name.
    """

    START = "start"
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    ACCEPTED = "accepted"
    CHALLENGED = "challenged"
    BRIEF = "brief"
    ELSEWHERE = "elsewhere"
    FAILED = "failed"
    REFUSED = "refused"
    TIMER = "timer"
    STOP = "stop"
    LEAVE = "leave"
    ANSWERED = "answered"


RegistrationTable: TypeAlias = dict[
    RegistrationState, dict[RegistrationEvent, tuple[RegistrationState, tuple[str, ...]]]
]

_R, _V = RegistrationState, RegistrationEvent

REGISTRATION: RegistrationTable = {
    _R.OFF: {
        _V.START: (_R.RESOLVING, ("resolve",)),
    },
    _R.RESOLVING: {
        _V.RESOLVED: (_R.REGISTERING, ("send",)),
        _V.UNRESOLVED: (_R.WAITING, ("back_off", "report_outage")),
        _V.STOP: (_R.OFF, ()),
        _V.LEAVE: (_R.LEAVING, ("send_removal",)),
    },
    _R.REGISTERING: {
        _V.ACCEPTED: (_R.REGISTERED, ("wait_for_refresh", "report_registered")),
        _V.CHALLENGED: (_R.REGISTERING, ("send",)),
        _V.BRIEF: (_R.REGISTERING, ("send",)),
        _V.ELSEWHERE: (_R.REGISTERING, ("send",)),
        _V.FAILED: (_R.WAITING, ("back_off", "report_outage")),
        _V.REFUSED: (_R.REFUSED, ("wait_long", "report_refusal")),
        _V.STOP: (_R.LEAVING, ("send_removal",)),
        _V.LEAVE: (_R.LEAVING, ("send_removal",)),
    },
    _R.REGISTERED: {
        _V.TIMER: (_R.RESOLVING, ("resolve",)),
        _V.STOP: (_R.OFF, ()),
        _V.LEAVE: (_R.LEAVING, ("send_removal",)),
    },
    _R.WAITING: {
        _V.TIMER: (_R.RESOLVING, ("resolve",)),
        _V.STOP: (_R.OFF, ()),
        _V.LEAVE: (_R.LEAVING, ("send_removal",)),
    },
    _R.REFUSED: {
        _V.TIMER: (_R.RESOLVING, ("resolve",)),
        _V.START: (_R.RESOLVING, ("resolve",)),
        _V.STOP: (_R.OFF, ()),
    },
    _R.LEAVING: {
        _V.CHALLENGED: (_R.LEAVING, ("send_removal",)),
        _V.ANSWERED: (_R.OFF, ()),
        _V.TIMER: (_R.OFF, ()),
        _V.START: (_R.RESOLVING, ("resolve",)),
    },
}


class CheckState(StrEnum):
    """Where the asking of a trunk by OPTIONS stands (RFC 3261 11.1)."""

    OFF = "Off"
    RESOLVING = "Resolving"
    ASKING = "Asking"
    RESTING = "Resting"


class CheckEvent(StrEnum):
    """What it meets. `elsewhere`: no life at this address of the trunk's name, and there is another."""

    START = "start"
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    ALIVE = "alive"
    ELSEWHERE = "elsewhere"
    DEAD = "dead"
    TIMER = "timer"
    STOP = "stop"


CheckTable: TypeAlias = dict[CheckState, dict[CheckEvent, tuple[CheckState, tuple[str, ...]]]]

_C, _K = CheckState, CheckEvent

CHECK: CheckTable = {
    _C.OFF: {
        _K.START: (_C.RESOLVING, ("resolve",)),
    },
    _C.RESOLVING: {
        _K.RESOLVED: (_C.ASKING, ("send",)),
        _K.UNRESOLVED: (_C.RESTING, ("count_failure", "rest")),
        _K.STOP: (_C.OFF, ()),
    },
    _C.ASKING: {
        _K.ALIVE: (_C.RESTING, ("count_success", "rest")),
        _K.ELSEWHERE: (_C.ASKING, ("send",)),
        _K.DEAD: (_C.RESTING, ("count_failure", "rest")),
        _K.STOP: (_C.OFF, ()),
    },
    _C.RESTING: {
        _K.TIMER: (_C.RESOLVING, ("resolve",)),
        _K.STOP: (_C.OFF, ()),
    },
}


class TrustState(StrEnum):
    """What a trunk's calls say of it: it takes them, is out, may be tried by one call, or is being tried."""

    TRUSTED = "Trusted"
    OUT = "Out"
    READY = "Ready"
    TRIAL = "Trial"


class TrustEvent(StrEnum):
    """What it meets: a call that was dealt with, one that met silence or 503, and how a trial went.

    `too many` is the failure after which a trunk is out; `back` is a check that succeeds again after it had failed.
    """

    GOOD = "good"
    BAD = "bad"
    TOO_MANY = "too many"
    TIMER = "timer"
    BACK = "back"
    BEGUN = "begun"
    TRIAL_FAILED = "trial failed"
    TRIAL_LEFT = "trial left"


TrustTable: TypeAlias = dict[TrustState, dict[TrustEvent, tuple[TrustState, tuple[str, ...]]]]

_T, _H = TrustState, TrustEvent

TRUST: TrustTable = {
    _T.TRUSTED: {
        _H.GOOD: (_T.TRUSTED, ("clear",)),
        _H.BAD: (_T.TRUSTED, ("count",)),
        _H.TOO_MANY: (_T.OUT, ("count", "take_out")),
    },
    # A failure of a call that was on its way before says nothing new; a success does.
    _T.OUT: {
        _H.GOOD: (_T.TRUSTED, ("clear", "bring_back")),
        _H.TIMER: (_T.READY, ("report",)),
        _H.BACK: (_T.READY, ("stop_timer", "report")),
    },
    _T.READY: {
        _H.GOOD: (_T.TRUSTED, ("clear", "bring_back")),
        _H.BEGUN: (_T.TRIAL, ("report",)),
    },
    _T.TRIAL: {
        _H.GOOD: (_T.TRUSTED, ("clear", "bring_back")),
        _H.TRIAL_FAILED: (_T.OUT, ("take_out",)),
        _H.TRIAL_LEFT: (_T.READY, ("report",)),
    },
}
