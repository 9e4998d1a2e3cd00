"""How a transfer goes (RFC 3515, RFC 5589), and how its transferor hears of it: tables, read as those of `tables`."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from b2bua.call.tables import ExchangeEvent, ExchangeState, ExchangeTable


class TransferState(StrEnum):
    """Where a transfer stands."""

    DIALLING = "Dialling"
    WAITING = "Waiting"
    JOINING = "Joining"
    PARTING = "Parting"
    ENDED = "Ended"


class TransferEvent(StrEnum):
    """What a transfer meets: from the target, from the two in the call, or from its timer."""

    PROGRESSED = "progressed"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    QUIET = "quiet"
    JOINED = "joined"
    REFUSED = "refused"
    TARGET_LEFT = "target left"
    LEFT = "left"
    PARTED = "parted"
    DROP = "drop"


TransferTable: TypeAlias = dict[TransferState, dict[TransferEvent, tuple[TransferState, tuple[str, ...]]]]

_S, _E = TransferState, TransferEvent

# While the target rings the call is what it was. Once the target is there, the transferee is told of it as soon as no
# other offer is open; if it does not take that, the call goes on as before. The transferor may leave at any time, and
# is hung up on when it has had time to do so itself. `drop` is the end of the call.
TRANSFER: TransferTable = {
    _S.DIALLING: {
        _E.PROGRESSED: (_S.DIALLING, ("tell_progress",)),
        _E.ANSWERED: (_S.WAITING, ("take_target", "wait_for_quiet")),
        _E.UNANSWERED: (_S.ENDED, ("tell_failure", "go_back")),
        _E.LEFT: (_S.DIALLING, ("go_on_without",)),
        _E.DROP: (_S.ENDED, ("abandon_target", "tell_failure")),
    },
    _S.WAITING: {
        _E.QUIET: (_S.JOINING, ("tell_transferee",)),
        _E.TARGET_LEFT: (_S.ENDED, ("tell_failure", "go_back")),
        _E.LEFT: (_S.WAITING, ("go_on_without",)),
        _E.DROP: (_S.ENDED, ("end_target", "tell_failure")),
    },
    _S.JOINING: {
        _E.JOINED: (_S.PARTING, ("connect", "tell_success", "wait_for_parting")),
        _E.REFUSED: (_S.ENDED, ("end_target", "tell_failure", "go_back")),
        _E.TARGET_LEFT: (_S.ENDED, ("tell_failure", "go_back")),
        _E.LEFT: (_S.JOINING, ("go_on_without",)),
        _E.DROP: (_S.ENDED, ("end_target", "tell_failure")),
    },
    _S.PARTING: {
        _E.LEFT: (_S.ENDED, ("note_parting",)),
        _E.PARTED: (_S.ENDED, ("end_transferor",)),
        _E.DROP: (_S.ENDED, ("end_transferor",)),
    },
}


class AttendedState(StrEnum):
    """Where an attended transfer stands."""

    WAITING = "Waiting"
    SOLICITING = "Soliciting"
    JOINING = "Joining"
    RETURNING = "Returning"
    PARTING = "Parting"
    ENDED = "Ended"


class AttendedEvent(StrEnum):
    """What it meets: from either of the two who are to talk, from the transferor, or from its timer."""

    QUIET = "quiet"
    OFFERED = "offered"
    JOINED = "joined"
    REFUSED = "refused"
    TARGET_LEFT = "target left"
    LEFT = "left"
    OVERDUE = "overdue"
    PARTED = "parted"
    DROP = "drop"


AttendedTable: TypeAlias = dict[AttendedState, dict[AttendedEvent, tuple[AttendedState, tuple[str, ...]]]]

_A, _B = AttendedState, AttendedEvent

# The transferor talks to both: once no offer is open, the target is asked for one, the transferee gets that, and the
# target its answer (RFC 3725 section 4), for which it does not wait long. Whoever does not take part leaves both calls
# as they were. The transferor may leave either call at any time. `drop` is the end of the transferee's call, `target
# left` that of the target's; an offer that nobody is left to get is still answered.
ATTENDED: AttendedTable = {
    _A.WAITING: {
        _B.QUIET: (_A.SOLICITING, ("solicit",)),
        _B.TARGET_LEFT: (_A.ENDED, ("tell_failure", "go_back_here")),
        _B.LEFT: (_A.WAITING, ("go_on_without",)),
        _B.DROP: (_A.ENDED, ("tell_failure", "go_back_there")),
    },
    _A.SOLICITING: {
        _B.OFFERED: (_A.JOINING, ("tell_transferee",)),
        _B.REFUSED: (_A.ENDED, ("tell_failure", "go_back_here", "go_back_there")),
        _B.TARGET_LEFT: (_A.ENDED, ("tell_failure", "go_back_here")),
        _B.LEFT: (_A.SOLICITING, ("go_on_without",)),
        _B.DROP: (_A.RETURNING, ("tell_failure", "withdraw")),
    },
    _A.JOINING: {
        _B.JOINED: (_A.PARTING, ("connect", "tell_success", "end_consultation", "wait_for_parting")),
        _B.REFUSED: (_A.ENDED, ("tell_failure", "answer_as_before", "go_back_here", "go_back_there")),
        _B.OVERDUE: (_A.ENDED, ("tell_failure", "answer_as_before", "drop_joining", "go_back_here", "go_back_there")),
        _B.TARGET_LEFT: (_A.ENDED, ("tell_failure", "drop_joining", "go_back_here")),
        _B.LEFT: (_A.JOINING, ("go_on_without",)),
        _B.DROP: (_A.ENDED, ("tell_failure", "answer_as_before", "go_back_there")),
    },
    _A.RETURNING: {
        _B.OFFERED: (_A.ENDED, ("answer_as_before", "go_back_there")),
        _B.REFUSED: (_A.ENDED, ("go_back_there",)),
        _B.TARGET_LEFT: (_A.ENDED, ()),
    },
    _A.PARTING: {
        _B.LEFT: (_A.ENDED, ("note_parting",)),
        _B.PARTED: (_A.ENDED, ("end_transferor",)),
        _B.DROP: (_A.ENDED, ("end_transferor",)),
    },
}


class ReplacementState(StrEnum):
    """Where the taking of another's place stands."""

    WAITING = "Waiting"
    JOINING = "Joining"
    ENDED = "Ended"


class ReplacementEvent(StrEnum):
    """What it meets: from the far party, from the newcomer, or from whoever is to be replaced."""

    QUIET = "quiet"
    JOINED = "joined"
    REFUSED = "refused"
    LEFT = "left"
    CANCELLED = "cancelled"
    DROP = "drop"


ReplacementTable: TypeAlias = dict[ReplacementState, dict[ReplacementEvent, tuple[ReplacementState, tuple[str, ...]]]]

_R, _C = ReplacementState, ReplacementEvent

# The far party is told of the newcomer as soon as no other offer is open; if it does not take that, the call goes on as
# before. `drop` is the end of the call.
REPLACEMENT: ReplacementTable = {
    _R.WAITING: {
        _C.QUIET: (_R.JOINING, ("tell_far",)),
        _C.LEFT: (_R.WAITING, ("note_parting",)),
        _C.CANCELLED: (_R.ENDED, ("go_back",)),
        _C.DROP: (_R.ENDED, ("reject",)),
    },
    _R.JOINING: {
        _C.JOINED: (_R.ENDED, ("connect",)),
        _C.REFUSED: (_R.ENDED, ("reject", "go_back")),
        _C.LEFT: (_R.JOINING, ("note_parting",)),
        _C.CANCELLED: (_R.ENDED, ("drop_joining", "go_back")),
        _C.DROP: (_R.ENDED, ("reject",)),
    },
}

_X, _V = ExchangeState, ExchangeEvent

# The re-INVITE by which a party is asked for an offer (RFC 3725 section 4): its 2xx waits for the other's answer.
SOLICITING: ExchangeTable = {
    _X.WAITING: {
        _V.AGAIN: (_X.PASSED, ("begin",)),
        _V.DROP: (_X.ENDED, ("stop_timer",)),
    },
    _X.PASSED: {
        _V.ANSWERED: (_X.ANSWERED, ("stop_timer", "take_success", "report_offer")),
        _V.POSTPONED: (_X.WAITING, ("wait",)),
        _V.REJECTED: (_X.ENDED, ("report_rejection",)),
        _V.UNREACHABLE: (_X.ENDED, ("report_lost",)),
        _V.DROP: (_X.DROPPED, ()),
    },
    _X.ANSWERED: {
        _V.ACKNOWLEDGED: (_X.ENDED, ("send_ack",)),
        _V.DROP: (_X.ENDED, ("send_refusal",)),
    },
    _X.DROPPED: {
        _V.ANSWERED: (_X.ENDED, ("take_success", "send_refusal")),
        _V.REJECTED: (_X.ENDED, ()),
        _V.UNREACHABLE: (_X.ENDED, ()),
    },
}

# The re-INVITE that tells one party of another (RFC 3725): after glare once more (RFC 3261 14.1).
JOINING: ExchangeTable = {
    _X.WAITING: {
        _V.AGAIN: (_X.PASSED, ("begin",)),
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


class NoticeState(StrEnum):
    """Where the subscription stands that a REFER makes (RFC 3515 2.4.4)."""

    IDLE = "Idle"
    SENT = "Sent"
    BEHIND = "Behind"
    CLOSING = "Closing"
    CLOSED = "Closed"
    ENDED = "Ended"


class NoticeEvent(StrEnum):
    """What it meets: news of the call that was asked for, the answer to a NOTIFY, or its subscriber's end."""

    NEWS = "news"
    FINAL = "final"
    TAKEN = "taken"
    REFUSED = "refused"
    DROP = "drop"


NoticeTable: TypeAlias = dict[NoticeState, dict[NoticeEvent, tuple[NoticeState, tuple[str, ...]]]]

_N, _H = NoticeState, NoticeEvent

# One NOTIFY at a time, so that none overtakes another; of what happens meanwhile only the last is told.
NOTICE: NoticeTable = {
    _N.IDLE: {
        _H.NEWS: (_N.SENT, ("send",)),
        _H.FINAL: (_N.CLOSED, ("send_last",)),
        _H.DROP: (_N.ENDED, ()),
    },
    _N.SENT: {
        _H.NEWS: (_N.BEHIND, ()),
        _H.FINAL: (_N.CLOSING, ()),
        _H.TAKEN: (_N.IDLE, ()),
        _H.REFUSED: (_N.ENDED, ()),
        _H.DROP: (_N.ENDED, ()),
    },
    _N.BEHIND: {
        _H.NEWS: (_N.BEHIND, ()),
        _H.FINAL: (_N.CLOSING, ()),
        _H.TAKEN: (_N.SENT, ("send",)),
        _H.REFUSED: (_N.ENDED, ()),
        _H.DROP: (_N.ENDED, ()),
    },
    _N.CLOSING: {
        _H.TAKEN: (_N.CLOSED, ("send_last",)),
        _H.REFUSED: (_N.ENDED, ()),
        _H.DROP: (_N.ENDED, ()),
    },
    _N.CLOSED: {
        _H.TAKEN: (_N.ENDED, ()),
        _H.REFUSED: (_N.ENDED, ()),
        _H.DROP: (_N.ENDED, ()),
    },
}
