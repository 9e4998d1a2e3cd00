"""What the language knows of events: their facts, and the decisions that they take.

Owns these tables alone. Whether a script keeps to them is for `resolve` and `check`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from dsl.decision import Media


class Type(StrEnum):
    """What a value is; the text is how an operator is told of it."""

    USER = "a user"
    PARTY = "a user or a number"
    TEXT = "a text"
    WRITTEN = "a text of the users file or a table"
    WHOLE = "a whole number"
    TIME = "a time"
    TRUTH = "true or false"
    ADDRESS = "an address"
    ROW = "a row of a table"
    TRUNK = "a trunk"
    UNKNOWN = "unknown"


class Fact(msgspec.Struct, frozen=True):
    """A fact of an event: its type, whether it may be absent, and whether the caller chooses it."""

    type: Type
    optional: bool = False
    chosen: bool = False


_ALWAYS = {
    "source": Fact(Type.ADDRESS),
    "transport": Fact(Type.TEXT),
    "authenticated": Fact(Type.TRUTH),
    "caller": Fact(Type.USER, optional=True),
}
_REQUEST = _ALWAYS | {
    "claimed": Fact(Type.TEXT, optional=True, chosen=True),
    "dialed": Fact(Type.TEXT, optional=True, chosen=True),
    "anonymous": Fact(Type.TRUTH),
    "diverted by": Fact(Type.PARTY, optional=True, chosen=True),
}
_CALLED = _REQUEST | {"callee": Fact(Type.USER, optional=True)}
_HOLD = _REQUEST | {
    "holder": Fact(Type.PARTY, optional=True),
    "held": Fact(Type.PARTY, optional=True),
}
_OUTCOME = _REQUEST | {
    "target": Fact(Type.PARTY, chosen=True),
    "code": Fact(Type.WHOLE, optional=True),
    "rang": Fact(Type.TRUTH),
    "tried": Fact(Type.WHOLE),
}

FACTS: dict[str, dict[str, Fact]] = {
    "register": _ALWAYS
    | {
        "user": Fact(Type.USER, optional=True),
        "expires": Fact(Type.TIME, optional=True, chosen=True),
        "contacts": Fact(Type.WHOLE),
        "agent": Fact(Type.TEXT, optional=True, chosen=True),
    },
    "call": _CALLED,
    "busy": _OUTCOME,
    "no-answer": _OUTCOME,
    "unreachable": _OUTCOME,
    "failure": _OUTCOME,
    "redirect": _OUTCOME | {"redirected": Fact(Type.TEXT, chosen=True)},
    "hold": _HOLD,
    "resume": _HOLD | {"held for": Fact(Type.TIME)},
    "transfer": _REQUEST
    | {
        "transferor": Fact(Type.PARTY, optional=True, chosen=True),
        "transferee": Fact(Type.PARTY, optional=True, chosen=True),
        "target": Fact(Type.USER, optional=True),
        "attended": Fact(Type.TRUTH),
    },
    "message": _CALLED,
}
"""The facts of every event that is available."""

FACT_NAMES = frozenset(name for facts in FACTS.values() for name in facts)

AMOUNTS = frozenset(
    name for facts in FACTS.values() for name, fact in facts.items() if fact.type in (Type.WHOLE, Type.TIME)
)
"""Facts that are whole numbers or times, whose literals are amounts and no digits to dial."""

OUTCOMES = ("busy", "no-answer", "unreachable", "failure", "redirect")
REQUIRED_EVENTS = ("register", "call")
GOES_ON = ("hold", "resume")
"""Events that simply go on where a policy says nothing of them."""

WITHIN_A_CALL = (*GOES_ON, "transfer")
"""Events of a call that was answered."""

REFUSED = {"transfer": 403, "message": 405}
"""With what an event is refused of which a policy says nothing."""

DECISIONS: dict[str, frozenset[str]] = {
    "register": frozenset({"challenge", "accept", "reject"}),
    "call": frozenset({"challenge", "reject", "redirect", "dial", "forward", "answer"}),
    "hold": frozenset({"continue", "play"}),
    "resume": frozenset({"continue"}),
    "transfer": frozenset({"transfer", "reject"}),
    "message": frozenset({"challenge", "reject", "deliver"}),
} | dict.fromkeys(OUTCOMES, frozenset({"reject", "redirect", "dial", "forward", "answer"}))
"""What may decide an event. `do` may everywhere, for its sub decides."""

SERVICES: tuple[Literal["echo", "tone"], ...] = ("echo", "tone")
"""How a call can be answered besides `play` and a sound."""

MEDIA: tuple[Media, ...] = ("direct", "relay", "auto")
"""How a call's media can flow; the last is what holds where no rule chooses."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

STATES = ("absent", "emergency", "registered", "busy", "up", "full", "caller", "known")
"""What can stand after `is`: of a fact, of `dialed`, of a user (two), of a trunk (two), of whoever acts in a call,
and of `transferor`.
"""

SILENT = "silent"
"""The state that a test can give to a party of whom nothing at all is heard."""

LIMITED_BY = ("caller", "caller.number", "user", "callee", "dialed", "trunk", "source", "net")
"""What a limit can count for each of: a trunk is the one that a call came from, a net the first that has its source,
`caller.number` the account's or the one that a trunk gives.
"""

LIMITED_USERS = ("caller", "user", "callee")
"""Those of them that are users, and can have a number of their own."""

PARAMETER_TYPES = {"user": Type.USER, "number": Type.TEXT, "text": Type.TEXT}

UNTOUCHABLE_HEADERS = {
    "routing": "via v route record-route max-forwards max-breadth path service-route contact m request-disposition d",
    "dialog": "from f to t call-id i cseq rseq rack replaces referred-by b refer-to r session-expires x min-se"
    " event o require supported k proxy-require allow",
    "authentication": "authorization proxy-authorization www-authenticate proxy-authenticate"
    " authentication-info proxy-authentication-info",
    "length and type": "content-length l content-type c content-encoding e content-disposition mime-version",
}
"""Headers that a script cannot set or strip, by what they are for, in lower case, compact forms included."""
