"""The states of a message's delivery, and of each of its copies, as tables.

A row says: in this state, at this event, go to that state and do these things in this order. What is not in a table
does not happen. `Delivery` and `Copy` say how each thing is done.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias


class CopyState(StrEnum):
    """Where one phone's copy stands."""

    RESOLVING = "Resolving"
    SENT = "Sent"
    OVER = "Over"


class CopyEvent(StrEnum):
    """What a copy meets."""

    RESOLVED = "resolved"
    NOWHERE = "nowhere"
    ELSEWHERE = "elsewhere"
    ANOTHER_FLOW = "another flow"
    ANSWERED = "answered"
    LATE = "late"


class DeliveryState(StrEnum):
    """Where a message stands."""

    WAITING = "Waiting"
    ANSWERED = "Answered"
    OVER = "Over"


class DeliveryEvent(StrEnum):
    """What a message meets."""

    SLOW = "slow"
    TAKEN = "taken"
    DONE = "done"
    LATE = "late"


CopyTable: TypeAlias = dict[CopyState, dict[CopyEvent, tuple[CopyState, tuple[str, ...]]]]
DeliveryTable: TypeAlias = dict[DeliveryState, dict[DeliveryEvent, tuple[DeliveryState, tuple[str, ...]]]]

_C, _ON = CopyState, CopyEvent

# RFC 3263 4.3: the targets of a name one after the other; RFC 5626 5.3: a phone's other flow where one has failed.
COPY: Final[CopyTable] = {
    _C.RESOLVING: {
        _ON.RESOLVED: (_C.SENT, ("send",)),
        _ON.NOWHERE: (_C.OVER, ("report",)),
        _ON.ANOTHER_FLOW: (_C.RESOLVING, ("resolve",)),
        _ON.LATE: (_C.OVER, ()),
    },
    _C.SENT: {
        _ON.ELSEWHERE: (_C.SENT, ("withdraw", "send")),
        _ON.ANOTHER_FLOW: (_C.RESOLVING, ("withdraw", "resolve")),
        _ON.NOWHERE: (_C.OVER, ("withdraw", "report")),
        _ON.ANSWERED: (_C.OVER, ("report",)),
        _ON.LATE: (_C.OVER, ("withdraw",)),
    },
}

_D, _AT = DeliveryState, DeliveryEvent

# RFC 3261 16.7: the first 2xx is the answer, else the best of all. RFC 4320 4.1: 100 once the sender repeats slowly.
DELIVERY: Final[DeliveryTable] = {
    _D.WAITING: {
        _AT.SLOW: (_D.WAITING, ("send_trying",)),
        _AT.TAKEN: (_D.ANSWERED, ("pass_success",)),
        _AT.DONE: (_D.OVER, ("pass_best",)),
        _AT.LATE: (_D.OVER, ("give_up", "pass_best")),
    },
    _D.ANSWERED: {
        _AT.DONE: (_D.OVER, ()),
        _AT.LATE: (_D.OVER, ("give_up",)),
    },
}

ENDING: Final = {_D.OVER: ("finish",)}
"""What each row into a state ends with."""
