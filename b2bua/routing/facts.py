"""A request's facts, as the language names them.

Owns reading what was dialled and who is claimed out of a request. From and P-Asserted-Identity say who somebody claims
to be, never who calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from b2bua.effects import Flow
from b2bua.routing.meters import Moment
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri
from dsl.decision import Facts
from dsl.policy import Policy

_SEPARATORS: Final = str.maketrans("", "", "-.() ")
EMERGENCY_URN: Final = "urn:service:sos"


class RequestHeaders(Mapping[str, str]):
    """The first value of each of a request's headers, by lower-case name, gathered when a rule asks for one."""

    __slots__ = ("_found", "_request")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._found: dict[str, str] | None = None

    def _headers(self) -> dict[str, str]:
        if self._found is None:
            self._found = {name.lower(): values[0] for name, values in self._request.headers.items()}
        return self._found

    def __getitem__(self, name: str) -> str:
        return self._headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers())

    def __len__(self) -> int:
        return len(self._headers())


def facts_of(
    request: Request,
    flow: Flow,
    source: str,
    policy: Policy,
    moment: Moment,
    wall: float,
    verified: str | None,
    trunk: str | None,
    anonymous: bool,
    diverted_by: str | None,
) -> Facts:
    """The facts of an INVITE or a MESSAGE.

    `source` is the IP address that it came from, which a front proxy may have seen, and `verified` the account whose
    digest was right. What calls for more than the request is given: whether the caller is to be named, and who
    forwarded last.
    """
    dialed = dialed_of(request)
    return Facts(
        time=wall,
        source=source,
        transport=flow.transport.lower(),
        ambient=moment,
        trunk=trunk,
        authenticated=verified is not None,
        caller=verified,
        claimed=claimed_of(request),
        dialed=dialed,
        callee=policy.callee(dialed),
        anonymous=anonymous,
        diverted_by=diverted_by,
        headers=RequestHeaders(request),
    )


def dialed_of(request: Request) -> str | None:
    """What was dialled: the Request-URI's user, decoded, a number without its separators and parameters."""
    if request.uri.startswith(EMERGENCY_URN):
        return EMERGENCY_URN
    return dialed_in(request.request_uri)


def called_in(request: Request) -> Uri:
    """Whom an INVITE is for that came to a Contact of ours: P-Called-Party-ID says so (RFC 7315 4.2), else To."""
    called = request.get("P-Called-Party-ID")
    try:
        return request.to.uri if called is None else NameAddr.parse(called).uri
    except PeerError:
        return request.to.uri


def dialed_in(uri: Uri) -> str | None:
    """What a URI dials."""
    user = uri.username
    if user is None or user.isalnum():
        return user
    user = user.partition(";")[0]
    number = user.translate(_SEPARATORS)
    return number if number.lstrip("+").isdigit() else user


def claimed_of(request: Request) -> str | None:
    """Who From says is calling."""
    return dialed_in(request.from_.uri)
