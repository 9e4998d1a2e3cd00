"""What a REGISTER asks for, read and checked (RFC 3261 10.2 and 10.3, RFC 3327, RFC 5626 section 6).

Owns expiration intervals, weights, instance ids, the Path and the bounds on what a phone may make us keep.
Leaves to `update` what becomes of the bindings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from b2bua.registrar.reach import first_hop
from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import is_number, unquote
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import STAR, Request
from b2bua.sip.uri import Params, Uri, write_params
from b2bua.values import Frozen

MALFORMED_EXPIRES: Final = 3600
"""Seconds that a malformed interval stands for (RFC 3261 20.10)."""

NEVER_TOO_BRIEF: Final = 3600
"""Seconds from which on an interval must not be refused as too brief (RFC 3261 10.3 step 7)."""

MOST_CONTACTS: Final = 100
"""Contacts that one request may name and one address-of-record may have, whatever the policy says."""

CONTACT_OCTETS: Final = 1024
"""The longest contact that is read, URI and parameters together."""

PATH_OCTETS: Final = 2048
"""The longest Path that is kept, all values together."""


class Bounds(Frozen):
    """What policy and settings allow. Intervals in seconds; `max_contacts` None leaves the hard limit."""

    min_expires: int = 60
    max_expires: int = 3600
    default_expires: int = 3600
    max_contacts: int | None = None


class Wanted(Frozen):
    """One contact to bind for `expires` seconds, or to remove when that is 0.

    `contact` is the URI's text. `params` leaves `expires` and `q` out. `reg_id` is present only where RFC
    5626 binding rules apply.
    """

    uri: Uri
    contact: str
    expires: int
    q: float
    params: Params
    instance: str | None
    reg_id: int | None


class Asked(Frozen):
    """All that one REGISTER asks for. Without `everything` and `contacts` it is a query.

    `everything` is `Contact: *`: remove all. `path` is the route to store with each binding. `echo_path` and
    `require_outbound` say what the 200 has to tell (RFC 3327 5.3, RFC 5626 section 6).
    """

    everything: bool
    contacts: tuple[Wanted, ...]
    path: tuple[str, ...]
    echo_path: bool
    require_outbound: bool


def read(request: Request, bounds: Bounds, check: Callable[[Uri], None]) -> Asked:
    """Read a REGISTER. `check` refuses contacts that nobody may have.

    Raises PeerError: 400 for what breaks the rules, what `check` raises, 423 with Min-Expires for an interval that is
    too brief, 439 where the first hop does not know RFC 5626.
    """
    header = request.get("Expires")
    contacts = request.contacts
    if contacts is STAR:
        if header is None or seconds(header) != 0:
            raise PeerError(400, "Contact * Needs Expires 0")
        return Asked(True, (), (), False, False)
    if len(contacts) > MOST_CONTACTS:
        raise PeerError(403, "Too Many Contacts")
    path = _path(request)
    options = _options(request)
    said = [_said(contact) for contact in contacts]
    numbers = [one.reg_id for one in said if one.reg_id is not None]
    numbered = bool(numbers) and _may_number(request, path, options)
    default = _default(header, bounds)
    wanted = tuple([_wanted(one, default, bounds, numbered, check) for one in said])
    outbound = numbered and any(contact.reg_id is not None for contact in wanted)
    if outbound and sum(contact.expires > 0 for contact in wanted) > 1:
        raise PeerError(400, "One Contact With A reg-id At A Time")
    return Asked(False, wanted, path, bool(path) and "path" in options, outbound and "outbound" in options)


def seconds(text: str) -> int:
    """An interval in seconds. What is malformed or beyond 2**32-1 counts as an hour (RFC 3261 20.10)."""
    if not is_number(text) or len(text) > 10:
        return MALFORMED_EXPIRES
    number = int(text)
    return number if number < 2**32 else MALFORMED_EXPIRES


def is_text(text: str) -> bool:
    """Whether it can be stored: octets that are no UTF-8 are kept as surrogates, which JSON cannot hold."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _default(header: str | None, bounds: Bounds) -> int:
    """The interval of a contact that names none: the header's, else ours, which never refuses itself."""
    if header is not None:
        return seconds(header)
    return max(bounds.default_expires, bounds.min_expires)


class _Said(Frozen):
    """What a contact says by itself: `Wanted` before anything is granted; `expires` is None where it names none."""

    uri: Uri
    contact: str
    expires: int | None
    q: float
    params: Params
    instance: str | None
    reg_id: int | None


@lru_cache(maxsize=4096)
def _said(contact: NameAddr) -> _Said:
    """Read a contact, as its phone writes it each time. PeerError 400, also for one that could never be kept."""
    expires, q, instance, reg_id = None, 1.0, None, None
    params = []
    for param in contact.params:
        name, value = param[0], param[1] or ""
        if name == "expires":
            expires = seconds(value)
            continue
        if name == "q":
            q = _weight(value)
            continue
        if name == "+sip.instance":
            instance = _instance(value)
        elif name == "reg-id":
            reg_id = _reg_id(value)
        params.append(param)
    text = str(contact.uri)
    whole = text + write_params(tuple(params))
    if len(whole) > CONTACT_OCTETS:
        raise PeerError(400, "Contact Too Long")
    if not is_text(whole):
        raise PeerError(400, "Contact Is Not UTF-8")
    return _Said(contact.uri, text, expires, q, tuple(params), instance, reg_id)


def _wanted(said: _Said, default: int, bounds: Bounds, numbered: bool, check: Callable[[Uri], None]) -> Wanted:
    uri = said.uri
    expires = default if said.expires is None else said.expires
    if expires:
        expires = _granted(expires, bounds)
        check(uri)
    reg_id = said.reg_id if numbered and said.instance is not None else None
    return Wanted(uri, said.contact, expires, said.q, said.params, said.instance, reg_id)


def _granted(asked: int, bounds: Bounds) -> int:
    """The interval that is given for one asked for (more than 0)."""
    if asked < NEVER_TOO_BRIEF and asked < bounds.min_expires:
        raise PeerError(423, "Interval Too Brief", (("Min-Expires", str(bounds.min_expires)),))
    return min(asked, bounds.max_expires)


def _weight(text: str) -> float:
    """A `q` value: 0 to 1 with up to three decimals (RFC 3261 25.1 qvalue); more decimals are let through."""
    whole, _, decimals = text.partition(".")
    if is_number(whole + decimals) and len(text) <= 10 and float(text) <= 1.0:
        return round(float(text), 3)
    raise PeerError(400, "Bad q In Contact")


def _instance(text: str) -> str:
    """The instance id without quotes and angle brackets. The URN of a UUID knows no case (RFC 5626 4.1)."""
    text = unquote(text)
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    return text.lower() if text[:9].lower() == "urn:uuid:" else text


def _reg_id(text: str) -> int:
    if is_number(text) and len(text) <= 10 and 0 < int(text) < 2**31:
        return int(text)
    raise PeerError(400, "Bad reg-id In Contact")


def _options(request: Request) -> frozenset[str]:
    if "Supported" not in request.headers:
        return frozenset()
    return frozenset([option.lower() for option in request.values("Supported")])


def _path(request: Request) -> tuple[str, ...]:
    """The Path as route values, first hop first.

    It is kept whether or not the phone says `Supported: path`, as RFC 3327 5.3 allows: a proxy that has put
    itself there has to be passed, and most phones behind one have never heard of it. Only a phone that has
    is told.
    """
    if "Path" not in request.headers:
        return ()
    values = tuple(request.values("Path"))
    if sum([len(value) for value in values]) > PATH_OCTETS:
        raise PeerError(400, "Path Too Long")
    for value in values:
        if NameAddr.parse(value).uri.scheme not in ("sip", "sips") or not is_text(value):
            raise PeerError(400, "Bad Path")
    return values


def _may_number(request: Request, path: tuple[str, ...], options: frozenset[str]) -> bool:
    """Whether RFC 5626 binding rules may apply to a reg-id: the phone's first hop keeps its flow (section 6).

    That is us, or the proxy next to the phone, whose Path value is the last one and says `ob`.
    """
    if first_hop(request) or (path and NameAddr.parse(path[-1]).uri.has("ob")):
        return True
    if "outbound" in options:
        raise PeerError(439, "First Hop Lacks Outbound Support")
    return False
