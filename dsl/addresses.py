"""SIP URIs of which a policy's rules or a test speak: whether they are ours, and whose.

Owns no more of their syntax than that takes; the engine reads them as RFC 3261 19.1 has them.
"""

from __future__ import annotations

import re

import msgspec

from dsl.policy import Policy

_SIP = re.compile(r"sips?:(?:([^@;?]*)@)?(\[[^\]]*\]|[^;?:@]*)").match


class Address(msgspec.Struct, frozen=True):
    """A SIP URI. `ours`: at a domain of the policy; `user` is then who of its users has it, None for nobody."""

    ours: bool
    user: str | None


def address_of(uri: str, policy: Policy) -> Address | None:
    """What a URI leads to, None for one that is not SIP's."""
    read = _SIP(uri)
    if read is None:
        return None
    ours = read[2] in policy.domains
    return Address(ours, policy.callee(read[1]) if ours else None)
