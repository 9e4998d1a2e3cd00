"""What the core asks the shell to do, and what the shell may answer: plain values, in order.

Owns the vocabulary between the pure core and the edge that performs it. The core returns a list of effects from
every input; the shell performs them first to last and never waits in between. An effect that carries an `id` is
answered by exactly one `Core.answered(id, result, ...)`, failure included.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import msgspec

Transport: TypeAlias = Literal["UDP", "TCP", "TLS"]


class Flow(msgspec.Struct, frozen=True, gc=False):
    """The way a message came, or is to go (RFC 5626 section 3.1).

    `local` and `remote` are IP addresses as text (IPv6 without brackets). `connection` tells streams to the same
    address apart: it is 0 for datagrams, and 0 on a stream means "any open connection to that address, else a new
    one". `name` is for TLS alone: the name that the peer has to prove by its certificate where we open the connection
    (RFC 5922 section 7.3), and that it has proved on one that we opened; an IP address where nothing else was dialled.
    """

    transport: Transport
    local: str
    local_port: int
    remote: str
    remote_port: int
    connection: int = 0
    name: str = ""


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send these octets by this flow, without waiting.

    What cannot be delivered comes back as `Core.flow_failed(flow)`. A full datagram buffer is a counted loss.
    """

    data: bytes
    flow: Flow


class CloseFlow(msgspec.Struct, frozen=True, gc=False):
    """Close a stream whose framing is lost; no answer."""

    flow: Flow


class Resolve(msgspec.Struct, frozen=True, gc=False):
    """Find where a host is (RFC 3263 section 4): answered with `Found`, or with `Failed` where DNS says nothing.

    `port` absent asks for SRV first; `transport` absent leaves the choice to what is found; `secure` takes TLS alone.
    """

    id: int
    host: str
    port: int | None
    transport: Transport | None
    secure: bool = False


class Address(msgspec.Struct, frozen=True, gc=False):
    """One place to try: an IP address, a port and the transport to use there.

    `name` is the host that this was found for, before any NAPTR or SRV: what a TLS certificate there has to be for
    (RFC 5922 section 7.3). Left empty, the certificate has to be for the address itself.
    """

    transport: Transport
    host: str
    port: int
    name: str = ""


class Target(msgspec.Struct, frozen=True, gc=False):
    """One server behind a name: where its service stands among the name's services, the best being 0, its SRV fields
    (RFC 2782), and where it is.
    """

    service: int
    priority: int
    weight: int
    addresses: tuple[Address, ...]


class Found(msgspec.Struct, frozen=True, gc=False):
    """What DNS says of a name: its servers, and for how many seconds that is true.

    Where there are none, `reason` says so in a sentence for the operator. It is `doubtful` where DNS did not answer for
    the name's services, so that this is but the host itself.
    """

    targets: tuple[Target, ...]
    life: float
    reason: str = ""
    doubtful: bool = False


class Resolved(msgspec.Struct, frozen=True, gc=False):
    """The places that a name stands for, in the order in which they are to be tried, never empty.

    The last `passed_over` of them failed a short while ago: they are for recognising whom the name stands for, and are
    not to be tried.
    """

    addresses: tuple[Address, ...]
    passed_over: int = 0


class StoreBindings(msgspec.Struct, frozen=True, gc=False):
    """Make the bindings of one address-of-record durable: answered with `Stored` or `Failed`.

    `document` is the JSON of all its bindings, None when none is left. The whole row is replaced.
    """

    id: int
    aor: str
    document: bytes | None


class Stored(msgspec.Struct, frozen=True, gc=False):
    """The write that was asked for is durable."""


class Failed(msgspec.Struct, frozen=True, gc=False):
    """What was asked for did not happen; `reason` is a sentence for the operator."""

    reason: str


class Record(msgspec.Struct, frozen=True, gc=False):
    """One call detail record: written behind the call, once per leg; writing it twice changes nothing.

    Times are wall seconds since the epoch. `direction` is in for the leg that called us and out for those that we
    called. `cause` is the final SIP status that ended the leg's set-up, or 200. `hung_up_by` is local, remote or
    empty when it was never answered. `transferred_by` is the party that had another of this call go elsewhere, as far
    as this leg was in it then or came by it, else empty. `joined` is the id of the other call where a transfer has
    connected a party of this one with a party of that. `party` is whom we called, a user or a number, `target`
    where. `policy` is the version that the call began with, `rules` are the positions in it that decided, as
    `line:col`; one in another version, which took over later, ends in `@` and that version. `tags` are what rules
    marked the call with until this leg ended. `over` are the ids of the calls of which nothing is left with this leg,
    or nothing was before: it is not stored.
    """

    call: str
    leg: int
    direction: Literal["in", "out"]
    sip_call_id: str
    caller: str
    callee: str
    target: str
    source: str
    start: float
    answer: float | None
    end: float
    cause: int
    reason: str
    hung_up_by: Literal["caller", "callee", "system", ""]
    policy: str
    rules: tuple[str, ...]
    transferred_by: str = ""
    joined: str = ""
    party: str = ""
    tags: dict[str, str] = {}
    over: tuple[str, ...] = ()


class Recording(Protocol):
    """How a call or a registration was decided, which is made a document where that holds up no call."""

    @property
    def call(self) -> str:
        """The call's id, or the account that registered."""

    @property
    def version(self) -> str:
        """The hash of the policy that decided."""

    @property
    def since(self) -> float:
        """When that began, in wall seconds."""

    def whole(self) -> bytes | None:
        """The document; None where there is one already."""

    def further(self) -> list[str]:
        """What is to be added to the document that there is."""

    def version_document(self) -> bytes:
        """The document of the policy that decided."""


class Remember(msgspec.Struct, frozen=True, gc=False):
    """Keep how a call was decided, behind the call, or what the last registration of an account was told."""

    recording: Recording
    registration: bool = False


class Log(msgspec.Struct, frozen=True, gc=False):
    """A line for the operator. `fields` never hold secrets."""

    level: Literal["debug", "info", "warning", "error"]
    event: str
    fields: dict[str, object]


Codec: TypeAlias = Literal["PCMU", "PCMA", "G722", "opus"]


class MediaPort(msgspec.Struct, frozen=True, gc=False):
    """One of our RTP ports, bound in advance; RTCP has the port above it (RFC 3550 section 11).

    `id` is how the core and the media process speak of it. `host` is the IP address that it is bound to.
    """

    id: int
    host: str
    port: int


TONE = "tone"
"""The version of the sound that is always there: the media process is handed it at its start."""


class Playing(msgspec.Struct, frozen=True, gc=False):
    """Send a sound by RTP: which one (`version` of a policy's sound, or `TONE`), in which codec and payload type.

    `id` names this playing: the same id goes on where it was when it is said again, another begins anew. When a sound
    that does not loop has ended, `Core.played(port, id)` says so.
    """

    id: int
    sound: str
    codec: Codec
    payload_type: int
    loop: bool


class MediaPlan(msgspec.Struct, frozen=True, gc=False):
    """What one port is to do: the whole of it, so that saying it again changes nothing.

    `remote` and `control` are where the peer's description says that it receives RTP and RTCP: None sends nothing.
    Packets are taken from exactly there; from other ports of the address `learn` as well, where that is not None
    (a peer behind NAT), until one is locked. `to` is the port whose peer gets what arrives here, its own id for an
    echo, None to drop it. `play` is what the peer hears from us.
    """

    remote: tuple[str, int] | None
    control: tuple[str, int] | None
    learn: str | None = None
    to: int | None = None
    play: Playing | None = None


class SetMedia(msgspec.Struct, frozen=True, gc=False):
    """From now on this port does that; None: nothing, and it forgets its peer. No answer."""

    port: int
    plan: MediaPlan | None


Effect: TypeAlias = Send | CloseFlow | Resolve | StoreBindings | Record | Remember | Log | SetMedia
Answer: TypeAlias = Found | Resolved | Stored | Failed
