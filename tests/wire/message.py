"""SIP messages as a test looks at them, and where they go.

A reader of its own, on purpose: what the product writes is not to be judged by the product's own parser.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .program import WireError


class Address(NamedTuple):
    """Where a program listens: an IP address as text, IPv6 without brackets, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Message(NamedTuple):
    """One SIP message as SIPp logged it."""

    direction: Literal["sent", "received"]
    text: str

    @property
    def start(self) -> str:
        """The start line."""
        return self.text.split("\n", 1)[0].strip()

    @property
    def head(self) -> str:
        """Start line and headers."""
        return self.text.split("\n\n", 1)[0]

    @property
    def body(self) -> str:
        """What follows the empty line, lines ended by a bare newline."""
        return self.text.partition("\n\n")[2]

    @property
    def method(self) -> str:
        """The method that the CSeq names, of a request and of a response alike."""
        return self.header("CSeq").split()[-1]

    def headers(self, name: str) -> list[str]:
        """Return the values of all lines of that header."""
        return re.findall(rf"(?im)^{re.escape(name)}[ \t]*:[ \t]*(.*?)[ \t]*$", self.head)

    def header(self, name: str) -> str:
        """Return the value of the only line of that header; WireError when there is not exactly one."""
        found = self.headers(name)
        if len(found) != 1:
            raise WireError(f"{len(found)} {name} headers in:\n{self.text}")
        return found[0]
