"""The settings file: YAML whose keys are the fields of `b2bua.settings`.

Owns reading it, and telling everything that is wrong in it at once, each at its place, as the routing language does.
Durations are seconds, or a number with its unit: `30s`, `5min`, `1h`; sizes
are octets, or such as `500MB`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from b2bua.operator.listen import (
    ADVICE,
    HOST_ADVICE,
    NAME_SERVER_ADVICE,
    parse_host,
    parse_listener,
    parse_name_server,
)
from b2bua.settings import ANYWHERE, Certificate, Host, Listener, NameServer, Settings, Tls
from b2bua.sip.limits import PLAIN_OCTETS
from dsl.diagnostics import Problem, joined, suggestion
from dsl.marked_yaml import Document, Node

ALGORITHMS = ("MD5", "SHA-256")
TLS_VERSIONS = ("1.2", "1.3")
DEFAULT_LISTEN = (Listener("UDP", "127.0.0.1", 5060), Listener("TCP", "127.0.0.1", 5060))

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-z]*)").fullmatch
_SIZES = {"": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)").fullmatch
_COUNT = re.compile(r"[0-9]{1,9}").fullmatch
_USER_AGENT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?").fullmatch
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*").fullmatch
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-~]*").fullmatch
_YES_OR_NO = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_UNSPECIFIED = ("0.0.0.0", "::")

Read = TypeVar("Read")


class SettingsError(Exception):
    """Settings that cannot be used; `problems` holds all that is wrong, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read_settings(path: Path) -> Settings:
    """Read a settings file. Raises SettingsError with every problem in it, or OSError when it cannot be read."""
    problems: list[Problem] = []
    document = Document.read(path, problems)
    fields = _Reader(document).fields(Settings, document.root, "a settings file")
    if problems:
        raise SettingsError(problems)
    return Settings(**{"listen": DEFAULT_LISTEN} | fields)


def duration(text: str) -> float | None:
    """What a duration comes to, in seconds; None for what is none, or nothing."""
    found = _DURATION(text)
    seconds = float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else 0.0
    return seconds if seconds > 0 else None


def unusable(settings: Settings) -> str | None:
    """Why settings that are right one by one cannot be used together; None when they can."""
    registration, timers = settings.registration, settings.timers
    if not registration.min_expires <= registration.default_expires <= registration.max_expires:
        return "`default_expires` has to lie between `min_expires` and `max_expires`"
    if 0 < settings.session_timers.expires < settings.session_timers.min_se:
        return "`expires` of `session_timers` cannot be below `min_se` (RFC 4028 section 7.4)"
    if timers.t1 > timers.t2:
        return "`t1` cannot be longer than `t2` (RFC 3261 17.1.2.2)"
    if settings.media.last_port and settings.media.last_port <= settings.media.first_port:
        return "`last_port` has to be above `first_port`: RTP and RTCP take two ports"
    for name in ("bans", "account_bans"):
        bans = getattr(settings.security, name)
        if list(bans) != sorted(bans):
            return f"each of `{name}` has to be longer than the one before"
    if settings.records.secret and not settings.records.webhook:
        return "`secret` of `records` signs what goes to a `webhook`, and there is none"
    if (wrong := _unusable_tls(settings)) is not None:
        return wrong
    if settings.limits.messages.header_octets < PLAIN_OCTETS:
        return f"`header_octets` has to be at least {PLAIN_OCTETS}: what is no larger is never refused"
    everywhere = [listener for listener in settings.listen if listener.host in _UNSPECIFIED]
    if everywhere and settings.advertise is None:
        return (
            f"phones cannot send to `{everywhere[0].host}`: listen on an address of this machine, "
            "or set `advertise` to the one that they know it by"
        )
    return None


def _unusable_tls(settings: Settings) -> str | None:
    tls = settings.tls
    listener = next((listener for listener in settings.listen if listener.transport == "TLS"), None)
    if listener is not None and not tls.certificate:
        return (
            f"who listens on `tls:{listener.host}` needs a certificate: `tls: {{certificate: FILE, key: FILE}}` in them"
        )
    if listener is None and tls != Tls():
        return "`tls` is set, but nothing listens by it: add `tls:HOST:5061` to `listen`"
    if tls.require_client and not tls.client_ca:
        return "`require_client` needs `client_ca`, the file with those whose certificates are good"
    if tls.client_key and not tls.client_certificate:
        return "`client_key` needs its `client_certificate`"
    if not all(entry.certificate for entry in tls.certificates):
        return "each of `certificates` needs its `certificate`"
    return None


class _Reader:
    """Reads mappings whose keys are the fields of a Struct."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._readers: dict[str, Callable[[str, Node], object]] = {
            "listen": partial(self._several, self._listener),
            "advertise": self._address,
            "advertise_in": self._advertised,
            "proxies": partial(self._several, partial(self._network, "proxies")),
            "name_servers": partial(self._several, self._name_server),
            "hosts": partial(self._several, partial(self._address, "hosts")),
            "first_port": self._port,
            "last_port": self._port,
            "algorithms": partial(self._several, self._algorithm),
            "user_agent": self._user_agent,
            "trusted": partial(self._several, partial(self._network, "trusted")),
            "contacts": partial(self._or_all, ANYWHERE, (ANYWHERE,), partial(self._network, "contacts")),
            "expires": partial(self._or_off, self._whole_seconds),
            "calls": partial(self._or_off, self._count),
            "octets": partial(self._or_off, self._octets),
            "all_below": self._count,
            "sample": partial(self._or_off, self._count),
            "watch": partial(self._or_off, self._seconds),
            "percent": self._percent,
            # What its name alone does not tell.
            "Http.listen": self._host_and_port,
            "to": self._host_and_port,
            "capture_id": self._count,
            "password": self._text,
            "csv": self._file,
            "secret": self._file,
            "webhook": self._url,
        }
        self._readers |= dict.fromkeys(
            ("t1", "t2", "t4", "nonce_lifetime", "grace", "max_call", "age", "max_age", "within"), self._seconds
        )
        for name in ("bans", "account_bans"):
            self._readers[name] = partial(self._or_all, "off", (), partial(self._seconds, name))
        self._readers |= dict.fromkeys(("tries", "registers", "strangers"), partial(self._or_off, self._count))
        self._readers |= dict.fromkeys(
            ("min_expires", "max_expires", "default_expires", "retry_after", "min_se"), self._whole_seconds
        )
        self._readers |= dict.fromkeys(
            ("certificate", "key", "ca", "client_ca", "client_certificate", "client_key"), self._file
        )
        self._readers |= {
            "certificates": partial(self._several, self._certificate),
            "require_client": self._yes_or_no,
            "unverified": partial(self._several, partial(self._host, "unverified")),
            "minimum": self._tls_version,
            "handshake": self._seconds,
        }
        self._readers |= dict.fromkeys(("max_contacts", "max_calls", "max_pending", "failures"), self._count)
        self._readers |= dict.fromkeys(
            ("header_octets", "field_octets", "fields", "values", "body_octets"), self._count
        )

    def fields(self, kind: type[msgspec.Struct], node: Node | None, what: str) -> dict[str, Any]:
        """The fields that a mapping gives; those that are wrong are left out."""
        known = {field.name: field.type for field in msgspec.structs.fields(kind)}
        found: dict[str, Any] = {}
        for key, key_node, entry in self._document.entries(node, what):
            if key not in known:
                advice = suggestion(key, known) or f"{joined(known, 'and')} can be set here"
                self._document.wrong(key_node, f"`{key}` is unknown here", advice)
            elif isinstance(inner := known[key], type) and issubclass(inner, msgspec.Struct):
                found[key] = inner(**self.fields(inner, entry, f"`{key}`"))
            elif (value := self._reader(kind, key)(key, entry)) is not None:
                found[key] = value
        return found

    def _reader(self, kind: type[msgspec.Struct], key: str) -> Callable[[str, Node], object]:
        return self._readers.get(f"{kind.__name__}.{key}") or self._readers[key]

    def _several(self, read: Callable[[Node], Read | None], name: str, node: Node) -> tuple[Read, ...] | None:
        """A list without doubles; None when it is empty."""
        found: list[Read] = []
        for item in self._document.items(node, f"`{name}`"):
            value = read(item)
            if value is not None and value in found:
                self._document.wrong(item, "this stands here twice", "remove one of them")
            elif value is not None:
                found.append(value)
        return tuple(found) or None

    def _or_all(
        self, word: str, meaning: tuple[Read, ...], read: Callable[[Node], Read | None], name: str, node: Node
    ) -> tuple[Read, ...] | None:
        """A list without doubles, or one word in its place."""
        return meaning if node.value == word else self._several(read, name, node)

    def _listener(self, node: Node) -> Listener | None:
        text = self._document.text(node, "a listen address")
        try:
            return None if text is None else parse_listener(text)
        except ValueError as error:
            self._document.wrong(node, str(error), ADVICE)
            return None

    def _host_and_port(self, name: str, node: Node) -> Host | None:
        text = self._document.text(node, f"`{name}`")
        try:
            return None if text is None else parse_host(text)
        except ValueError as error:
            self._document.wrong(node, str(error), HOST_ADVICE)
            return None

    def _text(self, name: str, node: Node) -> str | None:
        return self._document.text(node, f"`{name}`")

    def _url(self, name: str, node: Node) -> str | None:
        text = self._document.text(node, f"`{name}`")
        if text is None or _URL(text):
            return text
        self._document.wrong(node, f"`{text}` is no URL to send to", "write such as `https://crm.example/calls`")
        return None

    def _name_server(self, node: Node) -> NameServer | None:
        text = self._document.text(node, "a name server")
        try:
            return None if text is None else parse_name_server(text)
        except ValueError as error:
            self._document.wrong(node, str(error), NAME_SERVER_ADVICE)
            return None

    def _algorithm(self, node: Node) -> str | None:
        text = self._document.text(node, "an algorithm")
        if text is None or text.upper() in ALGORITHMS:
            return text and text.upper()
        self._document.wrong(node, f"`{text}` is no algorithm here", f"write {joined(ALGORITHMS)}")
        return None

    def _address(self, name: str, node: Node) -> str | None:
        text = self._document.text(node, f"`{name}`")
        try:
            return None if text is None else str(ipaddress.ip_address(text))
        except ValueError:
            self._document.wrong(node, f"`{text}` is no IP address", "write one without a port")
            return None

    def _network(self, name: str, node: Node) -> str | None:
        text = self._document.text(node, f"`{name}`")
        try:
            return None if text is None else str(ipaddress.ip_network(text))
        except ValueError as error:
            why = "has bits beyond its length" if "host bits" in str(error) else "is no network"
            self._document.wrong(node, f"`{text}` {why}", "write such as `10.0.0.0/8` or `2001:db8::/32`")
            return None

    def _advertised(self, name: str, node: Node) -> tuple[tuple[str, str], ...] | None:
        """Networks with the address of ours that is known there."""
        found: dict[str, str] = {}
        for _, key_node, entry in self._document.entries(node, f"`{name}`"):
            network, address = self._network(name, key_node), self._address(name, entry)
            if network is None or address is None:
                continue
            if (":" in network) != (":" in address):
                self._document.wrong(entry, f"`{address}` cannot be reached from {network}", "write one of its kind")
            elif network in found:
                self._document.wrong(key_node, f"`{network}` stands here twice", "remove one of them")
            else:
                found[network] = address
        return tuple(found.items()) or None

    def _certificate(self, node: Node) -> Certificate:
        return Certificate(**self.fields(Certificate, node, "a certificate"))

    def _file(self, name: str, node: Node) -> str | None:
        """A file's whole path; one that is not whole begins where the settings are."""
        text = self._document.text(node, f"`{name}`")
        return None if text is None else str(self._document.path.absolute().parent / text)

    def _host(self, name: str, node: Node) -> str | None:
        text = self._document.text(node, f"a host of `{name}`")
        if text is None or _HOST(text):
            return text and text.lower()
        self._document.wrong(node, f"`{text}` is no host", "write a name or an IP address, without a port")
        return None

    def _yes_or_no(self, name: str, node: Node) -> bool | None:
        text = self._document.text(node, f"`{name}`")
        if text is not None and text.lower() not in _YES_OR_NO:
            self._document.wrong(node, f"`{text}` is neither yes nor no", "write `yes` or `no`")
        return None if text is None else _YES_OR_NO.get(text.lower())

    def _tls_version(self, name: str, node: Node) -> str | None:
        text = self._document.text(node, f"`{name}`")
        if text is None or text in TLS_VERSIONS:
            return text
        self._document.wrong(node, f"`{text}` is no version of TLS here", f"write {joined(TLS_VERSIONS)}")
        return None

    def _port(self, name: str, node: Node) -> int | None:
        text = self._document.text(node, f"`{name}`")
        if text is None:
            return None
        if _COUNT(text) and (text == "0" or 1024 <= int(text) < 65_536):
            return int(text)
        self._document.wrong(node, f"`{text}` is no port for media", "write one from 1024 to 65535, or 0 for none")
        return None

    def _user_agent(self, name: str, node: Node) -> str | None:
        text = self._document.text(node, f"`{name}`")
        if text is None or _USER_AGENT(text):
            return text
        self._document.wrong(node, "this cannot stand in a header", "write it in printable ASCII, on one line")
        return None

    def _seconds(self, name: str, node: Node) -> float | None:
        text = self._document.text(node, f"`{name}`")
        if text is None:
            return None
        if (seconds := duration(text)) is not None:
            return seconds
        self._document.wrong(node, f"`{text}` is no duration", "write seconds, or such as `30s`, `5min` or `1h`")
        return None

    def _whole_seconds(self, name: str, node: Node) -> int | None:
        seconds = self._seconds(name, node)
        if seconds is None or seconds == int(seconds):
            return None if seconds is None else int(seconds)
        self._document.wrong(node, f"`{name}` is counted in whole seconds", "leave the fraction away")
        return None

    def _or_off(self, read: Callable[[str, Node], float | None], name: str, node: Node) -> float | None:
        return 0 if self._document.text(node, f"`{name}`") == "off" else read(name, node)

    def _percent(self, name: str, node: Node) -> int | None:
        text = self._document.text(node, f"`{name}`")
        if text is None:
            return None
        if _COUNT(text) and 1 <= int(text) <= 100:
            return int(text)
        self._document.wrong(node, f"`{text}` is no percentage", "write a whole number from 1 to 100")
        return None

    def _octets(self, name: str, node: Node) -> int | None:
        text = self._document.text(node, f"`{name}`")
        if text is None:
            return None
        found = _SIZE(text)
        size = round(float(found[1]) * _SIZES[found[2]]) if found and found[2] in _SIZES else 0
        if size > 0:
            return size
        self._document.wrong(node, f"`{text}` is no size", "write octets, or such as `800kB`, `500MB` or `2GB`")
        return None

    def _count(self, name: str, node: Node) -> int | None:
        text = self._document.text(node, f"`{name}`")
        if text is None:
            return None
        if _COUNT(text) and int(text) > 0:
            return int(text)
        self._document.wrong(node, f"`{text}` is no count", "write a whole number from 1 on")
        return None
