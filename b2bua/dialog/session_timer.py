"""Session timers: what a request and its 2xx agree on for one dialog (RFC 4028 sections 4, 5, 7 and 9).

Pure values in, values out. Owns reading and writing Session-Expires and Min-SE, the choice of interval and refresher
(table 2), and what is too small. Leaves to `b2bua.call.refreshing` who refreshes when.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, TypeAlias

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import is_number
from b2bua.sip.message import Request, Response
from b2bua.values import Frozen

Refresher: TypeAlias = Literal["us", "late", "peer", "open", "nobody"]
Fields: TypeAlias = tuple[tuple[str, str], ...]

OPTION: Final = "timer"
# What Min-SE is where nobody says it, in seconds (RFC 4028 section 5).
_USUAL_MIN: Final = 90
# A session that we refresh ourselves after no less than four minutes.
_LASTING: Final = 480
# Longer ones are cut: nobody waits for them (a delta-seconds may have any number of digits).
_LONGEST: Final = 1 << 31
# Of a Session-Expires, in characters: what is agreed is remembered by it.
_LONGEST_VALUE: Final = 200


class Terms(Frozen):
    """What we ask for: an interval of `expires` seconds, and none below `min_se`."""

    expires: int
    min_se: int


class SessionTimer(Frozen):
    """What holds in one dialog.

    `interval` is its Session-Expires and `min_se` the greatest lower bound that either side named, in seconds.
    `refresher` is who refreshes: `us`, `peer`, `late` when it is us and our last refresh was refused, `open` before
    that is agreed, `nobody` where session timers are switched off. `supported` is whether the peer knows them,
    `by_update` whether it takes UPDATE. `asking` is what a request of ours says of it (section 7.4), and `telling` our
    2xx (section 9). `is_lasting` is whether nothing is due within the first minutes.
    """

    interval: int
    min_se: int
    refresher: Refresher
    supported: bool
    by_update: bool
    asking: Fields
    telling: Fields
    is_lasting: bool

    @property
    def grace(self) -> float:
        """How long before the session expires it is to be ended (section 10), in seconds."""
        return min(32.0, self.interval / 3)


OFF: Final = SessionTimer(0, 0, "nobody", False, False, (), (), True)
"""No session timer."""


@lru_cache(maxsize=1024)
def session_timer(
    interval: int, min_se: int, refresher: Refresher, supported: bool = False, by_update: bool = False
) -> SessionTimer:
    """One that holds, with what we say of it. Dialogs have the same few."""
    ours = refresher in ("us", "late")
    option = ("Supported", OPTION)
    asking = [option, ("Session-Expires", f"{interval};refresher={'uac' if ours else 'uas'}")]
    telling = [option, ("Session-Expires", f"{interval};refresher={'uas' if ours else 'uac'}")]
    if refresher == "open":
        asking = [option, ("Session-Expires", str(interval))]
    if supported:
        telling.append(("Require", OPTION))
    if min_se != _USUAL_MIN:
        asking.append(("Min-SE", str(min_se)))
    is_lasting = refresher != "peer" and interval >= _LASTING
    return SessionTimer(interval, min_se, refresher, supported, by_update, tuple(asking), tuple(telling), is_lasting)


def check(request: Request, terms: Terms) -> None:
    """422 for an interval that is too small, if its sender knows what that means (section 9). PeerError 400 or 422."""
    text = request.get("Session-Expires")
    if text is not None and _read(text)[0] < terms.min_se and _has_timer(request):
        raise PeerError(422, "Session Interval Too Small", (("Min-SE", str(terms.min_se)),))


def offered(request: Request, terms: Terms, before: SessionTimer) -> SessionTimer:
    """What our 2xx to this request agrees to (section 9, table 2); `before` is what held until now.

    PeerError 400 for a Session-Expires that cannot be read: `check` comes first.
    """
    least, by_update = _seconds(request.get("Min-SE")), _takes_update(request, before)
    return _offered(request.get("Session-Expires"), least, _has_timer(request), by_update, terms, before)


def answered(response: Response, terms: Terms, before: SessionTimer) -> SessionTimer:
    """What the peer's 2xx agrees to (section 7.2); `before` is what our request said."""
    text, by_update = response.get("Session-Expires"), _takes_update(response, before)
    try:
        asked, refresher = (None, None) if text is None else _read(text)
    except PeerError:
        asked = refresher = None
    if asked is None:
        # The peer takes no part: we refresh alone (section 7.2).
        return session_timer(before.interval, before.min_se, "us", False, by_update)
    who: Refresher = "peer" if refresher == "uas" else "us"
    return session_timer(max(asked, terms.min_se), before.min_se, who, True, by_update)


def raised(response: Response, before: SessionTimer) -> SessionTimer | None:
    """What to ask for after this 422; None where it does not say more than we did (section 7.3)."""
    least = _seconds(response.get("Min-SE"))
    if least <= before.min_se:
        return None
    interval = max(before.interval, least)
    return session_timer(interval, least, before.refresher, before.supported, before.by_update)


@lru_cache(maxsize=256)
def _offered(
    expires: str | None, least: int, supported: bool, by_update: bool, terms: Terms, before: SessionTimer
) -> SessionTimer:
    asked, refresher = (None, None) if expires is None else _read(expires)
    min_se = max(terms.min_se, before.min_se, least)
    interval = before.interval or terms.expires if asked is None else min(asked, terms.expires)
    kept = refresher is None and before.refresher == "peer"
    who: Refresher = "peer" if supported and (refresher == "uac" or kept) else "us"
    return session_timer(max(interval, min_se), min_se, who, supported, by_update)


def _takes_update(message: Request | Response, before: SessionTimer) -> bool:
    """Whether an Allow names UPDATE; without one it is as before."""
    return "UPDATE" in message.values("Allow") if "Allow" in message.headers else before.by_update


def _has_timer(request: Request) -> bool:
    """Whether its sender knows session timers."""
    return any(option.lower() == OPTION for name in ("Supported", "Require") for option in request.values(name))


def _seconds(text: str | None) -> int:
    """What a Min-SE says; 0 where it cannot be read, or is not there."""
    try:
        return 0 if text is None else _read(text)[0]
    except PeerError:
        return 0


def _read(text: str) -> tuple[int, str | None]:
    """A number of seconds, and who is named as refresher. PeerError 400."""
    number, *parameters = (part.strip() for part in text.split(";"))
    if not is_number(number) or len(text) > _LONGEST_VALUE:
        raise PeerError(400, "Bad Session-Expires")
    seconds = min(int(number), _LONGEST) if len(number) <= 10 else _LONGEST
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "refresher":
            return seconds, value.strip().lower()
    return seconds, None
