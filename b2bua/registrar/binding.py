"""One binding: an address-of-record tied to a contact for a while (RFC 3261 10.3, RFC 5626 section 6).

Owns the value, its line in a 200 and its JSON. Leaves to `registrar` when it changes, to `reach` how a new
one is to be reached, and to the core the sending.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from b2bua.effects import Flow
from b2bua.sip.errors import LocalError, PeerError
from b2bua.sip.uri import Params, Uri, write_params


class Binding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One contact of one address-of-record.

    `contact` is the text of the contact's URI, `params` the contact's parameters without `expires` and `q`.
    `expires_at` and `updated_at` are wall seconds since the epoch, `q` is 0 to 1. `flow` is how the
    REGISTER came. `nat` says that requests go by that flow and never to the contact's own address;
    otherwise they go to the first element of `path` if there is one, else to the contact. `path` holds
    route values, first hop first (RFC 3327). `reg_id` is present only where RFC 5626 identifies the
    binding: by `instance` and `reg_id`, not by the contact. `source` is the address that a front proxy of ours saw
    the REGISTER come from, None where it came to us directly. `reachable` turns false when the stream that it
    depends on closes.
    """

    aor: str
    contact: str
    call_id: str
    cseq: int
    expires_at: float
    updated_at: float
    flow: Flow
    params: Params = ()
    q: float = 1.0
    nat: bool = False
    path: tuple[str, ...] = ()
    instance: str | None = None
    reg_id: int | None = None
    agent: str | None = None
    source: str | None = None
    reachable: bool = True

    @property
    def streamed(self) -> bool:
        """Whether it lives and dies with the connection in `flow`."""
        return self.nat and self.flow.transport != "UDP"

    @property
    def callable(self) -> bool:
        """Whether a SIP request can be sent to it.

        A contact may have any scheme (RFC 3261 10.2.1): it is kept and listed, but only sip and sips are
        rung.
        """
        return self.reachable and self.contact.startswith(("sip:", "sips:"))

    def uri(self) -> Uri:
        """The contact's URI."""
        return Uri.parse(self.contact)

    def line(self, wall: float) -> str:
        """The Contact value for a 200 (RFC 3261 10.3 step 8).

        What is left is rounded to whole seconds and never 0, which would tell the phone that it is gone.
        """
        weight = "" if self.q == 1.0 else f";q={self.q:.3g}"
        left = max(1, round(self.expires_at - wall))
        return f"<{self.contact}>{write_params(self.params)}{weight};expires={left}"


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(tuple[Binding, ...])


def document(bindings: Sequence[Binding]) -> bytes | None:
    """All bindings of an address-of-record as one JSON row for the store; None when there is none."""
    return _ENCODER.encode(bindings) if bindings else None


def restored(aor: str, row: bytes, wall: float) -> tuple[Binding, ...]:
    """The bindings that a row holds and that have not expired, as another process left them.

    A connection ends with its process, so its number means nothing here: a binding that depends on one
    stays, for its Call-ID and CSeq, but is unreachable until its phone refreshes it. Raises LocalError when
    the row is not what `document` writes.
    """
    try:
        bindings = _DECODER.decode(row)
        return tuple([_adopted(aor, binding) for binding in bindings if binding.expires_at > wall])
    except (msgspec.DecodeError, PeerError) as error:
        raise LocalError(f"stored bindings of {aor} cannot be read: {error}") from error


def _adopted(aor: str, binding: Binding) -> Binding:
    binding.uri()
    flow = msgspec.structs.replace(binding.flow, connection=0)
    return msgspec.structs.replace(binding, aor=aor, flow=flow, reachable=not binding.streamed)
