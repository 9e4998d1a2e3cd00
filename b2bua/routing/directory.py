"""Where our own users are: their bindings as destinations (RFC 3261 16.5, RFC 3327 5.3, RFC 5626 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from b2bua.dialog.hops import hop_of
from b2bua.effects import Flow
from b2bua.routing.destination import Destination
from b2bua.sip.headers import NameAddr
from b2bua.sip.uri import Uri


class Registered(Protocol):
    """A binding, as far as calling it needs one."""

    @property
    def contact(self) -> str:
        """The Contact URI."""

    @property
    def nat(self) -> bool:
        """Whether requests must take the flow that it was registered by."""

    @property
    def flow(self) -> Flow:
        """The flow that it was registered by."""

    @property
    def source(self) -> str | None:
        """The address that a front proxy of ours saw it come from; None where there is none."""

    @property
    def path(self) -> tuple[str, ...]:
        """The Path that it was registered through, as Route values."""


class Directory:
    """Finds users. `phones` gives a user's phones, best first, each with its flows, the freshest first.

    `is_ours` knows our domains and addresses.
    """

    def __init__(
        self,
        phones: Callable[[str, float], Sequence[Sequence[Registered]]],
        is_ours: Callable[[Uri], bool],
    ) -> None:
        self._phones = phones
        self.ours = is_ours

    def destinations(
        self,
        user: str,
        uri: str,
        caller: Flow,
        contact: str | None,
        shown: str,
        headers: tuple[tuple[str, str], ...],
        wall: float,
    ) -> tuple[Destination, ...]:
        """A user's phones, each contact once, never the one on the `caller`'s own flow.

        Phones behind a front proxy share its flow: there the caller's own is the one with that `contact`.
        """
        found: dict[str, Destination] = {}
        for flows in self._phones(user, wall):
            spare: Destination | None = None
            for binding in flows if len(flows) == 1 else reversed(flows):
                if binding.flow == caller and (contact is None or binding.contact == contact):
                    spare = None
                    break
                hop = NameAddr.parse(binding.path[0]).uri if binding.path else Uri.parse(binding.contact)
                spare = Destination(
                    uri=binding.contact,
                    party=user,
                    hop=hop_of(hop),
                    from_=shown,
                    to=f"<{uri}>",
                    flow=binding.flow if binding.nat and not binding.path else None,
                    routes=binding.path,
                    source=binding.source or (None if binding.path else binding.flow.remote),
                    headers=headers,
                    spare=spare,
                )
            if spare is not None and spare.uri not in found:
                found[spare.uri] = spare
        return tuple(found.values())
