"""A phone with two flows of one instance (RFC 5626): by a stream, and by datagrams from behind a NAT.

Each flow is a party of its own on the network, with its own registration; together they are one phone, which is to be
called by one flow at a time, and by the other only when the first has failed.
"""

from __future__ import annotations

from b2bua.effects import Flow
from b2bua.sip.message import Request, Response

from .phone import Phone
from .transactions import ServerTransaction

_INSIDE = "10.0.0.7"


class Instance:
    """What the flows of one phone know of each other: which of them got a call, and which have failed since."""

    def __init__(self, user: str) -> None:
        self.id = f"urn:uuid:{sum(user.encode()):08x}-0000-4000-8000-000000000000"
        self.calls: dict[str, PhoneFlow] = {}
        self.rung_again = 0

    def rings(self, flow: PhoneFlow, request: Request) -> None:
        """A call comes by this flow. By another one it may have come before only if that one failed meanwhile."""
        before = self.calls.get(request.call_id)
        self.calls[request.call_id] = flow
        if before is None or before is flow:
            return
        self.rung_again += 1
        if not before.failed and not before.dead:
            flow.report("one flow", f"{flow.name} is called while {before.name} is well", request.call_id)


class PhoneFlow(Phone):
    """One flow of such a phone, once it `belongs` to one. `failed` is whether it was lost at some time."""

    instance: Instance
    reg_id: int
    failed = False

    def belongs(self, instance: Instance, reg_id: int) -> PhoneFlow:
        """Be that flow of this phone."""
        self.instance, self.reg_id = instance, reg_id
        self.supports = (("Supported", "path, outbound"),)
        return self

    @property
    def contact(self) -> str:
        """Its Contact: where it is inside, with what it is."""
        uri, bracket, _ = super().contact.replace(self.place.host, _INSIDE).partition(">")
        return f'{uri};ob{bracket};+sip.instance="<{self.instance.id}>";reg-id={self.reg_id}'

    def via(self, branch: str) -> str:
        """Its Via: where it is inside."""
        return super().via(branch).replace(self.place.host, _INSIDE)

    def invited(self, request: Request, transaction: ServerTransaction) -> None:
        """A call comes in by this flow."""
        self.instance.rings(self, request)
        super().invited(request, transaction)

    def drop_stream(self) -> None:
        """The flow is lost until the next registration, and calls that were on it stay so."""
        self.failed = True
        super().drop_stream()

    def broken(self, flow: Flow) -> None:
        """The same from outside."""
        self.failed = True
        super().broken(flow)

    def address_of(self, contact: str) -> str:
        """The URI inside a Contact."""
        return super().address_of(contact.partition(">")[0])

    def _register_heard(self, expires: int, response: Response) -> None:
        if response.status == 200 and expires and "outbound" not in response.values("Require"):
            self.report("outbound", f"{self.name}: the 200 to REGISTER knows nothing of flows", response.call_id)
        super()._register_heard(expires, response)
