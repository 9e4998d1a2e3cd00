"""What the operator sets once for a server, as the core needs it: values only.

Reading the YAML file, with its errors by line, is the operator's side (`b2bua.operator.settings_file`).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from b2bua.effects import Transport
from b2bua.sip.limits import MessageLimits


class Listener(msgspec.Struct, frozen=True):
    """An address to receive on. `host` is an IP address as text, IPv6 without brackets; `port` 1 to 65535."""

    transport: Transport
    host: str
    port: int


class NameServer(msgspec.Struct, frozen=True):
    """A DNS server: its IP address as text and its port."""

    host: str
    port: int = 53


class Timers(msgspec.Struct, frozen=True):
    """RFC 3261's base timers, in seconds (section 17.1.1.1 and table 4)."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0


class Registration(msgspec.Struct, frozen=True):
    """Bounds on a binding's life, in seconds, where the policy gives none (RFC 3261 10.3)."""

    min_expires: int = 60
    max_expires: int = 3600
    default_expires: int = 3600
    max_contacts: int = 10


class Limits(msgspec.Struct, frozen=True):
    """Where the server begins to refuse. Above `max_calls` calls or `max_pending` unanswered ids: 503.

    `messages` says how large a message may be.
    """

    max_calls: int = 20_000
    max_pending: int = 5_000
    retry_after: int = 10
    messages: MessageLimits = MessageLimits()


class Media(msgspec.Struct, frozen=True):
    """Our RTP ports: `first_port` (even) to `last_port`, two to a stream, on each of `hosts`.

    Without `hosts`, on every address that we listen on. Without ports (0) nothing is relayed or played.
    """

    hosts: tuple[str, ...] = ()
    first_port: int = 20_000
    last_port: int = 21_999


class Messages(msgspec.Struct, frozen=True):
    """The messages of calls are kept, compressed: the newest `octets` of them (0: none), for `age` seconds at most.

    Those of failed calls always; of calls that were answered up to `all_below` a second, and of further ones every
    `sample`th (0: none).
    """

    octets: int = 500_000_000
    age: float = 604_800.0
    all_below: int = 50
    sample: int = 20


class History(msgspec.Struct, frozen=True):
    """How calls were decided is kept for `b2bua plan`: of so many `calls` (0: of none), for `age` seconds at most.

    `messages` says which of their messages are kept.
    """

    calls: int = 200_000
    age: float = 2_592_000.0
    messages: Messages = Messages()


class SessionTimers(msgspec.Struct, frozen=True):
    """Bounds on a session's life without a refresh, in seconds (RFC 4028).

    We ask for `expires`, 0 for no session timers at all, and refuse what is below `min_se`.
    """

    expires: int = 1800
    min_se: int = 90


class Certificate(msgspec.Struct, frozen=True):
    """A PEM file with a certificate and its chain, and the one with its key: the same where `key` is empty."""

    certificate: str = ""
    key: str = ""


class Tls(msgspec.Struct, frozen=True):
    """How we prove who we are by TLS, and whom we believe (RFC 3261 26.3, RFC 5922). Files are named by whole paths.

    `certificate` and `key` are shown to whoever asks for none of the names of `certificates` (SNI). `ca` has those
    whose certificates we believe where we connect; empty, the system's. With `client_ca` peers that connect are asked
    for a certificate of those, and with `require_client` they are refused without one. `client_certificate` and
    `client_key` are what we show where we connect, if not the first pair. `unverified` are hosts, as URIs name them,
    that need to prove nothing. `handshake` is in seconds.
    """

    certificate: str = ""
    key: str = ""
    certificates: tuple[Certificate, ...] = ()
    ca: str = ""
    client_ca: str = ""
    require_client: bool = False
    client_certificate: str = ""
    client_key: str = ""
    unverified: tuple[str, ...] = ()
    minimum: Literal["1.2", "1.3"] = "1.2"
    handshake: float = 10.0


ANYWHERE: Final = "any"
"""Stands for all networks among the `contacts` of `Security`."""


class Security(msgspec.Struct, frozen=True):
    """Who is kept out. Times in seconds.

    An address with so many `failures` to authenticate `within` that time is banned for as long as `bans` says, the
    first time, the second, and so on. For an account, and from one address, `tries` passwords a minute are judged at
    most; an account that was tried as often is closed for as long as `account_bans` says. Without bans, or with 0
    tries, there is none of that. Networks in `trusted` are never banned nor limited, and may register any contact.
    `contacts` are networks that anybody's contact may lead to, or `ANYWHERE`. `registers` a second are looked at
    from one address, and `strangers` a second from all together where no account is known; 0: all.
    """

    failures: int = 5
    within: float = 300.0
    bans: tuple[float, ...] = (60.0, 300.0, 1800.0, 86_400.0)
    tries: int = 10
    account_bans: tuple[float, ...] = (60.0, 300.0, 1800.0)
    trusted: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    registers: int = 100
    strangers: int = 500


class Reload(msgspec.Struct, frozen=True):
    """How the policy changes under traffic.

    Its files are looked at every `watch` seconds, 0 for never; a change that is found goes to `percent` of new calls at
    first. `max_age` is how long, in seconds, a call in progress may follow a version that has been replaced.
    """

    watch: float = 2.0
    percent: int = 100
    max_age: float = 86_400.0


class Host(msgspec.Struct, frozen=True):
    """A port of an IP address as text, IPv6 without brackets."""

    host: str
    port: int


class Http(msgspec.Struct, frozen=True):
    """Where metrics and health are served, if anywhere."""

    listen: Host | None = None


class Hep(msgspec.Struct, frozen=True):
    """Who gets a copy of every message by HEP, if anyone; `capture_id` is what we are called there."""

    to: Host | None = None
    capture_id: int = 2001
    password: str = ""


class Records(msgspec.Struct, frozen=True):
    """Who else gets call records: the file `csv`, and whoever answers at the URL `webhook`; empty for nobody.

    The file `secret` holds what deliveries to the webhook are signed with; without it they are not signed.
    """

    csv: str = ""
    webhook: str = ""
    secret: str = ""


class Settings(msgspec.Struct, frozen=True):
    """All of it. `advertise` replaces an unspecified listen address in Via and Contact. `name_servers` are asked in
    place of the system's.

    `advertise_in` gives, for networks of peers, the address under which those know us: in Via, Contact and session
    descriptions towards them, whatever we listen on; the narrowest network counts. `proxies` are networks of front
    proxies, which are believed when they say where a request came from.
    `grace` is how long a draining server lets calls go on, `max_call` how long any call may last, both in seconds.
    """

    listen: tuple[Listener, ...]
    advertise: str | None = None
    advertise_in: tuple[tuple[str, str], ...] = ()
    proxies: tuple[str, ...] = ()
    name_servers: tuple[NameServer, ...] = ()
    algorithms: tuple[str, ...] = ("MD5",)
    nonce_lifetime: float = 300.0
    timers: Timers = Timers()
    registration: Registration = Registration()
    limits: Limits = Limits()
    session_timers: SessionTimers = SessionTimers()
    media: Media = Media()
    history: History = History()
    tls: Tls = Tls()
    reload: Reload = Reload()
    security: Security = Security()
    http: Http = Http()
    hep: Hep = Hep()
    records: Records = Records()
    grace: float = 30.0
    max_call: float = 86_400.0
    user_agent: str = "b2bua"
