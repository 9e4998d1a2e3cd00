"""A transfer that is not over yet, as the call sees it in which it goes on.

Owns what every kind of it can be told. `transfer` dials a target, `attended` joins two calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.call.events import Answered, Progressed
from b2bua.call.hunt import Hunt
from b2bua.call.leg import Leg
from b2bua.call.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from b2bua.call.transfers import Transfers


class Proceeding:
    """A kind that calls nobody has nothing to add to what is said of a target here."""

    __slots__ = ()

    @property
    def hunt(self) -> Hunt | None:
        """The dial in progress."""
        return None

    def progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """The target is on its way."""

    def answered(self, leg: OutgoingLeg, answer: Answered) -> None:
        """Somebody is there."""

    def does_without(self, leg: Leg) -> bool:
        """A leg is gone: whether the call goes on without it."""
        raise NotImplementedError

    def quiet(self) -> None:
        """An offer in the call has come to its end."""
        raise NotImplementedError

    def drop(self, transfers: Transfers) -> None:
        """The call whose transfers these are ends."""
        raise NotImplementedError

    def forget(self, transfers: Transfers) -> None:
        """It is taken away: stop waiting for anything in it."""
        raise NotImplementedError
