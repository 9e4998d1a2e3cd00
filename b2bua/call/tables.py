"""How a leg lives, and how a request inside a call is passed on, answered or made by us: tables.

A row says: in this state, at this event, go to that state and do these things in this order. `incoming`, `outgoing`
and `exchange` say how each thing is done. What is not in a table does not happen: an event without a row is ignored.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias


class LegState(StrEnum):
    """Where a leg stands."""

    INVITED = "Invited"
    WITHHELD = "Withheld"
    RESOLVING = "Resolving"
    CALLING = "Calling"
    PROCEEDING = "Proceeding"
    ABANDONED = "Abandoned"
    CANCELLING = "Cancelling"
    ANSWERED = "Answered"
    ENDING = "Ending"
    CONFIRMED = "Confirmed"
    CLOSING = "Closing"
    ENDED = "Ended"


class LegEvent(StrEnum):
    """What a leg meets, from its peer, from its call, or from a timer."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    PROGRESSED = "progressed"
    ANSWERED = "answered"
    WITHHOLD = "withhold"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CHALLENGED = "challenged"
    TOO_BRIEF = "too brief"
    ELSEWHERE = "elsewhere"
    ANOTHER_FLOW = "another flow"
    ABANDON = "abandon"
    CANCELLED = "cancelled"
    ACKNOWLEDGED = "acknowledged"
    REPEAT = "repeat"
    UNACKNOWLEDGED = "unacknowledged"
    BYE = "bye"
    END = "end"
    LOST = "lost"
    GIVE_UP = "give up"
    CLOSED = "closed"


LegTable: TypeAlias = dict[LegState, dict[LegEvent, tuple[LegState, tuple[str, ...]]]]

_S, _E = LegState, LegEvent

# Both kinds of leg, once the dialog is confirmed (RFC 3261 section 15).
_TALKING: dict[LegEvent, tuple[LegState, tuple[str, ...]]] = {
    _E.BYE: (_S.ENDED, ("accept_bye", "report_hung_up")),
    _E.END: (_S.CLOSING, ("send_bye",)),
    _E.LOST: (_S.CLOSING, ("send_bye", "report_lost")),
}
_CLOSING: dict[LegEvent, tuple[LegState, tuple[str, ...]]] = {
    _E.BYE: (_S.CLOSING, ("accept_bye",)),
    _E.CLOSED: (_S.ENDED, ()),
}

# The leg of whoever called us. A 2xx is repeated until its ACK comes or 64*T1 have passed (13.3.1.4); nobody sends
# BYE on it before that (section 15). While a description that was sent reliably is not acknowledged, the 2xx is
# withheld (RFC 3262 section 3).
INCOMING: LegTable = {
    _S.INVITED: {
        _E.PROGRESSED: (_S.INVITED, ("send_provisional",)),
        _E.ANSWERED: (_S.ANSWERED, ("send_answer", "start_repeating")),
        _E.WITHHOLD: (_S.WITHHELD, ()),
        _E.UNACKNOWLEDGED: (_S.ENDED, ("send_timeout", "report_left")),
        _E.REJECTED: (_S.ENDED, ("send_rejection",)),
        _E.CANCELLED: (_S.ENDED, ("send_terminated", "report_left")),
        _E.BYE: (_S.ENDED, ("accept_bye", "send_terminated", "report_left")),
        _E.LOST: (_S.ENDED, ("report_left",)),
    },
    _S.WITHHELD: {
        _E.ANSWERED: (_S.ANSWERED, ("send_answer", "start_repeating")),
        _E.UNACKNOWLEDGED: (_S.ENDED, ("send_timeout", "report_left")),
        _E.REJECTED: (_S.ENDED, ("send_rejection",)),
        _E.CANCELLED: (_S.ENDED, ("send_terminated", "report_left")),
        _E.BYE: (_S.ENDED, ("accept_bye", "send_terminated", "report_left")),
        _E.LOST: (_S.ENDED, ("report_left",)),
        _E.END: (_S.ENDED, ("send_unavailable",)),
    },
    _S.ANSWERED: {
        _E.REPEAT: (_S.ANSWERED, ("repeat_answer",)),
        _E.ACKNOWLEDGED: (_S.CONFIRMED, ("stop_repeating", "report_acknowledged")),
        _E.UNACKNOWLEDGED: (_S.CLOSING, ("stop_repeating", "send_bye", "report_lost")),
        _E.BYE: (_S.ENDED, ("stop_repeating", "accept_bye", "report_hung_up")),
        _E.END: (_S.ENDING, ()),
    },
    _S.ENDING: {
        _E.REPEAT: (_S.ENDING, ("repeat_answer",)),
        _E.ACKNOWLEDGED: (_S.CLOSING, ("stop_repeating", "send_bye")),
        _E.UNACKNOWLEDGED: (_S.CLOSING, ("stop_repeating", "send_bye")),
        _E.BYE: (_S.ENDED, ("stop_repeating", "accept_bye")),
    },
    _S.CONFIRMED: _TALKING,
    _S.CLOSING: _CLOSING,
}

# The leg of whomever we call. CANCEL waits for a provisional response (9.1); a 2xx that comes after all is
# acknowledged and ended.
OUTGOING: LegTable = {
    _S.RESOLVING: {
        _E.RESOLVED: (_S.CALLING, ("send_invite",)),
        _E.UNRESOLVED: (_S.ENDED, ("report_unreachable",)),
        _E.ABANDON: (_S.ENDED, ()),
    },
    _S.CALLING: {
        _E.PROGRESSED: (_S.PROCEEDING, ("report_progress",)),
        _E.ANSWERED: (_S.ANSWERED, ("take_answer", "report_answer")),
        _E.REJECTED: (_S.ENDED, ("report_rejection",)),
        _E.UNREACHABLE: (_S.ENDED, ("report_unreachable",)),
        _E.CHALLENGED: (_S.CALLING, ("send_invite",)),
        _E.TOO_BRIEF: (_S.CALLING, ("send_invite",)),
        _E.ELSEWHERE: (_S.CALLING, ("send_elsewhere",)),
        _E.ANOTHER_FLOW: (_S.RESOLVING, ("start",)),
        _E.ABANDON: (_S.ABANDONED, ()),
    },
    _S.PROCEEDING: {
        _E.PROGRESSED: (_S.PROCEEDING, ("report_progress",)),
        _E.ANSWERED: (_S.ANSWERED, ("take_answer", "report_answer")),
        _E.REJECTED: (_S.ENDED, ("report_rejection",)),
        _E.UNREACHABLE: (_S.ENDED, ("report_unreachable",)),
        _E.CHALLENGED: (_S.CALLING, ("send_invite",)),
        _E.TOO_BRIEF: (_S.CALLING, ("send_invite",)),
        _E.ELSEWHERE: (_S.CALLING, ("send_elsewhere",)),
        _E.ANOTHER_FLOW: (_S.RESOLVING, ("start",)),
        _E.ABANDON: (_S.CANCELLING, ("send_cancel",)),
    },
    _S.ABANDONED: {
        _E.PROGRESSED: (_S.CANCELLING, ("send_cancel",)),
        _E.ANSWERED: (_S.CLOSING, ("take_answer", "send_ack", "send_bye")),
        _E.REJECTED: (_S.ENDED, ()),
        _E.UNREACHABLE: (_S.ENDED, ()),
    },
    _S.CANCELLING: {
        _E.ANSWERED: (_S.CLOSING, ("take_answer", "send_ack", "send_bye")),
        _E.REJECTED: (_S.ENDED, ()),
        _E.UNREACHABLE: (_S.ENDED, ()),
        _E.GIVE_UP: (_S.ENDED, ("drop_invite",)),
    },
    _S.ANSWERED: {
        _E.ACKNOWLEDGED: (_S.CONFIRMED, ("send_ack",)),
        _E.END: (_S.CLOSING, ("send_ack", "send_bye")),
        _E.BYE: (_S.ENDED, ("send_ack", "accept_bye", "report_hung_up")),
    },
    _S.CONFIRMED: _TALKING,
    _S.CLOSING: _CLOSING,
}


class ExchangeState(StrEnum):
    """Where a request that is passed from one leg to the other stands."""

    WAITING = "Waiting"
    PASSED = "Passed"
    RINGING = "Ringing"
    ABANDONED = "Abandoned"
    CANCELLING = "Cancelling"
    ANSWERED = "Answered"
    DROPPED = "Dropped"
    FADING = "Fading"
    ENDED = "Ended"


class ExchangeEvent(StrEnum):
    """What such a request meets: from the far leg, from its sender, from its call, or from a timer."""

    PROGRESSED = "progressed"
    ANSWERED = "answered"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    ACKNOWLEDGED = "acknowledged"
    REPEAT = "repeat"
    UNACKNOWLEDGED = "unacknowledged"
    GIVE_UP = "give up"
    DROP = "drop"
    AGAIN = "again"
    POSTPONED = "postponed"
    NEEDLESS = "needless"


ExchangeTable: TypeAlias = dict[ExchangeState, dict[ExchangeEvent, tuple[ExchangeState, tuple[str, ...]]]]

_X, _V = ExchangeState, ExchangeEvent

# A re-INVITE, passed end to end (RFC 3261 section 14). `drop` is the end of its call.
INVITE_EXCHANGE: ExchangeTable = {
    _X.PASSED: {
        _V.PROGRESSED: (_X.RINGING, ()),
        _V.ANSWERED: (_X.ANSWERED, ("pass_answer", "start_repeating")),
        _V.REJECTED: (_X.ENDED, ("pass_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("reject_timeout", "report_far_lost")),
        _V.CANCELLED: (_X.ABANDONED, ()),
        _V.DROP: (_X.DROPPED, ("reject_terminated",)),
    },
    _X.RINGING: {
        _V.ANSWERED: (_X.ANSWERED, ("pass_answer", "start_repeating")),
        _V.REJECTED: (_X.ENDED, ("pass_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("reject_timeout", "report_far_lost")),
        _V.CANCELLED: (_X.CANCELLING, ("send_cancel",)),
        _V.DROP: (_X.FADING, ("reject_terminated", "send_cancel")),
    },
    _X.ABANDONED: {
        _V.PROGRESSED: (_X.CANCELLING, ("send_cancel",)),
        _V.ANSWERED: (_X.ANSWERED, ("pass_answer", "start_repeating")),
        _V.REJECTED: (_X.ENDED, ("pass_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("reject_terminated", "report_far_lost")),
        _V.DROP: (_X.DROPPED, ("reject_terminated",)),
    },
    _X.CANCELLING: {
        _V.ANSWERED: (_X.ANSWERED, ("stop_timers", "pass_answer", "start_repeating")),
        _V.REJECTED: (_X.ENDED, ("stop_timers", "pass_rejection")),
        _V.UNREACHABLE: (_X.ENDED, ("stop_timers", "reject_terminated", "report_far_lost")),
        _V.GIVE_UP: (_X.ENDED, ("drop_request", "reject_terminated", "report_far_lost")),
        _V.DROP: (_X.FADING, ("reject_terminated",)),
    },
    _X.ANSWERED: {
        _V.REPEAT: (_X.ANSWERED, ("repeat_answer",)),
        _V.ACKNOWLEDGED: (_X.ENDED, ("stop_timers", "send_ack")),
        _V.UNACKNOWLEDGED: (_X.ENDED, ("stop_timers", "send_ack", "report_near_lost")),
        _V.DROP: (_X.ENDED, ("stop_timers", "send_ack")),
    },
    _X.DROPPED: {
        _V.PROGRESSED: (_X.FADING, ("send_cancel",)),
        _V.ANSWERED: (_X.ENDED, ("send_ack",)),
        _V.REJECTED: (_X.ENDED, ()),
        _V.UNREACHABLE: (_X.ENDED, ()),
    },
    _X.FADING: {
        _V.ANSWERED: (_X.ENDED, ("stop_timers", "send_ack")),
        _V.REJECTED: (_X.ENDED, ("stop_timers",)),
        _V.UNREACHABLE: (_X.ENDED, ("stop_timers",)),
        _V.GIVE_UP: (_X.ENDED, ("drop_request",)),
    },
}

# UPDATE (RFC 3311), INFO (RFC 6086) and MESSAGE (RFC 3428) inside a call.
REQUEST_EXCHANGE: ExchangeTable = {
    _X.PASSED: {
        _V.ANSWERED: (_X.ENDED, ("pass_answer",)),
        _V.REJECTED: (_X.ENDED, ("pass_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("reject_timeout", "report_far_lost")),
        _V.DROP: (_X.ENDED, ("reject_terminated",)),
    },
}

# UPDATE between early dialogs (RFC 3311 section 5).
EARLY_UPDATE: ExchangeTable = {
    _X.PASSED: {
        _V.ANSWERED: (_X.ENDED, ("pass_answer",)),
        _V.REJECTED: (_X.ENDED, ("pass_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("reject_timeout",)),
        _V.DROP: (_X.ENDED, ("reject_terminated",)),
    },
}

# PRACK between them: whatever comes of it, the one that acknowledges something gets a 2xx (RFC 3262 section 3).
EARLY_PRACK: ExchangeTable = {
    _X.PASSED: {
        _V.ANSWERED: (_X.ENDED, ("pass_answer",)),
        _V.REJECTED: (_X.ENDED, ("answer_alone",)),
        _V.UNREACHABLE: (_X.ENDED, ("answer_alone",)),
        _V.DROP: (_X.ENDED, ("answer_alone",)),
    },
}

# An offer inside a call that we answer ourselves, from our 2xx on (RFC 3261 13.3.1.4).
OWN_ANSWER: ExchangeTable = {
    _X.ANSWERED: {
        _V.REPEAT: (_X.ANSWERED, ("repeat_answer",)),
        _V.ACKNOWLEDGED: (_X.ENDED, ("stop_timers", "take_answer")),
        _V.UNACKNOWLEDGED: (_X.ENDED, ("stop_timers", "report_lost")),
        _V.DROP: (_X.ENDED, ("stop_timers",)),
    },
}

# A re-INVITE of our own (RFC 3261 section 14).
OWN_OFFER: ExchangeTable = {
    _X.PASSED: {
        _V.ANSWERED: (_X.ENDED, ("confirm", "report_answer")),
        _V.REJECTED: (_X.ENDED, ("report_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("report_lost",)),
        _V.DROP: (_X.DROPPED, ()),
    },
    _X.DROPPED: {
        _V.ANSWERED: (_X.ENDED, ("confirm",)),
        _V.REJECTED: (_X.ENDED, ()),
        _V.UNREACHABLE: (_X.ENDED, ()),
    },
}

# A refresh of our own, by re-INVITE or UPDATE (RFC 4028 section 10).
REFRESH: ExchangeTable = {
    _X.WAITING: {
        _V.AGAIN: (_X.PASSED, ("begin",)),
        _V.NEEDLESS: (_X.ENDED, ()),
        _V.DROP: (_X.ENDED, ("stop_timer",)),
    },
    _X.PASSED: {
        _V.ANSWERED: (_X.ENDED, ("confirm", "report_answer")),
        _V.POSTPONED: (_X.WAITING, ("wait",)),
        _V.REJECTED: (_X.ENDED, ("report_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("report_lost",)),
        _V.DROP: (_X.DROPPED, ()),
    },
    _X.DROPPED: {
        _V.ANSWERED: (_X.ENDED, ("confirm",)),
        _V.REJECTED: (_X.ENDED, ()),
        _V.UNREACHABLE: (_X.ENDED, ()),
    },
}
