"""Trunks as ways out: what of a trunk is the same for every call through it, worked out once for a policy.

Owns how a number is written into a trunk's URI. Leaves to the policy which form a number has there.
"""

from __future__ import annotations

from b2bua.dialog.hops import Hop, hop_of
from b2bua.routing.destination import Account
from b2bua.sip.uri import Uri, escape_user
from b2bua.values import Frozen
from dsl.compile_setup import Trunk
from dsl.policy import Policy


class Gateway(Frozen):
    """One trunk. `hop` is where its requests are sent; `scheme` and `tail` stand around the number in their URI."""

    trunk: Trunk
    hop: Hop
    scheme: str
    tail: str
    account: Account | None

    def uri(self, number: str) -> str:
        """The Request-URI of a number that is written as this trunk wants it."""
        return f"{self.scheme}:{escape_user(number)}{self.tail}"


def gateways_of(policy: Policy) -> dict[str, Gateway]:
    """A policy's trunks by name. PeerError for one whose URI is none."""
    return {trunk.name: _gateway(trunk) for trunk in policy.trunks.values()}


def _gateway(trunk: Trunk) -> Gateway:
    uri = Uri.parse(trunk.uri)
    scheme, _, tail = str(uri.replace(user="x")).partition(":x")
    account = Account(trunk.secret.username, trunk.secret.password) if trunk.secret is not None else None
    return Gateway(trunk, hop_of(uri), scheme, tail, account)
