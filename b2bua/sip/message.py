"""Requests and responses: header fields split once, their values read when asked for (RFC 3261 section 7).

Owns what a message holds and how one is written. Leaves to `parser` how octets become one, to `headers` what the values
of single fields look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from b2bua.sip.errors import LocalError, PeerError
from b2bua.sip.grammar import BLANK, TOKEN, is_number, is_token, split_commas
from b2bua.sip.headers import CSeq, NameAddr, Via
from b2bua.sip.names import SPELLINGS, canonical
from b2bua.sip.reasons import REASONS
from b2bua.sip.uri import CACHED_LENGTH, Uri

__all__ = ["REASONS", "STAR", "Headers", "Request", "Response", "Star", "encode_request", "encode_response"]

Headers: TypeAlias = dict[str, Sequence[str]]
"""Field values by canonical name: one string a header line, unfolded and stripped, not yet split at commas."""


class Star(Enum):
    """`Contact: *`, all bindings (RFC 3261 10.2.2)."""

    STAR = "*"


STAR: Final = Star.STAR

MOST_VIAS: Final = 256
"""More hops than any Max-Forwards allows (RFC 3261 20.22): a message with more Vias is not even answered."""


class _Message:
    """What requests and responses have in common. Names are given in canonical form; see `names.canonical`.

    `via` (the topmost), `from_`, `to`, their tags (None where there is none), `cseq` and `call_id` are there once
    `read_mandatory` has read them; whether a tag is among the parameters of its address as well is left open.
    Properties read their field when first asked and raise PeerError 400 where it is broken.
    """

    __slots__ = (
        "_contacts",
        "body",
        "call_id",
        "cseq",
        "from_",
        "from_tag",
        "headers",
        "to",
        "to_tag",
        "via",
    )

    headers: Headers
    body: bytes
    via: Via
    cseq: CSeq
    call_id: str
    from_: NameAddr
    from_tag: str | None
    to: NameAddr
    to_tag: str | None
    _contacts: list[NameAddr] | Star | None

    def read_mandatory(self) -> None:
        """Read what every message must have (8.1.1). PeerError 400 naming what is missing or broken."""
        headers = self.headers
        try:
            vias = headers["Via"]
            from_ = headers["From"][0]
            to = headers["To"][0]
            cseq = headers["CSeq"][0]
            self.call_id = headers["Call-ID"][0]
        except KeyError as error:
            raise PeerError(400, f"Missing {error.args[0]}") from None
        via = vias[0]
        if len(vias) > 1 or "," in via:
            # Those below the topmost have to be in order too: a response repeats them.
            values = self.values("Via")
            if len(values) > MOST_VIAS:
                raise PeerError(513, "Too Many Via Values")
            read = [Via.parse(value) for value in values]
            if not read:
                raise PeerError(400, "Bad Via")
            self.via = read[0]
        else:
            self.via = Via.parse(via)
        self.from_, self.from_tag = _read_tagged(from_, "From")
        self.to, self.to_tag = _read_tagged(to, "To")
        self.cseq = CSeq.parse(cseq)
        if not self.call_id:
            raise PeerError(400, "Empty Call-ID")

    def get(self, name: str) -> str | None:
        """The first line of a field, None without any."""
        values = self.headers.get(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """The lines of a field in order."""
        return list(self.headers.get(name) or ())

    def values(self, name: str) -> list[str]:
        """The values of a field in order, lines split at commas outside quotes and angle brackets."""
        values: list[str] = []
        for line in self.headers.get(name) or ():
            values += split_commas(line)
        return values

    @property
    def contacts(self) -> list[NameAddr] | Star:
        """All contacts in order, not to be changed; STAR for the one value `*`."""
        contacts = self._contacts
        if contacts is None:
            values = self.values("Contact")
            if "*" in values:
                if len(values) > 1:
                    raise PeerError(400, "Contact * Stands Alone")
                contacts = STAR
            else:
                try:
                    contacts = [NameAddr.parse(value) for value in values]
                except PeerError as error:
                    raise PeerError(400, f"{error.reason} In Contact") from None
            self._contacts = contacts
        return contacts

    @property
    def max_forwards(self) -> int | None:
        """Hops that are left, 0 to 255; None where the field is missing (RFC 3261 20.22)."""
        text = self.get("Max-Forwards")
        if text is None:
            return None
        if not is_number(text) or len(text) > 9 or int(text) > 255:
            raise PeerError(400, "Bad Max-Forwards")
        return int(text)

    @property
    def content_type(self) -> str | None:
        """The media type in lower case, without parameters."""
        text = self.get("Content-Type")
        if text is None or text == "application/sdp":
            return text
        media, _, _ = text.partition(";")
        main, slash, sub = media.partition("/")
        main, sub = main.strip(BLANK), sub.strip(BLANK)
        if not slash or not is_token(main) or not is_token(sub):
            raise PeerError(400, "Bad Content-Type")
        return f"{main}/{sub}".lower()


def _read_tagged(text: str, name: str) -> tuple[NameAddr, str | None]:
    """A From or To and its tag. A call's messages have the same few, and only the tag is new in a call's first."""
    met = _tagged.get(text)
    if met is not None:
        return met
    read = _read_new(text, name)
    if len(text) <= CACHED_LENGTH:
        if len(_tagged) >= _MOST_TAGGED:
            _tagged.clear()
        _tagged[text] = read
    return read


_MOST_TAGGED: Final = 4096
_tagged: Final[dict[str, tuple[NameAddr, str | None]]] = {}
"""Values of From and To by their text."""


def _read_new(text: str, name: str) -> tuple[NameAddr, str | None]:
    """The same for one that was not met lately: the address is read apart from the tag, and remembered."""
    base, found, tag = text.rpartition(";tag=")
    apart = found and base[-1:] == ">" and tag and (tag.isalnum() or TOKEN.issuperset(tag))
    try:
        address = NameAddr.parse(base if apart else text)
    except PeerError as error:
        raise PeerError(400, f"{error.reason} In {name}") from None
    if address.params:
        known = address.tag
        return address, tag if apart and known is None else known
    return address, tag if apart else None


def _breaks(text: str) -> bool:
    return "\r" in text or "\n" in text or has_stray_nul(text)


def _is_via(text: str) -> bool:
    try:
        Via.parse(text)
    except PeerError:
        return False
    return not _breaks(text)


def _address_or_blank(text: str) -> NameAddr:
    try:
        return NameAddr.parse(text)
    except PeerError:
        return NameAddr("", Uri("", None, None, "", None))


class Request(_Message):
    """A request. `uri` is the Request-URI as received, `request_uri` is there once `read_uri` has read it."""

    __slots__ = ("method", "request_uri", "uri")

    request_uri: Uri

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self._contacts = None
        self.method = method
        self.uri = uri

    def read_uri(self) -> None:
        """Read the Request-URI. PeerError 400, also where it has header components (RFC 3261 19.1.5)."""
        self.request_uri = uri = Uri.parse(self.uri)
        if uri.headers is not None:
            raise PeerError(400, "Headers In Request-URI")

    def salvage(self) -> bool:
        """Whether this malformed request can be answered: what a response repeats is there (RFC 3261 8.2.6.2).

        Of repeated fields the first is kept. From and To are repeated as text, so one that cannot be read is let
        pass: it then counts as without tag, and a CSeq as 0. Vias below the topmost that cannot be read are dropped.
        """
        for name in ("From", "To", "Call-ID", "CSeq"):
            text = self.get(name)
            if not text or _breaks(text):
                return False
            self.headers[name] = [text]
        values = self.values("Via")
        vias = [value for value in values if _is_via(value)] if len(values) <= MOST_VIAS else []
        if not vias or vias[0] != values[0]:
            return False
        self.headers["Via"] = vias
        self.via = Via.parse(vias[0])
        self.call_id = self.headers["Call-ID"][0]
        self.from_ = _address_or_blank(self.headers["From"][0])
        self.to = _address_or_blank(self.headers["To"][0])
        self.from_tag, self.to_tag = self.from_.tag, self.to.tag
        try:
            self.cseq = CSeq.parse(self.headers["CSeq"][0])
        except PeerError:
            self.cseq = CSeq(0, self.method)
        return True

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(_Message):
    """A response. `status` is 100 to 699."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self._contacts = None
        self.status = status
        self.reason = reason

    @property
    def contacts(self) -> list[NameAddr] | Star:
        """All contacts in order, not to be changed. A Contact that cannot be read counts as none: unlike a request,
        a response cannot be refused, and the rest of it holds.
        """
        try:
            return super().contacts
        except PeerError:
            self._contacts = []
            return self._contacts

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def encode_request(method: str, uri: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """A request's octets. Content-Length is added.

    LocalError for what would break the framing: CR, LF or a stray NUL in a name or value, a name that is no token, a
    Content-Length, a space in the method or URI.
    """
    if not is_token(method) or " " in uri or not uri:
        raise LocalError("a method or Request-URI of ours cannot be written")
    return _encode(f"{method} {uri} SIP/2.0", headers, body)


def encode_response(status: int, reason: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """A response's octets. Content-Length is added. LocalError as for a request, or for a status beyond 100 to 699."""
    if not 100 <= status <= 699:
        raise LocalError(f"{status} is no status of a response")
    return _encode(f"SIP/2.0 {status} {reason}", headers, body)


def _encode(start: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    for name, _ in headers:
        known = SPELLINGS.get(name) or canonical(name)
        if known == "Content-Length" or (known not in SPELLINGS and not is_token(name)):
            raise LocalError(f"{name!r} cannot be written as the name of a header")
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    text = f"{start}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    ends = len(headers) + 3
    if text.count("\n") != ends or text.count("\r") != ends or has_stray_nul(text):
        raise LocalError("CR, LF or NUL in a header value of ours")
    try:
        return text.encode("utf-8", "surrogateescape") + body
    except UnicodeEncodeError as error:
        raise LocalError("a header value of ours is no text") from error


def has_stray_nul(text: str) -> bool:
    """Whether there is a NUL outside a quoted-pair: RFC 3261 section 25.1 allows it after a backslash only."""
    return "\0" in text and "\0" in text.replace("\\\0", "")
