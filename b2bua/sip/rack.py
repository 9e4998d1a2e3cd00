"""RSeq and RAck: which provisional response is meant (RFC 3262 section 7)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import is_number, is_token
from b2bua.sip.message import Request, Response
from b2bua.values import Frozen

RELIABLE: Final = "100rel"
"""The option tag (RFC 3262 section 8.1)."""

_END: Final = 1 << 32


class RAck(Frozen):
    """What a PRACK acknowledges: the response's RSeq, and the number and method of what it responds to."""

    rseq: int
    cseq: int
    method: str

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq} {self.method}"

    def means(self, rseq: int, cseq: int) -> bool:
        """Whether it acknowledges the response with this RSeq to the INVITE with this number."""
        return self.rseq == rseq and self.cseq == cseq and self.method == "INVITE"


def rack_of(request: Request) -> RAck:
    """A PRACK's RAck (section 7.2). PeerError 400 where it is missing or broken."""
    words = (request.get("RAck") or "").split()
    if len(words) != 3 or not is_token(words[2]):
        raise PeerError(400, "Bad RAck")
    return RAck(_number(words[0], "RAck"), _number(words[1], "RAck"), words[2])


def rseq_of(response: Response) -> int:
    """A provisional response's RSeq (section 7.1). PeerError 400 where it is broken."""
    return _number(response.get("RSeq") or "", "RSeq")


def _number(text: str, name: str) -> int:
    if not is_number(text) or len(text) > 10 or int(text) >= _END:
        raise PeerError(400, f"Bad {name}")
    return int(text)


def says_reliable(message: Request | Response, name: str) -> bool:
    """Whether Supported or Require, as `name` says, has the option tag."""
    return name in message.headers and any(option.lower() == RELIABLE for option in message.values(name))


@lru_cache(maxsize=1024)
def with_reliable(fields: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The fields of a request of ours with the option tag among what they support, in one line: some read no other."""
    options = [value for name, value in fields if name == "Supported"]
    others = [field for field in fields if field[0] != "Supported"]
    return (("Supported", ", ".join((*options, RELIABLE))), *others)


def allows(message: Request | Response, method: str) -> bool:
    """Whether a message's Allow names this method (RFC 3261 20.5)."""
    return "Allow" in message.headers and method in message.values("Allow")
