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

_X, _V = ExchangeState, ExchangeEvent

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
