"""The four transaction machines, as tables (RFC 3261 section 17 with RFC 6026).

A row says: in this state, at this event, go to that state and do these things in this order. What is not in a table
does not happen. The tables are the authority; `client` and `server` say how each thing is done. Timers carry the
RFC's letters: A, E and G repeat a message, B, F and H give up, D, I, J, K, L and M wait for stragglers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

_State = TypeVar("_State")
_Event = TypeVar("_Event")


class State(StrEnum):
    """Where a transaction stands."""

    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    ACCEPTED = "Accepted"
    TERMINATED = "Terminated"


class Event(StrEnum):
    """What a transaction meets: messages from the peer, responses from the user, timers, a dead transport."""

    REQUEST = "request"
    ACK = "ACK"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    TIMER_A = "A"
    TIMER_B = "B"
    TIMER_D = "D"
    TIMER_E = "E"
    TIMER_F = "F"
    TIMER_G = "G"
    TIMER_H = "H"
    TIMER_I = "I"
    TIMER_J = "J"
    TIMER_K = "K"
    TIMER_L = "L"
    TIMER_M = "M"
    TRANSPORT_ERROR = "transport error"


Table: TypeAlias = dict[State, dict[Event, tuple[State, tuple[str, ...]]]]

_S, _E = State, Event

# RFC 3261 17.1.1.2, figure 5; Accepted and timer M: RFC 6026 8.4
INVITE_CLIENT: Table = {
    _S.CALLING: {
        _E.TIMER_A: (_S.CALLING, ("send_again", "double_a")),
        _E.TIMER_B: (_S.TERMINATED, ("report_timeout",)),
        _E.PROVISIONAL: (_S.PROCEEDING, ("stop_timer", "pass_up")),
        _E.SUCCESS: (_S.ACCEPTED, ("stop_timer", "start_m", "pass_up")),
        _E.FAILURE: (_S.COMPLETED, ("stop_timer", "send_ack", "start_d", "pass_up")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ("report_transport_error",)),
    },
    _S.PROCEEDING: {
        _E.PROVISIONAL: (_S.PROCEEDING, ("pass_up",)),
        _E.SUCCESS: (_S.ACCEPTED, ("start_m", "pass_up")),
        _E.FAILURE: (_S.COMPLETED, ("send_ack", "start_d", "pass_up")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ("report_transport_error",)),
    },
    _S.COMPLETED: {
        _E.FAILURE: (_S.COMPLETED, ("send_ack_again",)),
        _E.TIMER_D: (_S.TERMINATED, ()),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ()),
    },
    _S.ACCEPTED: {
        _E.SUCCESS: (_S.ACCEPTED, ("pass_up",)),
        _E.TIMER_M: (_S.TERMINATED, ()),
    },
}

# RFC 3261 17.1.2.2, figure 6
REQUEST_CLIENT: Table = {
    _S.TRYING: {
        _E.TIMER_E: (_S.TRYING, ("send_again", "double_e")),
        _E.TIMER_F: (_S.TERMINATED, ("report_timeout",)),
        _E.PROVISIONAL: (_S.PROCEEDING, ("pass_up",)),
        _E.SUCCESS: (_S.COMPLETED, ("stop_timer", "start_k", "pass_up")),
        _E.FAILURE: (_S.COMPLETED, ("stop_timer", "start_k", "pass_up")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ("report_transport_error",)),
    },
    _S.PROCEEDING: {
        _E.TIMER_E: (_S.PROCEEDING, ("send_again", "slow_e")),
        _E.TIMER_F: (_S.TERMINATED, ("report_timeout",)),
        _E.PROVISIONAL: (_S.PROCEEDING, ("pass_up",)),
        _E.SUCCESS: (_S.COMPLETED, ("stop_timer", "start_k", "pass_up")),
        _E.FAILURE: (_S.COMPLETED, ("stop_timer", "start_k", "pass_up")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ("report_transport_error",)),
    },
    _S.COMPLETED: {
        _E.TIMER_K: (_S.TERMINATED, ()),
    },
}

# RFC 3261 17.2.1, figure 7; Accepted and timer L: RFC 6026 8.2. Here 1xx, 2xx and 3xx-6xx are what the user sends.
INVITE_SERVER: Table = {
    _S.PROCEEDING: {
        _E.REQUEST: (_S.PROCEEDING, ("send_again",)),
        _E.PROVISIONAL: (_S.PROCEEDING, ("send",)),
        _E.SUCCESS: (_S.ACCEPTED, ("send", "start_l")),
        _E.FAILURE: (_S.COMPLETED, ("send", "start_g_and_h")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ("report_transport_error",)),
    },
    _S.COMPLETED: {
        _E.REQUEST: (_S.COMPLETED, ("send_again",)),
        _E.TIMER_G: (_S.COMPLETED, ("send_again", "double_g")),
        _E.TIMER_H: (_S.TERMINATED, ()),
        _E.ACK: (_S.CONFIRMED, ("stop_timer", "start_i")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ()),
    },
    _S.CONFIRMED: {
        _E.TIMER_I: (_S.TERMINATED, ()),
    },
    _S.ACCEPTED: {
        _E.SUCCESS: (_S.ACCEPTED, ("send",)),
        _E.TIMER_L: (_S.TERMINATED, ()),
    },
}

# RFC 3261 17.2.2, figure 8
REQUEST_SERVER: Table = {
    _S.TRYING: {
        _E.PROVISIONAL: (_S.PROCEEDING, ("send",)),
        _E.SUCCESS: (_S.COMPLETED, ("send", "start_j")),
        _E.FAILURE: (_S.COMPLETED, ("send", "start_j")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ()),
    },
    _S.PROCEEDING: {
        _E.REQUEST: (_S.PROCEEDING, ("send_again",)),
        _E.PROVISIONAL: (_S.PROCEEDING, ("send",)),
        _E.SUCCESS: (_S.COMPLETED, ("send", "start_j")),
        _E.FAILURE: (_S.COMPLETED, ("send", "start_j")),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ()),
    },
    _S.COMPLETED: {
        _E.REQUEST: (_S.COMPLETED, ("send_again",)),
        _E.TIMER_J: (_S.TERMINATED, ()),
        _E.TRANSPORT_ERROR: (_S.TERMINATED, ()),
    },
}


RESPONSES: Final = (_E.PROVISIONAL, _E.PROVISIONAL, _E.SUCCESS, _E.FAILURE, _E.FAILURE, _E.FAILURE, _E.FAILURE)
"""The events that responses are, by the hundreds of their status."""

TIMERS: Final = {event.value: event for event in Event if len(event.value) == 1}
"""The events that the RFC's letters are."""


def compiled(
    owner: type,
    table: Mapping[_State, Mapping[_Event, tuple[_State, tuple[str, ...]]]],
    states: Iterable[_State],
    reaching: Mapping[_State, tuple[str, ...]],
) -> dict[_State, dict[_Event, tuple[_State, tuple[Callable[..., None], ...]]]]:
    """A table, with an entry for each state, whose words are the functions of the owner that do them.

    `reaching` are the words that each row into a state ends with.
    """
    return {
        state: {
            event: (after, tuple([getattr(owner, action) for action in (*actions, *reaching.get(after, ()))]))
            for event, (after, actions) in table.get(state, {}).items()
        }
        for state in states
    }
